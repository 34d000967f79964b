/**
 * Bit planes (SPEC section 2): a group of KS weights is B masks of KS bits. Plane b has bit k set when weight k
 * has an essential bit at position b. Masks are rows of 32-bit words, so KS may be up to 256.
 */

/** Words of 32 bits that one plane of `stride` weights takes. */
export const planeWords = (stride: number): number => Math.ceil(stride / 32);

/**
 * Bit planes of one group of weights.
 * @param weights sign-magnitude codes of the group, at most `stride` of them
 * @returns B planes, plane b in words [b * planeWords(stride), ...)
 */
export function bitPlanes(weights: ArrayLike<number>, magnitudeBits: number, stride: number): Uint32Array {
  const words = planeWords(stride);
  const planes = new Uint32Array(magnitudeBits * words);
  for (let k = 0; k < weights.length; k++) {
    const magnitude = Math.abs(weights[k]);
    for (let b = 0; b < magnitudeBits; b++)
      if ((magnitude >>> b) & 1) planes[b * words + (k >>> 5)] |= 1 << (k & 31);
  }
  return planes;
}

export function popcount32(x: number): number {
  x -= (x >>> 1) & 0x55555555;
  x = (x & 0x33333333) + ((x >>> 2) & 0x33333333);
  return Math.imul((x + (x >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/**
 * Kneaded length of a group from its planes: the largest number of weights that share an essential bit
 * position; an all-zero group has length 0 here (machines charge it `emptyGroupCycles`).
 * @param mask optional mask of non-zero activations in the window (masked kneading)
 */
export function lengthOfPlanes(
  planes: Uint32Array,
  magnitudeBits: number,
  stride: number,
  mask?: Uint32Array,
): number {
  const words = planeWords(stride);
  let longest = 0;
  for (let b = 0; b < magnitudeBits; b++) {
    let count = 0;
    for (let w = 0; w < words; w++)
      count += popcount32(mask ? planes[b * words + w] & mask[w] : planes[b * words + w]);
    longest = Math.max(longest, count);
  }
  return longest;
}
