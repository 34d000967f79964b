/**
 * SAC arrays, timing only: kneaded lengths, then per block and tile the exact max-plus recurrence (`sacTiming.ts`).
 * Where the lengths come from is the kneading's business: off-line they are the same for all outputs of a kind,
 * on-line each output has its own. Shares the order of work with the stepped machine, and no timing code.
 */
import { itemsOf, type TileWork } from '../lower/blocks.js';
import { activeLanesOf, kindAt, type LaneLowering } from '../lower/lowering.js';
import { zeroCounters, type Counters } from './machine.js';
import type { SacConfig } from './sacConfig.js';
import { TileTiming } from './sacTiming.js';

/** Kneaded groups of one output of a tile's units. */
export interface KneadedOutput {
  /** Rows of each group, [group of any lane][unit of the tile]. */
  lengths: Uint16Array;
  /** Rows of each stream, [lane][unit of the tile]. */
  laneRows: Int32Array;
  /** Over all lanes and units of the tile. */
  rows: number;
  essentialBits: number;
}

export interface Kneading {
  /** Whether all outputs of a kind have the same streams. */
  readonly repeats: boolean;
  /** Groups of each lane in an output, by kind. */
  readonly groups: readonly Int32Array[];
  /** Cycles that the first word takes longer to its throttle buffer than an off-line one. */
  readonly delay: number;
  /** The tile whose outputs are asked for next. */
  take(tile: TileWork): void;
  /** Valid until the next call. */
  output(kind: number, position: number): KneadedOutput;
  /** Adds what was kneaded to the counters. */
  report(counters: Counters): void;
}

export function countSac(config: SacConfig, lowering: LaneLowering, kneading: Kneading): Counters {
  const { positions, kinds, blocks } = lowering;
  const activeLanes = activeLanesOf(lowering);
  const tiles = Array.from({ length: config.tiles }, () => new TileTiming(config, activeLanes));
  const counters = zeroCounters();
  const laneRows = new Float64Array(config.units * config.lanes);
  let end = kneading.delay;
  for (const block of blocks) {
    const start = end;
    counters.starts.push(start - kneading.delay);
    let bound = 0;
    block.tiles.forEach((tile, t) => {
      if (itemsOf(tile, positions) === 0) return;
      const timing = tiles[t];
      kneading.take(tile);
      timing.begin(tile.units, start);
      laneRows.fill(0);
      for (let p = tile.first; p < positions;) {
        const kind = kindAt(lowering, p);
        const outputs = kneading.repeats ? equalOutputs(lowering, tile, p) : 1;
        const kneaded = kneading.output(kind, p);
        timing.run(kneaded.lengths, kneading.groups[kind], tile.units, outputs);
        counters.terms += tile.units * kinds[kind].terms * outputs;
        counters.essentialBits += kneaded.essentialBits * outputs;
        counters.busy += kneaded.rows * outputs;
        for (let i = 0; i < kneaded.laneRows.length; i++) laneRows[i] += kneaded.laneRows[i] * outputs;
        p += outputs * tile.step;
      }
      bound = laneRows.reduce((longest, rows) => Math.max(longest, rows), bound);
      end = Math.max(end, timing.latest(tile.units));
    });
    counters.boundCycles += bound;
    block.tiles.forEach((tile, t) => {
      const cycles = end - start;
      const present = tile.units * activeLanes;
      counters.idle.absentUnit += (config.units - tile.units) * config.lanes * cycles;
      counters.idle.absentLane += (tile.units * config.lanes - present) * cycles;
      if (itemsOf(tile, positions) === 0) counters.idle.empty += present * cycles;
      else
        for (let n = 0; n < tile.units; n++)
          counters.stall.imbalance += activeLanes * (end - tiles[t].end[n]);
    });
  }
  for (const tile of tiles) {
    counters.stall.flush += tile.flushWait;
    counters.stall.window += tile.windowWait;
    counters.stall.weights += tile.weightsWait;
  }
  kneading.report(counters);
  counters.singleStreamLaneCycles = counters.busy;
  counters.cycles = end - kneading.delay;
  // The first window loads, the last sum passes pending and the LV stages of the rear tree.
  counters.pipelineCycles = kneading.delay + 2 + Math.max(1, Math.ceil(Math.log2(config.magnitudeBits)));
  return counters;
}

/** How many outputs of the tile, from position p on, are of the same kind. */
function equalOutputs({ kinds, kindOf, positions }: LaneLowering, tile: TileWork, p: number): number {
  if (kinds.length === 1) return Math.ceil((positions - p) / tile.step);
  let outputs = 1;
  while (p + outputs * tile.step < positions && kindOf[p + outputs * tile.step] === kindOf[p]) outputs++;
  return outputs;
}
