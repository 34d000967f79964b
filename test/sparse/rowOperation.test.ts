/** Operands, products and cycles of row operations: against plain loops, closed forms and bounds. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as count from '../../src/sparse/rowOperation.js';
import type { CompressedRows } from '../../src/sparse/rows.js';
import { naiveOperands, naiveTap, rowCases, type RowCase } from '../support/naiveRows.js';
import { compressed, msrcOperands, msrcProducts, piecesOf, shapeOf } from '../support/rowPe.js';
import { runs } from '../support/runs.js';

const osrc = (x: CompressedRows, dy: CompressedRows, g: count.RowGeometry, ports: 1 | 2, row = 0): number =>
  count.osrcCycles(
    x.columns,
    x.start[row],
    x.start[row + 1],
    dy.columns,
    dy.start[row],
    dy.start[row + 1],
    g,
    ports,
  );

/** Whether a tap of a piece joins input i and output j. */
const joins =
  (c: RowCase, firstTap: number) =>
  (i: number, j: number): boolean => {
    const tap = naiveTap(i, j, c.kernel, c);
    return tap >= firstTap && tap < firstTap + c.taps;
  };

describe('tap pieces', () => {
  it('cover every tap of a kernel row once, and pair the same inputs and outputs', () => {
    fc.assert(
      fc.property(rowCases(), (c) => {
        const pieces = count.tapPieces(shapeOf(c), c.taps);
        const taps = pieces.flatMap(({ firstTap, geometry }) =>
          Array.from({ length: geometry.taps }, (_, k) => firstTap + k),
        );
        expect(taps).toEqual(Array.from({ length: c.kernel }, (_, k) => k));
        for (const { firstTap, geometry: g } of pieces) {
          expect(g.taps).toBeLessThanOrEqual(c.taps);
          expect([g.inputWidth, g.outputWidth]).toEqual([c.width, c.outWidth]);
          for (let i = 0; i < c.width; i++)
            for (let j = 0; j < c.outWidth; j++)
              for (let k = 0; k < g.taps; k++)
                expect(i + g.padLeft - k * g.dilation === j * g.stride).toBe(
                  naiveTap(i, j, c.kernel, c) === firstTap + k,
                );
        }
      }),
      { numRuns: runs(30) },
    );
  });
});

describe('operands and products', () => {
  it('are those that plain loops find', () => {
    fc.assert(
      fc.property(rowCases(), (c) => {
        const [x, dy] = [compressed(c.x, c.keepZeros), compressed(c.dy, c.keepZeros)];
        const mask = Uint8Array.from(c.mask.flat());
        for (const { firstTap, geometry: g } of piecesOf(c)) {
          const live = joins(c, firstTap);
          for (let row = 0; row < c.x.length; row++) {
            const [xFrom, xTo] = [x.start[row], x.start[row + 1]];
            const [gFrom, gTo] = [dy.start[row], dy.start[row + 1]];
            const maskAt = row * c.width;
            const open = (j: number, i: number): boolean => live(i, j);
            const unmasked = (j: number, i: number): boolean => live(i, j) && mask[maskAt + i] === 1;
            const stored = (j: number): boolean => c.keepZeros || c.dy[row][j] !== 0;
            expect({
              operands: count.srcOperands(x.columns, xFrom, xTo, g),
              products: count.srcProducts(x.columns, xFrom, xTo, g),
            }).toEqual(naiveOperands(c.x[row], c.outWidth, live, c.keepZeros));
            expect({
              operands: msrcOperands(dy.columns, gFrom, gTo, g, null, 0),
              products: msrcProducts(dy.columns, gFrom, gTo, g, null, 0),
            }).toEqual(naiveOperands(c.dy[row], c.width, open, c.keepZeros));
            expect({
              operands: msrcOperands(dy.columns, gFrom, gTo, g, mask, maskAt),
              products: msrcProducts(dy.columns, gFrom, gTo, g, mask, maskAt),
            }).toEqual(naiveOperands(c.dy[row], c.width, unmasked, c.keepZeros));
            const meets = (i: number, j: number): boolean => live(i, j) && stored(j);
            expect(count.osrcProducts(x.columns, xFrom, xTo, dy.columns, gFrom, gTo, g)).toBe(
              naiveOperands(c.x[row], c.outWidth, meets, c.keepZeros).products,
            );
          }
        }
      }),
      { numRuns: runs(300) },
    );
  });

  it('never fall when a non-zero is added, nor when a mask opens', () => {
    fc.assert(
      fc.property(rowCases({ keepZeros: false }), fc.nat(), (c, place) => {
        const add = (rows: number[][]): number[][] =>
          rows.map((row) => row.map((v, at) => (at === place % row.length && v === 0 ? 1 : v)));
        const [x, dy] = [compressed(c.x, false), compressed(c.dy, false)];
        const [moreX, moreDy] = [compressed(add(c.x), false), compressed(add(c.dy), false)];
        const mask = Uint8Array.from(c.mask.flat());
        const wider = Uint8Array.from(add(c.mask).flat());
        const msrc = (rows: CompressedRows, m: Uint8Array | null, g: count.RowGeometry): number =>
          msrcOperands(rows.columns, 0, rows.start[1], g, m, 0);
        for (const { geometry: g } of piecesOf(c)) {
          expect(count.srcOperands(moreX.columns, 0, moreX.start[1], g)).toBeGreaterThanOrEqual(
            count.srcOperands(x.columns, 0, x.start[1], g),
          );
          expect(msrc(moreDy, mask, g)).toBeGreaterThanOrEqual(msrc(dy, mask, g));
          expect(msrc(dy, wider, g)).toBeGreaterThanOrEqual(msrc(dy, mask, g));
          expect(msrc(dy, null, g)).toBeGreaterThanOrEqual(msrc(dy, wider, g));
          for (const ports of [1, 2] as const) {
            const cycles = osrc(x, dy, g, ports);
            expect(osrc(moreX, dy, g, ports)).toBeGreaterThanOrEqual(cycles);
            expect(osrc(x, moreDy, g, ports)).toBeGreaterThanOrEqual(cycles);
          }
        }
      }),
      { numRuns: runs(1000) },
    );
  });
});

describe('OSRC cycles', () => {
  it('with one port are nnz(g) + nnz(x) + 1, with two at least the larger + 1 and at most that', () => {
    fc.assert(
      fc.property(rowCases(), (c) => {
        const [x, dy] = [compressed(c.x, c.keepZeros), compressed(c.dy, c.keepZeros)];
        for (const { geometry: g } of piecesOf(c))
          for (let row = 0; row < c.x.length; row++) {
            const inputs = x.start[row + 1] - x.start[row];
            const gradients = dy.start[row + 1] - dy.start[row];
            expect(osrc(x, dy, g, 1, row)).toBe(inputs + gradients + 1);
            const two = osrc(x, dy, g, 2, row);
            expect(two).toBeGreaterThanOrEqual(Math.max(inputs, gradients) + 1);
            expect(two).toBeLessThanOrEqual(inputs + gradients + 1);
          }
      }),
      { numRuns: runs(300) },
    );
  });

  it('of dense rows have a closed form: the larger, the gradients that the first input waits for, and the end', () => {
    for (const width of [1, 2, 7, 32, 300])
      for (const half of [0, 1, 2, 3])
        for (const dilation of [1, 2, 5]) {
          const rows = compressed([new Array<number>(width).fill(0)], true);
          const pad = half * dilation;
          const g = {
            taps: 2 * half + 1,
            stride: 1,
            dilation,
            padLeft: pad,
            inputWidth: width,
            outputWidth: width,
          };
          expect(osrc(rows, rows, g, 2)).toBe(width + Math.min(width, pad + 1) + 1);
          // A dense row of SRC and MSRC takes its width: every operand has a target when the output is as wide.
          expect(count.srcOperands(rows.columns, 0, width, g)).toBe(width);
          expect(msrcOperands(rows.columns, 0, width, g, null, 0)).toBe(width);
          expect(msrcOperands(rows.columns, 0, width, g, new Uint8Array(width), 0)).toBe(0);
        }
  });

  it('of rows worked out by hand', () => {
    const row = (width: number, ...columns: number[]): CompressedRows =>
      compressed([Array.from({ length: width }, (_, i) => (columns.includes(i) ? 1 : 0))], false);
    const g = { taps: 3, stride: 1, dilation: 1, padLeft: 1, inputWidth: 12, outputWidth: 12 };
    // Loads 0 to 5 in cycles 0 to 5, as input 0 waits for two of them (2) and input 11 for all (6).
    expect(osrc(row(12, 0, 11), row(12, 0, 1, 2, 3, 4, 5), g, 2)).toBe(8);
    // Four gradients fill the slots until the inputs have ended (6); then the other two, and the end.
    expect(osrc(row(12, 0, 1, 2, 3, 4, 5), row(12, 6, 7, 8, 9, 10, 11), g, 2)).toBe(9);
    // Both ports run without a wait but for the first gradient.
    expect(osrc(row(12, 2, 5, 8), row(12, 2, 5, 8), g, 2)).toBe(5);
    // All gradients lie ahead: the inputs meet none, and hold no load up.
    expect(osrc(row(12, 0, 1), row(12, 6, 7, 8, 9, 10), g, 2)).toBe(6);
    expect(osrc(row(12), row(12, 6, 7), g, 2)).toBe(3);
    expect(osrc(row(12, 3), row(12), g, 2)).toBe(2);
    expect(osrc(row(12), row(12), g, 2)).toBe(1);
  });
});
