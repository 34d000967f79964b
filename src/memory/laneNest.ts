/**
 * What arrays of lanes move in forward and gradInput (SPEC sections 3 and 8): blocks of units keep their weights, raw or
 * kneaded, and take the window operand in row by row. Rows overlap where the kernel is higher than the stride. The
 * local buffer of a tile gets those rows too; where they do not fit, the window values of its outputs one by one, without
 * zero padding, together with the tiles at the same positions.
 */
import type { Block } from '../lower/blocks.js';
import { outputSize, type ConvShape } from '../tensor.js';
import { LaneBlocks } from './laneBlocks.js';
import type { LocalNest, Nest } from './nest.js';
import { addBits, noBits, type Bits, type Source } from './traffic.js';

export interface LaneData {
  phase: 'forward' | 'gradInput';
  shape: ConvShape;
  blocks: readonly Block[];
  starts: readonly number[];
  cycles: number;
  /** Positions, or pallets, that tiles take in turn. */
  items: number;
  /** Bits of the weights of each unit, over all units of the layer. */
  unitBits: Float64Array;
  windowBits: number;
  /** 1 where each window value has a mask bit beside it, else 0. */
  maskBits: number;
  outputBits: number;
}

/** Along one axis: which of `size` inputs meet which outputs, by taps. */
interface Axis {
  size: number;
  outputs: number;
  kernel: number;
  stride: number;
  dilation: number;
  pad: number;
}

const tapsInside = (a: Axis, output: number): number => {
  let taps = 0;
  for (let k = 0; k < a.kernel; k++) {
    const at = output * a.stride + k * a.dilation - a.pad;
    if (at >= 0 && at < a.size) taps++;
  }
  return taps;
};

const gradientTaps = (a: Axis, input: number): number => {
  let taps = 0;
  for (let k = 0; k < a.kernel; k++) {
    const at = input + a.pad - k * a.dilation;
    if (at % a.stride === 0 && at >= 0 && at / a.stride < a.outputs) taps++;
  }
  return taps;
};

export class LaneNest implements Nest {
  readonly outers: number;
  readonly kept: Bits;
  readonly local: LocalNest;
  private readonly blocks: LaneBlocks;
  private readonly rows: Axis;
  /** Rows of the result and of the window operand in an example, and values in a row of each. */
  private readonly resultRows: number;
  private readonly resultWidth: number;
  private readonly windowRows: number;
  private readonly windowWidth: number;
  /** Planes of the window operand that an output sums over. */
  private readonly planes: number;

  constructor(private readonly data: LaneData) {
    const { shape: s, phase, blocks, unitBits, items } = data;
    const { outHeight, outWidth } = outputSize(s);
    const forward = phase === 'forward';
    this.outers = blocks.length;
    this.blocks = new LaneBlocks(blocks, data.starts, data.cycles, unitBits, items);
    this.rows = {
      size: s.height,
      outputs: outHeight,
      kernel: s.kernelHeight,
      stride: s.strideY,
      dilation: s.dilationY,
      pad: s.padTop,
    };
    const columns: Axis = {
      size: s.width,
      outputs: outWidth,
      kernel: s.kernelWidth,
      stride: s.strideX,
      dilation: s.dilationX,
      pad: s.padLeft,
    };
    [this.resultRows, this.windowRows] = forward ? [outHeight, s.height] : [s.height, outHeight];
    [this.resultWidth, this.windowWidth] = forward ? [outWidth, s.width] : [s.width, outWidth];
    this.planes = (forward ? s.channels : s.filters) / s.groups;
    this.kept = this.window(s.batch * this.windowRows * this.windowWidth * this.planes);
    this.local = this.localNest(columns);
  }

  steps(): number {
    return this.data.shape.batch * this.resultRows;
  }

  startOf(outer: number, step: number): number {
    return this.blocks.startOf(outer, step, this.steps());
  }

  stationary(outer: number): Bits {
    return { ...noBits(), weights: this.blocks.stationary[outer] };
  }

  epoch(outer: number): number {
    return this.data.blocks[outer].group;
  }

  swept(outer: number, from: number, to: number, fresh: boolean): Bits {
    if (fresh && outer > 0 && this.epoch(outer - 1) === this.epoch(outer)) return noBits();
    return this.window(this.rowsFor(from, to, fresh) * this.windowWidth * this.planes);
  }

  once(): number {
    return 0;
  }

  outputs(outer: number, from: number, to: number): number {
    return this.blocks.units[outer] * (to - from) * this.resultWidth * this.data.outputBits;
  }

  /** Window values with their masks. */
  private window(values: number): Bits {
    const { windowBits, maskBits, phase } = this.data;
    const source: Source = phase === 'forward' ? 'inputs' : 'gradients';
    return { ...noBits(), [source]: values * windowBits, masks: values * maskBits };
  }

  /** Rows of the window operand, over examples, that steps from..to need; fresh: beyond those of the steps before. */
  private rowsFor(from: number, to: number, fresh: boolean): number {
    const { resultRows, windowRows } = this;
    let rows = 0;
    for (let step = from; step < to;) {
      const y = step % resultRows;
      const last = Math.min(y + to - step, resultRows);
      const begin = y === 0 ? 0 : fresh ? this.rowsUntil(y) : Math.min(this.rowsFrom(y), this.rowsUntil(y));
      rows += Math.max(0, (last === resultRows ? windowRows : this.rowsUntil(last)) - begin);
      step += last - y;
    }
    return rows;
  }

  /** First row that result row y needs; everything before the first one's goes with it. */
  private rowsFrom(y: number): number {
    const { kernel, stride, dilation, pad } = this.rows;
    if (y === 0) return 0;
    const first =
      this.data.phase === 'forward'
        ? y * stride - pad
        : Math.ceil((y + pad - (kernel - 1) * dilation) / stride);
    return clamp(first, this.windowRows);
  }

  /** One past the last row that result rows below y need. */
  private rowsUntil(y: number): number {
    const { kernel, stride, dilation, pad } = this.rows;
    const end =
      this.data.phase === 'forward'
        ? (y - 1) * stride - pad + (kernel - 1) * dilation + 1
        : Math.floor((y - 1 + pad) / stride) + 1;
    return clamp(end, this.windowRows);
  }

  private localNest(columns: Axis): LocalNest {
    const { blocks, rows, resultRows } = this;
    const { batch } = this.data.shape;
    const taps = this.data.phase === 'forward' ? tapsInside : gradientTaps;
    let columnTaps = 0;
    for (let x = 0; x < this.resultWidth; x++) columnTaps += taps(columns, x);
    // Taps of the result rows before each, within an example.
    const before = new Float64Array(resultRows + 1);
    for (let y = 0; y < resultRows; y++) before[y + 1] = before[y] + taps(rows, y);
    const until = (step: number): number =>
      Math.floor(step / resultRows) * before[resultRows] + before[step % resultRows];
    const values = (from: number, to: number): Bits =>
      this.window((until(to) - until(from)) * columnTaps * this.planes);
    return {
      buffers: (outer) => blocks.tiles[outer],
      stationary: (outer) => this.stationary(outer),
      stationaryCopies: (outer) => blocks.replicas[outer],
      largest: blocks.largestTile,
      turns: (outer, from, to) => blocks.turns(outer, from, to, batch * resultRows),
      streamed: (_, from, to) => values(from, to),
      written: (outer, from, to) => addBits(noBits(), values(from, to), blocks.chunks[outer]),
      rows: (_, from, to) => this.window(this.rowsFor(from, to, true) * this.windowWidth * this.planes),
    };
  }
}

const clamp = (row: number, rows: number): number => Math.min(Math.max(row, 0), rows);
