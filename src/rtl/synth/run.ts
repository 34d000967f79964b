/**
 * `make synth`: all configurations through yosys, OpenSTA and Icarus, and the coefficients written. With a library of the
 * user's own, results go to a file of the user's instead of the sources.
 */
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { KneadsimError } from '../../errors.js';
import { atomicWriteAsync, atomicWriteText, writeFully } from '../../files.js';
import { VERILOG_FOLDER } from '../simulator.js';
import { AT_45_NM } from './at45nm.js';
import {
  bufferSharesOf,
  coefficientsJson,
  ratiosOf,
  unitCoefficients,
  withUnitEnergies,
  type CoefficientSet,
  type UnitCoefficients,
} from './coefficients.js';
import { measure } from './measure.js';
import { coefficientsModule } from './module.js';
import { KNOWN, label, planOf, type Plan } from './plan.js';
import { interrupt, pool } from './process.js';
import { staScript } from './sta.js';
import { BIT_DENSITY, VALUE_DENSITY } from './stimuli.js';
import type { Target } from './target.js';
import { verilogHash } from './verilogHash.js';
import { constraints, synthesisScript } from './yosys.js';

const JSON_PATH = fileURLToPath(new URL('../coefficients.json', import.meta.url));
const MODULE_PATH = fileURLToPath(new URL('../../arch/coefficients.ts', import.meta.url));

const NOTES = [
  'Typical corner of the library, logic only: no wires, no clock tree, no clock gating, no SRAM.',
  'The hierarchy of the sources is kept and each module is mapped once; areas add up by module.',
  'Inputs are driven by the smallest inverter, outputs drive four of them, in mapping and timing. The clock is ideal.',
  'Sums of all units hold 2^16 products. Windows, throttle buffers and row buffers are registers.',
  'criticalPath: ns from a register or a port to a register or a port, setup included, by OpenSTA; null for PEs of 16 units, whose netlist is too large for it in one piece.',
  'energy: transitions of each net in a zero-delay simulation of the netlist (no glitches), times C V^2 / 2 of the pins that it drives plus the internal energy that the library tabulates at this load and at the slew that OpenSTA finds. Leakage apart; so is what output ports drive.',
  'A SAC unit is simulated in a PE of one unit; its own energy is the part of the PE that the unit has.',
  'energySplit: the same energy by cause, from runs of one netlist that do different amounts of each: clock is what clock pins take in a cycle (registers are clocked in every cycle, used or not), the others are all else for each word, output, raw word, value or addition, by least squares; of MAC units and row PEs for each cycle at work. Only the rear tree and the control of a SAC unit have a share of outputs: what outputs change elsewhere is a few percent of it, up or down. shortOutput has the words of word, every group an output; longValue has twice the additions of value.',
  'In the same simulation every output of the netlist is compared with the Verilog that it was made from.',
  `Stimulus: weights with each magnitude bit set with probability ${BIT_DENSITY}, uniform activations and gradients, the same for SAC and MAC; rows and kneader masks with ${VALUE_DENSITY} of their values present; no stalls.`,
  'openStaPJPerCycle: what report_power of OpenSTA says with the measured activities of the ports alone. This version carries them through logic as probabilities and counts the internal energy of a rise and a fall for every transition, so it is a second opinion, not our figure.',
];

/** The commands of a unit, with names instead of paths. */
function commandsOf({ driver, load, period }: Target): Record<string, string[]> {
  const job = { sources: ['SOURCES'], top: 'MODULE', parameters: {} };
  const paths = { liberty: 'LIBERTY', constraints: 'constraints.txt', period: 1000 * period };
  const sta = { liberty: 'LIBERTY', netlist: 'netlist.v', top: 'MODULE', clock: 'clk', period, driver, load };
  const lines = (script: string): string[] => script.trim().split('\n');
  return {
    'constraints.txt': lines(constraints(driver, load)),
    yosys: lines(
      synthesisScript(job, paths, '.').replace(/^(hierarchy .*)$/m, '$1 -chparam PARAMETER VALUE ...'),
    ),
    sta: lines(staScript({ ...sta, slews: 'slews.txt' })),
  };
}

async function measureAll({ target, jobs, configurations, keep }: Plan): Promise<UnitCoefficients[]> {
  const scratch = keep ?? mkdtempSync(join(tmpdir(), 'kneadsim-synth-'));
  const started = Date.now();
  let done = 0;
  try {
    mkdirSync(scratch, { recursive: true });
    // A copy under a plain name: scripts of yosys, ABC and OpenSTA take no spaces in paths.
    const liberty = join(scratch, 'cells.lib');
    copyFileSync(target.liberty, liberty);
    const units = await pool(configurations, jobs, async (configuration) => {
      const folder = join(scratch, label(configuration).replaceAll(' ', '-'));
      const measurement = await measure(configuration, { ...target, liberty }, folder, keep !== null);
      const { area, criticalPath } = measurement;
      const path = criticalPath === null ? '' : `, ${criticalPath.toFixed(2)} ns`;
      process.stderr.write(
        `[${++done}/${configurations.length}] ${label(configuration)}: ${Math.round(area.area)} um2, ` +
          `${area.cells} cells${path} (${Math.round((Date.now() - started) / 1000)} s)\n`,
      );
      return unitCoefficients(measurement, verilogHash(VERILOG_FOLDER, configuration.rtl.sources));
    });
    return withUnitEnergies(units);
  } finally {
    if (keep === null) rmSync(scratch, { recursive: true, force: true });
  }
}

function setOf(
  { target, tools, node, command }: Plan,
  units: UnitCoefficients[],
  sha256: string,
): CoefficientSet {
  const { library, liberty, period } = target;
  return {
    name: library.name,
    node,
    source: 'make synth: yosys, OpenSTA and Icarus, logic only',
    library: {
      name: library.name,
      file: basename(liberty),
      package: KNOWN[library.name]?.package ?? null,
      sha256,
      corner: library.corner,
    },
    tools,
    areaUnit: 'um2',
    clock: `${1000 / period} MHz`,
    commands: { all: [command], ...commandsOf(target) },
    notes: NOTES,
    sacBufferShare: bufferSharesOf(units),
    ratios: ratiosOf(units),
    units,
  };
}

/** The sources get the library of the packages; a user's own goes to a file of its own. */
async function main(): Promise<void> {
  const plan = planOf(process.argv.slice(2));
  const sha256 = createHash('sha256').update(readFileSync(plan.target.liberty)).digest('hex');
  const set = async (): Promise<CoefficientSet> => setOf(plan, await measureAll(plan), sha256);
  if (plan.out !== null) {
    // Opened first: a path that cannot be written is told before minutes of work.
    await atomicWriteAsync(plan.out, async (fd) =>
      writeFully(fd, new TextEncoder().encode(coefficientsJson([await set()]))),
    );
    process.stderr.write(`written: ${plan.out}\n`);
    return;
  }
  const sets = [{ ...AT_45_NM, ratios: ratiosOf(AT_45_NM.units) }, await set()];
  atomicWriteText(JSON_PATH, coefficientsJson(sets));
  atomicWriteText(MODULE_PATH, coefficientsModule(sets));
  process.stderr.write('written: src/rtl/coefficients.json, src/arch/coefficients.ts\n');
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt);

main().catch((error: unknown) => {
  const option = (error as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS');
  if (!(error instanceof KneadsimError) && !option) throw error;
  process.stderr.write(`${(error as Error).message.replace(/\s*\n\s*/g, ' ')}\n`);
  process.exitCode = error instanceof KneadsimError ? error.exitCode : 1;
});
