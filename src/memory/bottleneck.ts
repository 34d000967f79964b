/**
 * What bounds a layer and phase (SPEC section 8): its system cycles in five parts that add up to them. The largest part
 * is the bottleneck, its share says by how much. Waiting for local buffers goes to weights and to activations as their
 * bytes do.
 */
import type { Counters } from '../arch/machine.js';
import type { MemoryResult } from './memory.js';
import { OPERANDS, type LevelTraffic } from './traffic.js';

/**
 * compute: cycles that lanes issue in, or have no work in. synchronisation: lanes that have work wait for others.
 * weights, activations, output: the array waits for memory.
 */
export const BOUNDS = ['compute', 'synchronisation', 'weights', 'activations', 'output'] as const;
export type Bound = (typeof BOUNDS)[number];

export type CycleParts = Record<Bound, number>;

export const noCycles = (): CycleParts => ({
  compute: 0,
  synchronisation: 0,
  weights: 0,
  activations: 0,
  output: 0,
});

/** @param laneSlots lanes over which the counters' lane-cycles are counted */
export function cyclePartsOf(
  counters: Counters,
  laneSlots: number,
  { stall, traffic }: MemoryResult,
): CycleParts {
  const waiting = Object.values(counters.stall).reduce((a, b) => a + b, 0);
  const synchronisation = Math.round(waiting / laneSlots);
  const refill = Math.round(stall.refill * weightShare(traffic.local.writes));
  const local = Math.round(stall.local * weightShare(traffic.local.reads));
  return {
    compute: counters.cycles - synchronisation,
    synchronisation,
    weights: stall.weights + refill + local,
    activations: stall.activations + (stall.refill - refill) + (stall.local - local),
    output: stall.output,
  };
}

function weightShare(bytes: LevelTraffic['reads']): number {
  const all = OPERANDS.reduce((sum, operand) => sum + bytes[operand], 0);
  return all === 0 ? 0 : bytes.weights / all;
}

/** The largest part, the first of equals; null where there are no cycles. */
export function boundBy(parts: CycleParts): { bound: Bound; share: number } | null {
  const all = BOUNDS.reduce((sum, bound) => sum + parts[bound], 0);
  if (all === 0) return null;
  const bound = BOUNDS.reduce((most, next) => (parts[next] > parts[most] ? next : most));
  return { bound, share: parts[bound] / all };
}
