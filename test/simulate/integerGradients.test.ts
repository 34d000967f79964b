/** Gradients of a run: integer codes without a scale are computed with as they are, and are not pruned. */
import { describe, expect, it } from 'vitest';
import { GradientPruner } from '../../src/simulate/prune.js';
import type { Tensor } from '../../src/tensor.js';

const codes: Tensor = { shape: [1, 1, 1, 4], dtype: 'int16', data: Int16Array.of(0, 3, -900, 12) };
const what = { file: 'step.safetensors', place: 'layer a, grad_output' };
const prune = (tensor: Tensor, target: number) =>
  new GradientPruner({ target, threshold: 'exact', fifo: 4, seed: 1 }).prune(
    'a',
    0,
    tensor,
    { precision: 'int16' },
    what,
  );

describe('recorded integer gradients', () => {
  it('stay codes where nothing is pruned', () => {
    expect([...prune(codes, 0).codes.codes]).toEqual([...codes.data]);
  });

  it('are refused where they would have to move to a threshold', () => {
    expect(() => prune(codes, 0.9)).toThrow(
      /step\.safetensors: layer a, grad_output.*int16 codes without a scale.*--prune 0/,
    );
  });

  it('are pruned as the reals they stand for, where they have a scale', () => {
    const { codes: quantized, report } = prune({ ...codes, affine: { scale: 0.5, zeroPoint: 0 } }, 0.9);
    expect(report.tau).toBeGreaterThan(0);
    expect(report.density.pruned).toBeLessThanOrEqual(report.density.recorded);
    expect(quantized.codes).toHaveLength(4);
  });
});
