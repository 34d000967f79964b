/** Kneading as the paper draws it (SPEC section 2): bits sink one by one. Shares no code with src/bit. */

export type NaiveSlot = { weight: number; sign: 1 | -1 } | null;

const hasBit = (x: number, b: number): boolean => Math.floor(Math.abs(x) / 2 ** b) % 2 === 1;

/** Rows of a group: each essential bit falls into the first free slot of its column, in weight order. */
export function naiveRows(weights: readonly number[], magnitudeBits: number): NaiveSlot[][] {
  const rows: NaiveSlot[][] = [];
  weights.forEach((weight, k) => {
    for (let b = 0; b < magnitudeBits; b++) {
      if (!hasBit(weight, b)) continue;
      let t = 0;
      while (t < rows.length && rows[t][b] !== null) t++;
      if (t === rows.length) rows.push(new Array<NaiveSlot>(magnitudeBits).fill(null));
      rows[t][b] = { weight: k, sign: weight < 0 ? -1 : 1 };
    }
  });
  if (rows.length === 0) rows.push(new Array<NaiveSlot>(magnitudeBits).fill(null));
  return rows;
}

/** Rows of a whole stream, cut into groups of `stride`. An all-zero group is one row. */
export function naiveLengths(stream: readonly number[], magnitudeBits: number, stride: number): number[] {
  const lengths: number[] = [];
  for (let from = 0; from < stream.length; from += stride)
    lengths.push(naiveRows(stream.slice(from, from + stride), magnitudeBits).length);
  return lengths;
}

export const naiveOnes = (x: number): number => Math.abs(x).toString(2).replaceAll('0', '').length;
