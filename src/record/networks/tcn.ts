/**
 * Temporal convolutional network (Bai et al., arXiv:1803.01271): causal dilated convolutions with residual blocks,
 * reading an image as a sequence. Four pixels make one time step, so that a sequence has 196 of them; the class is
 * read off the last one. Without the paper's weight norm and dropout.
 */
import type { Tensor4D } from '@tensorflow/tfjs-core';
import type { Pass } from '../pass.js';
import { CLASSES, IMAGE_SIZE, conv, linear, type ConvLayer, type Network } from './network.js';

const PIXELS_PER_STEP = 4;
const TIME = (IMAGE_SIZE * IMAGE_SIZE) / PIXELS_PER_STEP;
const FILTERS = 24;
const KERNEL = 3;
const DILATIONS = [1, 2, 4, 8, 16];

/** Padding on the left alone, so that no output sees a later input. */
function causal(
  name: string,
  of: { channels: number; kernel: number; dilation: number },
  traits: { postRelu?: boolean; fromImage?: boolean },
): ConvLayer {
  const layer = conv(
    name,
    { channels: of.channels, size: 1, filters: FILTERS, kernel: 1 },
    { bias: true, ...traits },
  );
  const padLeft = (of.kernel - 1) * of.dilation;
  return {
    ...layer,
    shape: { ...layer.shape, rank: 1, width: TIME, kernelWidth: of.kernel, dilationX: of.dilation, padLeft },
  };
}

function convolutionsOf(dilation: number, index: number): ConvLayer[] {
  const name = `net.${index}`;
  const first = index === 0;
  const channels = first ? PIXELS_PER_STEP : FILTERS;
  const origin = { fromImage: first, postRelu: !first };
  return [
    causal(`${name}.conv1`, { channels, kernel: KERNEL, dilation }, origin),
    causal(`${name}.conv2`, { channels: FILTERS, kernel: KERNEL, dilation }, { postRelu: true }),
    ...(first ? [causal(`${name}.down`, { channels, kernel: 1, dilation: 1 }, origin)] : []),
  ];
}

function forwardBlock(pass: Pass, index: number, x: Tensor4D): Tensor4D {
  const { tf } = pass;
  const name = `net.${index}`;
  const inner: Tensor4D = tf.relu(pass.conv(`${name}.conv1`, x));
  const outer: Tensor4D = tf.relu(pass.conv(`${name}.conv2`, inner));
  return tf.relu(tf.add(outer, index === 0 ? pass.conv(`${name}.down`, x) : x));
}

export const tcn: Network = {
  name: 'tcn',
  summary: 'eleven causal convolutions of dilation 1 to 16, residual, over 196 time steps',
  rate: 0.02,
  // Residual sums grow from block to block.
  gain: 0.5,
  layers: [...DILATIONS.flatMap(convolutionsOf), linear('fc', FILTERS, CLASSES, true)],
  norms: [],
  forward(pass, images) {
    const { tf } = pass;
    let x: Tensor4D = tf.reshape(images, [-1, 1, TIME, PIXELS_PER_STEP]);
    for (const index of DILATIONS.keys()) x = forwardBlock(pass, index, x);
    const last: Tensor4D = tf.slice(x, [0, 0, TIME - 1, 0], [-1, 1, 1, FILTERS]);
    return tf.reshape(pass.conv('fc', last), [-1, CLASSES]);
  },
};
