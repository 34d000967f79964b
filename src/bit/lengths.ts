/**
 * Kneaded lengths of many groups at once, without building words (SPEC section 2: length = the largest number
 * of weights in the group that share an essential bit position).
 *
 * Bit-sliced: one 32-bit word carries the magnitudes of two groups (int16) or four (int8) side by side. A
 * carry-save adder network counts 16 weights for all bit columns of those groups together; the largest count of
 * each group is then found plane by plane from the top. The spare top bit of each magnitude (15 of 16, 7 of 8
 * bits) makes "any bit set in this group" one addition without carries between groups.
 */

/** Weights counted by one pass of the adder network. */
const BLOCK_ROWS = 16;

/** Magnitudes of `groups` groups, row k holding the k-th weight of each group; missing weights are zero. */
export class GroupMatrix {
  readonly laneBits: 8 | 16;
  readonly wordsPerRow: number;
  readonly rows: number;
  readonly words: Uint32Array;
  /** Magnitude of weight k of group j at [k * elementsPerRow + j]. */
  readonly elements: Uint8Array | Uint16Array;
  readonly elementsPerRow: number;

  constructor(
    readonly stride: number,
    readonly groups: number,
    magnitudeBits: number,
  ) {
    this.laneBits = magnitudeBits <= 7 ? 8 : 16;
    const perWord = 32 / this.laneBits;
    this.wordsPerRow = Math.ceil(groups / perWord);
    this.elementsPerRow = this.wordsPerRow * perWord;
    this.rows = Math.ceil(stride / BLOCK_ROWS) * BLOCK_ROWS;
    const buffer = new ArrayBuffer(4 * this.rows * this.wordsPerRow);
    this.words = new Uint32Array(buffer);
    this.elements = this.laneBits === 8 ? new Uint8Array(buffer) : new Uint16Array(buffer);
  }
}

/**
 * Writes the kneaded length of each group to `lengths` (0 for an all-zero group).
 * @param lengths at least `matrix.elementsPerRow` entries
 */
export function kneadedLengths(matrix: GroupMatrix, lengths: Uint16Array): void {
  const { words, wordsPerRow, rows, laneBits } = matrix;
  if (rows === BLOCK_ROWS) lengthsOfBlock(words, wordsPerRow, laneBits, lengths);
  else lengthsOfBlocks(words, wordsPerRow, rows, laneBits, lengths);
}

/** KS up to 16: one pass of the network, five count planes. */
function lengthsOfBlock(x: Uint32Array, n: number, laneBits: number, lengths: Uint16Array): void {
  const below = laneBits === 8 ? 0x7f7f7f7f : 0x7fff7fff;
  const top = laneBits === 8 ? 0x80808080 | 0 : 0x80008000 | 0;
  const shift = laneBits - 1;
  const laneMask = laneBits === 8 ? 0xff : 0xffff;
  const perWord = 32 / laneBits;
  for (let w = 0; w < n; w++) {
    // Full adders are written out: u = a ^ b; sum = u ^ c; carry = (a & b) | (u & c).
    let i = w;
    let a = x[i] | 0;
    let b = x[(i += n)] | 0;
    let c = x[(i += n)] | 0;
    let u = a ^ b;
    let ones = u ^ c;
    const t0 = (a & b) | (u & c);
    a = x[(i += n)] | 0;
    b = x[(i += n)] | 0;
    u = ones ^ a;
    const t1 = (ones & a) | (u & b);
    ones = u ^ b;
    a = x[(i += n)] | 0;
    b = x[(i += n)] | 0;
    u = ones ^ a;
    const t2 = (ones & a) | (u & b);
    ones = u ^ b;
    a = x[(i += n)] | 0;
    b = x[(i += n)] | 0;
    u = ones ^ a;
    const t3 = (ones & a) | (u & b);
    ones = u ^ b;
    a = x[(i += n)] | 0;
    b = x[(i += n)] | 0;
    u = ones ^ a;
    const t4 = (ones & a) | (u & b);
    ones = u ^ b;
    a = x[(i += n)] | 0;
    b = x[(i += n)] | 0;
    u = ones ^ a;
    const t5 = (ones & a) | (u & b);
    ones = u ^ b;
    a = x[(i += n)] | 0;
    b = x[(i += n)] | 0;
    u = ones ^ a;
    const t6 = (ones & a) | (u & b);
    ones = u ^ b;
    c = x[(i += n)] | 0;
    const t7 = ones & c;
    ones ^= c;
    // Eight carries of weight two.
    u = t0 ^ t1;
    let twos = u ^ t2;
    const f0 = (t0 & t1) | (u & t2);
    u = twos ^ t3;
    const f1 = (twos & t3) | (u & t4);
    twos = u ^ t4;
    u = twos ^ t5;
    const f2 = (twos & t5) | (u & t6);
    twos = u ^ t6;
    const f3 = twos & t7;
    twos ^= t7;
    // Four of weight four, two of weight eight, one of sixteen.
    u = f0 ^ f1;
    let fours = u ^ f2;
    const e0 = (f0 & f1) | (u & f2);
    const e1 = fours & f3;
    fours ^= f3;
    const eights = e0 ^ e1;
    const sixteens = e0 & e1;

    // Largest count per group: keep the candidate columns that have this plane set, where any has.
    let some = ((sixteens + below) | 0) & top;
    let keep = some - (some >>> shift);
    let found = (some >>> shift) << 4;
    let candidates = sixteens | ~keep;
    let plane = eights & candidates;
    some = ((plane + below) | 0) & top;
    keep = some - (some >>> shift);
    found |= (some >>> shift) << 3;
    candidates = plane | (candidates & ~keep);
    plane = fours & candidates;
    some = ((plane + below) | 0) & top;
    keep = some - (some >>> shift);
    found |= (some >>> shift) << 2;
    candidates = plane | (candidates & ~keep);
    plane = twos & candidates;
    some = ((plane + below) | 0) & top;
    keep = some - (some >>> shift);
    found |= (some >>> shift) << 1;
    candidates = plane | (candidates & ~keep);
    plane = ones & candidates;
    found |= (((plane + below) | 0) & top) >>> shift;

    const at = w * perWord;
    lengths[at] = found & laneMask;
    if (perWord === 2) lengths[at + 1] = found >>> 16;
    else {
      lengths[at + 1] = (found >>> 8) & 0xff;
      lengths[at + 2] = (found >>> 16) & 0xff;
      lengths[at + 3] = found >>> 24;
    }
  }
}

/** Any KS up to 256: rows are added one by one into nine count planes. */
function lengthsOfBlocks(
  x: Uint32Array,
  n: number,
  rows: number,
  laneBits: number,
  lengths: Uint16Array,
): void {
  const below = laneBits === 8 ? 0x7f7f7f7f : 0x7fff7fff;
  const top = laneBits === 8 ? 0x80808080 | 0 : 0x80008000 | 0;
  const shift = laneBits - 1;
  const perWord = 32 / laneBits;
  const laneMask = laneBits === 8 ? 0xff : 0xffff;
  const planeCount = Math.floor(Math.log2(rows)) + 1;
  const planes = new Int32Array(planeCount);
  for (let w = 0; w < n; w++) {
    planes.fill(0);
    for (let row = 0; row < rows; row += 3) {
      // Three rows make one sum of weight one and one carry of weight two.
      const a = x[row * n + w] | 0;
      const b = row + 1 < rows ? x[(row + 1) * n + w] | 0 : 0;
      const c = row + 2 < rows ? x[(row + 2) * n + w] | 0 : 0;
      const u = a ^ b;
      const sum = u ^ c;
      const old = planes[0];
      planes[0] = old ^ sum;
      let carry = old & sum;
      const twos = (a & b) | (u & c);
      const second = planes[1];
      const v = second ^ twos;
      planes[1] = v ^ carry;
      carry = (second & twos) | (v & carry);
      for (let p = 2; p < planeCount; p++) {
        const plane = planes[p];
        planes[p] = plane ^ carry;
        carry &= plane;
      }
    }
    let candidates = -1;
    let found = 0;
    let wide = 0; // plane 8 (256 weights in one column) does not fit an 8-bit lane
    for (let p = planeCount - 1; p >= 0; p--) {
      const plane = planes[p] & candidates;
      const some = ((plane + below) | 0) & top;
      candidates = plane | (candidates & ~(some - (some >>> shift)));
      if (p === 8) wide = some >>> shift;
      else found |= (some >>> shift) << p;
    }
    for (let j = 0; j < perWord; j++)
      lengths[w * perWord + j] =
        ((found >>> (j * laneBits)) & laneMask) + (((wide >>> (j * laneBits)) & 1) << 8);
  }
}
