/** Budgets: machines scaled to the lanes or the logic of the dense array, and their denominators. */
import { describe, expect, test } from 'vitest';
import { machineArea } from '../../src/arch/area.js';
import { chooseMachines } from '../../src/arch/choose.js';
import { resolveConfig, type MachineKind } from '../../src/arch/machine.js';
import { budgetSize, fitsBudget, scaleToBudget } from '../../src/arch/budget.js';
import { dadiannao, MACHINES, machineKind } from '../../src/arch/registry.js';
import { rowKind } from '../support/rowKind.js';

const DENSE = resolveConfig(dadiannao, {});
const SIZE = budgetSize(DENSE, 'int16');
const scaled = (kind: MachineKind, settings: Record<string, string>, budget: 'lanes' | 'area' | 'none') =>
  scaleToBudget(kind, resolveConfig(kind, settings), new Set(Object.keys(settings)), budget, SIZE, 'int16');

describe('lanes', () => {
  test('are the multipliers of the dense array', () => {
    expect(SIZE.lanes).toBe(16 * 16 * 16);
    expect(scaled(rowKind, {}, 'lanes').groups).toBe(Math.floor(4096 / 9));
    expect(scaled(rowKind, { taps: '5', pesPerGroup: '2' }, 'lanes').groups).toBe(409);
    expect(scaled(machineKind('tetris'), { units: '4', lanes: '8' }, 'lanes').tiles).toBe(128);
  });

  test('leave at least one of each', () => {
    expect(scaled(rowKind, { taps: '9999' }, 'lanes').groups).toBe(1);
    expect(scaled(machineKind('tetris'), { units: '1000', lanes: '1000' }, 'lanes').tiles).toBe(1);
  });

  test('do not touch what was set by name', () => {
    expect(scaled(rowKind, { groups: '7' }, 'lanes').groups).toBe(7);
    expect(scaled(machineKind('tetris'), { tiles: '3' }, 'lanes').tiles).toBe(3);
    expect(scaled(rowKind, {}, 'none').groups).toBe(3);
  });
});

test('a machine fits where one tile and one group are no more than the whole budget', () => {
  const fits = (kind: MachineKind, settings: Record<string, string>, budget: 'lanes' | 'area' | 'none') =>
    fitsBudget(kind, resolveConfig(kind, settings), budget, SIZE, 'int16');
  const tetris = machineKind('tetris');
  expect(fits(tetris, { units: '64', lanes: '64' }, 'lanes')).toBe(true);
  expect(fits(tetris, { units: '64', lanes: '65' }, 'lanes')).toBe(false);
  expect(fits(tetris, { units: '64', lanes: '65' }, 'none')).toBe(true);
  expect(fits(rowKind, { pesPerGroup: '64', taps: '64' }, 'lanes')).toBe(true);
  expect(fits(rowKind, { pesPerGroup: '64', taps: '65' }, 'lanes')).toBe(false);
  expect(fits(tetris, { units: '64', lanes: '64' }, 'area')).toBe(false);
  expect(fits(machineKind('stripes'), {}, 'area')).toBe(false);
});

describe('area', () => {
  test.each(['dadiannao', 'tetris'])('of %s is filled, and never overstepped', (name) => {
    const kind = machineKind(name);
    const config = scaled(kind, {}, 'area');
    const { um2 } = machineArea(kind, config, 'int16')!;
    expect(um2).toBeLessThanOrEqual(SIZE.um2 * (1 + 1e-12));
    expect(um2 * (1 + 1 / (config.tiles as number))).toBeGreaterThan(SIZE.um2);
  });

  test('of row machines as well', () => {
    expect(scaled(rowKind, {}, 'area').groups).toBe(Math.floor(SIZE.um2 / (3 * 7994)));
  });
});

describe('denominators', () => {
  const choose = (settings: string[], budget: 'lanes' | 'none') =>
    chooseMachines(['tetris'], settings, budget).machines[0];

  test('under a budget are the array that the budget is taken from', () => {
    const { dense, machine } = choose(['tetris.units=4'], 'lanes');
    expect([dense.config.tiles, dense.config.units, machine.config.tiles]).toEqual([16, 16, 64]);
    expect(choose(['units=4'], 'lanes').dense.config).toMatchObject({ tiles: 16, units: 4 });
  });

  test('without one are the array of the machine', () => {
    expect(choose(['tetris.units=4'], 'none').dense.config).toMatchObject({ tiles: 16, units: 4 });
  });

  test.runIf(MACHINES.some(({ name }) => name === 'sparsetrain-dense'))(
    'hold the twin, at equal lanes',
    () => {
      expect(choose([], 'lanes').twin!.config).toMatchObject({ groups: 455, pesPerGroup: 3, taps: 3 });
      expect(choose([], 'none').twin!.config).toMatchObject({ groups: 56 });
      const own = chooseMachines(['sparsetrain'], ['sparsetrain.groups=7', 'taps=5'], 'lanes').machines[0];
      expect(own.twin!.config).toMatchObject({ groups: 7, taps: 5 });
    },
  );
});
