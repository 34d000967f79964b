/**
 * What arrays of lanes move in gradWeight (SPEC sections 3 and 8): the units of a block are weights, each of which sums
 * over all output positions, so that inputs and gradients are swept over row by row and nothing is stationary. A block
 * needs the input channels and the filters of its weights only. Local buffers get their rows; where these do not fit, the
 * gradients of each filter, for the tiles that have its weights, and for each unit the inputs under its tap, without
 * zero padding.
 */
import type { Block } from '../lower/blocks.js';
import { outputSize, weightsPerFilter, type ConvShape } from '../tensor.js';
import { LaneBlocks } from './laneBlocks.js';
import { NOTHING_STATIONARY, type LocalNest, type Nest } from './nest.js';
import { Reach } from './reach.js';
import { noBits, type Bits } from './traffic.js';

export interface LaneWeightData {
  shape: ConvShape;
  blocks: readonly Block[];
  starts: readonly number[];
  cycles: number;
  inputBits: number;
  gradientBits: number;
  /** 1 where each gradient has a mask bit beside it, else 0. */
  maskBits: number;
  outputBits: number;
}

/** What the weights of a block touch. */
interface Touched {
  channels: number;
  filters: number;
  /** Of them, those that no earlier block of the convolution group has touched. */
  freshChannels: number;
  freshFilters: number;
  /** Units by kernel row: sum over them of the output columns that meet the input. */
  columns: Float64Array;
}

export class LaneWeightNest implements Nest {
  readonly outers: number;
  readonly kept: Bits;
  readonly local: LocalNest;
  private readonly blocks: LaneBlocks;
  private readonly touched: Touched[];
  /** From output rows to input rows. */
  private readonly rows: Reach;
  private readonly out: { outHeight: number; outWidth: number };

  constructor(private readonly data: LaneWeightData) {
    const { shape: s, blocks } = data;
    this.out = outputSize(s);
    this.rows = Reach.rows('forward', s);
    this.outers = blocks.length;
    this.blocks = new LaneBlocks(blocks, data.starts, data.cycles, null, 1);
    this.touched = this.touchedByBlock();
    const { outHeight, outWidth } = this.out;
    this.kept = this.bits(
      (s.batch * s.channels * s.height * s.width) / s.groups,
      (s.batch * s.filters * outHeight * outWidth) / s.groups,
    );
    this.local = this.localNest();
  }

  steps(): number {
    return this.data.shape.batch * this.out.outHeight;
  }

  startOf(outer: number, step: number): number {
    return this.blocks.startOf(outer, step, this.steps());
  }

  stationary(): Bits {
    return noBits();
  }

  epoch(outer: number): number {
    return this.data.blocks[outer].group;
  }

  swept(outer: number, from: number, to: number, fresh: boolean): Bits {
    const { channels, filters, freshChannels, freshFilters } = this.touched[outer];
    const inputRows = this.rows.under(from, to, fresh) * (fresh ? freshChannels : channels);
    const gradientRows = (to - from) * (fresh ? freshFilters : filters);
    return this.bits(inputRows * this.data.shape.width, gradientRows * this.out.outWidth);
  }

  once(): number {
    return 0;
  }

  /** Weights are finished by the last term. */
  outputs(outer: number, _from: number, to: number): number {
    return to === this.steps() ? this.blocks.units[outer] * this.data.outputBits : 0;
  }

  private bits(inputs: number, gradients: number): Bits {
    const { inputBits, gradientBits, maskBits } = this.data;
    return {
      ...noBits(),
      inputs: inputs * inputBits,
      gradients: gradients * gradientBits,
      masks: gradients * maskBits,
    };
  }

  private touchedByBlock(): Touched[] {
    const { shape: s, blocks } = this.data;
    const groupChannels = s.channels / s.groups;
    const perFilter = weightsPerFilter(s);
    const columnsOf = Array.from({ length: s.kernelWidth }, (_, k) => {
      let columns = 0;
      for (let x = 0; x < this.out.outWidth; x++) {
        const at = x * s.strideX + k * s.dilationX - s.padLeft;
        if (at >= 0 && at < s.width) columns++;
      }
      return columns;
    });
    // The latest block, and the latest convolution group, that has touched each channel of a group and each filter.
    const channels = new Touches(groupChannels);
    const filters = new Touches(s.filters);
    return blocks.map((block, b) => {
      channels.begin(b, block.group);
      filters.begin(b, block.group);
      const columns = new Float64Array(s.kernelHeight);
      for (const { firstUnit, units } of block.tiles)
        for (let unit = firstUnit; unit < firstUnit + units; unit++) {
          const within = unit % perFilter;
          const tap = Math.floor(within / groupChannels);
          channels.touch(within % groupChannels);
          filters.touch(Math.floor(unit / perFilter));
          columns[Math.floor(tap / s.kernelWidth)] += columnsOf[tap % s.kernelWidth];
        }
      return {
        channels: channels.count,
        filters: filters.count,
        freshChannels: channels.fresh,
        freshFilters: filters.fresh,
        columns,
      };
    });
  }

  private localNest(): LocalNest {
    const { shape: s } = this.data;
    const { outHeight, outWidth } = this.out;
    /** Output rows before each, within an example, whose tap r lies inside the input; by kernel row. */
    const before = Array.from({ length: s.kernelHeight }, (_, r) => {
      const rows = new Float64Array(outHeight + 1);
      for (let y = 0; y < outHeight; y++) {
        const at = y * s.strideY + r * s.dilationY - s.padTop;
        rows[y + 1] = rows[y] + (at >= 0 && at < s.height ? 1 : 0);
      }
      return rows;
    });
    const until = (r: number, step: number): number =>
      Math.floor(step / outHeight) * before[r][outHeight] + before[r][step % outHeight];
    const inputsOf = (outer: number, from: number, to: number): number => {
      const { columns } = this.touched[outer];
      let inputs = 0;
      for (let r = 0; r < s.kernelHeight; r++) inputs += columns[r] * (until(r, to) - until(r, from));
      return inputs;
    };
    return {
      buffers: (outer) => this.blocks.tiles[outer],
      ...NOTHING_STATIONARY,
      streamed: (outer, from, to) =>
        this.bits(inputsOf(outer, from, to), this.touched[outer].filters * (to - from) * outWidth),
      // Each unit has a stream of its own; all tiles of a filter get its gradients.
      written: (outer, from, to) =>
        this.bits(inputsOf(outer, from, to), this.blocks.tiles[outer] * (to - from) * outWidth),
      rows: (outer, from, to) => {
        const { channels, filters } = this.touched[outer];
        const inputs = this.rows.under(from, to, true) * channels * s.width;
        return this.bits(inputs, filters * (to - from) * outWidth);
      },
    };
  }
}

/** How many of some things a block touches, and how many of them no earlier block of its group has. */
class Touches {
  count = 0;
  fresh = 0;
  private block = -1;
  private group = -1;
  private readonly inBlock: Int32Array;
  private readonly inGroup: Int32Array;

  constructor(things: number) {
    this.inBlock = new Int32Array(things).fill(-1);
    this.inGroup = new Int32Array(things).fill(-1);
  }

  begin(block: number, group: number): void {
    this.block = block;
    this.group = group;
    this.count = this.fresh = 0;
  }

  touch(thing: number): void {
    if (this.inBlock[thing] === this.block) return;
    this.inBlock[thing] = this.block;
    this.count++;
    if (this.inGroup[thing] === this.group) return;
    this.inGroup[thing] = this.group;
    this.fresh++;
  }
}
