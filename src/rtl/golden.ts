/**
 * Golden traces: what an HDL simulator printed for some runs of a unit, so that the TypeScript model can be held to it on
 * a machine without one. Only a simulator writes them; its version and the hashes of the sources stand in the file.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { VERILOG_FOLDER, type Simulator } from './simulator.js';
import type { RtlUnit } from './unit.js';
import { compareLines, stimulusOf, type Mismatch } from './verify.js';

export interface Golden {
  unit: string;
  /** What the simulator says of its version. */
  simulator: string;
  /** SHA-256 of the bench and of the unit's sources, by file. */
  sources: Record<string, string>;
  seed: number;
  /** Lines with registers. */
  cases: { run: number; stimulus: unknown; lines: string[] }[];
}

export function sourceHashes(unit: RtlUnit): Record<string, string> {
  const files = [join('bench', unit.bench), ...unit.sources];
  const hash = (file: string): string =>
    createHash('sha256')
      .update(readFileSync(join(VERILOG_FOLDER, file)))
      .digest('hex');
  return Object.fromEntries(files.map((file) => [file, hash(file)]));
}

/** Lets the simulator run the first `runs` runs of a series. */
export function makeGolden(unit: RtlUnit, simulator: Simulator, seed: number, runs: number): Golden {
  const cases = Array.from({ length: runs }, (_, run) => {
    const stimulus = stimulusOf(unit, seed, run);
    const lines = simulator.run(unit, unit.parameters(stimulus), unit.pack(stimulus), true);
    return { run, stimulus, lines };
  });
  return { unit: unit.name, simulator: simulator.version, sources: sourceHashes(unit), seed, cases };
}

export const packGolden = (golden: Golden): Uint8Array => gzipSync(JSON.stringify(golden), { level: 9 });

export const unpackGolden = (bytes: Uint8Array): Golden =>
  JSON.parse(gunzipSync(bytes).toString('utf8')) as Golden;

/** Where the TypeScript model prints something else than the simulator did. */
export function goldenMismatches(unit: RtlUnit, golden: Golden): Mismatch[] {
  return golden.cases.flatMap(({ run, stimulus, lines }) => {
    const model = unit.trace(unit.parse(stimulus, `golden trace of ${unit.name}, run ${run}`), true);
    const difference = compareLines(model, lines);
    return difference ? [{ unit: unit.name, run, ...difference }] : [];
  });
}
