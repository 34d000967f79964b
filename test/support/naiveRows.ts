/**
 * Row operations by plain loops over dense rows, and draws of rows and geometries. Shares nothing with the code under
 * test: pairs of input i and output j are found by trying all of them.
 */
import fc from 'fast-check';

export interface NaiveRow {
  stride: number;
  dilation: number;
  padLeft: number;
}

/** Tap of the whole kernel row, `kernel` wide, that pairs i and j; -1 if none does. */
export function naiveTap(i: number, j: number, kernel: number, r: NaiveRow): number {
  for (let k = 0; k < kernel; k++) if (j * r.stride + k * r.dilation === i + r.padLeft) return k;
  return -1;
}

export type Round = (value: number) => number;
const exact: Round = (value) => value;

/** Adds a forward row to `output`; taps from `first` up to `end`. */
export function naiveForward(
  x: ArrayLike<number>,
  w: ArrayLike<number>,
  [first, end]: [number, number],
  r: NaiveRow,
  output: Float64Array,
  round = exact,
): void {
  for (let j = 0; j < output.length; j++) {
    let sum = 0;
    for (let i = 0; i < x.length; i++) {
      const k = naiveTap(i, j, w.length, r);
      if (k >= first && k < end) sum = round(sum + round(x[i] * w[k]));
    }
    output[j] = round(output[j] + sum);
  }
}

/** Adds a row of input gradients to `dx`; columns of mask 0 stay as they are. */
export function naiveGradInput(
  dy: ArrayLike<number>,
  w: ArrayLike<number>,
  [first, end]: [number, number],
  r: NaiveRow,
  mask: ArrayLike<number> | null,
  dx: Float64Array,
  round = exact,
): void {
  for (let i = 0; i < dx.length; i++) {
    if (mask && mask[i] === 0) continue;
    let sum = 0;
    for (let j = 0; j < dy.length; j++) {
      const k = naiveTap(i, j, w.length, r);
      if (k >= first && k < end) sum = round(sum + round(dy[j] * w[k]));
    }
    dx[i] = round(dx[i] + sum);
  }
}

/** Adds the gradients of taps `first` up to `end` to `dw`. */
export function naiveGradWeight(
  x: ArrayLike<number>,
  dy: ArrayLike<number>,
  [first, end]: [number, number],
  r: NaiveRow,
  dw: Float64Array,
  round = exact,
): void {
  for (let t = first; t < end; t++) {
    let sum = 0;
    for (let i = 0; i < x.length; i++)
      for (let j = 0; j < dy.length; j++)
        if (naiveTap(i, j, dw.length, r) === t) sum = round(sum + round(x[i] * dy[j]));
    dw[t] = round(dw[t] + sum);
  }
}

/** For each operand, its live partners; `live(operand, partner)` says whether a tap joins two columns. */
export function naiveOperands(
  operands: ArrayLike<number>,
  partners: number,
  live: (operand: number, partner: number) => boolean,
  keepZeros: boolean,
): { operands: number; products: number } {
  const count = { operands: 0, products: 0 };
  for (let a = 0; a < operands.length; a++) {
    if (operands[a] === 0 && !keepZeros) continue;
    let products = 0;
    for (let b = 0; b < partners; b++) if (live(a, b)) products++;
    if (products > 0) count.operands++;
    count.products += products;
  }
  return count;
}

/** A layer's rows: geometry of a whole kernel row, and the taps of the PE. */
export interface RowCase extends NaiveRow {
  kernel: number;
  taps: number;
  width: number;
  outWidth: number;
  padRight: number;
  keepZeros: boolean;
  /** [operation]: dense rows. */
  x: number[][];
  dy: number[][];
  w: number[][];
  mask: number[][];
}

/** Codes of rows: none, all or some of them zero; small ones, powers of two, the extremes of 16 bits. */
const codes = (length: number): fc.Arbitrary<number[]> => {
  const value = fc.oneof(
    fc.integer({ min: 1, max: 9 }),
    fc.integer({ min: 0, max: 15 }).map((b) => 2 ** b),
    fc.constantFrom(1, 32767, 65535),
  );
  const signed = fc.tuple(value, fc.boolean()).map(([v, negative]) => (negative ? -v : v));
  const row = (zero: number): fc.Arbitrary<number[]> =>
    fc.array(
      fc.tuple(fc.integer({ min: 1, max: 10 }), signed).map(([d, v]) => (d <= zero ? 0 : v)),
      { minLength: length, maxLength: length, size: 'max' },
    );
  return fc.constantFrom(0, 3, 6, 9, 10).chain(row);
};

export function rowCases(fixed: Partial<RowCase> = {}): fc.Arbitrary<RowCase> {
  const upTo = (max: number, min = 1): fc.Arbitrary<number> => fc.integer({ min, max });
  return fc
    .record({
      stride: upTo(4),
      dilation: upTo(4),
      padLeft: upTo(6, 0),
      padRight: upTo(6, 0),
      kernel: upTo(7),
      taps: upTo(4),
      width: upTo(20),
      keepZeros: fc.boolean(),
    })
    .map((drawn) => {
      const r = { ...drawn, ...fixed };
      const room = r.width + r.padLeft + r.padRight - (r.kernel - 1) * r.dilation - 1;
      return { ...r, outWidth: Math.floor(room / r.stride) + 1 };
    })
    .filter((r) => r.outWidth >= 1)
    .chain((r) =>
      upTo(4)
        .chain((operations) => {
          const rows = (length: number): fc.Arbitrary<number[][]> =>
            fc.array(codes(length), { minLength: operations, maxLength: operations });
          const mask = rows(r.width).map((all) => all.map((row) => row.map((v) => (v === 0 ? 0 : 1))));
          return fc.record({ x: rows(r.width), dy: rows(r.outWidth), w: rows(r.kernel), mask });
        })
        .map((drawn) => ({ ...r, ...drawn })),
    );
}
