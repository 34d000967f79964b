import { describe, expect, it } from 'vitest';
import { Random, hash32 } from '../../src/random.js';

const draw = <T>(n: number, f: () => T): T[] => Array.from({ length: n }, f);
const mean = (x: number[]): number => x.reduce((a, b) => a + b, 0) / x.length;

describe('Random', () => {
  it('is the same for the same seed, on any machine', () => {
    const random = new Random(1);
    expect(draw(4, () => random.uint32())).toEqual(PINNED);
    expect(new Random(2).uint32()).not.toBe(PINNED[0]);
    expect(new Random(1 + 2 ** 40).uint32()).not.toBe(PINNED[0]);
  });

  it('is uniform: mean, variance, every bit, and neighbours independent', () => {
    const random = new Random(7);
    const x = draw(40_000, () => random.uniform());
    expect(mean(x)).toBeCloseTo(0.5, 2);
    expect(mean(x.map((v) => (v - 0.5) ** 2))).toBeCloseTo(1 / 12, 2);
    expect(mean(x.slice(1).map((v, i) => (v - 0.5) * (x[i] - 0.5)))).toBeCloseTo(0, 2);
    const words = draw(20_000, () => random.uint32());
    for (let bit = 0; bit < 32; bit++) expect(mean(words.map((w) => (w >>> bit) & 1))).toBeCloseTo(0.5, 1);
  });

  it('has normal draws of mean 0 and variance 1, and the right tails', () => {
    const random = new Random(3);
    const x = draw(40_000, () => random.normal());
    expect(mean(x)).toBeCloseTo(0, 1);
    expect(mean(x.map((v) => v * v))).toBeCloseTo(1, 1);
    expect(mean(x.map((v) => (Math.abs(v) > 1.959964 ? 1 : 0)))).toBeCloseTo(0.05, 2);
  });

  it('draws every whole number below n, and refuses others', () => {
    const random = new Random(5);
    const counts = new Array<number>(6).fill(0);
    for (const i of draw(12_000, () => random.int(6))) counts[i]++;
    for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(200);
    expect(() => random.int(0)).toThrow(RangeError);
    expect(() => random.int(1.5)).toThrow(RangeError);
  });

  it('hashes words by value and by place', () => {
    expect(new Set([hash32(1, 2), hash32(2, 1), hash32(1, 2, 0), hash32(3)]).size).toBe(4);
  });
});

const PINNED = [2247748788, 1986018771, 2291147924, 2011674827];
