/** Areas from the coefficients of SPEC section 9. */
import { describe, expect, test } from 'vitest';
import { machineArea } from '../../src/arch/area.js';
import { resolveConfig, type MachineKind, type UnitKind } from '../../src/arch/machine.js';
import { dadiannao, machineKind } from '../../src/arch/registry.js';
import { rowKind } from '../support/rowKind.js';

const tetris = machineKind('tetris');
const area = (kind: MachineKind, settings: Record<string, string>, precision: 'int8' | 'int16') =>
  machineArea(kind, resolveConfig(kind, settings), precision);

describe('tiles', () => {
  const one = { tiles: '1', units: '1' };

  test('of MAC units meet the measured ones, and lie on a line between them', () => {
    expect(area(dadiannao, { ...one, lanes: '1' }, 'int16')!.um2).toBeCloseTo(3276, 6);
    expect(area(dadiannao, { ...one, lanes: '16' }, 'int16')!.um2).toBeCloseTo(38_305, 6);
    expect(area(dadiannao, { ...one, lanes: '16' }, 'int8')!.um2).toBeCloseTo(10_796, 6);
    expect(area(dadiannao, { ...one, lanes: '4' }, 'int8')!.um2).toBeCloseTo(
      1232 + ((10_796 - 1232) * 3) / 15,
      6,
    );
  });

  test('of SAC units hold buffers and windows, a third of sixteen lanes', () => {
    expect(area(tetris, { ...one, lanes: '16' }, 'int16')!.um2).toBeCloseTo((141_239 * 4) / 3, 6);
    expect(area(tetris, { ...one, lanes: '16' }, 'int8')!.um2).toBeCloseTo((35_722 * 4) / 3, 6);
    expect(area(tetris, { ...one, lanes: '1' }, 'int8')!.um2).toBeCloseTo(5160 + 35_722 / 48, 6);
  });

  test('with on-line kneading have a kneader per lane', () => {
    const masked: MachineKind = { ...tetris, units: () => 'maskedSac' as UnitKind };
    const difference = (lanes: string, precision: 'int8' | 'int16'): number =>
      area(masked, { ...one, lanes }, precision)!.um2 - area(tetris, { ...one, lanes }, precision)!.um2;
    expect(difference('16', 'int16')).toBeCloseTo(16 * 3307, 6);
    expect(difference('3', 'int8')).toBeCloseTo(3 * 1609, 6);
  });

  test('add up over tiles and units', () => {
    const single = area(tetris, { ...one, lanes: '4' }, 'int8')!.um2;
    expect(area(tetris, { tiles: '5', units: '3', lanes: '4' }, 'int8')!.um2).toBeCloseTo(15 * single, 6);
  });
});

test('row PEs are those of K = 3, in proportion to their taps', () => {
  expect(area(rowKind, { groups: '1', pesPerGroup: '1' }, 'int16')!.um2).toBeCloseTo(7994, 6);
  expect(area(rowKind, { groups: '2', pesPerGroup: '5', taps: '6' }, 'int8')).toEqual({
    um2: 10 * 2 * 2647,
    tiles: 0,
    groups: 10 * 2 * 2647,
  });
});

test('bit-serial peers have no coefficient', () => {
  expect(area(machineKind('stripes'), {}, 'int8')).toBeNull();
});
