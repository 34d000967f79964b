/** Compressed rows: what is stored, and that nothing is lost. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compressFloatRows, compressRows, expandRows } from '../../src/sparse/rows.js';
import { rowCases } from '../support/naiveRows.js';

describe('compressed rows', () => {
  it('expand to what was compressed, with and without their zeros', () => {
    fc.assert(
      fc.property(rowCases(), ({ x, width, keepZeros }) => {
        const codes = Int32Array.from(x.flat());
        const rows = compressRows(codes, x.length, width, keepZeros);
        expect(expandRows(rows)).toEqual(codes);
        expect([...rows.start]).toEqual(
          [0, ...x].map((_, r) =>
            x.slice(0, r).reduce((n, row) => n + row.filter((v) => keepZeros || v !== 0).length, 0),
          ),
        );
        for (let r = 0; r < x.length; r++) {
          const columns = [...rows.columns.subarray(rows.start[r], rows.start[r + 1])];
          expect(columns).toEqual([...new Set(columns)].sort((a, b) => a - b));
        }
      }),
    );
  });

  it('store no zeros, unless compression is off', () => {
    const codes = Int32Array.of(0, 3, 0, 0, 0, 0, -5, 0, 65535);
    const packed = compressRows(codes, 3, 3);
    expect([[...packed.start], [...packed.values], [...packed.columns]]).toEqual([
      [0, 1, 1, 3],
      [3, -5, 65535],
      [1, 0, 2],
    ]);
    const kept = compressRows(codes, 3, 3, true);
    expect([[...kept.start], [...kept.values], [...kept.columns]]).toEqual([
      [0, 3, 6, 9],
      [...codes],
      [0, 1, 2, 0, 1, 2, 0, 1, 2],
    ]);
  });

  it('may be none, or of no width', () => {
    expect([...compressRows(new Int32Array(0), 0, 4).start]).toEqual([0]);
    expect([...compressRows(new Int32Array(0), 3, 0).start]).toEqual([0, 0, 0, 0]);
    expect(() => compressRows(new Int32Array(5), 2, 3)).toThrow(/5 values, expected 2 rows of 3/);
  });

  it('hold reals as float32', () => {
    const rows = compressFloatRows(Float64Array.of(0.1, 0, 1e-60, -2.5), 2, 2);
    expect([[...rows.start], [...rows.values], [...rows.columns]]).toEqual([
      [0, 1, 2],
      [Math.fround(0.1), -2.5],
      [0, 1],
    ]);
  });
});
