/**
 * Stochastic gradient pruning (SPEC section 5; arXiv:1908.00173, arXiv:2007.13595): gradients of at least tau are
 * kept; a smaller one becomes +-tau with probability |g|/tau, else 0. The expectation of each gradient is unchanged.
 */
import type { Draws } from './draws.js';

/** Counts are of elements. g is a gradient as recorded, g' as pruned, n the number of elements. */
export interface PruneStatistics {
  /** n, zeros included. */
  elements: number;
  /** Target p that tau was made for; null if not told. */
  target: number | null;
  /** Threshold, in the unit of the gradients. 0: nothing was pruned. */
  tau: number;
  /** Elements with g != 0. = kept + snapped + zeroed. */
  recordedNonZero: number;
  /** Elements with g' != 0. = kept + snapped. */
  prunedNonZero: number;
  /** Non-zero elements with |g| >= tau, unchanged. */
  kept: number;
  /** Elements with 0 < |g| < tau that became +-tau. */
  snapped: number;
  /** Elements with 0 < |g| < tau that became 0. */
  zeroed: number;
  /** mean(g' - g). Its expectation is 0. */
  measuredBias: number;
  /** Standard error of measuredBias under the rule: sqrt(sum of |g| (tau - |g|) over |g| < tau) / n. */
  biasStandardError: number;
  /** mean((g' - g)^2). */
  addedVariance: number;
  /** Expectation of addedVariance under the rule: sum of |g| (tau - |g|) over |g| < tau, / n. */
  expectedAddedVariance: number;
}

export interface PruneResult {
  values: Float64Array;
  tau: number;
  statistics: PruneStatistics;
}

/**
 * Prunes gradients at threshold tau; tau = 0 keeps all. Each element takes the draw of its index, used or not. An
 * element is non-zero afterwards if |g| >= tau or u tau < |g|; rounded products keep the order of their factors, so
 * a larger tau with the same draws never adds a non-zero element, to the last bit.
 * @param target p that tau was made for, for the statistics
 */
export function prune(
  values: Float32Array | Float64Array,
  tau: number,
  draws: Draws,
  target: number | null = null,
): PruneResult {
  if (!(tau >= 0 && tau < Infinity))
    throw new RangeError(`prune: tau is ${tau}, expected a finite number of at least 0`);
  const n = values.length;
  const pruned = new Float64Array(n);
  // Plain sums: their rounding errors are far below the standard error, which falls as 1/sqrt(n).
  let bias = 0;
  let added = 0;
  let expected = 0;
  let kept = 0;
  let snapped = 0;
  let below = 0;
  for (let i = 0; i < n; i++) {
    const g = values[i];
    const magnitude = Math.abs(g);
    const u = draws.uniform(i);
    if (magnitude >= tau) {
      pruned[i] = g;
      if (magnitude > 0) kept++;
      continue;
    }
    if (magnitude === 0) continue;
    below++;
    let after = 0;
    if (u * tau < magnitude) {
      after = g < 0 ? -tau : tau;
      snapped++;
    }
    pruned[i] = after;
    bias += after - g;
    added += (after - g) * (after - g);
    expected += magnitude * (tau - magnitude);
  }
  if (Number.isNaN(bias)) throw new RangeError('prune: a gradient is NaN, expected finite gradients');
  const mean = (sum: number): number => (n === 0 ? 0 : sum / n);
  return {
    values: pruned,
    tau,
    statistics: {
      elements: n,
      target,
      tau,
      recordedNonZero: kept + below,
      prunedNonZero: kept + snapped,
      kept,
      snapped,
      zeroed: below - snapped,
      measuredBias: mean(bias),
      biasStandardError: mean(Math.sqrt(expected)),
      addedVariance: mean(added),
      expectedAddedVariance: mean(expected),
    },
  };
}
