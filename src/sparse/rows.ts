/**
 * Compressed rows (SPEC section 6; SparseTrain, arXiv:2007.13595): of each row of a feature map only the non-zero
 * values are stored, each with its column offset, in ascending order. Rows of the dense twin keep their zeros.
 */

/** `Values` is Int32Array for codes, Float32Array for the float32 mode. */
export interface CompressedRows<Values extends Int32Array | Float32Array = Int32Array> {
  rows: number;
  /** Elements of a row before compression. */
  width: number;
  /** Row r is stored from start[r] up to start[r + 1]; rows + 1 entries. */
  start: Int32Array;
  values: Values;
  /** Offset of each value within its row. */
  columns: Int32Array;
}

/**
 * Compresses rows * width codes, row by row.
 * @param keepZeros compression off: zeros are stored like other values
 */
export const compressRows = (
  codes: Int32Array,
  rows: number,
  width: number,
  keepZeros = false,
): CompressedRows => compress(codes, rows, width, keepZeros, (size) => new Int32Array(size));

/** The same for real values, rounded to float32. A value that float32 rounds to zero is a zero. */
export const compressFloatRows = (
  values: Float32Array | Float64Array,
  rows: number,
  width: number,
  keepZeros = false,
): CompressedRows<Float32Array> =>
  compress(Float32Array.from(values), rows, width, keepZeros, (size) => new Float32Array(size));

function compress<Values extends Int32Array | Float32Array>(
  dense: Values,
  rows: number,
  width: number,
  keepZeros: boolean,
  allocate: (size: number) => Values,
): CompressedRows<Values> {
  const size = rows * width;
  if (dense.length !== size)
    throw new RangeError(`compressRows: ${dense.length} values, expected ${rows} rows of ${width}`);
  let stored = size;
  if (!keepZeros) for (let i = 0; i < size; i++) if (dense[i] === 0) stored--;
  const start = new Int32Array(rows + 1);
  const values = allocate(stored);
  const columns = new Int32Array(stored);
  let at = 0;
  for (let r = 0, i = 0; r < rows; r++) {
    for (let column = 0; column < width; column++, i++) {
      if (dense[i] === 0 && !keepZeros) continue;
      values[at] = dense[i];
      columns[at++] = column;
    }
    start[r + 1] = at;
  }
  return { rows, width, start, values, columns };
}

/** All rows * width codes again. */
export function expandRows(c: CompressedRows): Int32Array {
  const codes = new Int32Array(c.rows * c.width);
  for (let r = 0; r < c.rows; r++)
    for (let n = c.start[r]; n < c.start[r + 1]; n++) codes[r * c.width + c.columns[n]] = c.values[n];
  return codes;
}
