/** What a network is to the recorder: its convolutions as data, and how they are joined. */
import type { Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import type { ConvShape } from '../../tensor.js';
import type { ParameterSpec } from '../parameters.js';
import type { Pass } from '../pass.js';

export interface ConvLayer {
  name: string;
  /** The batch is 1 here. Linear layers are 1x1 convolutions of a 1x1 image, and say so in `op`. */
  shape: ConvShape;
  bias: boolean;
  /** True when the input comes out of a ReLU. */
  postRelu: boolean;
  /** True when the input is the image itself, whose gradient nobody needs. */
  fromImage: boolean;
}

export interface Network {
  name: string;
  summary: string;
  /** Learning rate at the first step, for the default batch. */
  rate: number;
  /** Variance of initial weights, times the terms of an output: 2 keeps activations as large as they were (He). */
  gain: number;
  /** In order of execution; linear layers included. */
  layers: ConvLayer[];
  /** Batch norms by name, with their channels. */
  norms: { name: string; channels: number }[];
  /** Images (N, 28, 28, 1) to logits (N, 10). */
  forward(pass: Pass, images: Tensor4D): Tensor2D;
}

export const IMAGE_SIZE = 28;
export const CLASSES = 10;

/** A convolution of a square image, padded equally on all sides. */
export function conv(
  name: string,
  of: { channels: number; size: number; filters: number; kernel: number; stride?: number; pad?: number },
  traits: { bias?: boolean; postRelu?: boolean; fromImage?: boolean } = {},
): ConvLayer {
  const { channels, size, filters, kernel, stride = 1, pad = 0 } = of;
  const shape: ConvShape = {
    op: 'conv',
    rank: 2,
    batch: 1,
    channels,
    height: size,
    width: size,
    filters,
    kernelHeight: kernel,
    kernelWidth: kernel,
    strideY: stride,
    strideX: stride,
    padTop: pad,
    padBottom: pad,
    padLeft: pad,
    padRight: pad,
    dilationY: 1,
    dilationX: 1,
    groups: 1,
  };
  return { name, shape, bias: false, postRelu: false, fromImage: false, ...traits };
}

/** A fully connected layer with bias. */
export function linear(name: string, channels: number, filters: number, postRelu: boolean): ConvLayer {
  const layer = conv(name, { channels, size: 1, filters, kernel: 1 }, { bias: true, postRelu });
  return { ...layer, shape: { ...layer.shape, op: 'linear' } };
}

/** Weights after He et al. (2015), sqrt(gain / terms); the last layer, with no ReLU behind it, sqrt(1 / terms). */
export function parameterSpecs({ layers, norms, gain }: Network): ParameterSpec[] {
  const specs: ParameterSpec[] = [];
  const constant = (name: string, length: number, value: number, learned = true): void =>
    void specs.push({ name, shape: [length], initial: { constant: value }, learned });
  for (const [index, { name, shape: s, bias }] of layers.entries()) {
    const variance = index === layers.length - 1 ? 1 : gain;
    const deviation = Math.sqrt(variance / (s.channels * s.kernelHeight * s.kernelWidth));
    const shape = [s.kernelHeight, s.kernelWidth, s.channels, s.filters];
    specs.push({ name: `${name}/weight`, shape, initial: { deviation }, learned: true });
    if (bias) constant(`${name}/bias`, s.filters, 0);
  }
  for (const { name, channels } of norms) {
    constant(`${name}/gamma`, channels, 1);
    constant(`${name}/beta`, channels, 0);
    constant(`${name}/mean`, channels, 0, false);
    constant(`${name}/variance`, channels, 1, false);
  }
  return specs;
}
