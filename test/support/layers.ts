/** Small builders of shapes, codes and layers for tests. */
import {
  resolveConfig,
  type LayerWork,
  type Machine,
  type MachineKind,
  type Phase,
} from '../../src/arch/machine.js';
import { magnitudeBitsOf, type Codes, type Precision } from '../../src/quantize.js';
import { Random } from '../../src/random.js';
import { elementCount, inputShape, outputShape, weightShape, type ConvShape } from '../../src/tensor.js';

/** A 1x1 convolution of one channel, one filter and one position, unless told otherwise. */
export const conv = (given: Partial<ConvShape> = {}): ConvShape => ({
  op: 'conv',
  rank: 2,
  batch: 1,
  channels: 1,
  height: 1,
  width: 1,
  filters: 1,
  kernelHeight: 1,
  kernelWidth: 1,
  strideY: 1,
  strideX: 1,
  padTop: 0,
  padBottom: 0,
  padLeft: 0,
  padRight: 0,
  dilationY: 1,
  dilationX: 1,
  groups: 1,
  ...given,
});

/** Same padding on all four sides. */
export const pad = (n: number): Partial<ConvShape> => ({ padTop: n, padBottom: n, padLeft: n, padRight: n });

export function codes(
  shape: readonly number[],
  values: ArrayLike<number>,
  magnitudeBits: number,
  storageBits: 8 | 16 = magnitudeBits <= 8 ? 8 : 16,
): Codes {
  return {
    shape,
    codes: Int32Array.from({ length: elementCount(shape) }, (_, i) => values[i % values.length]),
    magnitudeBits,
    storageBits,
    scales: Float64Array.of(1),
    saturated: 0,
  };
}

/** Random codes of which each magnitude bit is set with probability `density`. */
export function randomValues(n: number, magnitudeBits: number, density: number, seed: number): number[] {
  const random = new Random(seed);
  return Array.from({ length: n }, () => {
    let magnitude = 0;
    for (let b = 0; b < magnitudeBits; b++) if (random.uniform() < density) magnitude += 2 ** b;
    return magnitude !== 0 && random.int(2) === 1 ? -magnitude : magnitude;
  });
}

/** A layer of random signed codes with about a third of their bits set, or of the given values, repeated. */
export function layer(
  shape: ConvShape,
  precision: Precision = 'int16',
  given: {
    weights?: ArrayLike<number>;
    activations?: ArrayLike<number>;
    gradients?: ArrayLike<number>;
    phase?: Phase;
    seed?: number;
  } = {},
): LayerWork {
  const B = magnitudeBitsOf(precision);
  const seed = given.seed ?? 1;
  const w = weightShape(shape);
  const a = inputShape(shape);
  const o = outputShape(shape);
  const phase = given.phase ?? 'forward';
  return {
    name: 'layer',
    phase,
    shape,
    weights: codes(w, given.weights ?? randomValues(elementCount(w), B, 0.31, seed), B),
    activations: codes(a, given.activations ?? randomValues(elementCount(a), B, 0.31, seed + 1), B),
    gradOutput:
      phase === 'forward'
        ? null
        : codes(o, given.gradients ?? randomValues(elementCount(o), B, 0.31, seed + 2), B),
    inputMask: null,
    precision,
  };
}

export const configured = (
  kind: MachineKind,
  settings: Readonly<Record<string, string | number>> = {},
): Machine =>
  kind.configure(
    resolveConfig(kind, Object.fromEntries(Object.entries(settings).map(([k, v]) => [k, String(v)]))),
  );

/** Whole numbers from 0 to n - 1. */
export const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
