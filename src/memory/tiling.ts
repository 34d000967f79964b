/**
 * Tiling (SPEC section 8): what the global buffer keeps, and in how many passes the steps of an outer tile go through it.
 * Everything that is loaded again and again has two halves, one of which fills while the other is used. Of the tilings
 * that fit, the one with the least DRAM traffic is taken; among equals, the one with the shortest passes, since loads
 * then overlap best with work. What fits no half goes through in pieces, and is read again for the next step. Operands
 * that local buffers keep only pass the global buffer, a part of them with each move of the outer tile before.
 *
 * Bandwidth has no say: with less of it the same tiling is only slower.
 */
import type { Nest } from './nest.js';
import { sumBits } from './traffic.js';

export interface Tiling {
  /** Who keeps stationary operands while their steps pass; `none` reads them again for each pass. */
  keepsStationary: 'local' | 'global' | 'none';
  /** Whether swept operands stay in the global buffer until the epoch ends. */
  keepsSwept: boolean;
  /** Most steps of a pass. */
  steps: number;
  /** Bits kept, double where they are loaded more than once. */
  keptBits: number;
  /** Bits that are left for the two halves of what passes. */
  roomBits: number;
  dramBits: number;
}

/** A pass of steps from..to of an outer tile. */
export interface Pass {
  outer: number;
  from: number;
  to: number;
}

/** Passes with more pieces than this are no tiling that anybody would build. */
const MOST_PIECES = 1 << 22;

export function* passesOf(nest: Nest, steps: number): Generator<Pass> {
  for (let outer = 0; outer < nest.outers; outer++) {
    const all = nest.steps(outer);
    for (let from = 0; from < all; from += steps) yield { outer, from, to: Math.min(from + steps, all) };
  }
}

type Keeps = Pick<Tiling, 'keepsStationary' | 'keepsSwept'>;

/** Times that swept operands are others: what stays is double where there are several. */
export const epochsOf = (nest: Nest): number =>
  nest.outers === 0 ? 1 : nest.epoch(nest.outers - 1) - nest.epoch(0) + 1;

/** Bits that pass through the halves: loads that are not kept, and outputs. */
export function passingBits(nest: Nest, { outer, from, to }: Pass, keeps: Keeps): number {
  const swept = keeps.keepsSwept ? nest.once(outer, from, to) : sumBits(nest.swept(outer, from, to, false));
  return passingStationary(nest, { outer, from, to }, keeps) + swept + nest.outputs(outer, from, to);
}

function passingStationary(nest: Nest, { outer, from, to }: Pass, { keepsStationary }: Keeps): number {
  if (keepsStationary === 'global') return 0;
  if (keepsStationary === 'none') return sumBits(nest.stationary(outer));
  if (outer + 1 >= nest.outers) return 0;
  return Math.ceil((sumBits(nest.stationary(outer + 1)) * (to - from)) / nest.steps(outer));
}

/** Pieces that a pass is cut into so that two halves fit. */
export const piecesOf = (bits: number, roomBits: number): number =>
  Math.max(1, Math.ceil((2 * bits) / roomBits));

/**
 * @param capacityBits of the global buffer
 * @param localKeeps whether local buffers have room for stationary operands
 * @returns null where even pieces would be absurdly many
 */
export function chooseTiling(nest: Nest, capacityBits: number, localKeeps: boolean): Tiling | null {
  const longest = Array.from({ length: nest.outers }, (_, outer) => nest.steps(outer)).reduce(
    (a, b) => Math.max(a, b),
    1,
  );
  const stationary = Array.from({ length: nest.outers }, (_, outer) => sumBits(nest.stationary(outer)));
  const mostStationary = stationary.reduce((a, b) => Math.max(a, b), 0);
  const epochs = epochsOf(nest);
  let best: Tiling | null = null;
  for (const keepsStationary of localKeeps ? (['local'] as const) : (['global', 'none'] as const))
    for (const keepsSwept of [true, false])
      for (const steps of stepCounts(longest)) {
        const keptBits =
          (keepsStationary === 'global' ? Math.min(2, nest.outers) * mostStationary : 0) +
          (keepsSwept ? Math.min(2, epochs) * sumBits(nest.kept) : 0);
        if (keptBits > capacityBits) continue;
        const tiling = measure(
          nest,
          { keepsStationary, keepsSwept, steps, keptBits },
          capacityBits,
          stationary,
        );
        if (tiling && (!best || tiling.dramBits < best.dramBits)) best = tiling;
      }
  return best;
}

/** Shortest first. */
function* stepCounts(longest: number): Generator<number> {
  for (let steps = 1; steps < longest; steps *= 2) yield steps;
  yield longest;
}

/** null if it does not fit. Only the shortest passes are cut into pieces. */
function measure(
  nest: Nest,
  keeps: Omit<Tiling, 'roomBits' | 'dramBits'>,
  capacityBits: number,
  stationary: readonly number[],
): Tiling | null {
  const roomBits = capacityBits - keeps.keptBits;
  const again = keeps.keepsStationary === 'none';
  let dramBits = again ? 0 : stationary.reduce((a, b) => a + b, 0);
  let pieces = 0;
  for (const pass of passesOf(nest, keeps.steps)) {
    const { outer, from, to } = pass;
    const passing = passingBits(nest, pass, keeps);
    if (passing > 0 && 2 * passing > roomBits && keeps.steps > 1) return null;
    pieces += passing > 0 ? piecesOf(passing, roomBits) : 1;
    if (pieces > MOST_PIECES) return null;
    dramBits += sumBits(nest.swept(outer, from, to, keeps.keepsSwept)) + nest.outputs(outer, from, to);
    if (again) dramBits += stationary[outer];
  }
  return { ...keeps, roomBits, dramBits };
}
