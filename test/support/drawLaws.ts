/** Statistical laws of a source of draws: each returns how far it is off, in standard errors. */
import type { Draws } from '../../src/sparse/draws.js';

/** (chi-square - degrees of freedom) / its standard deviation, over equally likely cells. */
function chiSquare(cells: Float64Array, total: number): number {
  const expected = total / cells.length;
  const sum = cells.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  return (sum - (cells.length - 1)) / Math.sqrt(2 * (cells.length - 1));
}

/** Draws fall evenly into `bins` intervals. */
export function unevenness(draws: Draws, n: number, bins: number): number {
  const cells = new Float64Array(bins);
  for (let i = 0; i < n; i++) cells[Math.floor(draws.uniform(i) * bins)]++;
  return chiSquare(cells, n);
}

export interface SerialFaults {
  /** Pairs of draws `lag` apart fall evenly into bins x bins squares. */
  pairs: number;
  /** Serial correlation times sqrt(n). */
  correlation: number;
}

export function serialFaults(draws: Draws, n: number, lag: number, bins: number): SerialFaults {
  const cells = new Float64Array(bins * bins);
  const u = Float64Array.from({ length: n }, (_, i) => draws.uniform(i));
  let product = 0;
  for (let i = lag; i < n; i++) {
    cells[Math.floor(u[i - lag] * bins) * bins + Math.floor(u[i] * bins)]++;
    product += (u[i - lag] - 0.5) * (u[i] - 0.5);
  }
  const m = n - lag;
  return { pairs: chiSquare(cells, m), correlation: (12 * product) / Math.sqrt(m) };
}
