/**
 * What a network learns, as plain float32 arrays: initial values by seed, and stochastic gradient descent with
 * momentum. Arrays rather than variables of the framework, so that a checkpoint is a copy and every update is
 * arithmetic that we can read.
 */
import { Random, hash32 } from '../random.js';
import { fnv1a } from '../sparse/draws.js';
import { elementCount } from '../tensor.js';

export interface ParameterSpec {
  name: string;
  /** Channels last: (R, S, C, F), or (F). */
  shape: number[];
  /** Standard deviation of the normal initial values, or the constant that all of them are. */
  initial: { deviation: number } | { constant: number };
  /** False for the running statistics of a batch norm, which no gradient touches. */
  learned: boolean;
}

export interface Parameter extends ParameterSpec {
  values: Float32Array;
  /** Momentum; empty if not learned. */
  velocity: Float32Array;
}

const MOMENTUM = 0.9;

/** Values depend on the seed and the parameter's name alone, so that layers may come and go. */
export function initialParameters(specs: readonly ParameterSpec[], seed: number): Map<string, Parameter> {
  return new Map(
    specs.map((spec) => {
      const random = new Random(hash32(seed, Math.floor(seed / 2 ** 32), fnv1a(spec.name)));
      const length = elementCount(spec.shape);
      const values = new Float32Array(length);
      for (let i = 0; i < length; i++)
        values[i] =
          'constant' in spec.initial ? spec.initial.constant : random.normal() * spec.initial.deviation;
      return [spec.name, { ...spec, values, velocity: new Float32Array(spec.learned ? length : 0) }];
    }),
  );
}

/** v = 0.9 v + g; w = w - rate v. */
export function descend(parameter: Parameter, gradient: Float32Array, rate: number): void {
  const { values, velocity } = parameter;
  for (let i = 0; i < values.length; i++) {
    velocity[i] = MOMENTUM * velocity[i] + gradient[i];
    values[i] -= rate * velocity[i];
  }
}

/** Half a cosine from the base rate at step 1 down to nearly 0 at the last step. */
export const learningRate = (base: number, step: number, steps: number): number =>
  0.5 * base * (1 + Math.cos((Math.PI * (step - 1)) / steps));
