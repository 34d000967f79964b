/** The bound on recorded gradients: quantisation, sums in float32, and the type that they were stored in. */
import { describe, expect, it } from 'vitest';
import type { LoadedLayer, Operand } from '../../src/simulate/load.js';
import { compareRecorded } from '../../src/simulate/recorded.js';
import type { DType } from '../../src/tensor.js';
import { codes, conv } from '../support/layers.js';

/** One weight and one gradient. `real` lies beside the code where it was rounded to it. */
function layerOf(weight: { code: number; real: number }): LoadedLayer {
  const shape = conv();
  const operand = (code: number, real: number): Operand => ({
    reals: Float64Array.of(real),
    codes: codes([1, 1, 1, 1], [code], 15),
  });
  return {
    name: 'only',
    step: 0,
    shape,
    weight: operand(weight.code, weight.real),
    input: null,
    gradOutput: operand(1, 1),
    inputMask: null,
    formats: { name: 'only', step: 0, weight: null!, input: null, gradOutput: null },
    pruning: null,
  };
}

const outside = (weight: { code: number; real: number }, dtype: DType, value: number): number => {
  const recorded = { shape: [1, 1, 1, 1], dtype, data: Float64Array.of(value) };
  return compareRecorded(layerOf(weight), 'gradInput', Float64Array.of(weight.code), recorded).outside;
};

describe('a product of exact codes, 2049', () => {
  const exact = { code: 2049, real: 2049 };

  it.each<[DType, number, number]>([
    // Between 2048 and 4096 float16 counts in twos, bfloat16 in sixteens.
    ['float16', 2048, 0],
    ['float16', 2050, 0],
    ['float16', 2046, 1],
    ['bfloat16', 2048, 0],
    ['bfloat16', 2032, 1],
    ['float32', 2049, 0],
    ['float32', 2048, 1],
    ['float64', 2048, 1],
  ])('as %s may be recorded as %d: %i outside', (dtype, value, count) => {
    expect(outside(exact, dtype, value)).toBe(count);
  });
});

it('a weight that was rounded to its code widens the bound by as much', () => {
  const rounded = { code: 2049, real: 2049.4 };
  expect(outside(rounded, 'float32', 2049.4)).toBe(0);
  expect(outside(rounded, 'float32', 2049.5)).toBe(1);
});
