/** `kneadsim compare`: the same run as `replay`, with the machines side by side. */
import { Command } from 'commander';
import { compareText } from '../report/compareTable.js';
import type { Io } from './io.js';
import { addSimulationOptions, type SimulationFlags } from './options.js';
import { runSimulation } from './simulation.js';

export function compareCommand(io: Io): Command {
  return addSimulationOptions(new Command('compare'), { budget: 'lanes' })
    .description('machines side by side in one table: cycles, speedups and bounds per layer and in total')
    .addHelpText(
      'after',
      `
JSON and CSV are those of "kneadsim replay --budget lanes".

Try:
  kneadsim compare
  kneadsim compare --machine dadiannao,tetris --set tileBy=filters
  kneadsim compare traces/tcn-seqfmnist-late-s00600.safetensors --precision int8
  kneadsim compare --level count --csv --out compare.csv`,
    )
    .action((file: string | undefined, flags: SimulationFlags) =>
      runSimulation(file, flags, compareText, io),
    );
}
