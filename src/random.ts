/**
 * Seeded random numbers. Draw k is a hash of (seed, k) and nothing else, so a stream can be replayed from any
 * point, on any machine, with the same bits.
 */

/** Finaliser of MurmurHash3: a bijection of uint32 in which every input bit reaches every output bit. */
export function mix32(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

/** Golden-ratio step of SplitMix: consecutive counters land far apart before they are mixed. */
const STEP = 0x9e3779b9;

/** Hash of a sequence of uint32 words; use it for draws addressed by (seed, layer, element). */
export function hash32(...words: number[]): number {
  let h = mix32(STEP ^ words.length);
  for (const word of words) h = mix32((h + STEP) ^ mix32(word));
  return h;
}

export class Random {
  private readonly key: number;
  private readonly key2: number;
  private low = 0;
  private high = 0;
  private spare = NaN;

  /** @param seed any safe integer; both halves of it count. */
  constructor(seed: number) {
    const upper = Math.floor(seed / 2 ** 32);
    this.key = hash32(seed, upper);
    this.key2 = hash32(seed, upper, 1);
  }

  /** Uniform over all uint32. */
  uint32(): number {
    // Two rounds with different keys: one round alone is a fixed permutation of the counter.
    const x = mix32(Math.imul(this.low, STEP) ^ this.key) + Math.imul(this.high, STEP);
    if (++this.low === 2 ** 32) {
      this.low = 0;
      this.high++;
    }
    return mix32(x ^ this.key2);
  }

  /** Uniform in [0, 1), 53 bits. */
  uniform(): number {
    const upper = this.uint32() >>> 5;
    return (upper * 2 ** 26 + (this.uint32() >>> 6)) / 2 ** 53;
  }

  /** Standard normal, by the polar form of Box-Muller; pairs are drawn together. */
  normal(): number {
    if (!Number.isNaN(this.spare)) {
      const value = this.spare;
      this.spare = NaN;
      return value;
    }
    for (;;) {
      const x = 2 * this.uniform() - 1;
      const y = 2 * this.uniform() - 1;
      const square = x * x + y * y;
      if (square >= 1 || square === 0) continue;
      const factor = Math.sqrt((-2 * Math.log(square)) / square);
      this.spare = y * factor;
      return x * factor;
    }
  }

  /** Uniform whole number in [0, n), without the bias of a plain remainder; n up to 2^32. */
  int(n: number): number {
    if (!Number.isSafeInteger(n) || n < 1 || n > 2 ** 32)
      throw new RangeError(`Random.int: n is ${n}, expected a whole number from 1 to 2^32`);
    const limit = 2 ** 32 - (2 ** 32 % n);
    for (;;) {
      const x = this.uint32();
      if (x < limit) return x % n;
    }
  }
}
