/** The LFSR against a shift register spelled out bit by bit, and its period. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Lfsr, isMaximal } from '../../src/sparse/lfsr.js';

/** One shift on an array of bits, bit 0 first. */
function shiftBits(bits: number[], polynomial: number): number[] {
  const [out, ...rest] = bits;
  return [...rest, 0].map((bit, i) => bit ^ (out & (Math.floor(polynomial / 2 ** i) % 2)));
}

const bitsOf = (state: number, width: number): number[] =>
  Array.from({ length: width }, (_, i) => Math.floor(state / 2 ** i) % 2);
const numberOf = (bits: number[]): number => bits.reduce((sum, bit, i) => sum + bit * 2 ** i, 0);

const widths = Array.from({ length: 25 }, (_, i) => i + 8);

describe('Lfsr', () => {
  it('shows its register, and shifts it `shifts` times per clock', () => {
    fc.assert(
      fc.property(fc.constantFrom(...widths), fc.nat(), (width, salt) => {
        const seed = 1 + (salt % (2 ** width - 1));
        const lfsr = new Lfsr({ width, seed });
        let bits = bitsOf(seed, width);
        for (let clock = 0; clock < 5; clock++) {
          expect(lfsr.state).toBe(numberOf(bits));
          expect(lfsr.next()).toBe(numberOf(bits));
          for (let n = 0; n < lfsr.shifts; n++) bits = shiftBits(bits, lfsr.polynomial);
        }
      }),
    );
  });

  it.each([8, 9, 12, 16, 18])('of %i bits takes every value but 0 once per period', (width) => {
    const lfsr = new Lfsr({ width, seed: 1 });
    const seen = new Uint8Array(2 ** width);
    for (let clock = 1; clock < 2 ** width; clock++) seen[lfsr.next()]++;
    expect(seen[0]).toBe(0);
    expect(seen.subarray(1).every((count) => count === 1)).toBe(true);
    expect(lfsr.state).toBe(1);
  });

  it.each(widths)('of %i bits has a maximal polynomial and replaces all bits per clock', (width) => {
    const { polynomial, shifts, state } = new Lfsr({ width });
    expect(isMaximal(polynomial, width)).toBe(true);
    expect(state).toBe(polynomial);
    expect(shifts).toBeGreaterThanOrEqual(width);
    expect(shifts).toBeLessThanOrEqual(width + 5);
  });

  it('tells maximal polynomials from others as counting does', () => {
    const width = 8;
    const period = (polynomial: number): number => {
      let bits = bitsOf(128, width);
      for (let n = 1; ; n++) {
        bits = shiftBits(bits, polynomial);
        if (numberOf(bits) === 128 || n > 255) return n;
      }
    };
    let found = 0;
    for (let polynomial = 128; polynomial < 256; polynomial++) {
      expect(isMaximal(polynomial, width)).toBe(period(polynomial) === 255);
      if (isMaximal(polynomial, width)) found++;
    }
    // phi(255) / 8 primitive polynomials of degree 8.
    expect(found).toBe(16);
    // Published ones: Wikipedia's example, and those of the Xilinx and Koopman tables.
    for (const [width, polynomial] of [
      [16, 0xb400],
      [32, 0x80000057],
      [32, 0x80200003],
      [31, 0x48000000],
    ])
      expect(isMaximal(polynomial, width)).toBe(true);
  });

  it('can be set back', () => {
    const lfsr = new Lfsr({ width: 16, polynomial: 0xb400, seed: 0xace1 });
    const { state } = lfsr;
    const first = [lfsr.next(), lfsr.next(), lfsr.next()];
    lfsr.state = state;
    expect([lfsr.next(), lfsr.next(), lfsr.next()]).toEqual(first);
  });

  it.each([
    [
      { seed: 0 },
      'LFSR: seed is 0, expected a whole number from 1 to 4294967295: from 0 it would never leave 0',
    ],
    [
      { width: 8, seed: 256 },
      'LFSR: seed is 256, expected a whole number from 1 to 255: from 0 it would never leave 0',
    ],
    [{ width: 7 }, 'LFSR: width is 7, expected a whole number from 8 to 32'],
    [{ width: 33 }, 'LFSR: width is 33, expected a whole number from 8 to 32'],
    [
      { width: 16, polynomial: 0x3400 },
      'LFSR: polynomial is 13312, expected a whole number from 32768 to 65535 at width 16',
    ],
    [
      { width: 16, polynomial: 0x8000 },
      'LFSR: polynomial 0x8000 is not maximal at width 16, so draws would repeat early; take another, such as 0x9e37',
    ],
  ])('refuses %j', (options, message) => {
    expect(() => new Lfsr(options)).toThrow(message);
  });
});
