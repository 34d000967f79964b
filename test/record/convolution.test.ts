/** The three convolutions of the framework, written as forward convolutions, against the dense reference. */
import type { Rank, Tensor4D } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VerificationError } from '../../src/errors.js';
import { Random } from '../../src/random.js';
import { checkTrainable, convolve, inputGradient, weightGradient } from '../../src/record/convolution.js';
import { NETWORKS } from '../../src/record/networks/registry.js';
import { referenceForward, referenceGradInput, referenceGradWeight } from '../../src/reference.js';
import { inputShape, outputShape, outputSize, weightShape, type ConvShape } from '../../src/tensor.js';
import { runs } from '../support/runs.js';
import { tf } from './support.js';

const small = fc.integer({ min: 1, max: 4 });

/** One axis: kernel, padding up to the kernel's span, an input that is at least as large as the kernel. */
const axis = fc
  .record({ kernel: small, stride: small, dilation: small, more: fc.integer({ min: 0, max: 6 }) })
  .chain((a) => {
    const span = (a.kernel - 1) * a.dilation;
    const pad = fc.integer({ min: 0, max: span });
    return fc.record({ before: pad, after: pad }).map((p) => ({ ...a, ...p, size: span + 1 + a.more }));
  });

const shapes: fc.Arbitrary<ConvShape> = fc
  .record({ y: axis, x: axis, batch: small, channels: small, filters: small, strided: fc.boolean() })
  .map(({ y, x, batch, channels, filters, strided }) => ({
    op: 'conv',
    rank: 2,
    batch,
    channels,
    filters,
    groups: 1,
    height: y.size,
    width: x.size,
    kernelHeight: y.kernel,
    kernelWidth: x.kernel,
    strideY: strided ? y.stride : 1,
    strideX: strided ? x.stride : 1,
    // Padding was drawn for the dilated kernel; without dilation it must not exceed the plain one.
    dilationY: strided ? 1 : y.dilation,
    dilationX: strided ? 1 : x.dilation,
    padTop: strided ? Math.min(y.before, y.kernel - 1) : y.before,
    padBottom: strided ? Math.min(y.after, y.kernel - 1) : y.after,
    padLeft: strided ? Math.min(x.before, x.kernel - 1) : x.before,
    padRight: strided ? Math.min(x.after, x.kernel - 1) : x.after,
  }));

const TO_LAST = [0, 2, 3, 1];
const TO_FIRST = [0, 3, 1, 2];
/** OIHW to HWIO and back. */
const TO_HWIO = [2, 3, 1, 0];
const TO_OIHW = [3, 2, 0, 1];

const drawn = (shape: number[], random: Random): Float32Array =>
  Float32Array.from({ length: shape.reduce((n, d) => n * d, 1) }, () =>
    // Zeros, powers of two and plain values: sums of them are exact in float32 here.
    random.int(3) === 0 ? 0 : (random.int(17) - 8) / 8,
  );

function check(s: ConvShape, seed: number): void {
  const random = new Random(seed);
  const weight = drawn(weightShape(s), random);
  const input = drawn(inputShape(s), random);
  const gradOutput = drawn(outputShape(s), random);
  const tensor = (values: Float32Array, shape: number[], order: number[]): Tensor4D =>
    tf.transpose(tf.tensor<Rank.R4>(values, shape as [number, number, number, number]), order);
  const back = (result: Tensor4D, order: number[]): number[] => [...tf.transpose(result, order).dataSync()];
  tf.tidy(() => {
    const w = tensor(weight, weightShape(s), TO_HWIO);
    const x = tensor(input, inputShape(s), TO_LAST);
    const dy = tensor(gradOutput, outputShape(s), TO_LAST);
    // -0 and 0 are the same value here.
    const plain = (values: ArrayLike<number>): number[] => Array.from(values, (v) => v + 0);
    expect(plain(back(convolve(tf, s, x, w), TO_FIRST))).toEqual(plain(referenceForward(s, weight, input)));
    expect(plain(back(inputGradient(tf, s, w, dy), TO_FIRST))).toEqual(
      plain(referenceGradInput(s, weight, gradOutput)),
    );
    expect(plain(back(weightGradient(tf, s, x, dy), TO_OIHW))).toEqual(
      plain(referenceGradWeight(s, input, gradOutput)),
    );
  });
}

describe('convolutions of a training step', () => {
  it('equal the dense reference', () => {
    fc.assert(
      fc.property(shapes, fc.integer(), (shape, seed) => {
        checkTrainable(shape);
        check(shape, seed);
      }),
      { numRuns: runs(150) },
    );
  });

  it('equal it on every layer of every network', () => {
    for (const { layers } of NETWORKS)
      for (const { shape } of layers) {
        // A cut of the layer: all geometry, fewer channels.
        const cut = { ...shape, channels: Math.min(shape.channels, 3), filters: Math.min(shape.filters, 3) };
        expect(outputSize(cut)).toEqual(outputSize(shape));
        check(cut, 1);
      }
  });

  it('refuse what they have no gradient for', () => {
    const [{ shape }] = NETWORKS[0].layers;
    for (const change of [{ groups: 2 }, { strideX: 2, dilationY: 2 }, { padTop: 5 }])
      expect(() => checkTrainable({ ...shape, ...change })).toThrow(VerificationError);
  });
});
