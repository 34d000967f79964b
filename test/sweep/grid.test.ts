/** The order of points, and which axes reach them. */
import { test as law, fc } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { MACHINES } from '../../src/arch/registry.js';
import { csvRecords, tableOf } from '../../src/report/csv.js';
import { axesOf } from '../../src/sweep/axes.js';
import { axisType, describePoint, MOST_POINTS, OPTION_AXES, pointsOf } from '../../src/sweep/grid.js';
import { machineReport, report, row } from '../report/makeReport.js';

const numbers = fc.uniqueArray(fc.integer({ min: 1, max: 64 }), { minLength: 1, maxLength: 4 });

law.prop([numbers, numbers, numbers])('the last axis moves fastest', (strides, slots, seeds) => {
  const axes = axesOf({
    machine: ['tetris'],
    phase: ['gradInput'],
    seed: [seeds.join(',')],
    set: [`kneadingStride=${strides.join(',')}`, `windowSlots=${slots.join(',')}`],
  });
  const wanted: string[][] = [];
  for (const seed of seeds)
    for (const stride of strides)
      for (const slot of slots) wanted.push(['tetris', 'gradInput', `${seed}`, `${stride}`, `${slot}`]);
  expect(pointsOf(axes)).toEqual(wanted.map((values, index) => ({ index, values })));
});

const described = (texts: Parameters<typeof axesOf>[0]): string[] => {
  const axes = axesOf(texts);
  return pointsOf(axes).map((point) => describePoint(axes, point));
};

describe('an axis that cannot change a point does not multiply it', () => {
  test('a parameter that the machine lacks', () => {
    expect(described({ machine: ['tetris,dadiannao'], set: ['kneadingStride=8,16'] })).toEqual([
      'machine tetris, kneadingStride 8',
      'machine tetris, kneadingStride 16',
      'machine dadiannao',
    ]);
  });

  test('but the array of the dense machine that a machine is compared with', () => {
    expect(described({ machine: ['tetris', 'sparsetrain'], set: ['tiles=4,8'] })).toEqual([
      'machine tetris, tiles 4',
      'machine tetris, tiles 8',
      'machine sparsetrain, tiles 4',
      'machine sparsetrain, tiles 8',
    ]);
  });

  test('a parameter of another machine, or one that is said of this one by name', () => {
    expect(
      described({ machine: ['tetris,masked'], set: ['windowSlots=1,2', 'masked.windowSlots=4'] }),
    ).toEqual([
      'machine tetris, windowSlots 1',
      'machine tetris, windowSlots 2',
      'machine masked, masked.windowSlots 4',
    ]);
  });

  test('pruning, without gradients', () => {
    expect(
      described({ machine: ['tetris'], phase: ['forward,forward+gradInput'], prune: ['0,0.9'] }),
    ).toEqual([
      'machine tetris, phase forward',
      'machine tetris, phase forward+gradInput, prune 0',
      'machine tetris, phase forward+gradInput, prune 0.9',
    ]);
    expect(
      described({ machine: ['pragmatic'], phase: ['forward+gradInput'], prune: ['0,0.9'] }),
    ).toHaveLength(1);
  });
});

test('values have one form', () => {
  const axes = axesOf({
    machine: ['tetris'],
    phase: ['gradInput+forward'],
    prune: ['0.90,0'],
    set: ['tiles=08, 9'],
  });
  expect(axes.map(({ values }) => values)).toEqual([
    ['tetris'],
    ['forward+gradInput'],
    ['0.9', '0'],
    ['8', '9'],
  ]);
  expect(axes.map((axis) => axisType(axis, axes))).toEqual(['text', 'text', 'real', 'integer']);
});

test('a grid may have so many points and no more', () => {
  const list = (n: number): string => Array.from({ length: n }, (_, i) => i).join(',');
  const grid = (n: number): unknown =>
    pointsOf(axesOf({ machine: ['tetris'], phase: ['gradInput'], seed: [list(n)], layer: [list(100)] }));
  expect(grid(MOST_POINTS / 100)).toHaveLength(MOST_POINTS);
  expect(() => grid(MOST_POINTS / 100 + 1)).toThrow(/more than 100000 points/);
});

test('no parameter or option is named like a column of the report, machine and phase aside', () => {
  const { header } = tableOf(csvRecords(report({ machines: [machineReport('m', [row()])] })));
  const parameters = MACHINES.flatMap((kind) => kind.parameters.map(({ name }) => name));
  expect(header).toContain('cycles');
  expect([...OPTION_AXES, ...parameters].filter((name) => header.includes(name))).toEqual([
    'machine',
    'phase',
  ]);
});
