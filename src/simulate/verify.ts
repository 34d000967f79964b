/** Outputs of a machine against the dense reference. */
import type { LayerWork, Machine } from '../arch/machine.js';
import { expectedOutput } from '../expected.js';
import type { Codes } from '../quantize.js';
import { outputSize } from '../tensor.js';

export interface CheckedValues {
  violations: string[];
  /** Largest relative error of sums in float32; null where sums are exact. */
  float32Error: number | null;
}

/** Every output must equal the dense reference: exactly, or within the rounding of a machine that sums in float32. */
export function checkValues(
  machine: Pick<Machine, 'name' | 'float32'>,
  work: LayerWork,
  output: Float64Array,
  expected: Float64Array,
): CheckedValues {
  const where = `${machine.name}, layer ${work.name}, ${work.phase}`;
  if (!machine.float32) return { violations: exactViolations(where, output, expected), float32Error: null };
  const { largest, outside } = float32Error(work, output, expected);
  const violations = [`${where}: ${outside} of ${expected.length} outputs err by more than float32 rounds`];
  return { violations: outside > 0 ? violations : [], float32Error: largest };
}

function exactViolations(where: string, output: Float64Array, expected: Float64Array): string[] {
  if (output.length !== expected.length)
    return [`${where}: found ${output.length} outputs, expected ${expected.length}`];
  let wrong = 0;
  let first = -1;
  // The comparison is by value: a missing output is NaN, which equals nothing; 0 and -0 are the same sum.
  for (let i = 0; i < output.length; i++)
    if (output[i] !== expected[i]) {
      if (wrong++ === 0) first = i;
    }
  if (wrong === 0) return [];
  return [
    `${where}: ${wrong} of ${output.length} outputs differ from the dense reference, the first ` +
      `at index ${first}: found ${output[first]}, expected ${expected[first]}`,
  ];
}

/** Half an ulp of 1 in float32. */
const ROUNDING = 2 ** -24;

export interface Float32Error {
  /** Largest |output - reference| / |reference| over the outputs that are not zero. */
  largest: number;
  /** Outputs further from the reference than their roundings can carry them. */
  outside: number;
}

/**
 * How far outputs that were summed in float32 lie from the exact sums. Summing n products in any order, each product
 * and sum rounded to nearest, errs by at most gamma(n + 1) sum |a b|, gamma(k) = k u / (1 - k u) (Higham, Accuracy and
 * Stability of Numerical Algorithms, section 3.1).
 */
export function float32Error(work: LayerWork, output: Float64Array, expected: Float64Array): Float32Error {
  const magnitudes = expectedOutput(magnitudesOf(work), false);
  const products = mostProducts(work) + 1;
  const gamma = (products * ROUNDING) / (1 - products * ROUNDING);
  let largest = 0;
  let outside = 0;
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(output[i] - expected[i]);
    // NaN, a missing output, is outside too.
    if (!(error <= gamma * magnitudes[i])) outside++;
    if (expected[i] !== 0) largest = Math.max(largest, error / Math.abs(expected[i]));
  }
  return { largest, outside };
}

/** Most products of any output of the phase. */
function mostProducts({ shape, phase }: LayerWork): number {
  const { outHeight, outWidth } = outputSize(shape);
  const kernel = shape.kernelHeight * shape.kernelWidth;
  if (phase === 'gradWeight') return shape.batch * outHeight * outWidth;
  return (kernel * (phase === 'forward' ? shape.channels : shape.filters)) / shape.groups;
}

function magnitudesOf(work: LayerWork): LayerWork {
  const positive = (codes: Codes): Codes => ({ ...codes, codes: codes.codes.map(Math.abs) });
  return {
    ...work,
    weights: positive(work.weights),
    activations: work.activations && positive(work.activations),
    gradOutput: work.gradOutput && positive(work.gradOutput),
  };
}
