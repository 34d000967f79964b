/**
 * Training, one step at a time: forward, backward through the probes, descent. Everything that the next step depends
 * on is in `parameters`, the pruner and the number of the step.
 */
import type { Scalar, Tensor, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import { UserError } from '../errors.js';
import { Batches } from './batches.js';
import { standardised, type Dataset } from './datasets.js';
import { crossEntropy, type Judged } from './loss.js';
import { IMAGE_SIZE, parameterSpecs, type Network } from './networks/network.js';
import { descend, initialParameters, learningRate, type Parameter } from './parameters.js';
import { Pass, type Captured, type Training } from './pass.js';
import { addDensity, Pruner, type LayerDensity, type Pruned } from './pruner.js';
import type { RecordSettings } from './settings.js';
import type { Tf } from './tensorflow.js';

/** Share of a batch that enters the running statistics of a batch norm. */
const RUNNING_SHARE = 0.1;
/** Images tested at once; the answers do not depend on it. */
const TEST_BATCH = 64;

export interface StepResult {
  step: number;
  /** Mean over the batch, before the update. */
  loss: number;
  correct: number;
  /** Of the gradients by the convolutions' outputs, all layers together. */
  density: LayerDensity;
  pruned: Map<string, Pruned>;
  /** The layers of a recorded step, in order of the network; empty otherwise. */
  captured: Captured[];
  /** Parameters as this step used them, where it is recorded. */
  weights: Map<string, Float32Array>;
}

export class Trainer {
  readonly parameters: Map<string, Parameter>;
  readonly pruner: Pruner;
  private readonly batches: Batches;

  constructor(
    private readonly tf: Tf,
    private readonly network: Network,
    private readonly dataset: Dataset,
    private readonly settings: RecordSettings,
    resumed: { parameters: Map<string, Parameter>; pruner: Pruner } | null = null,
  ) {
    const { seed, prune, threshold, batch } = settings;
    this.parameters = resumed?.parameters ?? initialParameters(parameterSpecs(network), seed);
    this.pruner = resumed?.pruner ?? new Pruner(prune, threshold, seed);
    this.batches = new Batches(dataset.train.count, batch, seed);
  }

  /** @param record whether the step's operands are kept */
  step(step: number, record: boolean): StepResult {
    const { settings, dataset } = this;
    const { images, labels } = standardised(dataset, dataset.train, this.batches.indices(step));
    const training: Training = {
      step,
      pruner: this.pruner,
      keep: record ? settings.keep : 0,
      linear: settings.linear,
      captured: [],
      pruned: new Map(),
      moments: new Map(),
    };
    const weights = new Map(
      record ? [...this.parameters].map(([name, { values }]) => [name, values.slice()]) : [],
    );
    const { judged, gradients } = this.gradients(images, labels, training);
    if (!Number.isFinite(judged.loss))
      throw new UserError(
        'diverged',
        `training diverged at step ${step}: the loss is ${judged.loss}; lower --learning-rate (now ${settings.learningRate})`,
      );
    const rate = learningRate(settings.learningRate, step, settings.steps);
    for (const [name, gradient] of gradients) descend(this.parameters.get(name)!, gradient, rate);
    for (const [name, { mean, variance }] of training.moments) {
      this.approach(`${name}/mean`, mean);
      this.approach(`${name}/variance`, variance);
    }
    const order = this.network.layers.map(({ name }) => name);
    return {
      step,
      loss: judged.loss,
      correct: judged.correct,
      density: [...training.pruned.values()]
        .map(({ density }) => density)
        .reduce(addDensity, { elements: 0, before: 0, after: 0 }),
      pruned: training.pruned,
      captured: training.captured.sort((a, b) => order.indexOf(a.layer.name) - order.indexOf(b.layer.name)),
      weights,
    };
  }

  /** Gradients by name, for all that is learned. */
  private gradients(
    images: Float32Array,
    labels: Uint8Array,
    training: Training,
  ): { judged: Judged; gradients: Map<string, Float32Array> } {
    const { tf } = this;
    const learned = [...this.parameters.values()].filter((parameter) => parameter.learned);
    const gradients = new Map<string, Float32Array>();
    let judged!: Judged;
    const loss = (...tensors: Tensor[]): Scalar => {
      const byName = new Map(tensors.map((tensor, index) => [learned[index].name, tensor]));
      const pass = new Pass(tf, this.network, byName, training);
      const logits = this.network.forward(pass, this.tensorOf(images));
      return tf.customGrad((x) => {
        judged = crossEntropy((x as Tensor).dataSync() as Float32Array, labels);
        return {
          value: tf.scalar(judged.loss),
          gradFunc: () => tf.tensor2d(judged.gradient, (x as Tensor2D).shape),
        };
      })(logits);
    };
    tf.tidy(() => {
      const tensors = learned.map(({ values, shape }) => tf.tensor(values, shape));
      for (const [index, grad] of tf.valueAndGrads(loss)(tensors).grads.entries())
        gradients.set(learned[index].name, grad.dataSync() as Float32Array);
    });
    return { judged, gradients };
  }

  private tensorOf(images: Float32Array): Tensor4D {
    return this.tf.tensor4d(images, [images.length / IMAGE_SIZE ** 2, IMAGE_SIZE, IMAGE_SIZE, 1]);
  }

  private approach(name: string, batch: Float32Array): void {
    const { values } = this.parameters.get(name)!;
    for (let c = 0; c < values.length; c++) values[c] += RUNNING_SHARE * (batch[c] - values[c]);
  }

  /** Right answers on the whole test set. */
  evaluate(progress: (done: number, total: number) => void): { correct: number; count: number } {
    const { tf, dataset } = this;
    const { count } = dataset.test;
    let correct = 0;
    for (let start = 0; start < count; start += TEST_BATCH) {
      const size = Math.min(TEST_BATCH, count - start);
      const indices = Array.from({ length: size }, (_, n) => start + n);
      const { images, labels } = standardised(dataset, dataset.test, indices);
      correct += tf.tidy(() => {
        const tensors = new Map(
          [...this.parameters].map(([name, { values, shape }]) => [name, tf.tensor(values, shape)]),
        );
        const pass = new Pass(tf, this.network, tensors, null);
        const logits = this.network.forward(pass, this.tensorOf(images));
        return crossEntropy(logits.dataSync() as Float32Array, labels).correct;
      });
      progress(start + size, count);
    }
    return { correct, count };
  }
}
