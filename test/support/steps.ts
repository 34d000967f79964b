/** Synthetic training steps as files: layers with all tensors that a step has, gradients made by plain loops. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { Random } from '../../src/random.js';
import { referenceGradInput, referenceGradWeight } from '../../src/reference.js';
import { elementCount, outputShape, weightShape, inputShape, type ConvShape } from '../../src/tensor.js';
import type { Role } from '../../src/trace/trace.js';
import { writeTrace, type WritableLayer } from '../../src/trace/write.js';
import { conv, pad } from './layers.js';

/** Small, but with every side of the geometry in use. */
export const smallConv = (part: Partial<ConvShape> = {}): ConvShape =>
  conv({
    batch: 2,
    channels: 3,
    height: 5,
    width: 4,
    filters: 4,
    kernelHeight: 3,
    kernelWidth: 3,
    ...pad(1),
    ...part,
  });

export interface StepParts {
  seed: number;
  shapes?: Record<string, ConvShape>;
  /** Standard deviation of the gradients. */
  sigma?: number;
  /** Roles that are left out of every layer. */
  without?: Role[];
  /** Adds gradients by weights and inputs to the recorded ones, each off by this share of the largest. */
  gradientsOff?: number;
}

/** Writes one step. Inputs are ReLU outputs, half of them zero; a tenth of the gradients is zero. */
export async function writeStep(path: string, parts: StepParts): Promise<string> {
  const random = new Random(parts.seed);
  const { sigma = 1e-3, without = [] } = parts;
  const shapes = parts.shapes ?? {
    first: smallConv(),
    second: smallConv({ channels: 4, strideX: 2 }),
  };
  const fill = (shape: number[], draw: () => number): Float32Array =>
    Float32Array.from({ length: elementCount(shape) }, draw);
  const layers = Object.entries(shapes).map(([name, shape]): WritableLayer => {
    const input = fill(inputShape(shape), () => Math.max(0, random.normal()));
    const data: Partial<Record<Role, { shape: number[]; values: Float32Array }>> = {
      weight: { shape: weightShape(shape), values: fill(weightShape(shape), () => 0.1 * random.normal()) },
      input: { shape: inputShape(shape), values: input },
      grad_output: {
        shape: outputShape(shape),
        values: fill(outputShape(shape), () => (random.uniform() < 0.1 ? 0 : sigma * random.normal())),
      },
      input_mask: { shape: inputShape(shape), values: input.map((x) => (x > 0 ? 1 : 0)) },
    };
    const { weight, grad_output: gradient } = data;
    if (parts.gradientsOff !== undefined) {
      const off = (exact: Float64Array): Float32Array => {
        const largest = exact.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
        return Float32Array.from(exact, (x) => x + parts.gradientsOff! * largest);
      };
      const byInput = off(referenceGradInput(shape, weight!.values, gradient!.values));
      const byWeight = off(referenceGradWeight(shape, input, gradient!.values));
      data.grad_input = { shape: inputShape(shape), values: byInput };
      data.grad_weight = { shape: weightShape(shape), values: byWeight };
    }
    for (const role of without) delete data[role];
    const tensors = Object.fromEntries(
      Object.entries(data).map(([role, { shape: size, values }]) => [
        role,
        {
          dtype: 'float32' as const,
          shape: size,
          read: () => ({ dtype: 'float32' as const, shape: size, data: values }),
        },
      ]),
    );
    return { name, shape, postRelu: true, tensors };
  });
  mkdirSync(dirname(path), { recursive: true });
  await writeTrace(path, {
    network: 'synthetic',
    source: 'tests',
    licence: 'none',
    origin: null,
    provenance: {},
    layers,
  });
  return path;
}
