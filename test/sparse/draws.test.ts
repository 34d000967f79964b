/** Draws of stochastic pruning: what they depend on, and that hash and LFSR meet the same statistical laws. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fnv1a, hashDraws, lfsrDraws, type Draws } from '../../src/sparse/draws.js';
import { Lfsr } from '../../src/sparse/lfsr.js';
import { serialFaults, unevenness } from '../support/drawLaws.js';

const take = (draws: Draws, n: number): number[] => Array.from({ length: n }, (_, i) => draws.uniform(i));

const N = 2 ** 17;
/** Of the normal approximation of each law; the draws are pinned, so a law holds or does not. */
const LIMIT = 4;

const sources: [string, () => Draws][] = [
  ['hash', () => hashDraws(1, 0, 'conv1')],
  ['hash, another layer and step', () => hashDraws(2 ** 40 + 7, 1500, 'layer1.0.conv2')],
  ['LFSR of 32 bits', () => lfsrDraws()],
  ['LFSR of 32 bits from seed 1', () => lfsrDraws({ seed: 1 })],
  ['LFSR of 31 bits', () => lfsrDraws({ width: 31 })],
  ['LFSR of 24 bits', () => lfsrDraws({ width: 24 })],
];

describe.each(sources)('%s', (_, make) => {
  it('is in [0, 1) and even', () => {
    const draws = take(make(), N);
    expect(draws.every((u) => u >= 0 && u < 1)).toBe(true);
    for (const bins of [10, 1000]) expect(Math.abs(unevenness(make(), N, bins))).toBeLessThan(LIMIT);
  });

  it.each([1, 2, 7])('draws that are %i apart are independent', (lag) => {
    const { pairs, correlation } = serialFaults(make(), N, lag, 16);
    expect(Math.abs(correlation)).toBeLessThan(LIMIT);
    expect(Math.abs(pairs)).toBeLessThan(LIMIT);
  });

  it('repeats itself bit for bit', () => {
    expect(take(make(), 1000)).toEqual(take(make(), 1000));
  });
});

describe('narrow LFSRs', () => {
  // Over its period a register takes each value once: more even than chance, never less.
  it.each([12, 14, 16, 17])('of %i bits are even over a period, alone and in pairs', (width) => {
    const n = 2 ** width - 1;
    expect(unevenness(lfsrDraws({ width }), n, 64)).toBeLessThan(LIMIT);
    for (const lag of [1, 2]) {
      const { pairs, correlation } = serialFaults(lfsrDraws({ width }), n, lag, 16);
      expect(Math.abs(correlation)).toBeLessThan(1);
      expect(pairs).toBeLessThan(LIMIT);
    }
  });

  it('with few taps fail in pairs: the laws see what the default polynomials avoid', () => {
    const sparse = (): Draws => lfsrDraws({ width: 31, polynomial: 0x48000000 });
    expect(serialFaults(sparse(), N, 1, 16).pairs).toBeGreaterThan(1000);
  });
});

describe('hashDraws', () => {
  const key = fc.record({
    seed: fc.oneof(fc.integer(), fc.maxSafeInteger()),
    step: fc.nat(),
    layer: fc.string(),
  });
  const of = ({ seed, step, layer }: { seed: number; step: number; layer: string }): Draws =>
    hashDraws(seed, step, layer);

  it('does not depend on the order of elements, nor on what was asked before', () => {
    fc.assert(
      fc.property(key, fc.array(fc.nat({ max: 2 ** 32 - 1 }), { minLength: 1 }), (key, elements) => {
        const draws = of(key);
        const forward = elements.map((e) => draws.uniform(e));
        const backward = elements.toReversed().map((e) => draws.uniform(e));
        expect(backward.toReversed()).toEqual(forward);
        expect(elements.map((e) => of(key).uniform(e))).toEqual(forward);
      }),
    );
  });

  it('differs between seeds, steps and layers', () => {
    fc.assert(
      fc.property(key, key, (a, b) => {
        fc.pre(JSON.stringify(a) !== JSON.stringify(b));
        const [x, y] = [take(of(a), 64), take(of(b), 64)];
        return x.filter((u, i) => u === y[i]).length <= 1;
      }),
    );
    for (const [a, b] of [
      [hashDraws(1, 0, 'a'), hashDraws(1, 1, 'a')],
      [hashDraws(0, 1, 'a'), hashDraws(1, 0, 'a')],
      [hashDraws(1, 0, 'a'), hashDraws(1 + 2 ** 32, 0, 'a')],
      [hashDraws(1, 0, 'a'), hashDraws(1, 0, 'b')],
    ])
      expect(take(a, 64)).not.toEqual(take(b, 64));
  });

  it('is independent between neighbouring seeds, steps and layers', () => {
    const n = 2 ** 16;
    const base = take(hashDraws(1, 0, 'conv1'), n);
    for (const other of [hashDraws(2, 0, 'conv1'), hashDraws(1, 1, 'conv1'), hashDraws(1, 0, 'conv2')]) {
      const product = base.reduce((sum, u, i) => sum + (u - 0.5) * (other.uniform(i) - 0.5), 0);
      expect(Math.abs((12 * product) / Math.sqrt(n))).toBeLessThan(LIMIT);
    }
  });

  it('is pinned: draws are the same on every machine', () => {
    expect(take(hashDraws(1, 2, 'conv1'), 3).map((u) => u * 2 ** 32)).toMatchInlineSnapshot(`
      [
        979175754,
        2855065690,
        416856025,
      ]
    `);
  });

  it.each([-1, 2 ** 32, 0.5, NaN])('refuses element %s', (element) => {
    expect(() => hashDraws(1, 0, 'a').uniform(element)).toThrow('expected a whole number below 2^32');
  });

  it('refuses a seed or a step that is no safe integer', () => {
    expect(() => hashDraws(0.5, 0, 'a')).toThrow('hashDraws: seed is 0.5, expected a safe integer');
    expect(() => hashDraws(0, NaN, 'a')).toThrow('hashDraws: step is NaN, expected a safe integer');
  });
});

describe('fnv1a', () => {
  // Test vectors of its authors.
  it.each([
    ['', 0x811c9dc5],
    ['a', 0xe40c292c],
    ['foobar', 0xbf9cf968],
  ])('of %j', (text, hash) => {
    expect(fnv1a(text)).toBe(hash);
  });
});

describe('lfsrDraws', () => {
  it('are the register over 2^width, from the seed on', () => {
    for (const width of [8, 16, 32]) {
      const lfsr = new Lfsr({ width, seed: 200 });
      const draws = take(lfsrDraws({ width, seed: 200 }), 100);
      expect(draws[0]).toBe(200 / 2 ** width);
      expect(draws).toEqual(draws.map(() => lfsr.next() / 2 ** width));
    }
  });

  it('streams: elements in order, and element 0 begins the next tensor with the register running on', () => {
    const whole = take(lfsrDraws(), 10);
    const draws = lfsrDraws();
    expect([...take(draws, 4), ...take(draws, 6)]).toEqual(whole);
    expect(() => draws.uniform(7)).toThrow(
      'LFSR draw asked for element 7, expected 6 or the first of the next tensor: draws stream',
    );
    expect(() => draws.uniform(5)).toThrow('expected 6');
  });
});
