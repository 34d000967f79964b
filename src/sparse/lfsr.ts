/**
 * The linear feedback shift register of the PPU, which draws for stochastic pruning (SPEC section 5).
 *
 * One shift, in Galois form, towards bit 0: the bit that leaves at bit 0 is XORed, after the shift, into each bit
 * that is set in `polynomial`; bit i of it stands for x^(i+1) of the characteristic polynomial, whose constant term
 * is implied, so bit width-1 is always set (0xb400 at width 16 is x^16 + x^14 + x^13 + x^11 + 1).
 *
 * One clock is `shifts` shifts, unrolled into one XOR network: by one shift, half of the draws would be half of the
 * draw before. `shifts` is the least number from `width` up that has no factor in common with the period
 * 2^width - 1, so all bits are new in each clock and the register still passes through all states but 0.
 */
import { UserError } from '../errors.js';

export interface LfsrOptions {
  /** Bits of the register, 8 to 32. Default 32. */
  width?: number;
  /** Feedback taps, as above; must be maximal (period 2^width - 1). Default: by width, from the table. */
  polynomial?: number;
  /** First state of the register, 1 to 2^width - 1. Default: the polynomial. */
  seed?: number;
}

/**
 * Maximal polynomials for widths 8 to 32: the first at or above the leading bits of the golden ratio's fraction,
 * 0x9e3779b9. They have many taps on purpose: three or five would show as correlation between near draws.
 */
const POLYNOMIALS = [
  0xa6, 0x13e, 0x279, 0x4f2, 0xa03, 0x13c8, 0x278e, 0x4f1c, 0x9e37, 0x13c70, 0x278e6, 0x4f1c0, 0x9e385,
  0x13c6f4, 0x278de2, 0x4f1bc8, 0x9e378e, 0x13c6efc, 0x278ddef, 0x4f1bbd8, 0x9e3779d, 0x13c6ef3c, 0x278dde99,
  0x4f1bbcdd, 0x9e3779bf,
];
const LFSR_MIN_WIDTH = 8;
const LFSR_MAX_WIDTH = 32;

/** One shift of the register. */
function shiftOnce(state: number, polynomial: number): number {
  return ((state >>> 1) ^ (state & 1 ? polynomial : 0)) >>> 0;
}

/** Product of two states, read as polynomials modulo the feedback polynomial; bit width-1 is 1, one shift is x. */
function multiply(a: number, b: number, polynomial: number, width: number): number {
  let product = 0;
  for (let bit = width - 1; bit >= 0; bit--) {
    if ((b >>> bit) & 1) product ^= a;
    a = shiftOnce(a, polynomial);
  }
  return product >>> 0;
}

function primeFactors(n: number): number[] {
  const factors: number[] = [];
  for (let f = 2; f * f <= n; f++)
    if (n % f === 0) {
      factors.push(f);
      while (n % f === 0) n /= f;
    }
  return n > 1 ? [...factors, n] : factors;
}

/** Whether the register passes through all states but 0. */
export function isMaximal(polynomial: number, width: number): boolean {
  const one = 2 ** (width - 1);
  const power = (exponent: number): number => {
    let result = one;
    let square = one >>> 1;
    for (let rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
      if (rest % 2 === 1) result = multiply(result, square, polynomial, width);
      square = multiply(square, square, polynomial, width);
    }
    return result;
  };
  const period = 2 ** width - 1;
  return power(period) === one && primeFactors(period).every((f) => power(period / f) !== one);
}

const greatestCommonDivisor = (a: number, b: number): number =>
  b === 0 ? a : greatestCommonDivisor(b, a % b);

function wholeNumber(name: string, value: number, min: number, max: number, why = ''): number {
  if (!Number.isInteger(value) || value < min || value > max)
    throw new UserError(
      `lfsr-${name}`,
      `LFSR: ${name} is ${value}, expected a whole number from ${min} to ${max}${why}`,
    );
  return value;
}

export class Lfsr {
  readonly width: number;
  readonly polynomial: number;
  /** Shifts per clock. */
  readonly shifts: number;
  /** The register. */
  state: number;
  /** Next state by byte of the state: the XOR of four look-ups, since each shift is linear over XOR. */
  private readonly table = new Uint32Array(4 * 256);

  /** @throws UserError for a width, polynomial or seed that cannot draw. */
  constructor(options: LfsrOptions = {}) {
    const width = wholeNumber('width', options.width ?? LFSR_MAX_WIDTH, LFSR_MIN_WIDTH, LFSR_MAX_WIDTH);
    const period = 2 ** width - 1;
    const byDefault = POLYNOMIALS[width - LFSR_MIN_WIDTH];
    const polynomial = options.polynomial ?? byDefault;
    wholeNumber('polynomial', polynomial, 2 ** (width - 1), period, ` at width ${width}`);
    if (polynomial !== byDefault && !isMaximal(polynomial, width))
      throw new UserError(
        'lfsr-polynomial',
        `LFSR: polynomial 0x${polynomial.toString(16)} is not maximal at width ${width}, so draws would repeat ` +
          `early; take another, such as 0x${byDefault.toString(16)}`,
      );
    this.width = width;
    this.polynomial = polynomial;
    this.state = wholeNumber(
      'seed',
      options.seed ?? polynomial,
      1,
      period,
      ': from 0 it would never leave 0',
    );
    this.shifts = width;
    while (greatestCommonDivisor(period, this.shifts) > 1) this.shifts++;
    for (let bit = 0; bit < 32; bit++) {
      let state = 2 ** bit;
      for (let n = 0; n < this.shifts; n++) state = shiftOnce(state, polynomial);
      const byte = 256 * (bit >>> 3);
      const value = 1 << (bit & 7);
      for (let lower = 0; lower < value; lower++)
        this.table[byte + value + lower] = this.table[byte + lower] ^ state;
    }
  }

  /** One clock: the register as it stands in this cycle, from 1 to 2^width - 1; then its next state is clocked in. */
  next(): number {
    const { state, table } = this;
    this.state =
      (table[state & 255] ^
        table[256 + ((state >>> 8) & 255)] ^
        table[512 + ((state >>> 16) & 255)] ^
        table[768 + (state >>> 24)]) >>>
      0;
    return state;
  }
}
