/**
 * Lowers a layer's forward phase to lanes (SPEC section 3, "Order of work"). An output is a sum of terms; the
 * terms run over kernel row, kernel column, then channel, and are dealt to the L lanes of a unit. In the forward
 * phase every output of a convolution group has the same terms, so one table serves all positions: per lane, the
 * offset of each item's weight within its filter and of its activation within the padded input.
 */
import type { ConvShape } from '../tensor.js';
import { elementCount, outputShape, outputSize } from '../tensor.js';

export const LOWERINGS = ['channelBlock', 'flattened'] as const;
/** channelBlock: lane l takes channel L * block + l (published). flattened: (row, column, channel) in turn. */
export type Lowering = (typeof LOWERINGS)[number];

export interface LaneTerms {
  lanes: number;
  /** Items of each lane in one output; 0 for an absent lane. Never rises with the lane index. */
  items: Int32Array;
  /** Row-major [lane][item], `stride` items apart: weight offset within a filter (C/groups, R, S). */
  weightOffset: Int32Array;
  /** Same layout: activation offset from the position's base in the padded input. */
  inputOffset: Int32Array;
  /** Same layout: the step at which a machine that walks all lanes in lock-step takes the item. */
  stepOfItem: Int32Array;
  stride: number;
  /** Items of the longest lane: steps of a lock-step machine. */
  steps: number;
  /** Terms of one output, over all lanes. */
  terms: number;
  /** Lanes that have items. They are the first ones. */
  activeLanes: number;
}

export function lowerForward(shape: ConvShape, lanes: number, lowering: Lowering): LaneTerms {
  const channels = shape.channels / shape.groups;
  const { kernelHeight: rows, kernelWidth: columns } = shape;
  const padded = paddedSize(shape);
  const terms = channels * rows * columns;
  const stride =
    lowering === 'flattened' ? Math.ceil(terms / lanes) : rows * columns * Math.ceil(channels / lanes);
  const items = new Int32Array(lanes);
  const weightOffset = new Int32Array(lanes * stride);
  const inputOffset = new Int32Array(lanes * stride);
  const stepOfItem = new Int32Array(lanes * stride);
  const blocks = Math.ceil(channels / lanes);
  let turn = 0;
  for (let r = 0; r < rows; r++)
    for (let s = 0; s < columns; s++)
      for (let c = 0; c < channels; c++) {
        const lane = lowering === 'flattened' ? turn % lanes : c % lanes;
        const step =
          lowering === 'flattened'
            ? Math.floor(turn / lanes)
            : (r * columns + s) * blocks + Math.floor(c / lanes);
        turn++;
        const at = lane * stride + items[lane]++;
        stepOfItem[at] = step;
        weightOffset[at] = (c * rows + r) * columns + s;
        inputOffset[at] = (c * padded.height + r * shape.dilationY) * padded.width + s * shape.dilationX;
      }
  const steps = items.reduce((a, b) => Math.max(a, b), 0);
  const activeLanes = items.reduce((n, count) => n + (count > 0 ? 1 : 0), 0);
  return { lanes, items, weightOffset, inputOffset, stepOfItem, stride, steps, terms, activeLanes };
}

const paddedSize = (s: ConvShape): { height: number; width: number } => ({
  height: s.height + s.padTop + s.padBottom,
  width: s.width + s.padLeft + s.padRight,
});

/** The input with its zero padding made explicit: a padding tap is a zero activation that costs its item. */
export class PaddedInput {
  readonly data: Int32Array;
  private readonly padded: { height: number; width: number };
  private readonly out: { outHeight: number; outWidth: number };

  constructor(
    private readonly shape: ConvShape,
    codes: Int32Array,
  ) {
    const { batch, channels, height, width, padTop, padLeft } = shape;
    const padded = (this.padded = paddedSize(shape));
    this.out = outputSize(shape);
    this.data = new Int32Array(batch * channels * padded.height * padded.width);
    for (let plane = 0; plane < batch * channels; plane++)
      for (let y = 0; y < height; y++) {
        const from = (plane * height + y) * width;
        const to = (plane * padded.height + y + padTop) * padded.width + padLeft;
        this.data.set(codes.subarray(from, from + width), to);
      }
  }

  /** Where the terms of output position `position` (example, y, x in order of work) of a group begin. */
  base(group: number, position: number): number {
    const { outHeight, outWidth } = this.out;
    const x = position % outWidth;
    const y = Math.floor(position / outWidth) % outHeight;
    const example = Math.floor(position / (outWidth * outHeight));
    const channel = example * this.shape.channels + group * (this.shape.channels / this.shape.groups);
    return (
      (channel * this.padded.height + y * this.shape.strideY) * this.padded.width + x * this.shape.strideX
    );
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
