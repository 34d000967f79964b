/**
 * Lowers a layer's forward phase to lanes (SPEC section 3, "Order of work"). An output is a sum of terms over kernel
 * row, kernel column, then channel. Every output of a convolution group has the same terms, so one table serves
 * all positions: offsets of weights within a filter, and of activations within the padded input.
 */
import type { ConvShape } from '../tensor.js';
import { elementCount, outputShape, outputSize } from '../tensor.js';
import { dealTerms, type LaneTerms, type Lowering } from './terms.js';

export function lowerForward(shape: ConvShape, lanes: number, lowering: Lowering): LaneTerms {
  const { kernelHeight: rows, kernelWidth: columns } = shape;
  const padded = paddedSize(shape);
  const taps = Array.from({ length: rows * columns }, (_, tap) => tap);
  const grid = {
    tapStream: taps,
    tapWindow: taps.map((tap) => tapInPadded(shape, Math.floor(tap / columns), tap % columns)),
    channels: shape.channels / shape.groups,
    channelStream: rows * columns,
    channelWindow: padded.height * padded.width,
  };
  return dealTerms(grid, lanes, lowering);
}

/** Offset of the input under tap (row, column) from that under tap (0, 0), in the padded input. */
export const tapInPadded = (shape: ConvShape, row: number, column: number): number =>
  row * shape.dilationY * paddedSize(shape).width + column * shape.dilationX;

export const paddedSize = (s: ConvShape): { height: number; width: number } => ({
  height: s.height + s.padTop + s.padBottom,
  width: s.width + s.padLeft + s.padRight,
});

/** Where the terms of an output position begin in the padded input. */
export class PaddedBase {
  private readonly padded: { height: number; width: number };
  private readonly out: { outHeight: number; outWidth: number };

  constructor(private readonly shape: ConvShape) {
    this.padded = paddedSize(shape);
    this.out = outputSize(shape);
  }

  /** Of position `position` (example, y, x in order of work) and a convolution group. */
  base(group: number, position: number): number {
    const { shape, padded } = this;
    const { outHeight, outWidth } = this.out;
    const x = position % outWidth;
    const y = Math.floor(position / outWidth) % outHeight;
    const example = Math.floor(position / (outWidth * outHeight));
    const channel = example * shape.channels + group * (shape.channels / shape.groups);
    return (channel * padded.height + y * shape.strideY) * padded.width + x * shape.strideX;
  }
}

/** The input with its zero padding made explicit: a padding tap is a zero activation that costs its item. */
export function paddedInput(shape: ConvShape, codes: Int32Array): Int32Array {
  const { batch, channels, height, width, padTop, padLeft } = shape;
  const padded = paddedSize(shape);
  const data = new Int32Array(batch * channels * padded.height * padded.width);
  for (let plane = 0; plane < batch * channels; plane++)
    for (let y = 0; y < height; y++) {
      const from = (plane * height + y) * width;
      const to = (plane * padded.height + y + padTop) * padded.width + padLeft;
      data.set(codes.subarray(from, from + width), to);
    }
  return data;
}

/** Padded input and bases together. */
export class PaddedInput extends PaddedBase {
  readonly data: Int32Array;

  constructor(shape: ConvShape, codes: Int32Array) {
    super(shape);
    this.data = paddedInput(shape, codes);
  }
}

/** Index into the output tensor (N, F, Ho, Wo) of filter `filter` at `position`. */
export function outputIndex(shape: ConvShape, filter: number, position: number): number {
  const { outHeight, outWidth } = outputSize(shape);
  const plane = outHeight * outWidth;
  const example = Math.floor(position / plane);
  return (example * shape.filters + filter) * plane + (position % plane);
}

/** An output tensor in which every output has still to be written: NaN equals no reference value. */
export const unwrittenOutput = (shape: ConvShape): Float64Array =>
  new Float64Array(elementCount(outputShape(shape))).fill(NaN);

/** Output positions of a layer: examples x Ho x Wo. */
export function positionCount(shape: ConvShape): number {
  const { outHeight, outWidth } = outputSize(shape);
  return shape.batch * outHeight * outWidth;
}
