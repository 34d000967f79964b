/** Drives one row PE through all operations of a drawn case, piece by piece, and notes what left it and when. */
import { RowPe } from '../../src/sim/rowPe.js';
import type { RowOperation } from '../../src/sim/rowPeConfig.js';
import * as count from '../../src/sparse/rowOperation.js';
import { compressRows, type CompressedRows } from '../../src/sparse/rows.js';
import type { ConvShape } from '../../src/tensor.js';
import type { RowCase } from './naiveRows.js';

export const shapeOf = (c: RowCase): ConvShape => ({
  op: 'conv',
  rank: 1,
  batch: 1,
  channels: 1,
  height: 1,
  width: c.width,
  filters: 1,
  kernelHeight: 1,
  kernelWidth: c.kernel,
  strideY: 1,
  strideX: c.stride,
  padTop: 0,
  padBottom: 0,
  padLeft: c.padLeft,
  padRight: c.padRight,
  dilationY: 1,
  dilationX: c.dilation,
  groups: 1,
});

export const piecesOf = (c: RowCase): count.TapPiece[] => count.tapPieces(shapeOf(c), c.taps);

export const compressed = (rows: number[][], keepZeros: boolean): CompressedRows =>
  compressRows(Int32Array.from(rows.flat()), rows.length, rows[0].length, keepZeros);

export type Kind = RowOperation['kind'];

/** A PE that fits the case. */
export const peOf = (c: RowCase, ports: 1 | 2, float32 = false): RowPe =>
  new RowPe({
    taps: c.taps,
    span: Math.max(c.taps, ...piecesOf(c).map(({ geometry }) => count.rowSpan(geometry))),
    ports,
    float32,
  });

/** Row buffers of a case: one per operation and kind. */
export interface RowBuffers {
  src: Float64Array[];
  msrc: Float64Array[];
  osrc: Float64Array[];
}

export const buffersOf = (c: RowCase): RowBuffers => ({
  src: c.x.map(() => new Float64Array(c.outWidth)),
  msrc: c.x.map(() => new Float64Array(c.width)),
  osrc: c.x.map(() => new Float64Array(c.kernel)),
});

/** The operation of a kind on row `row` of the case with one piece of its kernel row. */
export function operationOf(
  c: RowCase,
  kind: Kind,
  row: number,
  { firstTap, geometry }: count.TapPiece,
  buffers: RowBuffers,
  masked = true,
): RowOperation {
  const x = compressed(c.x, c.keepZeros);
  const dy = compressed(c.dy, c.keepZeros);
  return {
    kind,
    geometry,
    operands: kind === 'msrc' ? dy : x,
    row,
    gradients: kind === 'osrc' ? dy : null,
    gradientRow: row,
    weights: Int32Array.from(c.w.flat()),
    weightsAt: row * c.kernel + firstTap,
    mask: kind === 'msrc' && masked ? Uint8Array.from(c.mask.flat()) : null,
    maskAt: row * c.width,
    target: buffers[kind][row],
    targetAt: kind === 'osrc' ? firstTap : 0,
  };
}

/** Live targets of a row of gradients: how many have one, and how many there are. */
function msrc(...[columns, from, to, g, mask, maskAt]: MsrcRow): { operands: number; products: number } {
  const targets = new Int32Array(g.outputWidth);
  count.msrcTargets(g, mask, maskAt, targets);
  return {
    operands: count.liveOperands(targets, columns, from, to),
    products: count.liveProducts(targets, columns, from, to),
  };
}

type MsrcRow = [
  columns: Int32Array,
  from: number,
  to: number,
  g: count.RowGeometry,
  mask: Uint8Array | null,
  maskAt: number,
];
export const msrcOperands = (...row: MsrcRow): number => msrc(...row).operands;
export const msrcProducts = (...row: MsrcRow): number => msrc(...row).products;
