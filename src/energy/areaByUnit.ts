/**
 * Area of a machine's array by unit (SPEC section 9): how many of each, and um2 at 45 nm. What `arch/area.ts` knows adds up
 * to its `machineArea`; PPUs, which have no figure at 45 nm, stand beside that sum with a scaled one.
 */
import { bufferArea, machineArea, ROW_PE_TAPS, um2Of, unitArea } from '../arch/area.js';
import type { MachineConfig, MachineKind } from '../arch/machine.js';
import type { Precision } from '../quantize.js';
import { inWords } from './figure.js';
import { areaScaleOf, COMPLETE, coefficientAt, nodeName } from './node.js';

export interface UnitArea {
  unit: 'macUnit' | 'sacUnit' | 'sacBuffers' | 'kneader' | 'rowPe' | 'ppu';
  /** In the whole array. */
  count: number;
  /** Of one. */
  um2Each: number;
  um2: number;
  node: string;
  /** Where it was measured. */
  measuredAt: string;
  /** `measured`, and what was done to it. */
  how: string;
  /** Whether it is in the area that machines are compared by. */
  inMachineArea: boolean;
}

/** Lanes of the units that were synthesised. */
const MEASURED_LANES = [1, 16];

/** Null for bit-serial machines, which have no Verilog. */
export function areaByUnit(
  kind: MachineKind,
  config: MachineConfig,
  precision: Precision,
): UnitArea[] | null {
  if (!machineArea(kind, config, precision)) return null;
  const {
    tiles = 0,
    units = 0,
    lanes = 0,
    groups = 0,
    pesPerGroup = 0,
    taps = 0,
  } = config as Record<string, number>;
  const kinds = kind.phases.map((phase) => kind.units(phase));
  const list: UnitArea[] = [];
  const add = (unit: UnitArea['unit'], count: number, um2Each: number, ...how: string[]): void => {
    list.push({
      ...{ unit, count, um2Each, um2: count * um2Each },
      ...{ node: nodeName('45nm'), measuredAt: nodeName('45nm') },
      how: inWords('measured', ...how),
      inMachineArea: true,
    });
  };
  const line = MEASURED_LANES.includes(lanes)
    ? ''
    : `on a line through ${MEASURED_LANES.join(' and ')} lanes`;
  const masked = kinds.includes('maskedSac');
  if (masked || kinds.includes('sac')) {
    add('sacUnit', tiles * units, unitArea('sacUnit', precision, lanes), line);
    add('sacBuffers', tiles * units, bufferArea(lanes, precision), 'about a third of a unit of 16 lanes');
    if (masked) add('kneader', tiles * units * lanes, um2Of('kneader', precision, 1));
  } else if (kinds.includes('mac'))
    add('macUnit', tiles * units, unitArea('macUnit', precision, lanes), line);
  if (groups > 0) {
    const each = (um2Of('rowPe', precision, ROW_PE_TAPS) * taps) / ROW_PE_TAPS;
    const byTaps = taps === ROW_PE_TAPS ? '' : `in proportion to taps, of ${ROW_PE_TAPS}`;
    add('rowPe', groups * pesPerGroup, each, byTaps);
    const scale = areaScaleOf(precision);
    const um2Each = scale.factor * coefficientAt(COMPLETE, 'ppu', precision, 1)!.um2;
    list.push({
      ...{ unit: 'ppu', count: groups, um2Each, um2: groups * um2Each },
      ...{ node: nodeName('45nm'), measuredAt: nodeName(COMPLETE) },
      how: inWords(scale.how, 'rows of 28 sums in registers'),
      inMachineArea: false,
    });
  }
  return list;
}
