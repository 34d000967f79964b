/** Puts one fault at a time into a copy of the Verilog and sees whether co-simulation notices (SPEC section 10). */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VerificationError } from '../../errors.js';
import { openSimulator, VERILOG_FOLDER, type SimulatorName } from '../simulator.js';
import type { RtlUnit } from '../unit.js';
import { cosimulate } from '../verify.js';
import type { Mutant } from './mutant.js';

export interface HuntResult {
  unit: string;
  mutant: Mutant;
  /** Run of the series in which a line differed; null if the fault went unnoticed. */
  caughtIn: number | null;
}

/** Runs that a fault is given before it counts as unnoticed. */
export const HUNT_RUNS = 400;

/** @throws VerificationError if the text to replace is not there exactly once, or the changed source does not compile */
export function hunt(
  unit: RtlUnit,
  mutant: Mutant,
  simulator: SimulatorName,
  seed: number,
  runs = HUNT_RUNS,
): HuntResult {
  const folder = mkdtempSync(join(tmpdir(), 'kneadsim-mutant-'));
  try {
    cpSync(VERILOG_FOLDER, folder, { recursive: true });
    const path = join(folder, mutant.file);
    writeFileSync(path, mutated(readFileSync(path, 'utf8'), mutant));
    const opened = openSimulator(simulator, { verilog: folder });
    try {
      const { mismatches } = cosimulate(unit, opened, { runs, seed, stopAtFirst: true });
      return { unit: unit.name, mutant, caughtIn: mismatches[0]?.run ?? null };
    } finally {
      opened.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The source with the fault in it. */
export function mutated(source: string, { file, what, from, to }: Mutant): string {
  const pieces = source.split(from);
  if (pieces.length !== 2)
    throw new VerificationError(
      'mutant',
      `mutant "${what}": "${from}" stands ${pieces.length - 1} times in ${file}, expected once`,
    );
  return pieces.join(to);
}
