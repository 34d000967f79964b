/** The pruning rule: laws of single elements, and statistics on normal gradients with both sources of draws. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/random.js';
import { hashDraws, lfsrDraws, type Draws } from '../../src/sparse/draws.js';
import { prune, type PruneStatistics } from '../../src/sparse/prune.js';
import { exactThreshold, prunedDensity } from '../../src/sparse/threshold.js';
import { runs } from '../support/runs.js';

/** Gradients with zeros of both signs, ties, powers of two, subnormals and extremes on purpose. */
const gradient = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom(0, -0) },
  { weight: 3, arbitrary: fc.integer({ min: -8, max: 8 }).map((k) => k / 8) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.integer({ min: -40, max: 40 }), fc.boolean())
      .map(([e, s]) => (s ? -1 : 1) * 2 ** e),
  },
  { weight: 1, arbitrary: fc.integer({ min: -20, max: 20 }).map((k) => k * Number.MIN_VALUE) },
  { weight: 1, arbitrary: fc.constantFrom(1.7e308, -1.7e308, 3.4e38, -1.2e-38, 2.2e-308) },
  { weight: 3, arbitrary: fc.double({ min: -2, max: 2, noNaN: true }) },
);
const gradients = fc
  .array(gradient, { maxLength: 60, size: 'max' })
  .map((values) => Float64Array.from(values));
/** A threshold of its own, or exactly the magnitude of a gradient. */
const threshold = (values: Float64Array): fc.Arbitrary<number> =>
  fc.oneof(gradient.map(Math.abs), fc.constantFrom(0, ...values.map(Math.abs)));
const pruning = gradients.chain((values) =>
  fc.record({
    values: fc.constant(values),
    tau: threshold(values),
    other: threshold(values),
    source: fc.boolean(),
    seed: fc.integer({ min: 1, max: 2 ** 31 }),
  }),
);
const drawsOf = ({ source, seed }: { source: boolean; seed: number }): Draws =>
  source ? hashDraws(seed, 0, 'layer') : lfsrDraws({ seed });
const bytes = (values: Float64Array): number[] => [...new Uint8Array(values.buffer)];

/** Draws that are given. */
const given = (...us: number[]): Draws => ({ uniform: (element) => us[element] });

describe('prune', () => {
  it('keeps what reaches tau; makes the rest 0 or tau with the sign of the gradient', () => {
    fc.assert(
      fc.property(pruning, (c) => {
        const { values, statistics } = prune(c.values, c.tau, drawsOf(c));
        const found = { kept: 0, snapped: 0, zeroed: 0 };
        values.forEach((after, i) => {
          const g = c.values[i];
          if (Math.abs(g) >= c.tau) {
            expect(after).toBe(g);
            if (g !== 0) found.kept++;
          } else if (after === 0) {
            if (g !== 0) found.zeroed++;
          } else {
            expect(Math.abs(after)).toBe(c.tau);
            expect(Math.sign(after)).toBe(Math.sign(g));
            found.snapped++;
          }
        });
        const nonZero = (x: Float64Array): number => x.filter((g) => g !== 0).length;
        expect(statistics).toMatchObject({
          ...found,
          elements: values.length,
          tau: c.tau,
          recordedNonZero: nonZero(c.values),
          prunedNonZero: nonZero(values),
        });
      }),
      { numRuns: runs(300) },
    );
  });

  it('never adds a non-zero element as tau rises with the same draws', () => {
    fc.assert(
      fc.property(pruning, (c) => {
        const less = prune(c.values, Math.min(c.tau, c.other), drawsOf(c)).values;
        const more = prune(c.values, Math.max(c.tau, c.other), drawsOf(c)).values;
        more.forEach((after, i) => {
          if (after !== 0 && less[i] === 0)
            throw new Error(`element ${i} = ${c.values[i]} is 0 at the smaller tau, ${after} at the larger`);
        });
      }),
      { numRuns: runs(1000) },
    );
  });

  it('never adds a non-zero element as p rises', () => {
    const p = fc.constantFrom(0, 0.01, 0.5, 0.7, 0.9, 0.95, 0.99, 0.999);
    const moderate = gradients.map((values) => values.filter((g) => Math.abs(g) < 1e100));
    fc.assert(
      fc.property(moderate, p, p, fc.nat(), (values, p, q, seed) => {
        const at = (p: number): Float64Array =>
          prune(values, exactThreshold(values, p), hashDraws(seed, 0, 'layer')).values;
        const [less, more] = [at(Math.min(p, q)), at(Math.max(p, q))];
        return more.every((after, i) => after === 0 || less[i] !== 0);
      }),
      { numRuns: runs(300) },
    );
  });

  it('keeps all bits at tau = 0', () => {
    fc.assert(
      fc.property(pruning, (c) => {
        const { values, statistics } = prune(c.values, 0, drawsOf(c));
        expect(bytes(values)).toEqual(bytes(c.values));
        expect(statistics).toMatchObject({ snapped: 0, zeroed: 0, measuredBias: 0, addedVariance: 0 });
      }),
    );
  });

  it('gives the same bytes for the same seed', () => {
    fc.assert(
      fc.property(pruning, (c) => {
        const [a, b] = [prune(c.values, c.tau, drawsOf(c)), prune(c.values, c.tau, drawsOf(c))];
        expect(bytes(a.values)).toEqual(bytes(b.values));
        expect(a.statistics).toEqual(b.statistics);
      }),
    );
  });

  it('asks one draw of every element, in order, whether it needs it or not', () => {
    const asked: number[] = [];
    const draws: Draws = { uniform: (element) => asked.push(element) / 100 };
    prune(Float32Array.of(0, 5, -0.5, 0.5, -7), 1, draws);
    expect(asked).toEqual([0, 1, 2, 3, 4]);
  });

  it('compares the draw with |g| / tau, and a draw that equals it makes 0', () => {
    const g = Float64Array.of(1, 1, -1, -1, 1, 4, 0);
    const { values, statistics } = prune(g, 4, given(0.25, 0.2499, 0.2499, 0.2501, 0, 0.999, 0), 0.9);
    expect([...values]).toEqual([0, 4, -4, 0, 4, 4, 0]);
    expect(statistics).toEqual({
      elements: 7,
      target: 0.9,
      tau: 4,
      recordedNonZero: 6,
      prunedNonZero: 4,
      kept: 1,
      snapped: 3,
      zeroed: 2,
      measuredBias: (-1 + 3 - 3 + 1 + 3) / 7,
      biasStandardError: Math.sqrt(5 * 3) / 7,
      addedVariance: (1 + 9 + 9 + 1 + 9) / 7,
      expectedAddedVariance: (5 * 3) / 7,
    });
  });

  it('takes an empty tensor, and refuses what is no gradient and no threshold', () => {
    expect(prune(new Float32Array(0), 1, hashDraws(0, 0, '')).statistics).toMatchObject({
      elements: 0,
      measuredBias: 0,
      biasStandardError: 0,
      expectedAddedVariance: 0,
    });
    expect(() => prune(Float64Array.of(1, NaN), 1, given(0, 0))).toThrow('a gradient is NaN');
    for (const tau of [-1, NaN, Infinity])
      expect(() => prune(Float64Array.of(1), tau, given(0))).toThrow(`prune: tau is ${tau}`);
  });
});

describe('a million normal gradients', () => {
  const n = 1_000_000;
  const random = new Random(20_200_720);
  const values = Float32Array.from({ length: n }, () => 1e-3 * random.normal());
  const sources: [string, () => Draws][] = [
    ['hash', () => hashDraws(1, 0, 'conv1')],
    ['LFSR', () => lfsrDraws()],
  ];

  describe.each(sources)('pruned by %s draws', (_, make) => {
    it.each([0.5, 0.7, 0.8, 0.9, 0.95, 0.99])(
      'at p = %s have density rho(p), no bias and its variance',
      (p) => {
        const { statistics } = prune(values, exactThreshold(values, p), make(), p);
        expect(Math.abs(statistics.prunedNonZero / n / prunedDensity(p) - 1)).toBeLessThan(0.005);
        expect(Math.abs(statistics.measuredBias)).toBeLessThan(4 * statistics.biasStandardError);
        expect(Math.abs(statistics.addedVariance / statistics.expectedAddedVariance - 1)).toBeLessThan(0.01);
      },
    );
  });
});

describe('pruning without bias', () => {
  // A positive tensor: a wrong probability shifts its mean, which the signs of normal gradients would hide.
  const n = 100_000;
  const random = new Random(3);
  const positive = Float64Array.from({ length: n }, () => -Math.log(1 - random.uniform()));
  const unbiased = (s: PruneStatistics): void => {
    expect(Math.abs(s.measuredBias)).toBeLessThan(4 * s.biasStandardError);
    expect(Math.abs(s.addedVariance / s.expectedAddedVariance - 1)).toBeLessThan(0.02);
  };

  it.each([
    ['hash', (): Draws => hashDraws(5, 1, 'fc')],
    ['LFSR', (): Draws => lfsrDraws({ seed: 5 })],
    ['LFSR of 16 bits', (): Draws => lfsrDraws({ width: 16 })],
  ])('holds for one-sided gradients: %s', (_, make) => {
    for (const p of [0.3, 0.7, 0.9, 0.99])
      unbiased(prune(positive, exactThreshold(positive, p), make()).statistics);
  });

  it.each([0.001, 0.25, 0.5, 0.9, 0.999])('holds for each gradient: |g| / tau = %s', (ratio) => {
    for (const make of [(): Draws => hashDraws(9, 0, 'x'), (): Draws => lfsrDraws({ seed: 9 })]) {
      const { measuredBias, biasStandardError } = prune(
        new Float64Array(n).fill(-ratio),
        1,
        make(),
      ).statistics;
      expect(Math.abs(measuredBias)).toBeLessThan(4 * biasStandardError);
    }
  });
});
