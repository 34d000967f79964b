/** What units are mapped to: a library, what drives their inputs and what their outputs drive. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { UserError } from '../../errors.js';
import { VERILOG_FOLDER } from '../simulator.js';
import { smallestInverter, type CellLibrary } from './cells.js';

export interface Target {
  library: CellLibrary;
  /** Path of the Liberty file, absolute. */
  liberty: string;
  /** Cell that drives inputs, and fF that outputs drive. */
  driver: string;
  load: number;
  /** ns */
  period: number;
  /** Our Verilog. */
  verilog: string;
}

/** Outputs drive as much as so many of the smallest inverters. */
const LOAD_INVERTERS = 4;

/** @throws UserError if the library has no inverter or no flip-flop */
export function targetOf(library: CellLibrary, liberty: string, period: number): Target {
  const { cell } = smallestInverter(library);
  if (![...library.cells.values()].some(({ states }) => states.some(({ kind }) => kind === 'ff')))
    throw new UserError(
      'bad-liberty',
      `library ${library.name}: no flip-flop; registers cannot be mapped to it`,
    );
  const input = [...cell.pins.values()].find(({ direction }) => direction === 'input')!;
  const load = Math.round(LOAD_INVERTERS * input.capacitance * 1e3);
  return { library, liberty, driver: cell.name, load, period, verilog: VERILOG_FOLDER };
}

/** Where `install.sh` looks for the cells of the packages, or leaves them. */
const CELLS = [
  '/usr/share/qflow/tech/osu018/osu018_stdcells.lib',
  fileURLToPath(new URL('../../../node_modules/.cache/kneadsim/osu018_stdcells.lib', import.meta.url)),
];

/** Library of the packages, null while it is not on this machine. */
export const cellsFile = (): string | null => CELLS.find((path) => existsSync(path)) ?? null;
