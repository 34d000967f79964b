/**
 * Area of the logic of a machine's array (SPEC section 9): um2 at 45 nm typical, from our own RTL, synthesised. SRAM,
 * wires, PPUs and control outside the PEs are not in it, so it compares arrays, not chips.
 */
import type { Precision } from '../quantize.js';
import type { MachineConfig, MachineKind } from './machine.js';

/** um2 of a unit of one lane and of sixteen; between and beyond them, a straight line through both. */
interface UnitArea {
  one: number;
  sixteen: number;
}

/** SPEC section 9: SAC unit, without throttle buffers and windows. */
const SAC_UNIT: Record<Precision, UnitArea> = {
  int8: { one: 5160, sixteen: 35_722 },
  int16: { one: 17_466, sixteen: 141_239 },
};
/** SPEC section 9: throttle buffers and windows add about a third to a SAC unit of 16 lanes; per lane alike. */
const SAC_BUFFERS = 1 / 3;
/** SPEC section 9: MAC unit. */
const MAC_UNIT: Record<Precision, UnitArea> = {
  int8: { one: 1232, sixteen: 10_796 },
  int16: { one: 3276, sixteen: 38_305 },
};
/** SPEC section 9: row PE with K = 3 taps; other widths in proportion. */
const ROW_PE: Record<Precision, number> = { int8: 2647, int16: 7994 };
const ROW_PE_TAPS = 3;
/** SPEC section 9: on-line kneader, one per lane of a SAC unit. */
const KNEADER: Record<Precision, number> = { int8: 1609, int16: 3307 };

/** um2 of the whole arrays. A machine may have both kinds; their sum is `um2`. */
export interface MachineArea {
  um2: number;
  /** Tiles of MAC or SAC units, with buffers, windows and kneaders. */
  tiles: number;
  /** Groups of row PEs. */
  groups: number;
}

const unitArea = ({ one, sixteen }: UnitArea, lanes: number): number =>
  one + ((sixteen - one) / 15) * (lanes - 1);

/** um2 of one unit of a tile; null where the RTL has no such unit (bit-serial peers), 0 without tiles. */
function tileUnitArea(kind: MachineKind, lanes: number, precision: Precision): number | null {
  const units = kind.phases.map((phase) => kind.units(phase));
  if (units.includes('serial')) return null;
  const masked = units.includes('maskedSac');
  if (masked || units.includes('sac')) {
    const buffers = (SAC_BUFFERS * SAC_UNIT[precision].sixteen * lanes) / 16;
    return unitArea(SAC_UNIT[precision], lanes) + buffers + (masked ? lanes * KNEADER[precision] : 0);
  }
  return units.includes('mac') ? unitArea(MAC_UNIT[precision], lanes) : 0;
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
  return { tile: units * unit, group: (pesPerGroup * ROW_PE[precision] * taps) / ROW_PE_TAPS };
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
