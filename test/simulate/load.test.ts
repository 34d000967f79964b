/** Recorded operands as codes: in training all are signed; without, unsigned inputs keep their own format. */
import { expect, it } from 'vitest';
import { loadLayer } from '../../src/simulate/load.js';
import type { Precision } from '../../src/quantize.js';
import type { Tensor } from '../../src/tensor.js';
import type { TraceLayer } from '../../src/trace/trace.js';
import { conv } from '../support/layers.js';

const tensors: Record<string, Tensor> = {
  weight: { shape: [1, 1, 1, 1], dtype: 'int8', data: Int8Array.of(-3) },
  input: { shape: [1, 1, 1, 2], dtype: 'uint8', data: Uint8Array.of(200, 1) },
};
const layer = {
  name: 'fc',
  shape: conv({ width: 2 }),
  tensors,
  read: (role: string) => tensors[role],
} as unknown as TraceLayer;

const input = (training: boolean, precision: Precision): unknown[] => {
  const { codes } = loadLayer('step', layer, 0, { training, precision, pruner: null }).input!;
  return [[...codes.codes], codes.magnitudeBits, codes.storageBits];
};

it('unsigned inputs have a magnitude bit more only where nothing is trained', () => {
  expect(input(false, 'int8')).toEqual([[200, 1], 8, 8]);
  expect(input(true, 'int16')).toEqual([[200, 1], 15, 16]);
  expect(() => input(true, 'int8')).toThrow(/layer fc, input.*uint8 code 200.*-127 to 127/);
});
