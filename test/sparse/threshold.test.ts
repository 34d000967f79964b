/** Pruning thresholds: the half-normal estimate, rho(p) of SPEC section 5, and the FIFO that predicts. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/random.js';
import { ThresholdFifo, exactThreshold, halfNormalSigma, prunedDensity } from '../../src/sparse/threshold.js';

/** Without a compensated sum, in exact arithmetic: magnitudes are multiples of 2^-60 below 2^20. */
const exactMean = (values: readonly number[]): number =>
  values.length === 0
    ? 0
    : Number(values.reduce((sum, g) => sum + BigInt(Math.abs(g) * 2 ** 60), 0n)) / 2 ** 60 / values.length;

describe('prunedDensity', () => {
  it.each([
    [0.5, 0.7407],
    [0.7, 0.6199],
    [0.8, 0.5487],
    [0.9, 0.4597],
    [0.95, 0.3975],
    [0.99, 0.3085],
  ])('rho(%s) = %s', (p, rho) => {
    expect(Math.abs(prunedDensity(p) - rho)).toBeLessThanOrEqual(0.5e-4);
  });

  it('is 1 for p = 0 and falls with p, from 1 to 0', () => {
    expect(prunedDensity(0)).toBe(1);
    expect(prunedDensity(1e-12)).toBeCloseTo(1, 9);
    fc.assert(
      fc.property(fc.double({ min: 1e-6, max: 0.999, noNaN: true }), (p) => {
        const density = prunedDensity(p);
        return density <= 1 && density > 1 - p && prunedDensity(p + 0.0009) < density;
      }),
    );
  });

  it.each([-0.1, 1, NaN])('refuses p = %s', (p) => {
    expect(() => prunedDensity(p)).toThrow(`target p is ${p}, expected at least 0 and below 1`);
    expect(() => exactThreshold([1], p)).toThrow(RangeError);
  });
});

describe('halfNormalSigma', () => {
  it('is sqrt(pi/2) times the mean magnitude, zeros included', () => {
    const value = fc.oneof(
      fc.constant(0),
      fc.integer({ min: -(2 ** 40), max: 2 ** 40 }).map((x) => x * 2 ** -60),
      fc.integer({ min: -(2 ** 19), max: 2 ** 19 }),
    );
    fc.assert(
      fc.property(fc.array(value, { maxLength: 60, size: 'max' }), (values) => {
        const expected = Math.sqrt(Math.PI / 2) * exactMean(values);
        const found = halfNormalSigma(values);
        if (Math.abs(found - expected) > 4e-16 * expected) throw new Error(`${found}, expected ${expected}`);
      }),
    );
    expect(halfNormalSigma([])).toBe(0);
    expect(halfNormalSigma([0, 0, 0, -4])).toBeCloseTo(Math.sqrt(Math.PI / 2), 15);
  });

  it('does not lose small gradients beside a large one', () => {
    const values = new Float64Array(100_001).fill(2 ** -53);
    values[0] = 1;
    const expected = (Math.sqrt(Math.PI / 2) * (1 + 100_000 * 2 ** -53)) / 100_001;
    expect(Math.abs(halfNormalSigma(values) / expected - 1)).toBeLessThan(3e-16);
  });

  it('estimates the standard deviation of normal gradients', () => {
    const random = new Random(1);
    const values = Float32Array.from({ length: 100_000 }, () => 3 * random.normal());
    expect(Math.abs(halfNormalSigma(values) / 3 - 1)).toBeLessThan(0.006);
  });

  it.each([NaN, Infinity])('refuses %s', (g) => {
    expect(() => halfNormalSigma([1, g])).toThrow('expected finite gradients');
  });
});

describe('exactThreshold', () => {
  it('leaves a share p of normal gradients below', () => {
    const random = new Random(2);
    const values = Float64Array.from({ length: 100_000 }, () => random.normal());
    for (const p of [0.5, 0.7, 0.9, 0.99]) {
      const tau = exactThreshold(values, p);
      const below = values.filter((g) => Math.abs(g) < tau).length / values.length;
      expect(Math.abs(below - p)).toBeLessThan(0.006);
    }
  });

  it('is the quantile times sigma: 1.6448536269514722 sigma for p = 0.9', () => {
    const values = [0.5, -1, 0, 2.5];
    expect(exactThreshold(values, 0.9)).toBeCloseTo(1.6448536269514722 * halfNormalSigma(values), 14);
  });

  it('is 0 for p = 0, for zeros and for nothing', () => {
    expect(exactThreshold([1, -2, 3], 0)).toBe(0);
    expect(exactThreshold([0, 0], 0.9)).toBe(0);
    expect(exactThreshold([], 0.9)).toBe(0);
  });
});

describe('ThresholdFifo', () => {
  const tau = fc.integer({ min: 0, max: 1000 }).map((k) => k / 8);
  const taus = fc.array(tau, { maxLength: 20, size: 'max' });
  const size = fc.integer({ min: 1, max: 6 });

  it('predicts the mean of the last N_F thresholds, and nothing before it is full', () => {
    fc.assert(
      fc.property(size, taus, (size, taus) => {
        const fifo = new ThresholdFifo(size);
        taus.forEach((tau, step) => {
          expect(fifo.predicted === null).toBe(step < size);
          fifo.push(tau);
          const last = taus.slice(Math.max(0, step + 1 - size), step + 1);
          expect(fifo.values()).toEqual(last);
          const mean = last.reduce((a, b) => a + b, 0) / size;
          expect(fifo.predicted).toBe(last.length < size ? null : mean);
        });
      }),
    );
  });

  it('goes on from its state as if it had not stopped', () => {
    fc.assert(
      fc.property(size, taus, tau, (size, taus, next) => {
        const fifo = new ThresholdFifo(size);
        for (const tau of taus) fifo.push(tau);
        const restored = new ThresholdFifo(size, JSON.parse(JSON.stringify(fifo.values())) as number[]);
        expect(restored.predicted).toBe(fifo.predicted);
        fifo.push(next);
        restored.push(next);
        expect(restored.values()).toEqual(fifo.values());
      }),
    );
  });

  it('holds four by default, gives no access to what it holds, and refuses nonsense', () => {
    const fifo = new ThresholdFifo();
    for (const tau of [8, 1, 2, 3]) fifo.push(tau);
    fifo.values()[0] = 100;
    expect(fifo.predicted).toBe(3.5);
    fifo.push(4);
    expect(fifo.predicted).toBe(2.5);
    for (const size of [0, -1, 1.5, NaN]) expect(() => new ThresholdFifo(size)).toThrow(RangeError);
    for (const tau of [-1, NaN, Infinity]) expect(() => fifo.push(tau)).toThrow(RangeError);
  });
});
