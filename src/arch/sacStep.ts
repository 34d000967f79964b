/**
 * SAC arrays, clock by clock: block after block the tiles' PEs consume their words, and meet at the block's end.
 * Cycles, stalls and values all come from the clocked PEs; where the words come from is the array's business.
 */
import { itemsOf, type Block } from '../lower/blocks.js';
import { activeLanesOf, type LaneArray, type LaneLowering } from '../lower/lowering.js';
import { wideSegments, type SacPeConfig } from '../sim/sacRegisters.js';
import type { SacLayer, SacTile } from '../sim/sacTile.js';
import { zeroCounters, type Counters, type StepResult } from './machine.js';
import type { SacConfig } from './sacConfig.js';

/** The tiles of an array, and what prepares their words. */
export interface SacArray {
  tiles: SacTile[];
  /** Cycles that pass before the first word can be accepted. */
  fillCycles: number;
  /** Makes the words of a block ready. Returns, per tile, the first word of [unit][kind][lane], or null. */
  prepare(block: Block): (Int32Array | null)[];
  /** Word count of the longest stream of the block that has just run. */
  longestStream(): number;
}

/** The PE that a configuration asks for, for sums of products by values of `windowBits` magnitude bits. */
export const peConfig = (config: SacConfig, { kinds }: LaneLowering, windowBits: number): SacPeConfig => ({
  units: config.units,
  lanes: config.lanes,
  magnitudeBits: config.magnitudeBits,
  kneadingStride: config.kneadingStride,
  windowSlots: config.windowSlots,
  throttleWords: config.throttleWords,
  barrier: config.sync === 'barrier',
  windowLoadCycles: config.windowLoadCycles,
  wideSegments: kinds.some(({ terms }) => wideSegments(terms, windowBits)),
});

export function stepSac(array: LaneArray, layer: SacLayer, sac: SacArray): StepResult {
  const counters = zeroCounters();
  const { tiles, fillCycles } = sac;
  let blockEnd = fillCycles - 1;
  for (const block of layer.lowering.blocks) {
    const streams = sac.prepare(block);
    tiles.forEach((tile, t) => tile.startBlock(block, streams[t]));
    const blockStart = blockEnd;
    counters.starts.push(blockStart - (fillCycles - 1));
    for (const tile of tiles) blockEnd = Math.max(blockEnd, tile.runBlock());
    for (const tile of tiles) tile.hold(blockEnd + 1);
    countIdle(counters, layer, array, block, blockEnd - blockStart);
    counters.boundCycles += sac.longestStream();
  }
  counters.cycles = blockEnd - (fillCycles - 1);
  // Up to the first word, and the way of the last sum through the tree.
  counters.pipelineCycles = fillCycles + tiles[0].pe.latency;
  for (const { pe } of tiles) {
    counters.busy += pe.counters.busy;
    counters.essentialBits += pe.counters.essentialBits;
    counters.stall.output += pe.counters.output;
    counters.stall.flush += pe.counters.flush;
    counters.stall.window += pe.counters.window;
    counters.stall.weights += pe.counters.weights;
    counters.stall.imbalance += pe.counters.finished;
    counters.terms += pe.terms;
  }
  counters.singleStreamLaneCycles = counters.busy;
  for (const tile of tiles) tile.drain();
  return { counters, output: layer.output };
}

/** Lane-cycles without work, from the shares of the block. */
function countIdle(
  counters: Counters,
  layer: SacLayer,
  array: LaneArray,
  block: Block,
  cycles: number,
): void {
  const { lowering } = layer;
  const activeLanes = activeLanesOf(lowering);
  for (const tile of block.tiles) {
    counters.idle.absentUnit += (array.units - tile.units) * array.lanes * cycles;
    counters.idle.absentLane += tile.units * (array.lanes - activeLanes) * cycles;
    if (itemsOf(tile, lowering.positions) === 0) counters.idle.empty += tile.units * activeLanes * cycles;
  }
}
