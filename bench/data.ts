/** Seeded layers for the suites, and the bundled ResNet-8. */
import { fileURLToPath } from 'node:url';
import { PHASES, type LayerWork } from '../src/arch/machine.js';
import { quantize, type Codes, type Precision } from '../src/quantize.js';
import { Random } from '../src/random.js';
import { loadLayer, workOf } from '../src/simulate/load.js';
import { pruneSettings } from '../src/simulate/options.js';
import { GradientPruner } from '../src/simulate/prune.js';
import { elementCount, inputShape, weightShape, type ConvShape } from '../src/tensor.js';
import { openTrace } from '../src/trace/open.js';

export const PRECISIONS: readonly Precision[] = ['int8', 'int16'];
export const RESNET8 = fileURLToPath(
  new URL('../traces/resnet8-fmnist-late-s00600.safetensors', import.meta.url),
);

/** A 3x3 convolution with padding 1. */
export const conv3x3 = (channels: number, height: number, width: number, filters: number): ConvShape => ({
  op: 'conv',
  rank: 2,
  batch: 1,
  channels,
  height,
  width,
  filters,
  kernelHeight: 3,
  kernelWidth: 3,
  strideY: 1,
  strideX: 1,
  padTop: 1,
  padBottom: 1,
  padLeft: 1,
  padRight: 1,
  dilationY: 1,
  dilationX: 1,
  groups: 1,
});

/** Normal values as codes; `relu` drops the negative ones, as activations of most layers. */
export function normalCodes(
  shape: readonly number[],
  precision: Precision,
  seed: number,
  relu = false,
): Codes {
  const random = new Random(seed);
  const data = new Float32Array(elementCount(shape));
  for (let i = 0; i < data.length; i++) {
    const x = random.normal();
    data[i] = relu && x < 0 ? 0 : x;
  }
  return quantize({ shape, dtype: 'float32', data }, { precision }, { file: 'bench', place: 'seeded' });
}

export function seededLayer(shape: ConvShape, precision: Precision, seed: number): LayerWork {
  return {
    name: `${shape.channels}x${shape.height}x${shape.width} by ${weightShape(shape).join('x')}`,
    phase: 'forward',
    shape,
    weights: normalCodes(weightShape(shape), precision, seed),
    activations: normalCodes(inputShape(shape), precision, seed + 1, true),
    gradOutput: null,
    inputMask: null,
    precision,
  };
}

/** The layers of the bundled ResNet-8, all or the named one. */
export function resnet8(precision: Precision, name?: string): LayerWork[] {
  const trace = openTrace(RESNET8);
  try {
    const layers = trace.layers.filter((layer) => name === undefined || layer.name === name);
    return layers.map((layer): LayerWork => {
      const what = { file: trace.file, place: layer.name };
      return {
        name: layer.name,
        phase: 'forward',
        shape: layer.shape,
        weights: quantize(layer.read('weight'), { precision }, what),
        activations: quantize(layer.read('input'), { precision, unsignedAllowed: true }, what),
        gradOutput: null,
        inputMask: null,
        precision,
      };
    });
  } finally {
    trace.close();
  }
}

/** @throws Error unless both hold the same numbers: a fast wrong answer is no result. */
export function mustEqual(what: string, found: ArrayLike<number>, expected: ArrayLike<number>): void {
  if (found.length !== expected.length)
    throw new Error(`${what}: found ${found.length} values, expected ${expected.length}`);
  for (let i = 0; i < found.length; i++)
    if (found[i] !== expected[i])
      throw new Error(`${what}: value ${i} is ${found[i]}, expected ${expected[i]}`);
}

/** A recorded training step of ResNet-8 with its gradients pruned at p = 0.9: layers in order, each in all phases. */
export function resnet8Training(precision: Precision): LayerWork[] {
  const trace = openTrace(RESNET8);
  try {
    const pruning = pruneSettings({ prune: 0.9, precision }, [], 1);
    const options = { precision, training: true, pruner: new GradientPruner(pruning) };
    const layers = trace.layers.map((layer) => loadLayer(trace.file, layer, 0, options));
    // The first layer has nobody to pass its gradient on to.
    return layers.flatMap((layer, i) =>
      PHASES.filter((phase) => i > 0 || phase !== 'gradInput').map((phase) => workOf(layer, phase, options)),
    );
  } finally {
    trace.close();
  }
}
