/** Rows and their operations: together they are exactly the products of the layer, in the order of SPEC section 6. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PHASES, type Phase } from '../../src/arch/machine.js';
import { shapeArbitrary } from '../../src/fuzz.js';
import { fromRows, RowOperations, toRows } from '../../src/lower/rowOperations.js';
import { outputSize, type ConvShape } from '../../src/tensor.js';
import { conv, pad, range } from '../support/layers.js';
import { runs } from '../support/runs.js';

interface Operation {
  streamed: number;
  gradient: number;
  kernel: number;
  piece: number;
}

const operationsOf = (rows: RowOperations, row: number): Operation[] =>
  range(rows.load(row)).map((i) => ({
    streamed: rows.streamed[i],
    gradient: rows.gradient[i],
    kernel: rows.kernel[i],
    piece: rows.piece[i],
  }));

const tapsArbitrary = fc.integer({ min: 1, max: 4 });
const phaseArbitrary = fc.constantFrom(...PHASES);

/** Rows of one column: products of a layer by rows, each as "output row, input row, weight row". */
function productsByRows(shape: ConvShape): string[] {
  const s = shape.op === 'linear' ? { ...shape, batch: 1 } : shape;
  const { outHeight } = outputSize(s);
  const groupChannels = s.channels / s.groups;
  const found: string[] = [];
  for (let n = 0; n < s.batch; n++)
    for (let f = 0; f < s.filters; f++)
      for (let oy = 0; oy < outHeight; oy++)
        for (let c = 0; c < groupChannels; c++)
          for (let r = 0; r < s.kernelHeight; r++) {
            const y = oy * s.strideY + r * s.dilationY - s.padTop;
            if (y < 0 || y >= s.height) continue;
            const channel = Math.floor(f / (s.filters / s.groups)) * groupChannels + c;
            const out = (n * s.filters + f) * outHeight + oy;
            const input = (n * s.channels + channel) * s.height + y;
            found.push(`${out} ${input} ${(f * groupChannels + c) * s.kernelHeight + r}`);
          }
  return found.sort();
}

/** The same from the lowering: which of the three rows is made, and which are met, depends on the phase. */
function loweredProducts(shape: ConvShape, phase: Phase, taps: number): string[] {
  const rows = new RowOperations(shape, phase, taps);
  return range(rows.rows)
    .flatMap((row) =>
      operationsOf(rows, row)
        .filter(({ piece }) => piece === 0)
        .map(({ streamed, gradient, kernel }) => {
          const weightRow = kernel / shape.kernelWidth;
          if (phase === 'forward') return `${row} ${streamed} ${weightRow}`;
          if (phase === 'gradInput') return `${streamed} ${row} ${weightRow}`;
          expect(weightRow).toBe(row);
          return `${gradient} ${streamed} ${row}`;
        }),
    )
    .sort();
}

describe('rows of row operations', () => {
  it('meet the rows that the layer pairs, each pair once, in all phases', () => {
    fc.assert(
      fc.property(shapeArbitrary, phaseArbitrary, tapsArbitrary, (shape, phase, taps) => {
        expect(loweredProducts(shape, phase, taps)).toEqual(productsByRows(shape));
      }),
      { numRuns: runs(150) },
    );
  });

  it('run every piece of the kernel row for each pair, one after the other', () => {
    fc.assert(
      fc.property(shapeArbitrary, phaseArbitrary, tapsArbitrary, fc.nat(), (shape, phase, taps, at) => {
        const rows = new RowOperations(shape, phase, taps);
        const pieces = Math.ceil(shape.kernelWidth / taps);
        expect(rows.pieces.map((p) => p.geometry.taps).reduce((a, b) => a + b)).toBe(shape.kernelWidth);
        expect(rows.widestPiece).toBe(Math.min(taps, shape.kernelWidth));
        const operations = operationsOf(rows, at % rows.rows);
        expect(operations.length % pieces).toBe(0);
        operations.forEach((operation, i) =>
          expect(operation).toEqual({ ...operations[i - (i % pieces)], piece: i % pieces }),
        );
      }),
      { numRuns: runs(100) },
    );
  });

  it('come by channel and kernel row; in gradWeight by example and y', () => {
    const shape = conv({
      batch: 2,
      channels: 2,
      filters: 2,
      height: 3,
      width: 4,
      kernelHeight: 3,
      ...pad(1),
    });
    const wide = { ...shape, kernelWidth: 3 };
    const forward = new RowOperations(wide, 'forward', 3);
    expect([forward.rows, forward.width]).toEqual([12, 4]);
    // Row 0 is the upper edge: kernel row 0 falls in padding.
    expect(operationsOf(forward, 0).map((o) => [o.streamed, o.kernel])).toEqual([
      [0, 3],
      [1, 6],
      [3, 12],
      [4, 15],
    ]);
    const gradInput = new RowOperations(wide, 'gradInput', 3);
    expect([gradInput.rows, gradInput.width]).toEqual([12, 4]);
    // Example 0, channel 1, y = 1: gradient rows 2, 1, 0 of each filter by kernel rows 0, 1, 2.
    expect(operationsOf(gradInput, 4).map((o) => [o.streamed, o.kernel])).toEqual([
      [2, 9],
      [1, 12],
      [0, 15],
      [5, 27],
      [4, 30],
      [3, 33],
    ]);
    const gradWeight = new RowOperations(wide, 'gradWeight', 3);
    expect([gradWeight.rows, gradWeight.width]).toEqual([12, 3]);
    // Filter 1, channel 0, kernel row 2: the lower edge has no input.
    expect(operationsOf(gradWeight, 8).map((o) => [o.streamed, o.gradient])).toEqual([
      [1, 3],
      [2, 4],
      [7, 9],
      [8, 10],
    ]);
  });

  it('leave rows without operations where the stride has holes', () => {
    const rows = new RowOperations(conv({ height: 5, strideY: 2 }), 'gradInput', 1);
    expect(range(5).map((row) => rows.load(row))).toEqual([1, 0, 1, 0, 1]);
  });

  it('share streams where only the weights differ', () => {
    fc.assert(
      fc.property(shapeArbitrary, fc.constantFrom('forward', 'gradInput'), (shape, phase) => {
        const rows = new RowOperations(shape, phase as Phase, 2);
        const streams = new Map<number, string>();
        for (const row of range(rows.rows)) {
          const key = rows.sameStreams(row);
          expect(key).toBeLessThan(rows.rows);
          const text = JSON.stringify(operationsOf(rows, row).map((o) => [o.streamed, o.piece]));
          expect(streams.get(key) ?? text).toBe(text);
          streams.set(key, text);
        }
        const planes = phase === 'forward' ? shape.filters : shape.channels;
        expect(streams.size).toBe((rows.rows / planes) * shape.groups);
      }),
      { numRuns: runs(60) },
    );
  });

  it('lay linear layers along the batch, and put their sums back', () => {
    const shape: ConvShape = { ...conv({ batch: 3, channels: 2, filters: 4 }), op: 'linear' };
    expect([...toRows(shape, Int32Array.of(1, 2, 3, 4, 5, 6))]).toEqual([1, 3, 5, 2, 4, 6]);
    const rows = new RowOperations(shape, 'forward', 3);
    expect([rows.rows, rows.width, rows.load(0)]).toEqual([4, 3, 2]);
    expect([...fromRows(shape, 'forward', Float64Array.from(range(12)))]).toEqual([
      0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11,
    ]);
    const sums = Float64Array.from(range(8));
    expect(fromRows(shape, 'gradWeight', sums)).toBe(sums);
    expect(fromRows({ ...shape, op: 'conv' }, 'forward', sums)).toBe(sums);
  });
});
