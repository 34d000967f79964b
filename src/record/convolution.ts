/**
 * The three convolutions of a training step (SPEC section 6) in TensorFlow.js: O = W * I, dI = dO * rotated W, and
 * dW = I * dO. The wasm backend has no kernel for the last and a slow one for the second, so both are written as
 * forward convolutions, of turned or transposed operands. Tensors are channels last: (N, H, W, C), (R, S, C, F).
 */
import type { Tensor4D } from '@tensorflow/tfjs-core';
import { VerificationError } from '../errors.js';
import { outputSize, type ConvShape } from '../tensor.js';
import type { Tf } from './tensorflow.js';

type Pair = [number, number];
type Padding = [Pair, Pair, Pair, Pair];

const padding = (top: number, bottom: number, left: number, right: number): Padding => [
  [0, 0],
  [top, bottom],
  [left, right],
  [0, 0],
];

const paddingOf = (s: ConvShape): Padding => padding(s.padTop, s.padBottom, s.padLeft, s.padRight);
const strideOf = (s: ConvShape): Pair => [s.strideY, s.strideX];
const dilationOf = (s: ConvShape): Pair => [s.dilationY, s.dilationX];

/** What these functions can do. Networks are made of nothing else. @throws VerificationError */
export function checkTrainable(s: ConvShape): void {
  const strided = s.strideY > 1 || s.strideX > 1;
  const dilated = s.dilationY > 1 || s.dilationX > 1;
  const spanY = (s.kernelHeight - 1) * s.dilationY;
  const spanX = (s.kernelWidth - 1) * s.dilationX;
  if (
    s.groups !== 1 ||
    (strided && dilated) ||
    Math.max(s.padTop, s.padBottom) > spanY ||
    Math.max(s.padLeft, s.padRight) > spanX
  )
    throw new VerificationError('untrainable', `no gradient for the layer ${JSON.stringify(s)}`);
}

/** O (N, Ho, Wo, F). The batch is that of the tensors; the shape's own is not looked at. */
export const convolve = (tf: Tf, s: ConvShape, input: Tensor4D, weight: Tensor4D): Tensor4D =>
  tf.conv2d(input, weight, strideOf(s), paddingOf(s), 'NHWC', dilationOf(s));

/**
 * dW (R, S, C, F): channels take the place of examples and examples that of channels; the gradient is the kernel.
 * Stride and dilation change places with them.
 */
export function weightGradient(tf: Tf, s: ConvShape, input: Tensor4D, gradOutput: Tensor4D): Tensor4D {
  const images = tf.transpose(input, [3, 1, 2, 0]);
  const kernel = tf.transpose(gradOutput, [1, 2, 0, 3]);
  const all = tf.conv2d(images, kernel, dilationOf(s), paddingOf(s), 'NHWC', strideOf(s));
  // Rows and columns of the input that the last stride does not reach give outputs beyond the kernel.
  const taps = tf.slice(all, [0, 0, 0, 0], [s.channels, s.kernelHeight, s.kernelWidth, s.filters]);
  return tf.transpose(taps, [1, 2, 0, 3]);
}

/** dI (N, H, W, C), of this convolution alone. */
export function inputGradient(tf: Tf, s: ConvShape, weight: Tensor4D, gradOutput: Tensor4D): Tensor4D {
  const { outHeight, outWidth } = outputSize(s);
  const examples = gradOutput.shape[0];
  const unpadded = s.padTop + s.padBottom + s.padLeft + s.padRight === 0;
  if (outHeight * outWidth === 1 && unpadded && s.height === s.kernelHeight && s.width === s.kernelWidth) {
    // Each input meets one tap, once: a matrix product.
    const matrix = tf.reshape(weight, [-1, s.filters]);
    const product = tf.matMul(tf.reshape(gradOutput, [examples, s.filters]), matrix, false, true);
    return tf.reshape(product, [examples, s.height, s.width, s.channels]);
  }
  const rotated = tf.transpose(tf.reverse(weight, [0, 1]), [0, 1, 3, 2]);
  const spread = withHoles(tf, gradOutput, s.strideY, s.strideX);
  const top = (s.kernelHeight - 1) * s.dilationY - s.padTop;
  const left = (s.kernelWidth - 1) * s.dilationX - s.padLeft;
  const bottom = s.height + s.padTop - spread.shape[1];
  const right = s.width + s.padLeft - spread.shape[2];
  return tf.conv2d(spread, rotated, 1, padding(top, bottom, left, right), 'NHWC', dilationOf(s));
}

/** Stride - 1 zeros between neighbouring rows and columns. */
function withHoles(tf: Tf, x: Tensor4D, strideY: number, strideX: number): Tensor4D {
  if (strideY === 1 && strideX === 1) return x;
  const [n, h, w, c] = x.shape;
  const after = (size: number): [Pair, Pair, Pair] => [
    [0, 0],
    [0, size],
    [0, 0],
  ];
  const wide = tf.pad(tf.reshape(x, [n * h * w, 1, c]), after(strideX - 1));
  const both = tf.pad(tf.reshape(wide, [n * h, 1, w * strideX * c]), after(strideY - 1));
  const all: Tensor4D = tf.reshape(both, [n, h * strideY, w * strideX, c]);
  return tf.slice(all, [0, 0, 0, 0], [n, (h - 1) * strideY + 1, (w - 1) * strideX + 1, c]);
}
