/** The clocked row PE: exact values, cycles and counters of SRC, MSRC and OSRC against plain loops and closed forms. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RowPe } from '../../src/sim/rowPe.js';
import * as count from '../../src/sparse/rowOperation.js';
import { compressFloatRows } from '../../src/sparse/rows.js';
import * as naive from '../support/naiveRows.js';
import type { RowCase } from '../support/naiveRows.js';
import {
  buffersOf,
  msrcOperands,
  msrcProducts,
  operationOf,
  peOf,
  piecesOf,
  type Kind,
} from '../support/rowPe.js';
import { runs } from '../support/runs.js';

const KINDS: Kind[] = ['src', 'msrc', 'osrc'];
type Operation = ReturnType<typeof operationOf>;

/** All operations of a case, kinds mixed by `order`. */
function operationsOf(
  c: RowCase,
  masked = true,
): { ops: Operation[]; buffers: ReturnType<typeof buffersOf> } {
  const buffers = buffersOf(c);
  const ops = c.x.flatMap((_, row) =>
    piecesOf(c).flatMap((piece) => KINDS.map((kind) => operationOf(c, kind, row, piece, buffers, masked))),
  );
  return { ops, buffers };
}

/** What the count functions say of an operation. */
function counted(op: Operation, ports: 1 | 2): { cycles: number; operands: number; products: number } {
  const { geometry: g, operands, row, mask, maskAt } = op;
  const [from, to] = [operands.start[row], operands.start[row + 1]];
  if (op.kind === 'osrc') {
    const dy = op.gradients!;
    const both = [operands.columns, from, to, dy.columns, dy.start[row], dy.start[row + 1], g] as const;
    const stored = to - from + dy.start[row + 1] - dy.start[row];
    return {
      cycles: count.osrcCycles(...both, ports),
      operands: stored,
      products: count.osrcProducts(...both),
    };
  }
  const src = op.kind === 'src';
  const live = src
    ? count.srcOperands(operands.columns, from, to, g)
    : msrcOperands(operands.columns, from, to, g, mask, maskAt);
  const products = src
    ? count.srcProducts(operands.columns, from, to, g)
    : msrcProducts(operands.columns, from, to, g, mask, maskAt);
  return { cycles: Math.max(1, live), operands: live, products };
}

const ports = fc.constantFrom<1 | 2>(1, 2);

/** Row buffers as plain loops fill them. */
function naiveBuffers(c: RowCase, masked: boolean, round?: naive.Round): ReturnType<typeof buffersOf> {
  const buffers = buffersOf(c);
  c.x.forEach((x, row) => {
    for (let first = 0; first < c.kernel; first += c.taps) {
      const taps: [number, number] = [first, first + c.taps];
      naive.naiveForward(x, c.w[row], taps, c, buffers.src[row], round);
      naive.naiveGradInput(
        c.dy[row],
        c.w[row],
        taps,
        c,
        masked ? c.mask[row] : null,
        buffers.msrc[row],
        round,
      );
      naive.naiveGradWeight(x, c.dy[row], taps, c, buffers.osrc[row], round);
    }
  });
  return buffers;
}

describe('row PE', () => {
  it('computes every row operation exactly, in the cycles that are counted, without gaps between operations', () => {
    fc.assert(
      fc.property(
        naive.rowCases(),
        ports,
        fc.boolean(),
        fc.infiniteStream(fc.nat()),
        (c, p, masked, order) => {
          const { ops, buffers } = operationsOf(c, masked);
          const shuffled = ops
            .map((op) => ({ op, key: order.next().value as number }))
            .sort((a, b) => a.key - b.key);
          const pe = peOf(c, p);
          let clock = 0;
          for (const { op } of shuffled) {
            const before = { ...pe.counters };
            pe.begin(op);
            for (; pe.busy; clock++) pe.cycle();
            const after = pe.counters;
            expect({
              cycles: after.cycles - before.cycles,
              operands: after.operands - before.operands,
              products: after.products - before.products,
            }).toEqual(counted(op, p));
          }
          expect(clock).toBe(shuffled.reduce((sum, { op }) => sum + counted(op, p).cycles, 0));
          expect(pe.counters.cycles).toBe(clock);
          pe.cycle();
          expect(pe.draining).toBe(false);
          expect(pe.counters.cycles).toBe(clock);
          expect(buffers).toEqual(naiveBuffers(c, masked));
        },
      ),
      { numRuns: runs(600) },
    );
  });

  it('retires what it adds to the row buffer, each column once per operation, K at most unless dilated', () => {
    fc.assert(
      fc.property(naive.rowCases(), fc.constantFrom(...KINDS), ports, (c, kind, p) => {
        const buffers = buffersOf(c);
        const pe = peOf(c, p);
        for (const piece of piecesOf(c)) {
          const op = operationOf(c, kind, 0, piece, buffers);
          const before = op.target.slice();
          const sums = new Map<number, number>();
          pe.begin(op);
          while (pe.busy || pe.draining) {
            pe.cycle();
            const { retired, retiredColumn, retiredValue } = pe.accumulators;
            if (c.dilation === 1) expect(retired).toBeLessThanOrEqual(piece.geometry.taps);
            for (let n = 0; n < retired; n++) {
              expect(sums.has(retiredColumn[n])).toBe(false);
              sums.set(retiredColumn[n], retiredValue[n]);
            }
          }
          before.forEach((value, at) =>
            expect(op.target[at]).toBe(value + (sums.get(at - op.targetAt) ?? 0)),
          );
        }
      }),
      { numRuns: runs(200) },
    );
  });

  it('retires a column when the window leaves it, and the rest in the cycle after the last operand', () => {
    const rows: RowCase = {
      ...{ stride: 1, dilation: 1, padLeft: 1, padRight: 1, kernel: 3, taps: 3, width: 4, outWidth: 4 },
      ...{ keepZeros: false, x: [[1, 2, 3, 4]], dy: [[1, 0, 0, 2]], w: [[1, 1, 1]], mask: [[1, 1, 0, 1]] },
    };
    const buffers = buffersOf(rows);
    const pe = peOf(rows, 2);
    const left = (): number[] => [...pe.accumulators.retiredColumn.subarray(0, pe.accumulators.retired)];
    const trace = (kind: Kind): number[][] => {
      pe.begin(operationOf(rows, kind, 0, piecesOf(rows)[0], buffers));
      const columns: number[][] = [];
      while (pe.busy) {
        pe.cycle();
        columns.push(left());
      }
      return columns;
    };
    expect(trace('src')).toEqual([[], [], [0], [1]]);
    // The forward row leaves while the first gradient is taken: targets -1, 0, 1, then 2 (masked), 3, 4.
    expect(trace('msrc')).toEqual([
      [2, 3],
      [0, 1],
    ]);
    // Loads of gradients 0 and 3, inputs 0 to 3: the input at p = 1 waits for gradient 0 alone.
    expect(trace('osrc')).toEqual([[3], [], [], [], [], [0, 1, 2]]);
    expect(buffers).toEqual(naiveBuffers(rows, true));
  });

  it('takes a cycle for an empty row, and retires nothing', () => {
    const pe = new RowPe({ taps: 2, span: 4, ports: 2 });
    const [rows] = fc.sample(naive.rowCases({ kernel: 1, taps: 1 }), 1);
    const empty = { ...rows, x: [rows.x[0].map(() => 0)], dy: [rows.dy[0].map(() => 0)], keepZeros: false };
    const buffers = buffersOf(empty);
    for (const kind of KINDS) {
      expect(pe.run(operationOf(empty, kind, 0, piecesOf(empty)[0], buffers))).toBe(1);
      expect(pe.accumulators.retired).toBe(0);
    }
    expect(pe.counters).toEqual({ cycles: 3, operands: 0, products: 0 });
  });

  it('keeps its state in its registers, within their declared widths', () => {
    fc.assert(
      fc.property(naive.rowCases(), ports, (c, p) => {
        const pe = peOf(c, p);
        const { registers } = pe;
        const { ops, buffers } = operationsOf(c);
        let misfits = 0;
        const cycle = (): void => {
          const snapshot = registers.snapshot();
          registers.reset();
          registers.restore(snapshot);
          pe.cycle();
          for (const { name, bits, signed } of registers.specs)
            for (const value of registers.view(name))
              if (value < (signed ? -(2 ** (bits - 1)) : 0) || value >= 2 ** (signed ? bits - 1 : bits))
                misfits++;
        };
        for (const op of ops) for (pe.begin(op); pe.busy;) cycle();
        cycle();
        expect(misfits).toBe(0);
        expect(pe.draining).toBe(false);
        expect(buffers).toEqual(naiveBuffers(c, true));
      }),
      { numRuns: runs(50) },
    );
  });

  it('refuses what it cannot run', () => {
    const [rows] = fc.sample(naive.rowCases({ kernel: 3, taps: 3, dilation: 2, width: 12, stride: 1 }), 1);
    const op = operationOf(rows, 'src', 0, piecesOf(rows)[0], buffersOf(rows));
    expect(() => new RowPe({ taps: 3, span: 2, ports: 1 })).toThrow(/2 accumulators, expected at least 3/);
    expect(() => new RowPe({ taps: 2, span: 5, ports: 1 }).begin(op)).toThrow(/needs 3 and 5/);
    expect(() => new RowPe({ taps: 3, span: 4, ports: 1 }).begin(op)).toThrow(/needs 3 and 5/);
    const pe = new RowPe({ taps: 3, span: 5, ports: 1 });
    pe.begin(op);
    expect(() => pe.begin(op)).toThrow(/begins while another runs/);
    // A stream out of order cannot be undone by the accumulators.
    const turned = {
      ...op.operands,
      values: Int32Array.of(1, 1),
      columns: Int32Array.of(9, 4),
      start: Int32Array.of(0, 2),
    };
    const other = new RowPe({ taps: 3, span: 5, ports: 1 });
    const wide = { ...op.geometry, padLeft: 0, outputWidth: 12 };
    expect(() => other.run({ ...op, operands: turned, geometry: wide })).toThrow(/moves back by 5/);
  });

  it('rounds products and sums to float32 in the order in which it adds', () => {
    const third = (rows: number[][]): number[][] => rows.map((row) => row.map((v) => Math.fround(v / 3)));
    fc.assert(
      fc.property(naive.rowCases(), ports, (drawn, p) => {
        const c = { ...drawn, x: third(drawn.x), dy: third(drawn.dy), w: third(drawn.w) };
        const rows = (of: number[][]): ReturnType<typeof compressFloatRows> =>
          compressFloatRows(Float32Array.from(of.flat()), of.length, of[0].length, c.keepZeros);
        const [x, dy] = [rows(c.x), rows(c.dy)];
        const { ops, buffers } = operationsOf(c);
        const pe = peOf(c, p, true);
        for (const op of ops) {
          const operands = op.kind === 'msrc' ? dy : x;
          const weights = Float32Array.from(c.w.flat());
          pe.run({ ...op, operands, gradients: op.gradients ? dy : null, weights });
        }
        pe.cycle();
        expect(buffers).toEqual(naiveBuffers(c, true, Math.fround));
      }),
      { numRuns: runs(150) },
    );
  });
});
