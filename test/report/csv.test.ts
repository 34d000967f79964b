/** CSV of a report: any name comes back from it, whatever characters it holds. */
import { test as law, fc } from '@fast-check/vitest';
import { expect, test } from 'vitest';
import { csvText } from '../../src/report/csv.js';
import { machineReport, report, row } from './makeReport.js';
import { parseCsv } from './parseCsv.js';

law.prop([fc.array(fc.string({ unit: 'binary' }), { minLength: 1, maxLength: 4 })])(
  'names survive the way there and back',
  (names) => {
    const text = csvText(
      report({
        machines: [
          machineReport(
            'm',
            names.map((name) => row({ name })),
          ),
        ],
      }),
    );
    expect(parseCsv(text).map((cells) => cells[1])).toEqual(['name', ...names, 'total']);
  },
);

test('null is empty, causes are columns, the machine comes first', () => {
  const text = csvText(
    report({ machines: [machineReport('m', [row({ kneadedRatio: null, verified: true })])] }),
  );
  const [header, first] = parseCsv(text);
  const cells = Object.fromEntries(header.map((key, i) => [key, first[i]]));
  expect(header.slice(0, 3)).toEqual(['machine', 'name', 'phase']);
  expect(cells).toMatchObject({ kneadedRatio: '', verified: 'true', 'stall.window': '3', 'idle.empty': '0' });
});

test('rows with port cycles and rows without have the same columns', () => {
  const rows = [row(), row({ portCycles: { one: 12, two: 7 } })];
  const [header, ...cells] = parseCsv(csvText(report({ machines: [machineReport('m', rows)] })));
  expect(new Set(cells.map((line) => line.length))).toEqual(new Set([header.length]));
  const column = header.indexOf('portCycles.two');
  expect(cells.map((line) => line[column])).toEqual(['', '7', '']);
  expect(header).not.toContain('portCycles');
});

test('a name with a comma, a quote or a line end is quoted, others are not', () => {
  const names = ['a,b', 'a"b', 'a\nb', 'a b'];
  const text = csvText(
    report({
      machines: [
        machineReport(
          'm',
          names.map((name) => row({ name })),
        ),
      ],
    }),
  );
  for (const quoted of ['m,"a,b",', 'm,"a""b",', 'm,"a\nb",', 'm,a b,']) expect(text).toContain(quoted);
});
