/**
 * Weights from the layout of their source to (filters, channels / groups, height, width), and activations to
 * (examples, channels, height, width).
 */
import { elementCount, type NumericArray } from '../../tensor.js';
import type { LayerKind, Layout } from './source.js';

export interface Arrangement {
  /** Canonical shape, 4-D. */
  dims: [number, number, number, number];
  /** Groups that the arrangement itself implies; undefined where it says nothing. */
  groups?: number;
  apply(data: NumericArray): NumericArray;
}

type Dims = readonly number[];

/** Moves axes: axis k of the result is axis order[k] of the data. Four axes. */
export function permute(data: NumericArray, shape: Dims, order: Dims): NumericArray {
  const strides = [shape[1] * shape[2] * shape[3], shape[2] * shape[3], shape[3], 1];
  const [s0, s1, s2, s3] = order.map((axis) => strides[axis]);
  const [n0, n1, n2, n3] = order.map((axis) => shape[axis]);
  const result = data.slice();
  let to = 0;
  for (let a = 0; a < n0; a++)
    for (let b = 0; b < n1; b++)
      for (let c = 0; c < n2; c++) {
        const from = a * s0 + b * s1 + c * s2;
        for (let d = 0; d < n3; d++) result[to++] = data[from + d * s3];
      }
  return result;
}

const same = (data: NumericArray): NumericArray => data;

function arranged(shape: Dims, order: Dims, dims: number[], groups?: number): Arrangement {
  const identity = order.every((axis, k) => axis === k);
  return {
    dims: dims as Arrangement['dims'],
    ...(groups === undefined ? {} : { groups }),
    apply: identity ? same : (data) => permute(data, shape, order),
  };
}

/** Three-dimensional weights are one-dimensional convolutions: a height of 1 goes in before the kernel axis. */
function as4d(shape: Dims, layout: Layout): Dims {
  if (shape.length === 4) return shape;
  const [a, b, c] = shape;
  return layout === 'oihw' ? [a, b, 1, c] : layout === 'hwio' ? [1, a, b, c] : [a, 1, b, c];
}

/** Whether a kernel of this shape is taken for depthwise when nothing but its shape is known. */
export function looksDepthwise(shape: Dims, layout: Layout): boolean {
  if (shape.length < 3) return false;
  const s = as4d(shape, layout);
  if (layout === 'hwio') return s[3] === 1 && s[2] > 1;
  if (layout === 'oihw') return s[1] === 1 && s[0] > 1;
  return s[0] === 1;
}

/** Null if a tensor of this shape cannot be the weights of such a layer. */
export function arrangeWeights(shape: Dims, layout: Layout, kind: LayerKind): Arrangement | null {
  if (shape.length === 2) {
    if (kind === 'depthwise') return null;
    const [a, b] = shape;
    return layout === 'hwio'
      ? arranged([1, 1, a, b], [3, 2, 0, 1], [b, a, 1, 1])
      : arranged([a, b, 1, 1], [0, 1, 2, 3], [a, b, 1, 1]);
  }
  if (shape.length !== 3 && shape.length !== 4) return null;
  const s = as4d(shape, layout);
  const plain = layout === 'oihw' ? [0, 1, 2, 3] : layout === 'hwio' ? [3, 2, 0, 1] : [0, 3, 1, 2];
  const conv = arranged(
    s,
    plain,
    plain.map((axis) => s[axis]),
  );
  if (kind === 'depthwise') return arrangeDepthwise(s, layout, conv);
  if (kind === 'linear' && (conv.dims[2] !== 1 || conv.dims[3] !== 1)) return null;
  return conv;
}

function arrangeDepthwise(s: Dims, layout: Layout, conv: Arrangement): Arrangement | null {
  const [d0, d1, d2, d3] = s;
  // Written as a grouped convolution: one input channel per filter. Groups follow from the input, or are all filters.
  const grouped = conv.dims[1] === 1 && (layout === 'oihw' || conv.dims[0] > 1) ? conv : null;
  switch (layout) {
    case 'oihw':
      return grouped;
    case 'hwio':
      // (H, W, channels, multiplier): filter = channel * multiplier + m, as TensorFlow numbers them.
      return d2 === 1 && d3 > 1 ? grouped : arranged(s, [2, 3, 0, 1], [d2 * d3, 1, d0, d1], d2);
    case 'ohwi':
      return d0 === 1 ? arranged(s, [3, 0, 1, 2], [d3, 1, d1, d2]) : grouped;
  }
}

/** Axis order of activations; weights in hwio or ohwi usually come with channels last. */
export type ActivationOrder = 'channelsFirst' | 'channelsLast';

/** Activations of a convolution, or null if the number of axes does not fit. */
export function arrangeActivations(shape: Dims, rank: 1 | 2, order: ActivationOrder): Arrangement | null {
  if (shape.length !== rank + 2) return null;
  const [n, a, b, c] = shape;
  if (order === 'channelsFirst')
    return rank === 2
      ? arranged(shape, [0, 1, 2, 3], [n, a, b, c])
      : arranged([n, a, 1, b], [0, 1, 2, 3], [n, a, 1, b]);
  return rank === 2
    ? arranged(shape, [0, 3, 1, 2], [n, c, a, b])
    : arranged([n, 1, a, b], [0, 3, 1, 2], [n, b, 1, a]);
}

/** Activations of a linear layer: whatever follows the example axis is flattened in the order stored. */
export function flattenActivations(shape: Dims): Arrangement | null {
  if (shape.length < 2) return null;
  const features = elementCount(shape.slice(1));
  return { dims: [shape[0], features, 1, 1], apply: same };
}

/** The middle of each row: the stored zeros of a padded input taken off left and right. */
export function cropWidth(data: NumericArray, width: number, left: number, right: number): NumericArray {
  const kept = width - left - right;
  const rows = data.length / width;
  const result = data.slice(0, rows * kept);
  for (let row = 0; row < rows; row++)
    for (let x = 0; x < kept; x++) result[row * kept + x] = data[row * width + left + x];
  return result;
}
