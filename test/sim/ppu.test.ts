/** The PPU against pruning and compression of whole rows; its buffers, and when it is done with a row. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Ppu } from '../../src/sim/ppu.js';
import { lfsrDraws } from '../../src/sparse/draws.js';
import { Lfsr } from '../../src/sparse/lfsr.js';
import { prune } from '../../src/sparse/prune.js';
import { runs } from '../support/runs.js';

interface Row {
  sums: number[];
  mask: number[];
}

const rowsArbitrary = fc.integer({ min: 1, max: 9 }).chain((width) =>
  fc.record({
    width: fc.constant(width),
    rows: fc.array(
      fc.record({
        sums: fc.array(
          fc.oneof(
            { weight: 3, arbitrary: fc.constant(0) },
            { weight: 3, arbitrary: fc.integer({ min: -9, max: 9 }) },
            { weight: 2, arbitrary: fc.integer({ min: -(2 ** 40), max: 2 ** 40 }) },
          ),
          { minLength: width, maxLength: width },
        ),
        mask: fc.array(fc.integer({ min: 0, max: 1 }), { minLength: width, maxLength: width }),
      }),
      { minLength: 1, maxLength: 8 },
    ),
    relu: fc.boolean(),
    masked: fc.boolean(),
    keepZeros: fc.boolean(),
    tau: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 2 ** 41 })),
    seed: fc.integer({ min: 1, max: 255 }),
  }),
);

/** What leaves the unit for a row. */
interface Drained {
  sums: number[];
  values: number[];
  stored: { value: number; column: number }[];
}

/** Feeds rows, the sums of each in the cycle in which it is claimed, as fast as buffers come free. */
function drain(ppu: Ppu, rows: Row[]): { drained: Drained[]; cycles: number } {
  const drained: Drained[] = [];
  const width = rows[0].sums.length;
  let next = 0;
  let cycles = 0;
  for (; next < rows.length || ppu.active; cycles++) {
    const row = next < rows.length && ppu.ready ? rows[next] : null;
    const buffer = row ? ppu.claim(next++) : -1;
    ppu.cycle();
    if (ppu.outValid) {
      if (ppu.outColumn === 0) drained.push({ sums: [], values: [], stored: [] });
      const last = drained[drained.length - 1];
      expect(last.sums).toHaveLength(ppu.outColumn);
      expect(ppu.outPlace).toBe((drained.length - 1) * width + ppu.outColumn);
      last.sums.push(ppu.outSum);
      last.values.push(ppu.outValue);
      if (ppu.outStored) last.stored.push({ value: ppu.outValue, column: ppu.outColumn });
    }
    if (!row) continue;
    row.sums.forEach((sum, column) => (ppu.sums[buffer * width + column] += sum));
    ppu.finish();
  }
  return { drained, cycles };
}

describe('PPU', () => {
  it('is ReLU, mask, sum of magnitudes, pruning and compression of whole rows', () => {
    fc.assert(
      fc.property(rowsArbitrary, (c) => {
        const mask = c.masked ? Uint8Array.from(c.rows.flatMap((row) => row.mask)) : null;
        const ppu = new Ppu({ ...c, mask });
        if (c.tau > 0) ppu.prune(c.tau, new Lfsr({ width: 8, seed: c.seed }));
        const { drained } = drain(ppu, c.rows);
        const before = c.rows.flatMap(({ sums, mask }) =>
          sums.map((x, i) => ((c.relu && x < 0) || (c.masked && mask[i] === 0) ? 0 : x)),
        );
        const { values } = prune(Float64Array.from(before), c.tau, lfsrDraws({ width: 8, seed: c.seed }));
        expect(drained.map((row) => row.sums)).toEqual(c.rows.map((row) => row.sums));
        drained.forEach((row, r) => {
          const expected = [...values.subarray(r * c.width, (r + 1) * c.width)];
          expect(row.values).toEqual(expected);
          expect(row.stored).toEqual(
            expected
              .map((value, column) => ({ value, column }))
              .filter(({ value }) => c.keepZeros || value !== 0),
          );
        });
        expect(ppu.magnitudeSum).toBe(before.reduce((sum, x) => sum + Math.abs(x), 0));
        expect(ppu.storedCount).toBe(
          c.keepZeros ? values.length : values.filter((value) => value !== 0).length,
        );
      }),
      { numRuns: runs(300) },
    );
  });

  it('drains a value per cycle, from the cycle after the row is finished, and the next row at once', () => {
    fc.assert(
      fc.property(rowsArbitrary, (c) => {
        const { cycles } = drain(new Ppu({ ...c, mask: null }), c.rows);
        // Cycle 0 finishes the first row.
        expect(cycles).toBe(1 + c.rows.length * c.width);
      }),
      { numRuns: runs(60) },
    );
  });

  it('holds two rows: a third must wait until the first is drained', () => {
    const ppu = new Ppu({ width: 3, relu: false, keepZeros: false, mask: null });
    const claimAndFinish = (): void => {
      ppu.claim(0);
      ppu.cycle();
      ppu.finish();
    };
    claimAndFinish();
    claimAndFinish(); // drains column 0 of the first row
    expect(ppu.ready).toBe(false);
    expect(() => ppu.claim(2)).toThrow(/both row buffers/);
    ppu.cycle();
    expect(ppu.ready).toBe(false);
    ppu.cycle();
    expect(ppu.ready).toBe(true);
    expect(ppu.active).toBe(true);
  });

  it('lets rows bypass it, and then its buffer is free', () => {
    const ppu = new Ppu({ width: 2, relu: true, keepZeros: false, mask: null });
    const out = new Float64Array(6).fill(9);
    for (const row of [0, 1, 2]) {
      const buffer = ppu.claim(row);
      ppu.cycle();
      expect(ppu.outValid).toBe(false);
      ppu.sums[2 * buffer] -= 1 + row;
      ppu.sums[2 * buffer + 1] += 5;
      ppu.finish();
      ppu.bypass(out);
      expect([...out]).toEqual([-1, 5, row > 0 ? -2 : 9, row > 0 ? 5 : 9, row > 1 ? -3 : 9, row > 1 ? 5 : 9]);
      expect(ppu.active).toBe(false);
    }
    expect(ppu.storedCount).toBe(0);
    expect(() => ppu.bypass(out)).toThrow(/no finished row/);
    expect(() => ppu.finish()).toThrow(/has not started/);
  });
});
