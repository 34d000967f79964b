/** Pruning in a run of steps: what becomes of recorded codes, and draws that are new in each step and layer. */
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/random.js';
import { GradientPruner, type PrunedGradients } from '../../src/simulate/prune.js';
import type { Tensor } from '../../src/tensor.js';

const SIZE = 400;
const settings = { target: 0.9, threshold: 'exact', fifo: 4, seed: 1 } as const;

const gradients = (of: (x: number) => number): number[] => {
  const random = new Random(7);
  return Array.from({ length: SIZE }, () => of(random.normal()));
};

const floats: Tensor = {
  shape: [1, 1, 20, 20],
  dtype: 'float32',
  data: Float32Array.from(gradients((x) => 1e-3 * x)),
};
const codes: Tensor = {
  shape: [1, 1, 20, 20],
  dtype: 'int8',
  data: Int8Array.from(gradients((x) => Math.round(20 * x))),
};

const pruned = (pruner: GradientPruner, tensor: Tensor, layer = 'layer', step = 0): PrunedGradients =>
  pruner.prune(layer, step, tensor, { precision: 'int8' }, { file: 'drawn', place: layer });

describe('gradients recorded as integer codes', () => {
  it('stay those codes where nothing is pruned', () => {
    const { codes: found, report } = pruned(new GradientPruner({ ...settings, target: 0 }), codes);
    expect([...found.codes]).toEqual([...codes.data]);
    expect([...found.scales]).toEqual([1]);
    expect(report.zeros).toMatchObject({ pruning: 0, quantization: 0 });
  });

  it('are pruned like any others where they have a scale', () => {
    const scaled = { ...codes, affine: { scale: 1e-4, zeroPoint: 0 } };
    const { codes: found, report } = pruned(new GradientPruner(settings), scaled);
    const nonZero = found.codes.filter((code) => code !== 0).length;
    expect(report.tau).toBeGreaterThan(0);
    expect(report.zeros.pruning).toBeGreaterThan(SIZE / 3);
    expect(nonZero).toBe(SIZE * report.density.quantized);
    expect(report.density.quantized).toBeLessThanOrEqual(report.density.pruned);
  });
});

it('draws anew in each step and layer, and alike in two runs', () => {
  const run = (): string[] => {
    const pruner = new GradientPruner(settings);
    const places: [string, number][] = [
      ['layer', 0],
      ['layer', 1],
      ['other', 1],
    ];
    return places.map(([layer, step]) => pruned(pruner, floats, layer, step).codes.codes.join());
  };
  const first = run();
  expect(new Set(first).size).toBe(3);
  expect(run()).toEqual(first);
});
