/**
 * A recorded training step as a canonical trace (traces/README.md): channels first, `grad_input` of the convolution
 * alone, `grad_weight` of the kept examples. Before it is written, both are computed anew from the recorded weights,
 * inputs and gradients by the dense reference, so that no file says what its own tensors contradict.
 */
import { VerificationError } from '../errors.js';
import { referenceGradInput, referenceGradWeight } from '../reference.js';
import { outputSize, type ConvShape, type DType, type NumericArray } from '../tensor.js';
import { roleShape, type TraceMetadata } from '../trace/metadata.js';
import type { Role } from '../trace/trace.js';
import type { WritableLayer, WritableTensor, WritableTrace } from '../trace/write.js';
import type { Dataset } from './datasets.js';
import type { Captured } from './pass.js';
import type { RecordSettings } from './settings.js';
import { TENSORFLOW_VERSION } from './tensorflow.js';
import type { StepResult } from './trainer.js';

/** Allowed difference to the reference, relative to the largest value of the tensor: float32 sums in another order. */
const TOLERANCE = 1e-4;

/** @throws VerificationError if the recorded gradients do not follow from the recorded operands */
export function recordedStep(result: StepResult, settings: RecordSettings, dataset: Dataset): WritableTrace {
  const layers = result.captured.map((captured) => layerOf(captured, result.weights));
  for (const { name, shape, tensors } of layers) verify(name, shape, valuesOf(tensors));
  return {
    network: `${settings.network}-${settings.dataset}`,
    source: `recorded while training on ${dataset.source} by kneadsim record`,
    licence: dataset.licence,
    origin: null,
    provenance: provenanceOf(result, settings),
    layers: layers.map(({ name, shape, postRelu, tensors }) => ({
      name,
      shape,
      postRelu,
      tensors: tensors as WritableLayer['tensors'],
    })),
  };
}

type Values = Partial<Record<Role, NumericArray>>;
type HeldTensor = WritableTensor & { values: NumericArray };
interface HeldLayer extends Omit<WritableLayer, 'tensors'> {
  tensors: Partial<Record<Role, HeldTensor>>;
}

const valuesOf = (tensors: HeldLayer['tensors']): Values =>
  Object.fromEntries(Object.entries(tensors).map(([role, tensor]) => [role, tensor.values]));

function layerOf({ layer, batch, ...captured }: Captured, weights: Map<string, Float32Array>): HeldLayer {
  const shape: ConvShape = { ...layer.shape, batch };
  const { outHeight, outWidth } = outputSize(shape);
  const tensors: HeldLayer['tensors'] = {};
  const hold = (role: Role, dtype: DType, values: NumericArray): void => {
    const info = { dtype, shape: roleShape(role, shape) };
    tensors[role] = { ...info, values, read: () => ({ ...info, data: values }) };
  };
  const inputs = (values: Float32Array): Float32Array =>
    channelsFirst(values, shape.height * shape.width, shape.channels);
  const kernels = (values: Float32Array): Float32Array => filtersFirst(values, shape);
  const input = inputs(captured.input);
  hold('weight', 'float32', kernels(weights.get(`${layer.name}/weight`)!));
  hold('input', 'float32', input);
  hold('grad_output', 'float32', channelsFirst(captured.gradOutput, outHeight * outWidth, shape.filters));
  hold('grad_input', 'float32', inputs(captured.gradInput));
  hold('grad_weight', 'float32', kernels(captured.gradWeight));
  const bias = weights.get(`${layer.name}/bias`);
  if (bias) hold('bias', 'float32', bias);
  if (layer.postRelu)
    hold(
      'input_mask',
      'uint8',
      Uint8Array.from(input, (x) => (x === 0 ? 0 : 1)),
    );
  return { name: layer.name, shape, postRelu: layer.postRelu, tensors };
}

/** (N, positions, C) to (N, C, positions). */
function channelsFirst(values: Float32Array, positions: number, channels: number): Float32Array {
  const turned = new Float32Array(values.length);
  const plane = positions * channels;
  for (let n = 0, to = 0; n < values.length; n += plane)
    for (let c = 0; c < channels; c++)
      for (let i = 0; i < positions; i++) turned[to++] = values[n + i * channels + c];
  return turned;
}

/** (R, S, C, F) to (F, C, R, S). */
function filtersFirst(values: Float32Array, s: ConvShape): Float32Array {
  const taps = s.kernelHeight * s.kernelWidth;
  const turned = new Float32Array(values.length);
  for (let f = 0, to = 0; f < s.filters; f++)
    for (let c = 0; c < s.channels; c++)
      for (let t = 0; t < taps; t++) turned[to++] = values[(t * s.channels + c) * s.filters + f];
  return turned;
}

function verify(name: string, shape: ConvShape, values: Values): void {
  const { weight, input, grad_output: gradOutput } = values;
  compare(`${name}/grad_input`, values.grad_input!, referenceGradInput(shape, weight!, gradOutput!));
  compare(`${name}/grad_weight`, values.grad_weight!, referenceGradWeight(shape, input!, gradOutput!));
}

function compare(what: string, recorded: NumericArray, reference: Float64Array): void {
  let largest = 0;
  let difference = 0;
  for (let i = 0; i < reference.length; i++) {
    largest = Math.max(largest, Math.abs(reference[i]));
    difference = Math.max(difference, Math.abs(recorded[i] - reference[i]));
  }
  if (!(difference <= TOLERANCE * largest))
    throw new VerificationError(
      'recorded-gradient',
      `${what}: differs by ${difference} from what the recorded operands give, more than ${TOLERANCE} of ${largest}`,
    );
}

function provenanceOf(result: StepResult, settings: RecordSettings): TraceMetadata['provenance'] {
  const { dataset, steps, batch, keep, seed, prune, threshold, learningRate } = settings;
  const { elements, before, after } = result.density;
  return {
    dataset,
    step: result.step,
    total_steps: steps,
    train_loss: result.loss,
    batch_size: batch,
    kept_examples: keep,
    seed,
    learning_rate: learningRate,
    framework: `TensorFlow.js ${TENSORFLOW_VERSION}, wasm`,
    pruning: {
      target: prune,
      threshold: prune === 0 ? 'none' : threshold,
      tau: Object.fromEntries([...result.pruned].map(([layer, { tau }]) => [layer, tau]).sort()),
      batch_density_before: before / elements,
      batch_density_after: after / elements,
    },
    notes:
      'grad_output is what the backward operations used: after pruning, where there is pruning. grad_input is this ' +
      'convolution alone (no residual sum), before the ReLU mask. grad_weight is that of the kept examples only. ' +
      'The loss is the batch mean, so gradients carry 1/batch.',
  };
}
