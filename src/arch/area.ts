/**
 * Area of the logic of a machine's array (SPEC section 9): um2 at 45 nm typical, from our own RTL, synthesised. SRAM,
 * wires, PPUs and control outside the PEs are not in it, so it compares arrays, not chips.
 */
import type { Precision } from '../quantize.js';
import type { Coefficient } from './coefficient.js';
import { COEFFICIENTS } from './coefficients.js';
import type { MachineConfig, MachineKind } from './machine.js';

/** SPEC section 9. SAC units are without throttle buffers and windows; a row PE has three taps; a kneader serves a lane. */
const AT_45_NM = COEFFICIENTS['45nm'];
export const ROW_PE_TAPS = 3;

/** um2 of a unit that was synthesised with so many lanes. */
export const um2Of = (unit: Coefficient['unit'], precision: Precision, lanes: number): number =>
  AT_45_NM.units.find((u) => u.unit === unit && u.precision === precision && u.lanes === lanes)!.um2;

/** um2 of the whole arrays. A machine may have both kinds; their sum is `um2`. */
export interface MachineArea {
  um2: number;
  /** Tiles of MAC or SAC units, with buffers, windows and kneaders. */
  tiles: number;
  /** Groups of row PEs. */
  groups: number;
}

/** um2 of a unit: between and beyond one lane and sixteen, a straight line through both. */
export function unitArea(unit: 'sacUnit' | 'macUnit', precision: Precision, lanes: number): number {
  const one = um2Of(unit, precision, 1);
  return one + ((um2Of(unit, precision, 16) - one) / 15) * (lanes - 1);
}

/** um2 of throttle buffers and windows of one SAC unit: measured at 16 lanes, per lane alike. */
export const bufferArea = (lanes: number, precision: Precision): number =>
  (AT_45_NM.sacBufferShare[precision] * um2Of('sacUnit', precision, 16) * lanes) / 16;

/** um2 of one unit of a tile; null where the RTL has no such unit (bit-serial peers), 0 without tiles. */
function tileUnitArea(kind: MachineKind, lanes: number, precision: Precision): number | null {
  const units = kind.phases.map((phase) => kind.units(phase));
  if (units.includes('serial')) return null;
  const masked = units.includes('maskedSac');
  if (masked || units.includes('sac')) {
    const kneaders = masked ? lanes * um2Of('kneader', precision, 1) : 0;
    return unitArea('sacUnit', precision, lanes) + bufferArea(lanes, precision) + kneaders;
  }
  return units.includes('mac') ? unitArea('macUnit', precision, lanes) : 0;
}

/** um2 of one tile and of one group of a machine; null where there is no coefficient. */
export function partAreas(
  kind: MachineKind,
  config: MachineConfig,
  precision: Precision,
): { tile: number; group: number } | null {
  const { units = 0, lanes = 0, pesPerGroup = 0, taps = 0 } = config as Record<string, number>;
  const unit = tileUnitArea(kind, lanes, precision);
  if (unit === null) return null;
  return {
    tile: units * unit,
    group: (pesPerGroup * um2Of('rowPe', precision, ROW_PE_TAPS) * taps) / ROW_PE_TAPS,
  };
}

export function machineArea(
  kind: MachineKind,
  config: MachineConfig,
  precision: Precision,
): MachineArea | null {
  const parts = partAreas(kind, config, precision);
  if (!parts) return null;
  const tiles = parts.tile * ((config.tiles as number | undefined) ?? 0);
  const groups = parts.group * ((config.groups as number | undefined) ?? 0);
  return { um2: tiles + groups, tiles, groups };
}
