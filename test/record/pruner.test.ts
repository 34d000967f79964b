/** Pruning in the training loop: predicted thresholds, densities, and what a checkpoint carries over. */
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/random.js';
import { Pruner } from '../../src/record/pruner.js';
import { exactThreshold, THRESHOLD_FIFO_SIZE } from '../../src/sparse/threshold.js';

const gradientOf = (step: number): Float32Array => {
  const random = new Random(step);
  return Float32Array.from({ length: 500 }, (_, i) => (i % 3 === 0 ? 0 : step * random.normal()));
};

describe('Pruner', () => {
  it('predicts a threshold as the mean of the last exact ones, and prunes nothing before it knows them', () => {
    const pruner = new Pruner(0.9, 'predicted', 1);
    const exact: number[] = [];
    for (let step = 1; step <= 9; step++) {
      const gradient = gradientOf(step);
      const { tau, values, density } = pruner.apply(step, 'conv', gradient);
      const known = exact.slice(-THRESHOLD_FIFO_SIZE);
      if (known.length < THRESHOLD_FIFO_SIZE) {
        expect(tau).toBe(0);
        expect(values).toEqual(gradient);
      } else {
        expect(tau).toBeCloseTo(known.reduce((sum, t) => sum + t, 0) / THRESHOLD_FIFO_SIZE, 12);
        const allowed = (g: number): number[] => [0, g, Math.sign(g) * Math.fround(tau)];
        expect(values.findIndex((g, i) => !allowed(gradient[i]).includes(g))).toBe(-1);
        expect(density.after).toBeLessThan(density.before);
      }
      expect(density.elements).toBe(500);
      expect(density.before).toBe(gradient.filter((g) => g !== 0).length);
      expect(density.after).toBe(values.filter((g) => g !== 0).length);
      exact.push(exactThreshold(gradient, 0.9));
    }
  });

  it('takes the exact threshold at once if told to', () => {
    const gradient = gradientOf(1);
    expect(new Pruner(0.9, 'exact', 1).apply(1, 'conv', gradient).tau).toBe(exactThreshold(gradient, 0.9));
  });

  it('goes on from its state as if it had not stopped', () => {
    const whole = new Pruner(0.7, 'predicted', 3);
    let resumed = new Pruner(0.7, 'predicted', 3);
    for (let step = 1; step <= 12; step++)
      for (const layer of ['a', 'b']) {
        const expected = whole.apply(step, layer, gradientOf(step));
        expect(resumed.apply(step, layer, gradientOf(step))).toEqual(expected);
        const state = JSON.parse(JSON.stringify(resumed.state())) as ReturnType<Pruner['state']>;
        resumed = new Pruner(0.7, 'predicted', 3, state);
      }
    expect(resumed.state()).toEqual(whole.state());
    expect(whole.state().totals.a.elements).toBe(12 * 500);
  });

  it('draws by seed, step and layer', () => {
    const values = (seed: number, step: number, layer: string): Float32Array =>
      new Pruner(0.9, 'exact', seed).apply(step, layer, gradientOf(1)).values;
    expect(values(1, 1, 'a')).toEqual(values(1, 1, 'a'));
    for (const other of [values(2, 1, 'a'), values(1, 2, 'a'), values(1, 1, 'b')])
      expect(other).not.toEqual(values(1, 1, 'a'));
  });

  it('touches nothing at p = 0', () => {
    const gradient = gradientOf(2);
    const { values, tau } = new Pruner(0, 'exact', 1).apply(1, 'conv', gradient);
    expect(values).toBe(gradient);
    expect(tau).toBe(0);
  });
});
