/** Area by unit: as much as machines are compared by, and PPUs beside it. */
import fc from 'fast-check';
import { expect, it, test } from 'vitest';
import { machineArea } from '../../src/arch/area.js';
import { resolveConfig } from '../../src/arch/machine.js';
import { machineKind, MACHINES } from '../../src/arch/registry.js';
import { areaByUnit } from '../../src/energy/areaByUnit.js';
import { PRECISIONS } from '../../src/quantize.js';
import { placeOf } from './support.js';

it('adds up to the area of the machine, but for PPUs', () => {
  fc.assert(
    fc.property(placeOf(MACHINES), ({ kind, config, precision }) => {
      const area = machineArea(kind, config, precision);
      const list = areaByUnit(kind, config, precision);
      if (!area) {
        expect(list).toBeNull();
        return;
      }
      const um2 = list!.filter((u) => u.inMachineArea).reduce((sum, u) => sum + u.um2, 0);
      expect(Math.abs(um2 - area.um2)).toBeLessThanOrEqual(1e-9 * area.um2);
      for (const unit of list!) {
        expect(unit.um2).toBeCloseTo(unit.count * unit.um2Each, 6);
        expect(unit.count).toBeGreaterThan(0);
        expect(unit.node).toBe('45 nm');
        expect(unit.measuredAt === unit.node).toBe(unit.inMachineArea);
        expect(unit.inMachineArea).toBe(unit.unit !== 'ppu');
        expect(unit.how).toMatch(unit.inMachineArea ? /^measured/ : /^scaled from 180 nm by 0\.03/);
      }
    }),
  );
});

test('names the units of each machine', () => {
  const units = (name: string): string[] => {
    const kind = machineKind(name);
    return PRECISIONS.flatMap((p) => areaByUnit(kind, resolveConfig(kind, {}), p)!).map(
      ({ unit, count }) => `${count} ${unit}`,
    );
  };
  const twice = (list: string[]): string[] => [...list, ...list];
  expect(units('dadiannao')).toEqual(twice(['256 macUnit']));
  expect(units('tetris')).toEqual(twice(['256 sacUnit', '256 sacBuffers']));
  expect(units('masked')).toEqual(twice(['256 sacUnit', '256 sacBuffers', '4096 kneader']));
  expect(units('sparsetrain')).toEqual(twice(['168 rowPe', '56 ppu']));
  expect(units('hybrid')).toEqual(twice(['256 sacUnit', '256 sacBuffers', '168 rowPe', '56 ppu']));
});
