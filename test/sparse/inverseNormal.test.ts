/** The quantile of the normal distribution against the Cephes library, which uses other approximations. */
import cephes from 'cephes';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { inverseNormalCdf } from '../../src/sparse/inverseNormal.js';
import { runs } from '../support/runs.js';

/** The promise is 1e-9; both are good to a few units in the last place, so that a wrong digit of a coefficient shows. */
const TOLERANCE = 1e-13;
const error = (p: number): number => Math.abs(inverseNormalCdf(p) - cephes.ndtri(p));

describe('inverseNormalCdf', () => {
  beforeAll(() => cephes.compiled);

  it('equals an independent library over the whole range', () => {
    for (let i = 1; i < 20_000; i++) {
      const p = i / 20_000;
      if (!(error(p) < TOLERANCE)) throw new Error(`p = ${p}: off by ${error(p)}`);
    }
    for (let decade = 1; decade <= 300; decade++) {
      const p = 10 ** -decade;
      if (!(error(p) < TOLERANCE)) throw new Error(`p = ${p}: off by ${error(p)}`);
    }
  });

  it('equals it at the seams between approximations and at the ends', () => {
    const seams = [0.075, 0.925, Math.exp(-25), 1 - Math.exp(-25), 1e-300, 1 - 2 ** -53, 0.5, 0.02425];
    for (const p of seams.flatMap((p) => [p, p * (1 + 2 ** -50), p * (1 - 2 ** -50)]))
      if (p < 1) expect(error(p)).toBeLessThan(TOLERANCE);
  });

  it('equals it at random, in the centre and in both tails', () => {
    const tail = fc.double({ min: -690, max: -0.7, noNaN: true }).map(Math.exp);
    const p = fc.oneof(
      fc.double({ min: 1e-300, max: 1 - 2 ** -53, noNaN: true }),
      tail,
      tail.map((t) => 1 - t).filter((t) => t < 1),
    );
    fc.assert(
      fc.property(p, (p) => error(p) < TOLERANCE),
      { numRuns: runs(2000) },
    );
  });

  it('is odd about one half, and rises', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 20 - 2 }), (i) => {
        const p = i / 2 ** 20;
        // 1 - p is exact, so the two sides must agree to the last bit.
        return (
          inverseNormalCdf(1 - p) === -inverseNormalCdf(p) &&
          inverseNormalCdf(p) < inverseNormalCdf(p + 2 ** -20)
        );
      }),
      { numRuns: runs(1000) },
    );
    expect(inverseNormalCdf(0.5)).toBe(0);
  });

  it('agrees with printed tables', () => {
    expect(inverseNormalCdf(0.975)).toBeCloseTo(1.959963984540054, 14);
    expect(inverseNormalCdf(0.95)).toBeCloseTo(1.6448536269514722, 14);
    expect(inverseNormalCdf(0.995)).toBeCloseTo(2.5758293035489004, 14);
  });

  it.each([0, 1, -0.1, 1.5, NaN, Infinity])('refuses %s', (p) => {
    expect(() => inverseNormalCdf(p)).toThrow(
      new RangeError(`inverseNormalCdf: p is ${p}, expected a probability above 0 and below 1`),
    );
  });
});
