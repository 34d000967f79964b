/** All hardware units that exist twice. A new one is a file in `units/`, its Verilog, its mutants, and a line here. */
import { UserError } from '../errors.js';
import { KNEADER_MUTANTS } from './mutants/kneader.js';
import { MAC_MUTANTS } from './mutants/mac.js';
import type { Mutant } from './mutants/mutant.js';
import { PPU_MUTANTS } from './mutants/ppu.js';
import { ROW_MUTANTS } from './mutants/row.js';
import { SAC_MUTANTS } from './mutants/sac.js';
import type { RtlUnit } from './unit.js';
import { kneaderUnit } from './units/kneader.js';
import { macUnit } from './units/mac.js';
import { ppuUnit } from './units/ppu.js';
import { rowUnit } from './units/row.js';
import { sacUnit } from './units/sac.js';

/** Each unit takes back only the stimuli that it made itself. */
const of = <S>(unit: RtlUnit<S>): RtlUnit => unit as unknown as RtlUnit;

export const UNITS: readonly RtlUnit[] = [
  of(sacUnit),
  of(macUnit),
  of(rowUnit),
  of(kneaderUnit),
  of(ppuUnit),
];

/** Faults of each unit's Verilog, by name of the unit. */
export const MUTANTS: Readonly<Record<string, readonly Mutant[]>> = {
  sac: SAC_MUTANTS,
  mac: MAC_MUTANTS,
  row: ROW_MUTANTS,
  kneader: KNEADER_MUTANTS,
  ppu: PPU_MUTANTS,
};

/** @throws UserError naming the units there are */
export function unitOf(name: string): RtlUnit {
  const unit = UNITS.find((u) => u.name === name || u.aliases.includes(name));
  if (unit) return unit;
  throw new UserError(
    'unknown-unit',
    `unknown unit ${name}; there are ${UNITS.map((u) => u.name).join(', ')}`,
  );
}
