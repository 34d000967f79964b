/**
 * What arrays of lanes move in forward and gradInput (SPEC sections 3 and 8): blocks of units keep their weights, raw or
 * kneaded, and take the window operand in row by row. Rows overlap where the kernel is higher than the stride. The
 * local buffer of a tile gets those rows too; where they do not fit, the window values of its outputs one by one, without
 * zero padding, together with the tiles at the same positions.
 */
import type { Block } from '../lower/blocks.js';
import type { ConvShape } from '../tensor.js';
import { LaneBlocks } from './laneBlocks.js';
import type { LocalNest, Nest } from './nest.js';
import { Reach } from './reach.js';
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

export class LaneNest implements Nest {
  readonly outers: number;
  readonly kept: Bits;
  readonly local: LocalNest;
  private readonly blocks: LaneBlocks;
  private readonly rows: Reach;
  private readonly columns: Reach;
  /** Planes of the window operand that an output sums over. */
  private readonly planes: number;

  constructor(private readonly data: LaneData) {
    const { shape: s, phase, blocks, unitBits, items } = data;
    this.outers = blocks.length;
    this.blocks = new LaneBlocks(blocks, data.starts, data.cycles, unitBits, items);
    this.rows = Reach.rows(phase, s);
    this.columns = Reach.columns(phase, s);
    this.planes = (phase === 'forward' ? s.channels : s.filters) / s.groups;
    this.kept = this.windowRows(s.batch * this.rows.operands);
    this.local = this.localNest();
  }

  steps(): number {
    return this.data.shape.batch * this.rows.results;
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
    return this.windowRows(this.rows.under(from, to, fresh));
  }

  once(): number {
    return 0;
  }

  outputs(outer: number, from: number, to: number): number {
    return this.blocks.units[outer] * (to - from) * this.columns.results * this.data.outputBits;
  }

  /** Window values with their masks. */
  private window(values: number): Bits {
    const { windowBits, maskBits, phase } = this.data;
    const source: Source = phase === 'forward' ? 'inputs' : 'gradients';
    return { ...noBits(), [source]: values * windowBits, masks: values * maskBits };
  }

  private windowRows(rows: number): Bits {
    return this.window(rows * this.columns.operands * this.planes);
  }

  private localNest(): LocalNest {
    const { blocks, rows, columns } = this;
    const { results } = rows;
    let columnTaps = 0;
    for (let x = 0; x < columns.results; x++) columnTaps += columns.taps(x);
    // Taps of the result rows before each, within an example.
    const before = new Float64Array(results + 1);
    for (let y = 0; y < results; y++) before[y + 1] = before[y] + rows.taps(y);
    const until = (step: number): number =>
      Math.floor(step / results) * before[results] + before[step % results];
    const values = (from: number, to: number): Bits =>
      this.window((until(to) - until(from)) * columnTaps * this.planes);
    return {
      buffers: (outer) => blocks.tiles[outer],
      stationary: (outer) => this.stationary(outer),
      stationaryCopies: (outer) => blocks.replicas[outer],
      largest: blocks.largestTile,
      turns: (outer, from, to) => blocks.turns(outer, from, to, this.steps()),
      streamed: (_, from, to) => values(from, to),
      written: (outer, from, to) => addBits(noBits(), values(from, to), blocks.chunks[outer]),
      rows: (_, from, to) => this.windowRows(rows.under(from, to, true)),
    };
  }
}
