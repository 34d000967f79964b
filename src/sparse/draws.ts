/**
 * Random draws of stochastic pruning (SPEC section 5): one per element, used or not, so that the same elements meet
 * the same draws at every threshold and on every machine. Two sources: a counter-based hash, which can be asked in
 * any order, and the PPU's LFSR, which streams.
 */
import { VerificationError } from '../errors.js';
import { hash32, mix32 } from '../random.js';
import { Lfsr, type LfsrOptions } from './lfsr.js';

export interface Draws {
  /** Draw of an element, by its index in the tensor: uniform in [0, 1). */
  uniform(element: number): number;
}

/** FNV-1a of the UTF-8 bytes of a text (G. Fowler, L. C. Noll, K.-P. Vo), 32 bits. */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** Golden-ratio step: neighbouring elements land far apart before they are mixed. */
const STEP = 0x9e3779b9;

class HashDraws implements Draws {
  private readonly key: number;
  private readonly key2: number;

  constructor(seed: number, step: number, layer: string) {
    for (const [name, value] of Object.entries({ seed, step }))
      if (!Number.isSafeInteger(value))
        throw new RangeError(`hashDraws: ${name} is ${value}, expected a safe integer`);
    const high = (word: number): number => Math.floor(word / 2 ** 32);
    const words = [seed, high(seed), step, high(step), fnv1a(layer), layer.length];
    this.key = hash32(...words);
    this.key2 = hash32(...words, 1);
  }

  uniform(element: number): number {
    if (element >>> 0 !== element)
      throw new RangeError(`hashDraws: element is ${element}, expected a whole number below 2^32`);
    // Two rounds with different keys: after one, all layers would share one fixed permutation of the counter.
    return mix32(mix32(Math.imul(element, STEP) ^ this.key) ^ this.key2) * 2 ** -32;
  }
}

/**
 * Draws that depend on (seed, step, layer, element) and nothing else. 32 bits each: a probability is met to within
 * 2^-32. Two elements of a layer never share a value, as the hash is a bijection of the element's index.
 */
export function hashDraws(seed: number, step: number, layer: string): Draws {
  return new HashDraws(seed, step, layer);
}

class LfsrDraws implements Draws {
  private expected = 0;
  private readonly unit: number;

  constructor(private readonly lfsr: Lfsr) {
    this.unit = 2 ** -lfsr.width;
  }

  uniform(element: number): number {
    if (element !== this.expected && element !== 0)
      throw new VerificationError(
        'lfsr-order',
        `LFSR draw asked for element ${element}, expected ${this.expected} or the first of the next tensor: draws stream`,
      );
    this.expected = element + 1;
    return this.lfsr.next() * this.unit;
  }
}

/**
 * Draws of the PPU's LFSR: u = register / 2^width, so |g|/tau > u is the comparison register * tau < |g| * 2^width,
 * a multiplication and a shift. Elements are asked in order; element 0 begins the next tensor, and the register runs
 * on. A probability q is met to within 2^-width, since each of the values 1 .. 2^width - 1 comes once per period.
 */
export function lfsrDraws(options: LfsrOptions = {}): Draws {
  return new LfsrDraws(new Lfsr(options));
}
