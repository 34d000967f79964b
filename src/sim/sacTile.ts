/**
 * One tile of a SAC array during one layer: a PE, the port of its windows, and the places its outputs go to. The
 * tile walks the layer's blocks in order; between blocks it waits for the other tiles while its windows and
 * throttle buffers fill ahead.
 */
import { VerificationError } from '../errors.js';
import { itemsOf, type Block } from '../lower/blocks.js';
import { activeLanesOf, type LaneLowering } from '../lower/lowering.js';
import type { WindowSource } from './activationWindows.js';
import type { GroupWalk } from './groupWalk.js';
import type { SacPe } from './sacPe.js';

/** What all tiles of an array share during one layer. */
export interface SacLayer {
  lowering: LaneLowering;
  /** Values that windows are loaded from. */
  window: Int32Array;
  output: Float64Array;
  /** Kinds of outputs, as the PEs' plans want them: lanes with items, and terms. */
  lanesOfKind: Int32Array;
  termsOfKind: Int32Array;
}

export const sacLayer = (lowering: LaneLowering, window: Int32Array): SacLayer => ({
  lowering,
  window,
  output: lowering.blankOutput(),
  lanesOfKind: Int32Array.from(lowering.kinds, ({ activeLanes }) => activeLanes),
  termsOfKind: Int32Array.from(lowering.kinds, ({ terms }) => terms),
});

/** Loads a lane's windows in the order of work. */
export class WindowPort implements WindowSource {
  constructor(
    private readonly layer: SacLayer,
    private readonly walk: GroupWalk,
    private readonly stride: number,
  ) {}

  load(lane: number, table: Int32Array, at: number): void {
    const { walk, stride } = this;
    const { windowOffset, stride: row } = this.layer.lowering.kinds[walk.kind[lane]];
    const values = this.layer.window;
    const items = walk.items(lane);
    const base = walk.windowBase[lane];
    let from = lane * row + walk.item[lane];
    for (let p = 0; p < items; p++, from++) {
      const a = values[base + windowOffset[from]];
      table[at + p] = a;
      table[at + stride + p] = -a;
    }
    walk.next(lane);
  }
}

export class SacTile {
  /** Per unit, the block and work item whose output comes out of the tree next. */
  private readonly emitBlock: Int32Array;
  private readonly emitItem: Int32Array;
  /** Cycles after which nothing changes in a waiting tile: windows, throttle buffers and tree have settled. */
  private readonly settleCycles: number;

  /**
   * @param windows the walk of the PE's window port; it says which lanes have a window to offer
   * @param fillCycles cycles before the first word can be accepted
   */
  constructor(
    readonly pe: SacPe,
    private readonly layer: SacLayer,
    private readonly tile: number,
    windows: GroupWalk,
    fillCycles: number,
  ) {
    const { config } = pe;
    const active = activeLanesOf(layer.lowering);
    pe.setLanes((l) => l < active);
    pe.offerWindows(windows.more);
    this.emitBlock = new Int32Array(config.units).fill(-1);
    this.emitItem = new Int32Array(config.units);
    // A kneader takes one cycle more than the throttle buffer behind it.
    this.settleCycles =
      config.windowSlots * config.windowLoadCycles + config.throttleWords + 1 + pe.latency + 2;
    // The first windows load in cycle 0, kneaders their first groups.
    for (let i = 0; i < fillCycles; i++) pe.cycle();
  }

  /**
   * Takes up the tile's share of a block.
   * @param streams first word of [unit of the tile][kind][lane]; null where kneaders deliver
   */
  startBlock(block: Block, streams: Int32Array | null): void {
    const { layer, pe } = this;
    const { positions, kindOf } = layer.lowering;
    const { units, first, step } = block.tiles[this.tile];
    const outputs = itemsOf(block.tiles[this.tile], positions);
    const { lanesOfKind: lanes, termsOfKind: terms } = layer;
    pe.setUnits(new Array<number>(units).fill(outputs), { kindOf, first, step, lanes, terms, streams });
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
    if (cycle > pe.clock) pe.skip(cycle - pe.clock);
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
    const { blocks, positions, unitOutput, positionOutput } = layer.lowering;
    for (let e = 0; e < pe.emitted; e++) {
      const unit = pe.emittedUnit[e];
      let b = this.emitBlock[unit];
      let item = b < 0 ? positions : this.emitItem[unit] + blocks[b].tiles[this.tile].step;
      if (item >= positions) {
        do b++;
        while (!this.hasOutput(b, unit));
        item = blocks[b].tiles[this.tile].first;
      }
      this.emitBlock[unit] = b;
      this.emitItem[unit] = item;
      const place = unitOutput(blocks[b].tiles[this.tile].firstUnit + unit) + positionOutput(item);
      layer.output[place] = pe.emittedValue[e];
    }
  }

  private hasOutput(block: number, unit: number): boolean {
    const { blocks, positions } = this.layer.lowering;
    const work = blocks[block].tiles[this.tile];
    return work.units > unit && work.first < positions;
  }
}
