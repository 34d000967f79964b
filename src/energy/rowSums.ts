/**
 * Sums that row PEs add to row buffers (SPEC section 6): what PPUs are at work for. An accumulator that has got a product
 * leaves it once in a row operation, and goes to the row buffer of its group; so these are the outputs that an operation
 * reaches with at least one product. Exact, from the codes, by sets of columns as bits.
 */
import type { LayerWork } from '../arch/machine.js';
import { rowOperands } from '../arch/sparsetrainOperands.js';
import { RowOperations } from '../lower/rowOperations.js';
import type { RowGeometry } from '../sparse/rowOperation.js';
import type { CompressedRows } from '../sparse/rows.js';

/** Rows of columns that are in a set, `words` of 32 columns each. */
class ColumnSets {
  readonly words: number;
  readonly bits: Int32Array;

  constructor(rows: number, width: number) {
    this.words = Math.ceil(width / 32);
    this.bits = new Int32Array(rows * this.words);
  }

  add(row: number, column: number): void {
    this.bits[row * this.words + (column >> 5)] |= 1 << (column & 31);
  }

  /** Columns of a row that are in another set's row too. */
  common(row: number, other: ColumnSets, otherRow: number): number {
    const { words, bits } = this;
    let count = 0;
    for (let w = 0, a = row * words, b = otherRow * words; w < words; w++, a++, b++)
      count += popcount(bits[a] & other.bits[b]);
    return count;
  }

  /** Whether there is one. */
  meets(row: number, other: ColumnSets, otherRow: number): boolean {
    const { words, bits } = this;
    for (let w = 0, a = row * words, b = otherRow * words; w < words; w++, a++, b++)
      if ((bits[a] & other.bits[b]) !== 0) return true;
    return false;
  }
}

function popcount(bits: number): number {
  let n = bits - ((bits >>> 1) & 0x55555555);
  n = (n & 0x33333333) + ((n >>> 2) & 0x33333333);
  return (((n + (n >>> 4)) & 0x0f0f0f0f) * 0x01010101) >>> 24;
}

/** Calls `use` for each operand of each row. */
function eachOperand(
  { columns, start, rows }: CompressedRows,
  use: (row: number, column: number) => void,
): void {
  for (let row = 0; row < rows; row++) for (let n = start[row]; n < start[row + 1]; n++) use(row, columns[n]);
}

/** Columns of the target row that operands of a streamed row reach with a piece of the kernel row. */
function reached(rows: RowOperations, streamed: CompressedRows): ColumnSets {
  const pieces = rows.pieces.length;
  const sets = new ColumnSets(streamed.rows * pieces, rows.width);
  // Forward goes from inputs to outputs, gradInput the other way.
  const targetOf = ({ stride, dilation, padLeft }: RowGeometry, column: number, k: number): number =>
    rows.phase === 'forward'
      ? (column + padLeft - k * dilation) / stride
      : column * stride - padLeft + k * dilation;
  eachOperand(streamed, (row, column) => {
    for (let p = 0; p < pieces; p++) {
      const { geometry } = rows.pieces[p];
      for (let k = 0; k < geometry.taps; k++) {
        const target = targetOf(geometry, column, k);
        if (Number.isInteger(target) && target >= 0 && target < rows.width)
          sets.add(row * pieces + p, target);
      }
    }
  });
  return sets;
}

/** @param taps multipliers of a PE @param dense compression and mask off: zeros take part */
export function rowSums(work: LayerWork, taps: number, dense: boolean): number {
  const rows = new RowOperations(work.shape, work.phase, taps);
  const operands = rowOperands(work, dense);
  if (rows.phase === 'gradWeight') return gradWeightSums(rows, operands.streamed, operands.gradient!);
  const pieces = rows.pieces.length;
  const sets = reached(rows, operands.streamed);
  const { mask } = operands;
  const live = new ColumnSets(1, rows.width);
  if (!mask) live.bits.fill(-1);
  const known = new Map<number, number>();
  let sums = 0;
  for (let row = 0; row < rows.rows; row++) {
    const same = mask ? -1 : rows.sameStreams(row);
    let own = known.get(same);
    if (own === undefined) {
      own = 0;
      if (mask) {
        live.bits.fill(0);
        for (let x = 0; x < rows.width; x++) if (mask[row * rows.width + x] !== 0) live.add(0, x);
      }
      rows.load(row);
      for (let i = 0; i < rows.count; i++)
        own += sets.common(rows.streamed[i] * pieces + rows.piece[i], live, 0);
      if (!mask) known.set(same, own);
    }
    sums += own;
  }
  return sums;
}

/** Taps of a row of weights at which an input and a gradient meet. */
function gradWeightSums(rows: RowOperations, streamed: CompressedRows, gradient: CompressedRows): number {
  const { pieces, shape } = rows;
  const inputs = new ColumnSets(streamed.rows, shape.width);
  eachOperand(streamed, (row, column) => inputs.add(row, column));
  // Inputs that tap k of a piece meets with each row of gradients.
  const most = rows.widestPiece;
  const wanted = new ColumnSets(gradient.rows * pieces.length * most, shape.width);
  const placeOf = (row: number, piece: number, k: number): number => (row * pieces.length + piece) * most + k;
  eachOperand(gradient, (row, column) => {
    pieces.forEach(({ geometry: { taps, stride, dilation, padLeft } }, p) => {
      for (let k = 0; k < taps; k++) {
        const input = column * stride + k * dilation - padLeft;
        if (input >= 0 && input < shape.width) wanted.add(placeOf(row, p, k), input);
      }
    });
  });
  let sums = 0;
  for (let row = 0; row < rows.rows; row++) {
    rows.load(row);
    for (let i = 0; i < rows.count; i++) {
      const piece = rows.piece[i];
      for (let k = 0; k < pieces[piece].geometry.taps; k++)
        if (wanted.meets(placeOf(rows.gradient[i], piece, k), inputs, rows.streamed[i])) sums++;
    }
  }
  return sums;
}
