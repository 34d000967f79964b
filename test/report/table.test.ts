/** The tables and their headings, on reports made by hand. */
import { test as law, fc } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { budgetRows } from '../../src/report/budgetReport.js';
import type { Report } from '../../src/report/report.js';
import { compareText } from '../../src/report/compareTable.js';
import { replayText } from '../../src/report/table.js';
import { PAGE_WIDTH, textTable, wrap } from '../../src/report/textTable.js';
import { machineReport, report, row } from './makeReport.js';

const compareOf = (made: Report): string => compareText({ ...made, budgets: budgetRows(made, made) });

const longest = (text: string): number => Math.max(...text.split('\n').map((line) => line.length));

test('a row has every quantity, under its name and unit', () => {
  const lines = replayText(report({ machines: [machineReport('tetris', [row({ verified: true })])] })).split(
    '\n',
  );
  expect(lines.slice(6, 11)).toEqual([
    '                                         equal                        zero    zero',
    '                     speedup    bound   occup.  util.  stall  idle  weight  activ.  kneaded  veri-',
    'layer  MACs  cycles  x dense  x dense  x dense      %      %     %  bits %  bits %    ratio   fied',
    'conv   113k     100     1.20     1.50     1.10   25.0   10.0  65.0    60.0    80.0    0.750    yes',
    '─'.repeat(98),
  ]);
});

describe('widths', () => {
  const big = { macs: 22e9, cycles: 123_456_789, speedupVsDense: 12.34, singleStreamBound: 15.01 };

  law.prop([
    fc.array(fc.string({ unit: 'binary', maxLength: 60 }), { minLength: 1, maxLength: 3 }),
    fc.integer({ min: 1, max: 7 }),
    fc.boolean(),
  ])('no line is longer than the page', (names, machines, large) => {
    const made = report({
      machines: Array.from({ length: machines }, (_, m) =>
        machineReport(
          `machine${m}`,
          names.map((name) => row({ name, ...(large ? big : {}) })),
        ),
      ),
    });
    for (const text of [replayText(made), compareOf(made)])
      expect(longest(text)).toBeLessThanOrEqual(PAGE_WIDTH);
  });

  test('long names of networks, globs and paths are cut', () => {
    const long = 'x'.repeat(300);
    const { trace, config } = report();
    const made = report({
      trace: { ...trace, network: long, file: long },
      config: { ...config, layer: long },
    });
    for (const text of [replayText(made), compareOf(made)])
      expect(longest(text)).toBeLessThanOrEqual(PAGE_WIDTH);
  });

  test('machines that do not fit are folded below, none is lost', () => {
    const machines = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => machineReport(`machine-${name}`, [row()]));
    const text = compareOf(report({ machines }));
    // Cycles of PEs, then those of the system.
    expect(text.match(/^total /gm)).toHaveLength(4);
    expect(text.match(/─ machine-[a-f] ─/g)).toHaveLength(12);
  });

  test('a table that is too wide cuts names, never numbers', () => {
    const columns = [
      { head: ['layer'], cells: ['a-very-long-name-of-a-layer', 'total'], text: true },
      { head: ['cycles'], cells: ['1,234,567', '9,876,543'] },
    ];
    expect(textTable(columns, true, 24)).toBe(
      [
        'layer             cycles',
        'a-very…a-layer 1,234,567',
        '────────────────────────',
        'total          9,876,543',
      ].join('\n'),
    );
  });

  test('wrapped lines keep parts whole', () => {
    expect(wrap(['aaaa', 'bbbb', 'cccc'], ', ', 2, 12)).toBe('aaaa, bbbb,\n  cccc');
  });
});

describe('columns', () => {
  test('of what nobody recorded are left out', () => {
    const layers = [row({ kneadedRatio: null, activationZeroBitFraction: null })];
    const text = replayText(report({ machines: [machineReport('dadiannao', layers)] }));
    for (const absent of ['activ.', 'kneaded', 'veri-']) expect(text).not.toContain(absent);
  });

  test('of one machine alone are dashes in the others, so that tables line up', () => {
    const text = replayText(
      report({
        machines: [
          machineReport('dadiannao', [row({ kneadedRatio: null })]),
          machineReport('tetris', [row({ cycles: 1_000_000 })]),
        ],
      }),
    );
    const [first, second] = text.split('\n').filter((line) => line.startsWith('conv'));
    expect(first).toMatch(/ -$/);
    expect(first.length).toBe(second.length);
  });
});

describe('headings', () => {
  test('show policies always, other parameters where they differ from the default', () => {
    const config = {
      ...{ tiles: 4, units: 8, lanes: 16, tileBy: 'filters', lowering: 'channelBlock', kneadingStride: 16 },
      ...{ windowSlots: 2, throttleWords: 9, sync: 'barrier', windowLoadCycles: 1, emptyGroupCycles: 1 },
      int8Streams: 1,
    };
    expect(replayText(report({ machines: [machineReport('tetris', [row()], { config })] }))).toContain(
      'tetris: 4 tiles x 8 units x 16 lanes by filters, kneadingStride 16, windowSlots 2,\n' +
        '    sync barrier (default skew), throttleWords 9 (default 4)\n',
    );
  });

  test('say where the lane-cycles went, largest first', () => {
    expect(replayText(report())).toContain(
      'stall %: flush 5.0, window 3.0, imbalance 2.0; idle %: absentLane 40.0, absentUnit 25.0',
    );
  });

  test('say when codes were saturated', () => {
    const made = report();
    made.formats[0].weight.saturated = 1234;
    expect(compareOf(made)).toContain('1,234 integer codes have no sign-magnitude form and were saturated');
    expect(compareOf(report())).not.toContain('saturated');
  });

  test('explain a speedup above its bound, only where there is one', () => {
    const above = report({ machines: [machineReport('tetris', [row({ speedupVsDense: 1.6 })])] });
    for (const text of [replayText, compareOf]) {
      expect(text(above)).toContain('the speedup in cycles may lie above it');
      expect(text(report())).not.toContain('may lie above it');
    }
  });

  test.each([
    [{ verified: null }, 'values not checked: level count only times'],
    [{ verified: false, violations: ['x'] }, 'NOT VERIFIED: 1 check did not hold'],
    [{ verified: null, violations: ['x', 'y'] }, 'NOT VERIFIED: 2 checks did not hold'],
    [
      { verified: true, machines: [machineReport('m', [row({ verified: true })])] },
      'verified: all 7 outputs equal the dense reference',
    ],
    [
      { verified: true, machines: [machineReport('m', [row({ verified: true }), row()])] },
      'verified: 1 of 2 layer runs; the others were not checked',
    ],
  ])('of %j say no more than is known', (part, words) => {
    expect(replayText(report(part))).toContain(words);
    expect(compareOf(report(part))).toContain(words);
  });
});
