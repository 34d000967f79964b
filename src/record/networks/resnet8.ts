/**
 * ResNet-8 (He et al., 2016, the 6n+2 family at n = 1, with 8 to 32 channels): the Conv-BN-ReLU case of SparseTrain
 * (SPEC section 5). Short cuts are without weights: every second row and column, and channels of zeros.
 */
import type { Tensor4D } from '@tensorflow/tfjs-core';
import type { Pass } from '../pass.js';
import { CLASSES, IMAGE_SIZE, conv, linear, type ConvLayer, type Network } from './network.js';

interface Block {
  name: string;
  channels: number;
  filters: number;
  /** Rows and columns of its input. */
  size: number;
  stride: number;
}

const STEM = 8;
const BLOCKS: Block[] = [
  { name: 'layer1.0', channels: STEM, filters: 8, size: IMAGE_SIZE, stride: 1 },
  { name: 'layer2.0', channels: 8, filters: 16, size: IMAGE_SIZE, stride: 2 },
  { name: 'layer3.0', channels: 16, filters: 32, size: IMAGE_SIZE / 2, stride: 2 },
];
const postRelu = true;

const convolutionsOf = ({ name, channels, filters, size, stride }: Block): ConvLayer[] => [
  conv(`${name}.conv1`, { channels, size, filters, kernel: 3, stride, pad: 1 }, { postRelu }),
  conv(`${name}.conv2`, { channels: filters, size: size / stride, filters, kernel: 3, pad: 1 }, { postRelu }),
];

function forwardBlock(pass: Pass, block: Block, x: Tensor4D): Tensor4D {
  const { tf } = pass;
  const { name, channels, filters, stride } = block;
  const inner = tf.relu(pass.norm(`${name}.bn1`, pass.conv(`${name}.conv1`, x)));
  const outer = pass.norm(`${name}.bn2`, pass.conv(`${name}.conv2`, inner));
  return tf.relu(tf.add(outer, stride === 1 ? x : shortCut(pass, x, filters - channels)));
}

/** Max pooling over 1x1 at stride 2 is subsampling. */
function shortCut({ tf }: Pass, x: Tensor4D, more: number): Tensor4D {
  const sampled: Tensor4D = tf.maxPool(x, 1, 2, 'valid');
  return tf.pad(sampled, [
    [0, 0],
    [0, 0],
    [0, 0],
    [0, more],
  ]);
}

export const resnet8: Network = {
  name: 'resnet8',
  summary: 'seven 3x3 convolutions with batch norm, three residual blocks',
  rate: 0.1,
  gain: 2,
  layers: [
    conv('conv1', { channels: 1, size: IMAGE_SIZE, filters: STEM, kernel: 3, pad: 1 }, { fromImage: true }),
    ...BLOCKS.flatMap(convolutionsOf),
    linear('fc', 32, CLASSES, postRelu),
  ],
  norms: [
    { name: 'bn1', channels: STEM },
    ...BLOCKS.flatMap(({ name, filters }) => [
      { name: `${name}.bn1`, channels: filters },
      { name: `${name}.bn2`, channels: filters },
    ]),
  ],
  forward(pass, images) {
    const { tf } = pass;
    let x: Tensor4D = tf.relu(pass.norm('bn1', pass.conv('conv1', images)));
    for (const block of BLOCKS) x = forwardBlock(pass, block, x);
    const pooled: Tensor4D = tf.avgPool(x, IMAGE_SIZE / 4, 1, 'valid');
    return tf.reshape(pass.conv('fc', pooled), [-1, CLASSES]);
  },
};
