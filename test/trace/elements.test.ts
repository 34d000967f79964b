import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  checkFinite,
  decodeBfloat16,
  decodeElements,
  decodeFloat16,
  encodeBfloat16,
  encodeElements,
  encodeFloat16,
} from '../../src/trace/elements.js';
import { expectUserError, thrown } from './support.js';

describe('float16', () => {
  // From the tables of IEEE 754: smallest subnormal, largest subnormal, smallest normal, thirds, largest, infinities.
  it.each([
    [0x0000, 0],
    [0x0001, 5.960464477539063e-8],
    [0x03ff, 0.00006097555160522461],
    [0x0400, 0.00006103515625],
    [0x3555, 0.333251953125],
    [0x3c00, 1],
    [0x3c01, 1.0009765625],
    [0xc000, -2],
    [0x7bff, 65504],
    [0x8001, -5.960464477539063e-8],
    [0x7c00, Infinity],
    [0xfc00, -Infinity],
    [0x7e01, NaN],
  ])('decodes %i to %d', (bits, value) => {
    expect(decodeFloat16(bits)).toBe(value);
  });

  it('keeps the sign of zero', () => {
    expect(Object.is(decodeFloat16(0x8000), -0)).toBe(true);
  });

  it('encodes every value that it decodes', () => {
    for (let bits = 0; bits < 65536; bits++) {
      const value = decodeFloat16(bits);
      if (!Number.isNaN(value) && encodeFloat16(value) !== bits) expect(encodeFloat16(value)).toBe(bits);
    }
  });

  it('rounds to the nearest, ties to even', () => {
    const all = Array.from({ length: 0x7c00 }, (_, bits) => decodeFloat16(bits));
    fc.assert(
      fc.property(fc.float({ min: 0, max: 65504, noNaN: true }), (x) => {
        const got = encodeFloat16(x);
        const error = Math.abs(all[got] - x);
        for (const other of [got - 1, got + 1]) {
          if (all[other] === undefined) continue;
          const rival = Math.abs(all[other] - x);
          expect(rival > error || (rival === error && got % 2 === 0)).toBe(true);
        }
      }),
    );
    expect([1 + 2 ** -11, 1 + 3 * 2 ** -11, 2 ** -25, 3 * 2 ** -25].map(encodeFloat16)).toEqual([
      0x3c00, 0x3c02, 0, 2,
    ]);
    expect(encodeFloat16(65520)).toBe(0x7c00);
    expect(encodeFloat16(65519)).toBe(0x7bff);
  });
});

describe('bfloat16', () => {
  it.each([
    [0x3f80, 1],
    [0xc049, -3.140625],
    [0x0001, 9.183549615799121e-41],
    [0x7f7f, 3.3895313892515355e38],
    [0x7f80, Infinity],
    [0xff80, -Infinity],
    [0x7fc0, NaN],
  ])('decodes %i to %d', (bits, value) => {
    expect(decodeBfloat16(bits)).toBe(value);
  });

  it('encodes every value that it decodes, and rounds ties to even', () => {
    for (let bits = 0; bits < 65536; bits++) {
      const value = decodeBfloat16(bits);
      if (!Number.isNaN(value) && encodeBfloat16(value) !== bits) expect(encodeBfloat16(value)).toBe(bits);
    }
    expect(encodeBfloat16(1 + 2 ** -8)).toBe(0x3f80);
    expect(encodeBfloat16(1 + 3 * 2 ** -8)).toBe(0x3f82);
  });
});

describe('elements', () => {
  it('decodes from any alignment', () => {
    const bytes = new Uint8Array(17);
    bytes.set(new Uint8Array(Float64Array.of(Math.PI, -1).buffer), 1);
    expect([...decodeElements(bytes.subarray(1), 'float64')]).toEqual([Math.PI, -1]);
  });

  it('refuses to write an array as another type', () => {
    expect(() => encodeElements(Float32Array.of(1), 'int8')).toThrow(TypeError);
  });

  it('names the place of NaN and infinities', () => {
    const tensor = { shape: [2, 3], dtype: 'float32' as const, data: Float32Array.of(0, 1, 2, 3, NaN, 5) };
    expectUserError(
      thrown(() => checkFinite(tensor, 'f.npz', 'layer "a", input')),
      /f\.npz: layer "a", input at \[1,1\] \(element 4\): found NaN/,
    );
  });
});
