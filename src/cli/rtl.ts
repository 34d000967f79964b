/** `kneadsim rtl`: the Verilog twin. verify compares it with the model, mutants breaks it, emit hands it out. */
import { Command, Option } from 'commander';
import { VerificationError } from '../errors.js';
import { hunt, type HuntResult } from '../rtl/mutants/hunt.js';
import { openSimulator, requireSimulator, SIMULATORS, type SimulatorName } from '../rtl/simulator.js';
import { MUTANTS, UNITS, unitOf } from '../rtl/units.js';
import { cosimulate, type CosimResult, type Mismatch } from '../rtl/verify.js';
import { VERSION } from '../version.js';
import type { Io } from './io.js';
import { names, wholeNumber } from './options.js';
import { LateBar } from './progress.js';
import { emitCommand } from './rtlEmit.js';

interface CosimFlags {
  unit?: string[];
  runs: number;
  seed: number;
  simulator: SimulatorName;
  json?: true;
}

const DEFAULT_SEED = 1;

export function rtlCommand(io: Io): Command {
  return new Command('rtl')
    .description('the Verilog twin: compare it with the model, break it on purpose, hand it out')
    .addCommand(verifyCommand(io))
    .addCommand(mutantsCommand(io))
    .addCommand(emitCommand(io))
    .addHelpText(
      'after',
      `
Try:
  kneadsim rtl verify --unit sac --runs 20
  kneadsim rtl mutants --unit kneader
  kneadsim rtl emit --machine tetris --set units=4 --out tetris-rtl`,
    );
}

function withCosimOptions(command: Command, runs: number, runsText: string): Command {
  return command
    .option('--unit <name>', 'unit; repeat it, or separate by commas (default: all)', names)
    .option('--runs <n>', runsText, wholeNumber(1), runs)
    .option('--seed <n>', 'seed of the stimuli', wholeNumber(0, 2 ** 31 - 1), DEFAULT_SEED)
    .addOption(
      new Option('--simulator <name>', 'HDL simulator to run the Verilog under')
        .choices(SIMULATORS)
        .default('icarus'),
    )
    .option('--json', 'the result as JSON');
}

function verifyCommand(io: Io): Command {
  return withCosimOptions(new Command('verify'), 100, 'random stimuli per unit')
    .description('random stimuli through the model and the Verilog: every line must be the same')
    .addHelpText(
      'after',
      `
Needs Icarus Verilog or Verilator; "make rtl" installs both. A run that differs exits with 2.

Try:
  kneadsim rtl verify
  kneadsim rtl verify --unit sac --runs 680
  kneadsim rtl verify --unit row,ppu --simulator verilator --runs 3`,
    )
    .action((flags: CosimFlags) => runVerify(flags, io));
}

function runVerify({ unit, runs, seed, simulator: name, json }: CosimFlags, io: Io): void {
  const units = unit ? unit.map(unitOf) : UNITS;
  const simulator = openSimulator(name);
  const bar = new LateBar(io);
  const results: CosimResult[] = [];
  try {
    for (const u of units)
      results.push(
        cosimulate(u, simulator, {
          runs,
          seed,
          progress: (done) => bar.update(results.length * runs + done, units.length * runs, u.name),
        }),
      );
  } finally {
    bar.stop();
    simulator.close();
  }
  const mismatches = results.flatMap((r) => r.mismatches);
  if (json)
    io.out(
      `${JSON.stringify({ tool: 'kneadsim', version: VERSION, simulator: simulator.version, seed, results }, null, 2)}\n`,
    );
  else io.out(verifyText(simulator.version, results));
  if (mismatches.length === 0) return;
  for (const mismatch of mismatches.slice(0, 5)) io.err(`${mismatchText(mismatch, seed, name)}\n`);
  throw new VerificationError('rtl', `${mismatches.length} runs differ from the model`);
}

const count = (n: number): string => n.toLocaleString('en-US');

function verifyText(version: string, results: readonly CosimResult[]): string {
  const sum = (of: (r: CosimResult) => number): number => results.reduce((total, r) => total + of(r), 0);
  const line = (
    name: string,
    r: [runs: number, configurations: number, cycles: number, bad: number],
  ): string =>
    `${name.padEnd(8)} ${count(r[0])} runs, ${count(r[1])} configurations, ${count(r[2])} cycles, ${r[3]} mismatches\n`;
  return [
    `${version}: the Verilog against the model, line by line\n`,
    ...results.map((r) => line(r.unit, [r.runs, r.configurations, r.cycles, r.mismatches.length])),
    line('all', [
      sum((r) => r.runs),
      sum((r) => r.configurations),
      sum((r) => r.cycles),
      sum((r) => r.mismatches.length),
    ]),
  ].join('');
}

function mismatchText({ unit, run, line, model, rtl }: Mismatch, seed: number, simulator: string): string {
  return (
    `${unit}, run ${run} of seed ${seed}, line ${line}: the model says "${model ?? 'nothing'}", the Verilog ` +
    `"${rtl ?? 'nothing'}"; see it with: kneadsim rtl verify --unit ${unit} --seed ${seed} --runs ${run + 1} ` +
    `--simulator ${simulator}`
  );
}

function mutantsCommand(io: Io): Command {
  return withCosimOptions(new Command('mutants'), 200, 'random stimuli before a fault counts as unnoticed')
    .description('put one fault at a time into the Verilog: verify must notice each')
    .addHelpText(
      'after',
      `
Needs Icarus Verilog or Verilator; "make rtl" installs both. A fault that goes unnoticed exits with 2.

Try:
  kneadsim rtl mutants
  kneadsim rtl mutants --unit sac --json`,
    )
    .action((flags: CosimFlags) => runMutants(flags, io));
}

function runMutants({ unit, runs, seed, simulator, json }: CosimFlags, io: Io): void {
  const units = unit ? unit.map(unitOf) : UNITS;
  const version = requireSimulator(simulator);
  const all = units.flatMap((u) => MUTANTS[u.name].map((mutant) => ({ u, mutant })));
  const bar = new LateBar(io);
  const results: HuntResult[] = [];
  try {
    for (const { u, mutant } of all) {
      bar.update(results.length, all.length, u.name);
      results.push(hunt(u, mutant, simulator, seed, runs));
    }
  } finally {
    bar.stop();
  }
  const missed = results.filter(({ caughtIn }) => caughtIn === null);
  if (json)
    io.out(
      `${JSON.stringify({ tool: 'kneadsim', version: VERSION, simulator: version, seed, results }, null, 2)}\n`,
    );
  else {
    for (const { unit: name, mutant, caughtIn } of results) {
      const verdict = caughtIn === null ? `NOT NOTICED in ${runs} runs` : `caught in run ${caughtIn}`;
      io.out(`${name.padEnd(8)} ${mutant.file.padEnd(22)} ${mutant.what}: ${verdict}\n`);
    }
    io.out(`${results.length - missed.length} of ${results.length} mutants caught\n`);
  }
  if (missed.length > 0)
    throw new VerificationError('mutants', `${missed.length} faults of the Verilog went unnoticed`);
}
