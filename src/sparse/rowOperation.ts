/**
 * Row operations of sparse training (SPEC section 6; SparseTrain, arXiv:2007.13595), timing only: the geometry of a
 * one-dimensional row convolution with a piece of a kernel row, and the exact numbers of operands, products and
 * cycles of SRC (forward), MSRC (gradInput) and OSRC (gradWeight). The clocked PE is sim/rowPe.ts; the rule of the
 * two ports of OSRC is stated there, and solved here as a recurrence.
 *
 * Cycles of SRC and MSRC are max(1, operands): an empty row costs one null operand.
 */
import { outputSize, type ConvShape } from '../tensor.js';

/** Tap k (0 .. taps - 1) pairs input i and output j when i + padLeft - k * dilation = j * stride. */
export interface RowGeometry {
  readonly taps: number;
  readonly stride: number;
  readonly dilation: number;
  /** Left padding, less firstTap * dilation for later pieces of a kernel row; may be negative. */
  readonly padLeft: number;
  readonly inputWidth: number;
  readonly outputWidth: number;
}

/** A piece of a kernel row: its taps are firstTap, firstTap + 1, ... of the row. */
export interface TapPiece {
  firstTap: number;
  geometry: RowGeometry;
}

/** Kernel rows wider than the taps of a PE are cut into pieces. */
export function tapPieces(shape: ConvShape, taps: number): TapPiece[] {
  const { kernelWidth, dilationX: dilation, strideX: stride, width: inputWidth } = shape;
  const outputWidth = outputSize(shape).outWidth;
  const pieces: TapPiece[] = [];
  for (let firstTap = 0; firstTap < kernelWidth; firstTap += taps) {
    const padLeft = shape.padLeft - firstTap * dilation;
    const own = Math.min(taps, kernelWidth - firstTap);
    pieces.push({ firstTap, geometry: { taps: own, stride, dilation, padLeft, inputWidth, outputWidth } });
  }
  return pieces;
}

/** Positions from the first to the last tap: the accumulators that suffice for every kind of row operation. */
export const rowSpan = (g: RowGeometry): number => (g.taps - 1) * g.dilation + 1;

/** Taps that have a target inside the row, of each input column (SRC). One geometry serves all rows of a layer. */
const known = new WeakMap<RowGeometry, Int32Array>();

function srcTargets(g: RowGeometry): Int32Array {
  const found = known.get(g);
  if (found) return found;
  const targets = new Int32Array(g.inputWidth);
  for (let j = 0; j < g.outputWidth; j++)
    for (let k = 0; k < g.taps; k++) {
      const i = j * g.stride + k * g.dilation - g.padLeft;
      if (i >= 0 && i < g.inputWidth) targets[i]++;
    }
  known.set(g, targets);
  return targets;
}

/** Operands of a row that have a target; targets[c] is the number of taps that carry column c to one. */
export function liveOperands(targets: Int32Array, columns: Int32Array, from: number, to: number): number {
  let count = 0;
  for (let n = from; n < to; n++) if (targets[columns[n]] > 0) count++;
  return count;
}

/** Multiplications with a target. */
export function liveProducts(targets: Int32Array, columns: Int32Array, from: number, to: number): number {
  let sum = 0;
  for (let n = from; n < to; n++) sum += targets[columns[n]];
  return sum;
}

/** Operands of an input row that have a target inside the output row. */
export const srcOperands = (columns: Int32Array, from: number, to: number, g: RowGeometry): number =>
  liveOperands(srcTargets(g), columns, from, to);

/** Multiplications with a target inside the output row. */
export const srcProducts = (columns: Int32Array, from: number, to: number, g: RowGeometry): number =>
  liveProducts(srcTargets(g), columns, from, to);

/**
 * Live targets of every gradient column under one row of the mask, for `liveOperands` and `liveProducts` of MSRC: inputs
 * inside the row whose mask is 1 (null: all are). Many rows of gradients meet the same row of the mask.
 */
export function msrcTargets(
  g: RowGeometry,
  mask: Uint8Array | null,
  maskAt: number,
  targets: Int32Array,
): void {
  const { taps, dilation, inputWidth } = g;
  for (let j = 0; j < g.outputWidth; j++) {
    let live = 0;
    for (let k = 0, i = j * g.stride - g.padLeft; k < taps; k++, i += dilation)
      if (i >= 0 && i < inputWidth && (mask === null || mask[maskAt + i] !== 0)) live++;
    targets[j] = live;
  }
}

/** Gradients that the window of OSRC holds at once: those of all taps of an input, and one fetched ahead. */
export const gradientSlots = (g: RowGeometry): number => Math.ceil(rowSpan(g) / g.stride) + 1;

/** Cycle in which each input of the row is multiplied; grows as needed, valid within one call. */
let multipliedAt = new Int32Array(256);

/**
 * Cycles of an OSRC row operation, its end cycle included: nnz(g) + nnz(x) + 1 with one port. With two, gradient n
 * is loaded a cycle after gradient n - 1, and when gradient n - slots has left the window; an input is multiplied a
 * cycle after the one before it, and after the last gradient that it may meet.
 */
export function osrcCycles(
  xColumns: Int32Array,
  xFrom: number,
  xTo: number,
  gColumns: Int32Array,
  gFrom: number,
  gTo: number,
  g: RowGeometry,
  ports: 1 | 2,
): number {
  const inputs = xTo - xFrom;
  if (ports === 1 || inputs === 0 || gFrom === gTo) return inputs + gTo - gFrom + 1;
  if (multipliedAt.length < inputs) multipliedAt = new Int32Array(2 * inputs);
  const at = multipliedAt;
  const { stride, padLeft } = g;
  const slots = gradientSlots(g);
  const reach = rowSpan(g) - 1;
  let next = gFrom;
  let load = -1;
  let multiply = -1;
  // The first input that no longer meets the gradient whose slot is wanted.
  let beyond = 0;
  for (let m = 0; m <= inputs; m++) {
    const position = m < inputs ? xColumns[xFrom + m] + padLeft : Infinity;
    while (next < gTo && gColumns[next] * stride <= position) {
      if (next - slots >= gFrom) {
        const lastMet = gColumns[next - slots] * stride + reach;
        while (beyond < inputs && xColumns[xFrom + beyond] + padLeft <= lastMet) beyond++;
        if (beyond > 0 && at[beyond - 1] > load) load = at[beyond - 1];
      }
      load++;
      next++;
    }
    if (m === inputs) break;
    multiply = (load > multiply ? load : multiply) + 1;
    at[m] = multiply;
  }
  return (load > multiply ? load : multiply) + 2;
}

/** Multiplications of an OSRC row operation: pairs of an input and a gradient that meet at a tap. */
export function osrcProducts(
  xColumns: Int32Array,
  xFrom: number,
  xTo: number,
  gColumns: Int32Array,
  gFrom: number,
  gTo: number,
  g: RowGeometry,
): number {
  const { stride, padLeft, dilation } = g;
  const reach = rowSpan(g) - 1;
  let products = 0;
  let oldest = gFrom;
  for (let m = xFrom; m < xTo; m++) {
    const position = xColumns[m] + padLeft;
    while (oldest < gTo && gColumns[oldest] * stride < position - reach) oldest++;
    for (let n = oldest; n < gTo; n++) {
      const distance = position - gColumns[n] * stride;
      if (distance < 0) break;
      if (distance % dilation === 0) products++;
    }
  }
  return products;
}
