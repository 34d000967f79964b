/**
 * Dense lanes, timing only: closed forms. A tile takes the lock-step steps of its outputs one after another; a block
 * takes as long as its busiest tile.
 */
import { itemsOf, type TileWork } from '../lower/blocks.js';
import { activeLanesOf, type LaneArray } from '../lower/lowering.js';
import { lowerPhase } from '../lower/phases.js';
import { MacPe } from '../sim/macPe.js';
import { zeroCounters, type Counters, type LayerWork } from './machine.js';

export function countDense(array: LaneArray, { shape, phase }: LayerWork): Counters {
  const { lanes } = array;
  const lowering = lowerPhase(phase, shape, array);
  const { kinds, positions, kindOf } = lowering;
  const activeLanes = activeLanesOf(lowering);
  const counters = zeroCounters();
  /** Steps and terms of a unit over the outputs of a tile; tiles at the same positions share them. */
  const known = new Map<number, { steps: number; terms: number }>();
  const shareOf = (tile: TileWork): { steps: number; terms: number } => {
    const outputs = itemsOf(tile, positions);
    if (outputs === 0) return { steps: 0, terms: 0 };
    if (kinds.length === 1) return { steps: kinds[0].steps * outputs, terms: kinds[0].terms * outputs };
    const key = tile.first + tile.step * positions;
    let share = known.get(key);
    if (!share) {
      known.set(key, (share = { steps: 0, terms: 0 }));
      for (let p = tile.first; p < positions; p += tile.step) {
        share.steps += kinds[kindOf[p]].steps;
        share.terms += kinds[kindOf[p]].terms;
      }
    }
    return share;
  };
  for (const { tiles } of lowering.blocks) {
    const shares = tiles.map(shareOf);
    const cycles = shares.reduce((longest, { steps }) => Math.max(longest, steps), 0);
    counters.starts.push(counters.cycles);
    counters.cycles += cycles;
    counters.boundCycles += cycles;
    tiles.forEach((tile, t) => {
      const { steps, terms } = shares[t];
      const waiting = cycles - steps;
      counters.terms += tile.units * terms;
      counters.idle.absentUnit += (array.units - tile.units) * lanes * cycles;
      counters.idle.absentLane += tile.units * (lanes * steps - terms + (lanes - activeLanes) * waiting);
      if (steps === 0) counters.idle.empty += tile.units * activeLanes * waiting;
      else counters.stall.imbalance += tile.units * activeLanes * waiting;
    });
  }
  counters.busy = counters.singleStreamLaneCycles = counters.terms;
  counters.pipelineCycles = MacPe.latency;
  return counters;
}
