/**
 * One tile of a Tetris array during one layer: a SAC PE, the feeder of its windows, and the places its outputs
 * go to. The tile walks the layer's blocks in order; between blocks it waits for the other tiles while its
 * windows and throttle buffers fill ahead.
 */
import type { KneadedWords } from '../bit/knead.js';
import { VerificationError } from '../errors.js';
import { itemsOf, type Block } from '../lower/blocks.js';
import { outputIndex, type LaneTerms, type PaddedInput } from '../lower/forward.js';
import type { ConvShape } from '../tensor.js';
import type { WindowSource } from './activationWindows.js';
import { SacPe } from './sacPe.js';
import { SteadySacPe, type SteadyMemory } from './steadySacPe.js';
import type { SacPeConfig } from './sacRegisters.js';

/** What all tiles of an array share during one layer. */
export interface SacLayer {
  shape: ConvShape;
  terms: LaneTerms;
  input: PaddedInput;
  blocks: Block[];
  /** Output positions per convolution group. */
  positions: number;
  /** Words of the running block's filters; streams by (filter - block's first filter, lane). */
  words: KneadedWords;
  streams: Int32Array;
  firstFilter: number;
  output: Float64Array;
}

/** Loads a lane's windows in order: block after block, position after position, group after group. */
class WindowFeeder implements WindowSource {
  private readonly block: Int32Array;
  private readonly item: Int32Array;
  private readonly group: Int32Array;
  private readonly base: Int32Array;
  private more: Uint8Array;

  constructor(
    private readonly layer: SacLayer,
    private readonly tile: number,
    private readonly stride: number,
  ) {
    const lanes = layer.terms.lanes;
    this.block = new Int32Array(lanes).fill(-1);
    this.item = new Int32Array(lanes);
    this.group = new Int32Array(lanes);
    this.base = new Int32Array(lanes);
    this.more = new Uint8Array(lanes);
  }

  /** Begins: from here on `more` says which lanes have a window to offer. */
  start(more: Uint8Array): void {
    this.more = more;
    for (let l = 0; l < this.layer.terms.activeLanes; l++) this.nextBlock(l);
  }

  load(lane: number, table: Int32Array, at: number): void {
    const { terms, input } = this.layer;
    const { stride } = this;
    const items = terms.items[lane];
    const from = this.group[lane] * stride;
    const count = Math.min(stride, items - from);
    const offsets = terms.inputOffset;
    const data = input.data;
    const base = this.base[lane];
    let at0 = lane * terms.stride + from;
    for (let p = 0; p < count; p++, at0++) {
      const a = data[base + offsets[at0]];
      table[at + p] = a;
      table[at + stride + p] = -a;
    }
    if (from + count < items) this.group[lane]++;
    else this.nextPosition(lane);
  }

  private nextPosition(lane: number): void {
    const { blocks, positions, input } = this.layer;
    const block = blocks[this.block[lane]];
    const work = block.tiles[this.tile];
    this.group[lane] = 0;
    const item = (this.item[lane] += work.step);
    if (item < positions) this.base[lane] = input.base(block.group, item);
    else this.nextBlock(lane);
  }

  private nextBlock(lane: number): void {
    const { blocks, positions, input } = this.layer;
    for (let b = this.block[lane] + 1; b < blocks.length; b++) {
      const work = blocks[b].tiles[this.tile];
      if (itemsOf(work, positions) === 0) continue;
      this.block[lane] = b;
      this.item[lane] = work.first;
      this.base[lane] = input.base(blocks[b].group, work.first);
      this.more[lane] = 1;
      return;
    }
    this.more[lane] = 0;
  }
}

export class SacTile {
  readonly pe: SacPe;
  /** Per unit, the block and work item whose output comes out of the tree next. */
  private readonly emitBlock: Int32Array;
  private readonly emitItem: Int32Array;
  /** Cycles after which nothing changes in a waiting tile: windows, throttle buffers and tree have settled. */
  private readonly settleCycles: number;

  /** @param memory where the array's steady PEs live, or null to run the general PE */
  constructor(
    config: SacPeConfig,
    private readonly layer: SacLayer,
    private readonly tile: number,
    memory: SteadyMemory | null,
  ) {
    const feeder = new WindowFeeder(layer, tile, config.kneadingStride);
    this.pe = memory
      ? new SteadySacPe(config, layer.words, feeder, memory, tile)
      : new SacPe(config, layer.words, feeder);
    this.pe.setLanes((l) => l < layer.terms.activeLanes);
    feeder.start(this.pe.windowValid);
    this.emitBlock = new Int32Array(config.units).fill(-1);
    this.emitItem = new Int32Array(config.units);
    this.settleCycles =
      config.windowSlots * config.windowLoadCycles + config.throttleWords + this.pe.latency + 2;
    // Cycle 0: the first windows load; the first word can be accepted in cycle 1.
    this.pe.cycle();
  }

  /** Takes up the tile's share of a block, whose words are in the layer's word memory. */
  startBlock(block: Block): void {
    const { layer, pe } = this;
    const { lanes } = pe.config;
    const work = block.tiles[this.tile];
    const outputs = itemsOf(work, layer.positions);
    pe.setUnits(new Array<number>(work.filters).fill(outputs));
    if (outputs === 0) return;
    for (let n = 0; n < work.filters; n++)
      for (let l = 0; l < layer.terms.activeLanes; l++) {
        const start = layer.streams[(work.firstFilter + n - layer.firstFilter) * lanes + l];
        pe.wordPointer[n * lanes + l] = pe.restart[n * lanes + l] = start;
      }
  }

  /**
   * Runs until all units have summed their outputs of the block. Returns the cycle of the last accepted word.
   * @throws VerificationError if nothing moves any more
   */
  runBlock(): number {
    const { pe } = this;
    const from = pe.clock;
    while (pe.runningUnits > 0) {
      pe.cycle();
      if (pe.emitted > 0) this.collect();
      if (pe.clock - Math.max(pe.lastAccept, from) > this.settleCycles)
        throw new VerificationError(
          'deadlock',
          `tile ${this.tile} accepted no word in ${this.settleCycles} cycles up to cycle ${pe.clock}, with ` +
            `${pe.runningUnits} units unfinished`,
        );
    }
    return pe.lastAccept;
  }

  /** Waits until `cycle` is the next one. */
  hold(cycle: number): void {
    const { pe } = this;
    const settled = Math.min(cycle, pe.clock + this.settleCycles);
    while (pe.clock < settled) {
      pe.cycle();
      if (pe.emitted > 0) this.collect();
    }
    pe.skip(cycle - pe.clock);
  }

  /** Lets the last outputs out of the tree. */
  drain(): void {
    for (let i = 0; i <= this.pe.latency; i++) {
      this.pe.cycle();
      if (this.pe.emitted > 0) this.collect();
    }
  }

  /** Writes the outputs that left the tree in the last cycle. A unit's outputs leave in the order of work. */
  private collect(): void {
    const { pe, layer } = this;
    for (let e = 0; e < pe.emitted; e++) {
      const unit = pe.emittedUnit[e];
      let b = this.emitBlock[unit];
      let item = b < 0 ? layer.positions : this.emitItem[unit] + layer.blocks[b].tiles[this.tile].step;
      if (item >= layer.positions) {
        do b++;
        while (!this.hasOutput(b, unit));
        item = layer.blocks[b].tiles[this.tile].first;
      }
      this.emitBlock[unit] = b;
      this.emitItem[unit] = item;
      const filter = layer.blocks[b].tiles[this.tile].firstFilter + unit;
      layer.output[outputIndex(layer.shape, filter, item)] = pe.emittedValue[e];
    }
  }

  private hasOutput(block: number, unit: number): boolean {
    const work = this.layer.blocks[block].tiles[this.tile];
    return work.filters > unit && work.first < this.layer.positions;
  }
}
