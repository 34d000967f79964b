/**
 * Writes the golden traces and waves beside this file (`make golden`): what Icarus Verilog prints for the first runs of
 * each unit, and what it dumps of the SAC PE. Nothing in them comes from the TypeScript model but the stimulus.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { makeGolden, packGolden, sourceHashes } from '../../../src/rtl/golden.js';
import { openSimulator } from '../../../src/rtl/simulator.js';
import { UNITS } from '../../../src/rtl/units.js';
import { sacUnit } from '../../../src/rtl/units/sac.js';
import { rtlOf, textOf, watched, WAVE_CASES } from '../waves.js';

/** Waves of the Verilog by the name of their case. */
export interface GoldenWaves {
  simulator: string;
  sources: Record<string, string>;
  waves: Record<string, string>;
}

const SEED = 20_260_101;
/** With run 63, the first of 16 x 16. */
const RUNS = 64;

function save(name: string, bytes: Uint8Array): void {
  writeFileSync(fileURLToPath(new URL(name, import.meta.url)), bytes);
  console.error(`${name}: ${bytes.length} bytes`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const simulator = openSimulator('icarus');
  for (const unit of UNITS) save(`${unit.name}.json.gz`, packGolden(makeGolden(unit, simulator, SEED, RUNS)));
  simulator.close();
  const waves = Object.fromEntries(
    WAVE_CASES.map((waveCase) => {
      const twins = watched(waveCase);
      return [waveCase.name, textOf(rtlOf(twins), twins.to)];
    }),
  );
  const golden: GoldenWaves = { simulator: simulator.version, sources: sourceHashes(sacUnit), waves };
  save('waves.json.gz', gzipSync(JSON.stringify(golden), { level: 9 }));
}
