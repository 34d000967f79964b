/**
 * One pass through a network. Around each convolution lies a probe: going forward it sees the input, going backward
 * it prunes the gradient by the output (SPEC section 5), so that dI, dW and the bias use what is left of it, and
 * keeps all of it if this step is recorded.
 */
import type { GradSaveFunc, Tensor, Tensor1D, Tensor4D } from '@tensorflow/tfjs-core';
import { convolve, inputGradient, weightGradient } from './convolution.js';
import { normalise, normaliseBackward, type Moments } from './batchNorm.js';
import type { ConvLayer, Network } from './networks/network.js';
import type { Pruned, Pruner } from './pruner.js';
import type { Tf } from './tensorflow.js';

/** The kept examples of one layer, channels last. */
export interface Captured {
  layer: ConvLayer;
  /** Kept examples. */
  batch: number;
  input: Float32Array;
  gradOutput: Float32Array;
  gradInput: Float32Array;
  /** Of the kept examples alone: (R, S, C, F). */
  gradWeight: Float32Array;
  /** Threshold that gradOutput was pruned at; 0: not pruned. */
  tau: number;
}

/** What a training step adds to a mere forward pass. */
export interface Training {
  step: number;
  pruner: Pruner;
  /** Number of examples to keep of each captured layer; 0: nothing is captured. */
  keep: number;
  /** Whether fully connected layers are captured too. They are never pruned. */
  linear: boolean;
  captured: Captured[];
  /** What became of each pruned layer's gradient. */
  pruned: Map<string, Pruned>;
  /** Statistics of this batch, by batch norm. */
  moments: Map<string, Moments>;
}

export class Pass {
  private readonly layers: Map<string, ConvLayer>;

  /** @param parameters by name, as tensors of the framework */
  constructor(
    readonly tf: Tf,
    network: Network,
    private readonly parameters: Map<string, Tensor>,
    private readonly training: Training | null,
  ) {
    this.layers = new Map(network.layers.map((layer) => [layer.name, layer]));
  }

  /** W * I + b. */
  conv(name: string, x: Tensor4D): Tensor4D {
    const layer = this.layers.get(name)!;
    const weight = this.parameters.get(`${name}/weight`) as Tensor4D;
    const bias = this.parameters.get(`${name}/bias`) as Tensor1D | undefined;
    const { training } = this;
    const plain = (): Tensor4D => {
      const output = convolve(this.tf, layer.shape, x, weight);
      return bias ? this.tf.add(output, bias) : output;
    };
    if (!training) return plain();
    const operands = bias ? [x, weight, bias] : [x, weight];
    return this.tf.customGrad((...inputs) => {
      const save = inputs.at(-1) as GradSaveFunc;
      save([x, weight]);
      return {
        value: plain(),
        gradFunc: (gradOutput: Tensor, saved: Tensor[]) => {
          const [input, kernel] = saved as Tensor4D[];
          return this.backward(training, layer, input, kernel, gradOutput as Tensor4D, bias !== undefined);
        },
      };
    })(...operands) as Tensor4D;
  }

  private backward(
    training: Training,
    layer: ConvLayer,
    input: Tensor4D,
    weight: Tensor4D,
    arriving: Tensor4D,
    bias: boolean,
  ): Tensor[] {
    const { tf } = this;
    const { shape } = layer;
    const convolution = shape.op === 'conv';
    let gradOutput = arriving;
    let tau = 0;
    if (convolution) {
      const pruned = training.pruner.apply(training.step, layer.name, arriving.dataSync() as Float32Array);
      training.pruned.set(layer.name, pruned);
      tau = pruned.tau;
      if (tau > 0) gradOutput = tf.tensor4d(pruned.values, arriving.shape);
    }
    const capture = training.keep > 0 && (convolution || training.linear);
    const gradInput =
      layer.fromImage && !capture ? tf.zerosLike(input) : inputGradient(tf, shape, weight, gradOutput);
    if (capture) {
      const kept = (x: Tensor4D): Tensor4D => tf.slice(x, 0, training.keep);
      training.captured.push({
        layer,
        batch: training.keep,
        input: kept(input).dataSync() as Float32Array,
        gradOutput: kept(gradOutput).dataSync() as Float32Array,
        gradInput: kept(gradInput).dataSync() as Float32Array,
        gradWeight: weightGradient(tf, shape, kept(input), kept(gradOutput)).dataSync() as Float32Array,
        tau,
      });
    }
    const gradients: Tensor[] = [gradInput, weightGradient(tf, shape, input, gradOutput)];
    if (bias) gradients.push(tf.sum(gradOutput, [0, 1, 2]));
    return gradients;
  }

  /** Batch norm: by the batch's own statistics in training, by the running ones otherwise. */
  norm(name: string, x: Tensor4D): Tensor4D {
    const { tf, training } = this;
    const of = (part: string): Tensor => this.parameters.get(`${name}/${part}`)!;
    const values = (tensor: Tensor): Float32Array => tensor.dataSync() as Float32Array;
    if (!training) {
      const moments = { mean: values(of('mean')), variance: values(of('variance')) };
      const { output } = normalise(values(x), moments, values(of('gamma')), values(of('beta')));
      return tf.tensor4d(output, x.shape);
    }
    const gamma = values(of('gamma'));
    return tf.customGrad(() => {
      const forward = normalise(values(x), null, gamma, values(of('beta')));
      training.moments.set(name, forward.moments);
      return {
        value: tf.tensor(forward.output, x.shape),
        gradFunc: (gradOutput: Tensor) => {
          const back = normaliseBackward(values(gradOutput), forward, gamma);
          return [
            tf.tensor(back.gradInput, x.shape),
            tf.tensor1d(back.gradGamma),
            tf.tensor1d(back.gradBeta),
          ];
        },
      };
    })(x, of('gamma'), of('beta')) as Tensor4D;
  }
}
