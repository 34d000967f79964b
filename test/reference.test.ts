/** The dense reference judges all machines, so it is itself judged: by hand, and by scattering instead of gathering. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shapeArbitrary } from '../src/fuzz.js';
import { referenceForward } from '../src/reference.js';
import { elementCount, inputShape, outputSize, weightShape, type ConvShape } from '../src/tensor.js';
import { conv, pad, randomValues } from './support/layers.js';

/** Every input element adds itself to the outputs that it reaches. */
function scattered(shape: ConvShape, weights: number[], input: number[]): number[] {
  const { outHeight, outWidth } = outputSize(shape);
  const { batch, channels, filters, groups, height, width, kernelHeight: R, kernelWidth: S } = shape;
  const output = new Array<number>(batch * filters * outHeight * outWidth).fill(0);
  input.forEach((value, i) => {
    const x = i % width;
    const y = Math.floor(i / width) % height;
    const c = Math.floor(i / (width * height)) % channels;
    const n = Math.floor(i / (width * height * channels));
    weights.forEach((weight, j) => {
      const s = j % S;
      const r = Math.floor(j / S) % R;
      const within = Math.floor(j / (S * R)) % (channels / groups);
      const f = Math.floor(j / (S * R * (channels / groups)));
      const group = Math.floor(f / (filters / groups));
      if (group * (channels / groups) + within !== c) return;
      const oy = (y + shape.padTop - r * shape.dilationY) / shape.strideY;
      const ox = (x + shape.padLeft - s * shape.dilationX) / shape.strideX;
      if (!Number.isInteger(oy) || !Number.isInteger(ox)) return;
      if (oy < 0 || ox < 0 || oy >= outHeight || ox >= outWidth) return;
      output[((n * filters + f) * outHeight + oy) * outWidth + ox] += weight * value;
    });
  });
  return output;
}

describe('dense reference', () => {
  it('is a convolution (correlation), by hand', () => {
    const shape = conv({ height: 2, width: 3, kernelHeight: 2, kernelWidth: 2, ...pad(1), strideX: 2 });
    // 0 0 0 0 0 / 0 1 2 3 0 / 0 4 5 6 0 / 0 0 0 0 0 under 1 10 / 100 1000
    const output = referenceForward(shape, [1, 10, 100, 1000], [1, 2, 3, 4, 5, 6]);
    expect([...output]).toEqual([1000, 3200, 4010, 6532, 40, 65]);
  });

  it('equals scattering, for any stride, padding, dilation and groups', () => {
    fc.assert(
      fc.property(shapeArbitrary, fc.nat(), (shape, seed) => {
        const weights = randomValues(elementCount(weightShape(shape)), 15, 0.4, seed);
        const input = randomValues(elementCount(inputShape(shape)), 15, 0.4, seed + 1);
        expect([...referenceForward(shape, weights, input)]).toEqual(scattered(shape, weights, input));
      }),
      { numRuns: 40 },
    );
  });

  it('is a matrix product for linear layers', () => {
    const shape = conv({ op: 'linear', batch: 2, channels: 3, filters: 2 });
    const output = referenceForward(shape, [1, 2, 3, 4, 5, 6], [1, 0, -1, 10, 20, 30]);
    expect([...output]).toEqual([1 - 3, 4 - 6, 140, 320]);
  });

  it('is exact where sums leave 32 bits', () => {
    const shape = conv({ channels: 1000 });
    const output = referenceForward(shape, new Array(1000).fill(-32_767), new Array(1000).fill(65_535));
    expect([...output]).toEqual([-1000 * 32_767 * 65_535]);
  });
});
