/**
 * Co-simulation: one random stimulus through the TypeScript model and through the Verilog under an HDL simulator, line by
 * line. A run is told by unit, seed and number alone, so that it can be had again.
 */
import { hash32, Random } from '../random.js';
import type { Simulator } from './simulator.js';
import type { Hardware, RtlUnit } from './unit.js';

export interface Mismatch {
  unit: string;
  run: number;
  /** Number of the first line that differs, from 0. */
  line: number;
  /** What each printed there; null where it had ended. */
  model: string | null;
  rtl: string | null;
}

export interface CosimResult {
  unit: string;
  runs: number;
  /** Different sets of hardware parameters. */
  configurations: number;
  cycles: number;
  mismatches: Mismatch[];
}

/** The stimulus of a run. */
export const stimulusOf = <S>(unit: RtlUnit<S>, seed: number, run: number, hardware?: Hardware): S =>
  unit.random(new Random(hash32(seed, run, 0x52544c)), run, hardware);

/** @returns the first line in which two accounts differ */
export function compareLines(
  model: readonly string[],
  rtl: readonly string[],
): { line: number; model: string | null; rtl: string | null } | null {
  const longest = Math.max(model.length, rtl.length);
  for (let line = 0; line < longest; line++)
    if (model[line] !== rtl[line]) return { line, model: model[line] ?? null, rtl: rtl[line] ?? null };
  return null;
}

/**
 * Runs `runs` stimuli of a unit through both.
 * @param stopAtFirst end with the first run that differs
 */
export function cosimulate(
  unit: RtlUnit,
  simulator: Simulator,
  options: {
    runs: number;
    seed: number;
    from?: number;
    stopAtFirst?: boolean;
    progress?: (done: number) => void;
  },
): CosimResult {
  const { runs, seed, from = 0, stopAtFirst = false, progress } = options;
  const configurations = new Set<string>();
  const result: CosimResult = { unit: unit.name, runs: 0, configurations: 0, cycles: 0, mismatches: [] };
  for (let run = from; run < from + runs; run++) {
    progress?.(run - from);
    const stimulus = stimulusOf(unit, seed, run);
    const parameters = unit.parameters(stimulus);
    const model = unit.trace(stimulus, true);
    const rtl = simulator.run(unit, parameters, unit.pack(stimulus), true);
    configurations.add(JSON.stringify(parameters));
    result.runs++;
    result.cycles += model.length;
    const difference = compareLines(model, rtl);
    if (difference) result.mismatches.push({ unit: unit.name, run, ...difference });
    if (difference && stopAtFirst) break;
  }
  result.configurations = configurations.size;
  return result;
}
