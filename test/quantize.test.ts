/** Floats and integers to sign-magnitude codes (SPEC section 1). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bitStatistics, quantize, roundHalfEven, scaleFor, type QuantizeOptions } from '../src/quantize.js';
import type { Affine, DType, NumericArray, Tensor } from '../src/tensor.js';
import { codeArbitrary } from '../src/fuzz.js';
import { naiveOnes } from './support/naiveKnead.js';

const where = { file: 'net.npz', place: 'layer conv1, weight' };
const tensor = (dtype: DType, data: NumericArray, shape = [data.length], affine?: Affine): Tensor => ({
  shape,
  dtype,
  data,
  ...(affine ? { affine } : {}),
});
const floats = (...x: number[]): Tensor => tensor('float64', Float64Array.from(x));
const take = (t: Tensor, o: QuantizeOptions) => quantize(t, o, where);
const codesOf = (t: Tensor, o: QuantizeOptions): number[] => [...take(t, o).codes];

describe('rounding', () => {
  it('goes to the nearest whole number, ties to the even one', () => {
    expect([0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 126.5, 127.5].map((x) => roundHalfEven(x) + 0)).toEqual([
      0, 2, 2, 0, -2, -2, 126, 128,
    ]);
    expect(roundHalfEven(0.49999999999999994)).toBe(0);
    expect(roundHalfEven(2 ** 51 + 0.5)).toBe(2 ** 51);
    fc.assert(
      fc.property(
        fc.integer({ min: -(2 ** 40), max: 2 ** 40 }),
        fc.integer({ min: -49, max: 49 }),
        (n, hundredths) => {
          expect(roundHalfEven(n + hundredths / 100)).toBe(n);
        },
      ),
    );
  });
});

describe('scales', () => {
  it('maxabs maps the largest magnitude to the largest code', () => {
    expect(scaleFor(127, 7, 'maxabs')).toBe(1);
    const c = take(floats(0.3, -1.7, 0.85), { precision: 'int8' });
    expect(c.scales[0]).toBe(1.7 / 127);
    expect([...c.codes]).toEqual([22, -127, 64]); // 0.3 / 1.7 x 127 = 22.4; 63.5 is a tie, to 64
  });

  it('pow2 is the least power of two that holds the largest magnitude, to the last bit', () => {
    for (const B of [7, 15])
      for (let k = -1022; k <= 1000; k += 1) {
        const max = 2 ** k * (2 ** B - 1);
        expect(scaleFor(max, B, 'pow2')).toBe(2 ** k);
        // A little more needs the next power; two units in the last place survive the division.
        expect(scaleFor(max * (1 + 2 ** -50), B, 'pow2')).toBe(2 ** (k + 1));
        expect(scaleFor(max * (1 - 2 ** -50), B, 'pow2')).toBe(2 ** k);
      }
  });

  it('are 1 for zeros, and stay finite for the smallest and largest numbers', () => {
    for (const rule of ['maxabs', 'pow2'] as const) {
      expect(take(floats(0, -0, 0), { precision: 'int16', scale: rule }).scales[0]).toBe(1);
      for (const max of [5e-324, 1e-310, 2.2250738585072014e-308, Number.MAX_VALUE])
        for (const precision of ['int8', 'int16'] as const) {
          const c = take(floats(max, -max, 0), { precision, scale: rule });
          expect(c.scales[0]).toBeGreaterThan(0);
          expect(Number.isFinite(c.scales[0])).toBe(true);
          expect(c.codes[0]).toBe(-c.codes[1]);
          expect(c.codes[0]).toBeGreaterThan(0);
          expect(c.codes[0]).toBeLessThanOrEqual(precision === 'int8' ? 127 : 32_767);
        }
    }
  });

  it('default to maxabs for int8 and pow2 for int16', () => {
    expect(take(floats(3), { precision: 'int8' }).scales[0]).toBe(3 / 127);
    expect(take(floats(3), { precision: 'int16' }).scales[0]).toBe(2 ** -13);
    expect(codesOf(floats(3, -1.5), { precision: 'int16' })).toEqual([24_576, -12_288]);
  });

  it('are one per filter if asked, each from its own largest magnitude', () => {
    const t = tensor('float32', Float32Array.of(1, -2, 0, 0, 1000, 4), [3, 1, 1, 2]);
    const c = take(t, { precision: 'int8', per: 'channel' });
    expect([...c.scales]).toEqual([2 / 127, 1, 1000 / 127]);
    expect([...c.codes]).toEqual([64, -127, 0, 0, 127, 1]);
    expect([...take(t, { precision: 'int8' }).scales]).toEqual([1000 / 127]);
  });

  it('never move a code further than half a step, nor beyond the largest code', () => {
    const data = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(
        data,
        fc.constantFrom('int8', 'int16'),
        fc.constantFrom('maxabs', 'pow2'),
        (x, precision, scale) => {
          const c = take(floats(...x), { precision, scale });
          const limit = 2 ** c.magnitudeBits - 1;
          x.forEach((value, i) => {
            expect(Math.abs(c.codes[i])).toBeLessThanOrEqual(limit);
            expect(Math.abs(value / c.scales[0] - c.codes[i])).toBeLessThanOrEqual(0.5 + 1e-9);
          });
        },
      ),
    );
  });
});

describe('integer codes', () => {
  it('are never rescaled', () => {
    expect(codesOf(tensor('int8', Int8Array.of(3, -100, 127)), { precision: 'int16' })).toEqual([
      3, -100, 127,
    ]);
    const c = take(tensor('int16', Int16Array.of(-32_767, 5)), { precision: 'int16', per: 'channel' });
    expect([...c.codes, ...c.scales, c.magnitudeBits, c.storageBits]).toEqual([-32_767, 5, 1, 15, 16]);
  });

  it.each([
    ['int8', Int8Array.of(-128, -127), 'int8', 127],
    ['int16', Int16Array.of(-32_768, 7), 'int16', 32_767],
  ] as const)(
    'without a sign-magnitude form (%s) saturate and are counted, or are refused',
    (dtype, data, precision, limit) => {
      const c = take(tensor(dtype, data), { precision });
      expect([c.codes[0], c.saturated]).toEqual([-limit, 1]);
      const refuse = (): unknown => take(tensor(dtype, data), { precision, minCode: 'refuse' });
      expect(refuse).toThrow(
        `net.npz: layer conv1, weight, element 0: found code ${data[0]}, which has no sign-magnitude form, ` +
          `expected codes from -${limit} to ${limit}; use --min-code saturate`,
      );
      expect(refuse).toThrow(expect.objectContaining({ code: 'min-code', exitCode: 1 }));
    },
  );

  it('that are too wide for the precision are an error that says what to do', () => {
    const wide = (t: Tensor, o: QuantizeOptions, text: RegExp): void => {
      expect(() => take(t, o)).toThrow(text);
      expect(() => take(t, o)).toThrow(expect.objectContaining({ code: 'code-too-wide' }));
    };
    wide(
      tensor('int16', Int16Array.of(1, 128)),
      { precision: 'int8' },
      /element 1: found int16 code 128.*--precision int16/,
    );
    wide(
      tensor('int16', Int16Array.of(-129)),
      { precision: 'int8' },
      /code -129, expected codes from -127 to 127/,
    );
    // Unsigned weights must fit the signed format.
    wide(tensor('uint8', Uint8Array.of(128)), { precision: 'int8' }, /uint8 code 128/);
    wide(
      tensor('uint16', Uint16Array.of(40_000)),
      { precision: 'int16' },
      /expected codes from -32767 to 32767/,
    );
    expect(codesOf(tensor('uint8', Uint8Array.of(255)), { precision: 'int16' })).toEqual([255]);
  });

  it('may use all their bits as unsigned activations, and keep their storage width', () => {
    const o = { precision: 'int8', unsignedAllowed: true } as const;
    const c = take(tensor('uint8', Uint8Array.of(255, 0)), o);
    expect([...c.codes, c.magnitudeBits, c.storageBits]).toEqual([255, 0, 8, 8]);
    const wide = take(tensor('uint16', Uint16Array.of(65_535)), { ...o, precision: 'int16' });
    expect([...wide.codes, wide.magnitudeBits, wide.storageBits]).toEqual([65_535, 16, 16]);
    const signed = take(tensor('int8', Int8Array.of(-5)), { ...o, precision: 'int16' });
    expect([...signed.codes, signed.magnitudeBits, signed.storageBits]).toEqual([-5, 7, 8]);
  });
});

describe('affine codes', () => {
  it('are dequantised in double and quantised again: their zero is not code 0', () => {
    const affine = { scale: 0.5, zeroPoint: 128 };
    const c = take(tensor('uint8', Uint8Array.of(128, 0, 255, 129), [4], affine), { precision: 'int8' });
    expect(c.scales[0]).toBe(64 / 127);
    expect([...c.codes]).toEqual([0, -127, 126, 1]);
    const same = take(floats(0, -64, 63.5, 0.5), { precision: 'int8' });
    expect([...same.codes]).toEqual([...c.codes]);
  });

  it('of a source that gives a minimum are code x scale + min', () => {
    const affine = { scale: 0.1, zeroPoint: 3, min: -0.3 };
    const data = Uint8Array.of(0, 3, 200);
    const reals = [...data].map((x) => x * 0.1 - 0.3);
    const o = { precision: 'int16' } as const;
    expect(codesOf(tensor('uint8', data, [3], affine), o)).toEqual(codesOf(floats(...reals), o));
  });
});

describe('bit statistics', () => {
  it('are those of counting bit by bit', () => {
    const drawn = fc
      .constantFrom(7, 8, 15, 16)
      .chain((bits) =>
        fc.tuple(
          fc.constant(bits),
          fc.array(codeArbitrary(bits, bits % 2 === 1), { maxLength: 50, size: 'max' }),
        ),
      );
    fc.assert(
      fc.property(drawn, ([magnitudeBits, values]) => {
        const codes = Int32Array.from(values);
        const storageBits = magnitudeBits <= 8 ? 8 : 16;
        const scales = Float64Array.of(1);
        const found = bitStatistics({
          shape: [codes.length],
          codes,
          magnitudeBits,
          storageBits,
          scales,
          saturated: 0,
        });
        const ones = values.reduce((n, x) => n + naiveOnes(x), 0);
        const histogram = Array.from(
          { length: magnitudeBits },
          (_, b) => values.filter((x) => Math.floor(Math.abs(x) / 2 ** b) % 2 === 1).length,
        );
        expect(found).toEqual({
          values: values.length,
          zeroValues: values.filter((x) => x === 0).length,
          bits: values.length * magnitudeBits,
          zeroBits: values.length * magnitudeBits - ones,
          histogram,
        });
      }),
    );
  });
});
