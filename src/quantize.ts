/**
 * Floats to sign-magnitude codes (SPEC section 1). Quantised reals are `round-half-even(x / scale)` in double,
 * saturating; integer codes are never rescaled; affine codes (scale and zero point) are dequantised in double
 * and requantised, because their zero is not code 0.
 */
import { badInput } from './errors.js';
import { isIntegerDtype, type Affine, type NumericArray, type Tensor } from './tensor.js';

export const PRECISIONS = ['int8', 'int16'] as const;
export type Precision = (typeof PRECISIONS)[number];
export const SCALE_RULES = ['maxabs', 'pow2'] as const;
export type ScaleRule = (typeof SCALE_RULES)[number];
export const SCALE_GRAINS = ['tensor', 'channel'] as const;
export type ScaleGrain = (typeof SCALE_GRAINS)[number];
export const MIN_CODE_RULES = ['saturate', 'refuse'] as const;
export type MinCodeRule = (typeof MIN_CODE_RULES)[number];

export interface QuantizeOptions {
  precision: Precision;
  /** Default: maxabs for int8, pow2 for int16. */
  scale?: ScaleRule;
  /** One scale per tensor (default) or per entry of the first axis (filters of a weight tensor). */
  per?: ScaleGrain;
  /** What happens to integer codes -128 and -32768, which have no sign-magnitude form. Default: saturate. */
  minCode?: MinCodeRule;
  /** Unsigned integer codes may use all their bits (post-ReLU activations in inference). */
  unsignedAllowed?: boolean;
}

/** A tensor of sign-magnitude codes. */
export interface Codes {
  shape: readonly number[];
  codes: Int32Array;
  /** B: bits of the largest magnitude that the format holds. */
  magnitudeBits: number;
  /** Width as stored: 8 or 16 bits, sign included. What bit-serial peers step through. */
  storageBits: 8 | 16;
  /** One scale, or one per channel; value = code * scale. 1 for integer codes without a scale. */
  scales: Float64Array;
  /** Integer codes at -2^B that were saturated to -(2^B - 1). */
  saturated: number;
}

/** Magnitude bits of a signed code of this precision: 7 or 15. */
export const magnitudeBitsOf = (precision: Precision): number => (precision === 'int8' ? 7 : 15);

export const defaultScaleRule = (precision: Precision): ScaleRule =>
  precision === 'int8' ? 'maxabs' : 'pow2';

/**
 * Round half to even, exactly, for |x| < 2^51: above 2^52 a double has no fraction bits, so the addition itself
 * rounds as IEEE 754 does, to nearest and ties to even.
 */
export const roundHalfEven = (x: number): number => x + ROUNDER - ROUNDER;
const ROUNDER = 1.5 * 2 ** 52;

/** The scale that maps `max` (largest magnitude) into B magnitude bits; 1 for an all-zero tensor. */
export function scaleFor(max: number, magnitudeBits: number, rule: ScaleRule): number {
  if (max === 0) return 1;
  // The smallest subnormals would give scale 0; a scale of one ulp keeps x / scale finite.
  const ratio = Math.max(max / (2 ** magnitudeBits - 1), Number.MIN_VALUE);
  if (rule === 'maxabs') return ratio;
  // log2 may be off by an ulp near powers of two, so settle the exponent by comparison.
  let scale = 2 ** Math.ceil(Math.log2(ratio));
  while (scale < ratio) scale *= 2;
  while (scale / 2 >= ratio && scale / 2 > 0) scale /= 2;
  return scale;
}

/**
 * Quantises one tensor.
 * @param what names the file and the place for messages
 * @throws UserError on a code that is too wide for the precision, or (minCode = refuse) on -2^B
 */
export function quantize(tensor: Tensor, o: QuantizeOptions, what: { file: string; place: string }): Codes {
  return isIntegerDtype(tensor.dtype) && !tensor.affine
    ? takeIntegerCodes(tensor, o, what)
    : quantizeReals(tensor, o);
}

function takeIntegerCodes(tensor: Tensor, o: QuantizeOptions, what: { file: string; place: string }): Codes {
  const unsigned = tensor.dtype.startsWith('uint') && o.unsignedAllowed === true;
  const storageBits = tensor.dtype.endsWith('16') ? 16 : 8;
  const formatBits = o.precision === 'int8' ? 8 : 16;
  // Unsigned weights have no format of their own on these machines: they must fit the signed one.
  const magnitudeBits = unsigned ? storageBits : o.unsignedAllowed ? storageBits - 1 : formatBits - 1;
  const limit = 2 ** Math.min(magnitudeBits, unsigned ? formatBits : formatBits - 1) - 1;
  const codes = new Int32Array(tensor.data.length);
  let saturated = 0;
  for (let i = 0; i < codes.length; i++) {
    let code = tensor.data[i];
    if (code === -limit - 1 && !unsigned) {
      if (o.minCode === 'refuse')
        throw badInput('min-code', {
          file: what.file,
          place: `${what.place}, element ${i}`,
          found: `code ${code}, which has no sign-magnitude form`,
          expected: `codes from -${limit} to ${limit}`,
          remedy: 'use --min-code saturate to take it as the nearest code',
        });
      code = -limit;
      saturated++;
    }
    if (code > limit || code < (unsigned ? 0 : -limit))
      throw badInput('code-too-wide', {
        file: what.file,
        place: `${what.place}, element ${i}`,
        found: `${tensor.dtype} code ${code}`,
        expected: `codes from ${unsigned ? 0 : -limit} to ${limit} at ${o.precision}`,
        remedy:
          o.precision === 'int8'
            ? 'use --precision int16, or record the codes with a scale so that they can be requantised'
            : 'record the codes with a scale so that they can be requantised',
      });
    codes[i] = code;
  }
  const width = o.unsignedAllowed ? storageBits : formatBits;
  return {
    shape: tensor.shape,
    codes,
    magnitudeBits,
    storageBits: width,
    scales: Float64Array.of(1),
    saturated,
  };
}

function quantizeReals(tensor: Tensor, o: QuantizeOptions): Codes {
  const magnitudeBits = magnitudeBitsOf(o.precision);
  const limit = 2 ** magnitudeBits - 1;
  const rule = o.scale ?? defaultScaleRule(o.precision);
  const data = realsOf(tensor);
  const channels = o.per === 'channel' ? Math.max(1, tensor.shape[0] ?? 1) : 1;
  const size = data.length / channels;
  const scales = new Float64Array(channels);
  const codes = new Int32Array(data.length);
  for (let c = 0; c < channels; c++) {
    const from = c * size;
    let max = 0;
    for (let i = from; i < from + size; i++) {
      const magnitude = Math.abs(data[i]);
      if (magnitude > max) max = magnitude;
    }
    const scale = scaleFor(max, magnitudeBits, rule);
    scales[c] = scale;
    for (let i = from; i < from + size; i++) {
      const code = roundHalfEven(data[i] / scale);
      codes[i] = code > limit ? limit : code < -limit ? -limit : code;
    }
  }
  return {
    shape: tensor.shape,
    codes,
    magnitudeBits,
    storageBits: o.precision === 'int8' ? 8 : 16,
    scales,
    saturated: 0,
  };
}

/** The values that a tensor stands for: affine codes dequantised, all others as stored. */
export const realsOf = ({ data, affine }: Tensor): NumericArray =>
  affine ? dequantized(data, affine) : data;

/** The reals that affine codes stand for, in double. */
function dequantized(data: NumericArray, { scale, zeroPoint, min }: Affine): Float64Array {
  const reals = new Float64Array(data.length);
  for (let i = 0; i < reals.length; i++)
    reals[i] = min === undefined ? (data[i] - zeroPoint) * scale : data[i] * scale + min;
  return reals;
}

/** Zero values and essential bits of a tensor of codes. All are counts. */
export interface BitStatistics {
  values: number;
  zeroValues: number;
  /** values * B. */
  bits: number;
  zeroBits: number;
  /** Essential bits (ones of the magnitude) by bit position, from the least significant. */
  histogram: number[];
}

/** Statistics are asked for by the report and by every conservation check; codes never change. */
const known = new WeakMap<Codes, BitStatistics>();

export function bitStatistics(c: Codes): BitStatistics {
  let statistics = known.get(c);
  if (!statistics) known.set(c, (statistics = countBits(c)));
  return statistics;
}

function countBits(c: Codes): BitStatistics {
  const histogram = new Array<number>(c.magnitudeBits).fill(0);
  const counts = magnitudeCounts(c);
  let ones = 0;
  for (let magnitude = 1; magnitude < counts.length; magnitude++) {
    const times = counts[magnitude];
    if (times === 0) continue;
    for (let b = 0; b < c.magnitudeBits; b++)
      if ((magnitude >>> b) & 1) {
        histogram[b] += times;
        ones += times;
      }
  }
  const bits = c.codes.length * c.magnitudeBits;
  return { values: c.codes.length, zeroValues: counts[0], bits, zeroBits: bits - ones, histogram };
}

/** How often each magnitude occurs: one pass over the codes, so that the bits are looked at once per magnitude. */
function magnitudeCounts(c: Codes): Float64Array {
  const counts = new Float64Array(2 ** c.magnitudeBits);
  const codes = c.codes;
  for (let i = 0; i < codes.length; i++) counts[Math.abs(codes[i])]++;
  return counts;
}
