/** `kneadsim compare`: the same run as `replay`, with the machines side by side. */
import { Command } from 'commander';
import { compareText } from '../report/compareTable.js';
import { budgetRows, type CompareReport } from '../report/budgetReport.js';
import type { Report } from '../report/report.js';
import type { SimulateOptions } from '../simulate.js';
import type { Io } from './io.js';
import { addSimulationOptions, type SimulationFlags } from './options.js';
import { runSimulation } from './simulation.js';

export function compareCommand(io: Io): Command {
  return addSimulationOptions(new Command('compare'), { budget: 'lanes' })
    .description(
      'machines side by side: cycles, speedups and bounds, with memory what limits each layer, energy, equal lanes and area',
    )
    .addHelpText(
      'after',
      `
CSV is that of "kneadsim replay --budget lanes"; JSON too, with "budgets" beside: equal lanes and equal area.

Try:
  kneadsim compare
  kneadsim compare --machine dadiannao,tetris --set tileBy=filters
  kneadsim compare traces/tcn-seqfmnist-late-s00600.safetensors --precision int8
  kneadsim compare --level count --csv --out compare.csv`,
    )
    .action((file: string | undefined, flags: SimulationFlags) =>
      runSimulation(file, flags, withBudgets, compareText, io),
    );
}

/** Beside the run, both budgets: the run itself is one of them, the others are counted. */
function withBudgets(report: Report, again: (changed: Partial<SimulateOptions>) => Report): CompareReport {
  const machines = report.machines.map(({ name }) => name);
  const under = (budget: 'lanes' | 'area', names: string[]): Report =>
    report.config.budget === budget || names.length === 0
      ? report
      : again({ budget, level: 'count', machines: names });
  const lanes = under('lanes', machines);
  const withArea = report.machines.filter(({ area }) => area !== null).map(({ name }) => name);
  return { ...report, budgets: budgetRows(lanes, under('area', withArea)) };
}
