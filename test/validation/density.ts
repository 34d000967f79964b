/**
 * Kneading of independent bits, in closed form: the length of a group of KS weights is the largest of B binomial
 * counts, so P(length <= k) = F(k)^B, and a group takes at least one row (SPEC section 2).
 */
import { magnitudeBitsOf, type Precision } from '../../src/quantize.js';

/** SPEC section 3: "synthetic weights with 31 % bit density". */
export const STATED_DENSITY = 0.31;
/** SPEC section 3: weights per cycle where nothing is shared ("none"), which that trial found. */
export const STATED_BOUNDS: Readonly<Record<Precision, number>> = { int16: 2.01, int8: 2.23 };
/** Tetris, abstract: 68.9 % of weight bits are zero on average. */
export const PUBLISHED_ZERO_BITS = 0.689;
export const PUBLISHED_DENSITY = 1 - PUBLISHED_ZERO_BITS;

export interface Moments {
  mean: number;
  deviation: number;
}

/** Rows of a group of `stride` weights of B bits, each set with probability `density`. */
export function groupLength(density: number, precision: Precision, stride: number): Moments {
  const B = magnitudeBitsOf(precision);
  let choose = 1;
  let cdf = 0;
  let before = 0;
  let mean = 0;
  let square = 0;
  for (let k = 0; k <= stride; k++) {
    cdf += choose * density ** k * (1 - density) ** (stride - k);
    choose *= (stride - k) / (k + 1);
    const share = Math.min(1, cdf) ** B;
    const rows = Math.max(1, k);
    mean += rows * (share - before);
    square += rows * rows * (share - before);
    before = share;
  }
  return { mean, deviation: Math.sqrt(square - mean * mean) };
}

/** Weights per cycle of one stream. */
export const boundOf = (density: number, precision: Precision, stride: number): number =>
  stride / groupLength(density, precision, stride).mean;

/** The density whose bound is this: bounds fall as density grows. */
export function densityOfBound(bound: number, precision: Precision, stride: number): number {
  let [sparse, dense] = [0, 1];
  for (let i = 0; i < 60; i++) {
    const middle = (sparse + dense) / 2;
    if (boundOf(middle, precision, stride) > bound) sparse = middle;
    else dense = middle;
  }
  return (sparse + dense) / 2;
}
