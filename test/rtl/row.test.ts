/** The row PE as a twin: what its stimulus may say; its lines against SPEC section 6 and plain loops. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Random } from '../../src/random.js';
import { ROW_MUTANTS } from '../../src/rtl/mutants/row.js';
import { rowUnit } from '../../src/rtl/units/row.js';
import type { RowStimulus, RowStimulusOperation } from '../../src/rtl/units/row/form.js';

const geometry = { taps: 3, stride: 1, dilation: 1, padLeft: 1, inputWidth: 4, outputWidth: 4 };
const x = { values: [1, 2, 3, 4], columns: [0, 1, 2, 3] };
const dy = { values: [1, 2], columns: [0, 3] };
const none = { values: [], columns: [] };
const weights = [1, 1, 1];
const src: RowStimulusOperation = { kind: 'src', geometry, operands: x, weights };
const msrc: RowStimulusOperation = { kind: 'msrc', geometry, operands: dy, weights, mask: [1, 1, 0, 1] };
const osrc: RowStimulusOperation = { kind: 'osrc', geometry, operands: x, gradients: dy };

const pe = { taps: 3, span: 3, ports: 2 as const, magnitudeBits: 7, columnBits: 16, ready: [] };
const linesOf = (operations: RowStimulusOperation[], change: Partial<RowStimulus> = {}): string[] =>
  rowUnit.trace({ ...pe, operations, ...change }, false);

/** Cycles with an operation, and what retired, from the lines alone. */
function summary(lines: string[]): { busy: number; retired: [number, number][] } {
  let busy = 0;
  const retired: [number, number][] = [];
  lines.forEach((line, cycle) => {
    const [at, flags, , count, ...pairs] = line.split(' |')[0].split(' ');
    expect(Number(at)).toBe(cycle);
    expect(pairs).toHaveLength(2 * parseInt(count, 16));
    if (parseInt(flags, 16) & 1) busy++;
    for (let n = 0; n < pairs.length; n += 2)
      retired.push([parseInt(pairs[n], 16), Number(BigInt.asIntN(64, BigInt(`0x${pairs[n + 1]}`)))]);
  });
  return { busy, retired };
}

/** Sums that an operation adds to each column, by plain loops, and operands that have a target. */
function plain(op: RowStimulusOperation): { sums: Map<number, number>; operands: number } {
  const { taps, stride, dilation, padLeft, inputWidth, outputWidth } = op.geometry;
  const sums = new Map<number, number>();
  let operands = 0;
  op.operands.columns.forEach((column, n) => {
    let live = false;
    const add = (to: number, product: number): void => {
      live = true;
      sums.set(to, (sums.get(to) ?? 0) + product);
    };
    for (let k = 0; k < taps; k++) {
      // Tap k pairs input i and output j where i + padLeft - k dilation = j stride.
      const i = op.kind === 'msrc' ? column * stride - padLeft + k * dilation : column;
      const j = op.kind === 'msrc' ? column : (column + padLeft - k * dilation) / stride;
      if (i < 0 || i >= inputWidth || !Number.isInteger(j) || j < 0 || j >= outputWidth) continue;
      if (op.kind === 'src') add(j, op.weights[k] * op.operands.values[n]);
      else if (op.kind === 'osrc') {
        const at = op.gradients.columns.indexOf(j);
        if (at >= 0) add(k, op.gradients.values[at] * op.operands.values[n]);
      } else if (op.mask === null || op.mask[i] === 1) add(i, op.weights[k] * op.operands.values[n]);
    }
    if (live) operands++;
  });
  return { sums, operands };
}

describe('lines', () => {
  test('of SRC: a cycle per operand, sums as the window leaves them, the flush a cycle after the last', () => {
    expect(linesOf([src])).toEqual([
      '0 0 1 0',
      '1 1 2 0',
      '2 1 2 0',
      '3 1 2 1 0 3',
      '4 1 2 1 1 6',
      '5 2 0 2 2 9 3 7',
    ]);
  });

  test('of MSRC: operands without a live target are dropped, masked columns get nothing', () => {
    expect(linesOf([msrc])).toEqual(['0 0 1 0', '1 1 2 0', '2 1 2 2 0 1 1 1', '3 2 0 1 3 2']);
    const dark = { ...msrc, mask: [1, 1, 0, 0] as (0 | 1)[] };
    expect(linesOf([dark])).toEqual(['0 0 1 0', '1 1 2 0', '2 2 0 2 0 1 1 1']);
  });

  test('of OSRC with one port: nnz(g) + nnz(x) + 1 cycles, each a load, a multiplication or the end', () => {
    expect(linesOf([osrc], { ports: 1 })).toEqual([
      ...['0 0 1 0', '1 1 4 0', '2 1 2 0', '3 1 2 0', '4 1 4 0', '5 1 2 0', '6 1 2 0'],
      '7 1 6 3 0 6 1 9 2 2',
    ]);
  });

  test('of OSRC with two ports: a load and a multiplication in one cycle', () => {
    expect(linesOf([osrc])).toEqual([
      ...['0 0 1 0', '1 1 4 0', '2 1 6 0', '3 1 2 0', '4 1 2 0', '5 1 2 0'],
      '6 1 6 3 0 6 1 9 2 2',
    ]);
  });

  test('of rows without operands: one null operand, or the end cycle alone', () => {
    expect(linesOf([{ ...src, operands: none }])).toEqual(['0 0 1 0', '1 1 2 0', '2 2 0 0']);
    expect(linesOf([{ ...osrc, operands: none, gradients: none }])).toEqual(['0 0 1 0', '1 1 6 0']);
  });

  test('of operations in turn: no gap, and the flush overlaps the first operand of the next row', () => {
    expect(linesOf([src, msrc]).slice(4)).toEqual([
      '4 1 3 1 1 6',
      '5 3 2 2 2 9 3 7',
      '6 1 2 2 0 1 1 1',
      '7 2 0 1 3 2',
    ]);
  });

  test('of late sources: the PE waits, but a flush leaves', () => {
    const late: RowStimulus['ready'] = [null, null, null, null, [1, 1, 1], [1, 0, 1], [1, 0, 1]];
    expect(linesOf([src, src], { ready: late }).slice(4, 8)).toEqual([
      '4 1 3 1 1 6',
      '5 3 0 2 2 9 3 7',
      '6 1 0 0',
      '7 1 2 0',
    ]);
    // Operation late by one cycle; then gradients: no input is multiplied before the next gradient is seen.
    expect(linesOf([osrc], { ready: [[0, 1, 1], null, null, [1, 1, 0], [1, 0, 1]] })).toEqual([
      ...['0 0 0 0', '1 0 1 0', '2 1 4 0', '3 1 0 0', '4 1 4 0', '5 1 2 0', '6 1 2 0', '7 1 2 0', '8 1 2 0'],
      '9 1 6 3 0 6 1 9 2 2',
    ]);
  });

  test('of random operations hold plain sums in the cycles of the SPEC, and late sources never change sums', () => {
    const random = new Random(3);
    for (let run = 0; run < 150; run++) {
      const s = rowUnit.random(random, run);
      const alone = s.operations.map((op) =>
        summary(rowUnit.trace({ ...s, operations: [op], ready: [] }, false)),
      );
      alone.forEach(({ busy, retired }, n) => {
        const op = s.operations[n];
        const { sums, operands } = plain(op);
        expect(new Map(retired)).toEqual(sums);
        expect(retired).toHaveLength(sums.size);
        if (op.kind !== 'osrc') return expect(busy).toBe(Math.max(1, operands));
        const [inputs, gradients] = [op.operands.values.length, op.gradients.values.length];
        if (s.ports === 1) return expect(busy).toBe(inputs + gradients + 1);
        expect(busy).toBeGreaterThan(Math.max(inputs, gradients));
        expect(busy).toBeLessThanOrEqual(inputs + gradients + 1);
      });
      const lines = rowUnit.trace(s, true);
      expect(summary(lines).retired).toEqual(alone.flatMap(({ retired }) => retired));
      expect(lines.map((line) => line.split(' |')[0])).toEqual(rowUnit.trace(s, false));
      const open = summary(rowUnit.trace({ ...s, ready: [] }, false)).busy;
      expect(open).toBe(alone.reduce((sum, { busy }) => sum + busy, 0));
    }
  });
});

describe('a stimulus', () => {
  const parse = (change: object): RowStimulus =>
    rowUnit.parse(JSON.parse(JSON.stringify({ ...pe, operations: [src, msrc, osrc], ...change })), 'x.json');
  const only = (op: object, change: object): object => ({ operations: [{ ...op, ...change }] });
  const at = (change: object): object => only(src, { geometry: { ...geometry, ...change } });
  const without = (op: object, key: string): object => ({
    operations: [Object.fromEntries(Object.entries(op).filter(([name]) => name !== key))],
  });

  test('is taken as it is written, random ones too', () => {
    expect(parse({}).operations).toEqual([src, msrc, osrc]);
    const random = new Random(2);
    for (let run = 0; run < 80; run++) {
      const stimulus = rowUnit.random(random, run);
      expect(rowUnit.parse(JSON.parse(JSON.stringify(stimulus)), 'x.json')).toEqual(stimulus);
    }
  });

  test.each([
    [{ taps: 0 }, 'x.json: taps: found 0, expected'],
    [{ taps: NaN }, 'x.json: taps: found null, expected number'],
    [{ taps: 2.5 }, 'x.json: taps: found 2.5, expected int'],
    [{ span: 2 }, 'x.json: span: found 2 accumulators, expected at least 3'],
    [{ span: undefined }, 'x.json: span: found nothing, expected number'],
    [{ ports: 3 }, 'x.json: ports: found 3, expected 1 or 2'],
    [{ accumulatorBits: 15 }, 'x.json: accumulatorBits: found 15, expected at least 16'],
    [{ accumulatorBits: 16 }, 'x.json: operations[0]: found sums of 3 products, expected less than 32768'],
    [
      { columnBits: 8, ...at({ padLeft: -121 }) },
      'x.json: operations[0].geometry: found columns up to 128, expected less than 128',
    ],
    [{ operations: [] }, 'x.json: operations: found an array of 0'],
    [{ colour: 1 }, 'x.json: colour: found an unknown field'],
    [
      only(src, { kind: 'dense' }),
      'x.json: operations[0].kind: found "dense", expected "src", "msrc" or "osrc"',
    ],
    [without(src, 'kind'), 'x.json: operations[0].kind: found nothing'],
    [without(src, 'weights'), 'x.json: operations[0].weights: found nothing, expected array'],
    [without(osrc, 'gradients'), 'x.json: operations[0].gradients: found nothing, expected object'],
    [only(osrc, { weights }), 'x.json: operations[0].weights: found an unknown field'],
    [at({ taps: 4 }), 'x.json: operations[0].geometry.taps: found 4, expected at most 3'],
    [
      at({ dilation: 2 }),
      'x.json: operations[0].geometry: found 5 columns from first to last tap, expected at most 3',
    ],
    [at({ stride: 0 }), 'x.json: operations[0].geometry.stride: found 0'],
    [only(src, { weights: [1, 2] }), 'x.json: operations[0].weights: found 2 weights, expected 3'],
    [
      only(src, { weights: [1, 2, 128] }),
      'x.json: operations[0].weights[2]: found 128, expected -127 to 127',
    ],
    [only(src, { weights: [1, 2, NaN] }), 'x.json: operations[0].weights[2]: found null, expected number'],
    [
      only(src, { operands: { values: [1], columns: [] } }),
      'x.json: operations[0].operands.columns: found 0 columns, expected 1',
    ],
    [
      only(src, { operands: { values: [-128], columns: [0] } }),
      'x.json: operations[0].operands.values[0]: found -128, expected -127 to 127',
    ],
    [
      only(src, { operands: { values: [1, 1], columns: [2, 2] } }),
      'x.json: operations[0].operands.columns[1]: found 2 after 2, expected columns in increasing order',
    ],
    [
      only(src, { operands: { values: [1], columns: [4] } }),
      'x.json: operations[0].operands.columns[0]: found 4, expected less than 4 (inputWidth)',
    ],
    [
      only(osrc, { gradients: { values: [1], columns: [4] } }),
      'x.json: operations[0].gradients.columns[0]: found 4, expected less than 4 (outputWidth)',
    ],
    [only(msrc, { mask: [1] }), 'x.json: operations[0].mask: found 1 bits, expected 4'],
    [only(msrc, { mask: [1, 1, 1, 2] }), 'x.json: operations[0].mask[3]: found 2, expected 0 or 1'],
    [{ ready: [[1, 1]] }, 'x.json: ready[0]'],
    [{ ready: [[1, 1, 7]] }, 'x.json: ready[0][2]: found 7, expected 0 or 1'],
  ])('that is wrong, %j, is told in one line', (change, message) => {
    const error = (() => {
      try {
        parse(change);
      } catch (thrown) {
        return thrown as Error;
      }
      return null;
    })();
    expect(error?.message).toContain(message);
    expect(error?.message).not.toContain('\n');
  });

  test('at random is told by its seed, and reaches every mode', () => {
    const draw = (seed: number, run: number): RowStimulus => rowUnit.random(new Random(seed), run);
    expect(draw(5, 1)).toEqual(draw(5, 1));
    expect(draw(5, 1)).not.toEqual(draw(6, 1));
    const seen = new Set<string>();
    for (let run = 0; run < 120; run++) {
      const s = draw(run, run);
      seen.add(`taps ${s.taps} ports ${s.ports}`).add(`bits ${s.magnitudeBits}`);
      s.ready.forEach((row) => row?.forEach((bit, port) => bit === 0 && seen.add(`late ${port}`)));
      for (const op of s.operations) {
        const g = op.geometry;
        for (const mode of [
          op.kind,
          `${op.kind} stride ${g.stride}`,
          `${op.kind} dilation ${g.dilation}`,
          `${op.kind} ${g.padLeft < 0 ? 'negative' : 'padded'}`,
          `${op.kind} ${g.taps < s.taps ? 'piece' : 'whole'}`,
          `${op.kind} ${op.operands.values.length === 0 ? 'empty' : 'filled'}`,
          `${op.kind} ${op.operands.values.includes(0) ? 'zeros' : 'none'}`,
          op.kind === 'msrc' ? `mask ${op.mask !== null}` : '',
        ])
          seen.add(mode);
      }
    }
    for (const taps of [1, 2, 3, 4])
      for (const ports of [1, 2]) expect(seen).toContain(`taps ${taps} ports ${ports}`);
    for (const kind of ['src', 'msrc', 'osrc'])
      for (const mode of [
        'stride 1',
        'stride 2',
        'stride 4',
        'dilation 1',
        'dilation 3',
        'negative',
        'piece',
        'empty',
        'zeros',
      ])
        expect(seen).toContain(`${kind} ${mode}`);
    for (const mode of ['bits 1', 'bits 16', 'late 0', 'late 1', 'late 2', 'mask true', 'mask false'])
      expect(seen).toContain(mode);
  });
});

describe('mutants', () => {
  test.each(ROW_MUTANTS)('$what: the text is there once', ({ file, from, to }) => {
    const text = readFileSync(new URL(`../../src/rtl/verilog/${file}`, import.meta.url), 'utf8');
    expect(text.split(from)).toHaveLength(2);
    expect(to).not.toBe(from);
  });
});
