/**
 * The splitters and segment adders of a SAC unit (SPEC section 3): in one cycle, each accepting lane offers one
 * word; slot b of the word selects an activation from the lane's signed window table (or nothing) and segment b
 * adds it. The table of a window holds +a at pointer p, -a at KS + p and 0 at 2 KS, so that sign and validity
 * cost no branch.
 *
 * @param segments B segments of the unit start at `base`; 32-bit, or doubles where sums need more
 * @param slots word memory; word of lane i starts at `wordAt[i]`
 * @param table signed window tables; window of lane i starts at `windowAt[i]`
 * @param lanes number of accepting lanes
 */
export function addSlots(
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
