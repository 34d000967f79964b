/**
 * The splitters and segment adders of a SAC unit (SPEC section 3): in one cycle, each accepting lane offers one
 * word; slot b of the word selects an activation from the lane's signed window table (or nothing) and segment b
 * adds it. The table of a window holds +a at pointer p, -a at KS + p and 0 at 2 KS, so that sign and validity
 * cost no branch.
 *
 * Three bodies of one meaning: unrolled for the two precisions (segments stay in machine registers over the
 * lanes; measured at two to three times the plain loop), and a plain loop for other widths and for segments that
 * need more than 32 bits. test/sim/segmentAdders.test.ts holds them equal.
 */

/**
 * @param segments B segments of unit n start at `base`
 * @param slots word memory; word of lane i starts at `wordAt[i]`
 * @param table signed window tables; window of lane i starts at `windowAt[i]`
 * @param lanes number of accepting lanes
 */
export type SegmentAdders = (
  segments: Int32Array,
  base: number,
  slots: Uint16Array,
  wordAt: Int32Array,
  table: Int32Array,
  windowAt: Int32Array,
  lanes: number,
) => void;

/** The adders for a magnitude of B bits with 32-bit segments. */
export function segmentAddersFor(magnitudeBits: number): SegmentAdders {
  if (magnitudeBits === 15) return addSlots15;
  if (magnitudeBits === 7) return addSlots7;
  return (segments, base, slots, wordAt, table, windowAt, lanes) =>
    addSlotsPlain(magnitudeBits, segments, base, slots, wordAt, table, windowAt, lanes);
}

/** Any width; also the one for wide segments (doubles). */
export function addSlotsPlain(
  magnitudeBits: number,
  segments: Int32Array | Float64Array,
  base: number,
  slots: Uint16Array,
  wordAt: Int32Array,
  table: Int32Array,
  windowAt: Int32Array,
  lanes: number,
): void {
  for (let b = 0; b < magnitudeBits; b++) {
    let sum = segments[base + b];
    for (let i = 0; i < lanes; i++) sum += table[windowAt[i] + slots[wordAt[i] + b]];
    segments[base + b] = sum;
  }
}

const addSlots7: SegmentAdders = (segments, base, slots, wordAt, table, windowAt, lanes) => {
  let s0 = segments[base];
  let s1 = segments[base + 1];
  let s2 = segments[base + 2];
  let s3 = segments[base + 3];
  let s4 = segments[base + 4];
  let s5 = segments[base + 5];
  let s6 = segments[base + 6];
  for (let i = 0; i < lanes; i++) {
    const w = windowAt[i];
    const q = wordAt[i];
    s0 = (s0 + table[w + slots[q]]) | 0;
    s1 = (s1 + table[w + slots[q + 1]]) | 0;
    s2 = (s2 + table[w + slots[q + 2]]) | 0;
    s3 = (s3 + table[w + slots[q + 3]]) | 0;
    s4 = (s4 + table[w + slots[q + 4]]) | 0;
    s5 = (s5 + table[w + slots[q + 5]]) | 0;
    s6 = (s6 + table[w + slots[q + 6]]) | 0;
  }
  segments[base] = s0;
  segments[base + 1] = s1;
  segments[base + 2] = s2;
  segments[base + 3] = s3;
  segments[base + 4] = s4;
  segments[base + 5] = s5;
  segments[base + 6] = s6;
};

const addSlots15: SegmentAdders = (segments, base, slots, wordAt, table, windowAt, lanes) => {
  let s0 = segments[base];
  let s1 = segments[base + 1];
  let s2 = segments[base + 2];
  let s3 = segments[base + 3];
  let s4 = segments[base + 4];
  let s5 = segments[base + 5];
  let s6 = segments[base + 6];
  let s7 = segments[base + 7];
  let s8 = segments[base + 8];
  let s9 = segments[base + 9];
  let s10 = segments[base + 10];
  let s11 = segments[base + 11];
  let s12 = segments[base + 12];
  let s13 = segments[base + 13];
  let s14 = segments[base + 14];
  for (let i = 0; i < lanes; i++) {
    const w = windowAt[i];
    const q = wordAt[i];
    s0 = (s0 + table[w + slots[q]]) | 0;
    s1 = (s1 + table[w + slots[q + 1]]) | 0;
    s2 = (s2 + table[w + slots[q + 2]]) | 0;
    s3 = (s3 + table[w + slots[q + 3]]) | 0;
    s4 = (s4 + table[w + slots[q + 4]]) | 0;
    s5 = (s5 + table[w + slots[q + 5]]) | 0;
    s6 = (s6 + table[w + slots[q + 6]]) | 0;
    s7 = (s7 + table[w + slots[q + 7]]) | 0;
    s8 = (s8 + table[w + slots[q + 8]]) | 0;
    s9 = (s9 + table[w + slots[q + 9]]) | 0;
    s10 = (s10 + table[w + slots[q + 10]]) | 0;
    s11 = (s11 + table[w + slots[q + 11]]) | 0;
    s12 = (s12 + table[w + slots[q + 12]]) | 0;
    s13 = (s13 + table[w + slots[q + 13]]) | 0;
    s14 = (s14 + table[w + slots[q + 14]]) | 0;
  }
  segments[base] = s0;
  segments[base + 1] = s1;
  segments[base + 2] = s2;
  segments[base + 3] = s3;
  segments[base + 4] = s4;
  segments[base + 5] = s5;
  segments[base + 6] = s6;
  segments[base + 7] = s7;
  segments[base + 8] = s8;
  segments[base + 9] = s9;
  segments[base + 10] = s10;
  segments[base + 11] = s11;
  segments[base + 12] = s12;
  segments[base + 13] = s13;
  segments[base + 14] = s14;
};
