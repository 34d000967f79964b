/** Shapes: sizes, counts, and what is refused. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shapeArbitrary } from '../src/fuzz.js';
import {
  checkShape,
  DTYPES,
  DTYPE_BYTES,
  elementCount,
  inputShape,
  isIntegerDtype,
  macCount,
  outputShape,
  outputSize,
  weightShape,
  type ConvShape,
} from '../src/tensor.js';
import { conv, pad } from './support/layers.js';

describe('shapes', () => {
  it('have the output size of every framework: floor', () => {
    const size = (given: Partial<ConvShape>): number[] => Object.values(outputSize(conv(given)));
    expect(size({ height: 56, width: 56, kernelHeight: 3, kernelWidth: 3, ...pad(1) })).toEqual([56, 56]);
    expect(size({ height: 7, width: 8, kernelHeight: 3, kernelWidth: 3, strideY: 2, strideX: 2 })).toEqual([
      3, 3,
    ]);
    expect(size({ width: 10, kernelWidth: 3, dilationX: 4, padLeft: 8 })).toEqual([1, 10]);
    expect(size({ width: 5, kernelWidth: 5, padRight: 1, strideX: 3 })).toEqual([1, 1]);
  });

  it('count MACs over padding too, per group', () => {
    expect(macCount(conv({ channels: 6, filters: 4, groups: 2, batch: 3, width: 5, kernelWidth: 2 }))).toBe(
      4 * 3 * 2 * 4 * 3,
    );
    fc.assert(
      fc.property(shapeArbitrary, (shape) => {
        checkShape('layer', shape);
        const perOutput = elementCount(weightShape(shape)) / shape.filters;
        expect(macCount(shape)).toBe(elementCount(outputShape(shape)) * perOutput);
        expect(elementCount(inputShape(shape))).toBe(
          shape.batch * shape.channels * shape.height * shape.width,
        );
        // As many positions as there are places for the kernel.
        let places = 0;
        const span = (shape.kernelWidth - 1) * shape.dilationX + 1;
        for (let x = 0; x + span <= shape.width + shape.padLeft + shape.padRight; x += shape.strideX)
          places++;
        expect(outputSize(shape).outWidth).toBe(places);
      }),
    );
  });

  it.each<[Partial<ConvShape>, RegExp]>([
    [{ batch: 0 }, /conv1: batch is 0, expected a whole number of at least 1/],
    [{ strideX: 1.5 }, /strideX is 1.5/],
    [{ padTop: -1 }, /padTop is -1, expected a whole number of at least 0/],
    [{ dilationY: NaN }, /dilationY is NaN/],
    [{ filters: 2 ** 60 }, /filters is/],
    [{ channels: 3, groups: 2, filters: 2 }, /3 channels and 2 filters cannot be cut into 2 groups/],
    [
      { kernelWidth: 3, dilationX: 2, width: 4 },
      /kernel 1x3 \(dilation 1x2\) does not fit the padded input 1x4/,
    ],
  ])('that cannot be a layer are refused: %j', (given, message) => {
    expect(() => checkShape('conv1', conv(given))).toThrow(message);
    expect(() => checkShape('conv1', conv(given))).toThrow(
      expect.objectContaining({ code: 'bad-shape', exitCode: 1 }),
    );
  });

  it('have elements of known size', () => {
    expect(DTYPES.filter(isIntegerDtype)).toEqual(['int8', 'int16', 'uint8', 'uint16']);
    expect(DTYPES.map((dtype) => DTYPE_BYTES[dtype])).toEqual([8, 4, 2, 2, 1, 2, 1, 2]);
    expect(elementCount([])).toBe(1);
  });
});
