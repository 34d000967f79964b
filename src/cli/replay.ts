/** `kneadsim replay`: a recorded network through machines, one table each. */
import { Command } from 'commander';
import { replayText } from '../report/table.js';
import type { Io } from './io.js';
import { addSimulationOptions, type SimulationFlags } from './options.js';
import { runSimulation } from './simulation.js';

export function replayCommand(io: Io): Command {
  return addSimulationOptions(new Command('replay'), { budget: 'none' })
    .description(
      'run a recorded network through machines: cycles, speedups with bounds, stalls, values checked',
    )
    .addHelpText(
      'after',
      `
Try:
  kneadsim replay
  kneadsim replay --machine tetris --set kneadingStride=32 --set sync=barrier
  kneadsim replay traces/lenet5-fmnist-late-s01500.safetensors --precision int8 --layer 'conv*'
  kneadsim replay traces/waifu2x-vgg7-scale2.0x.safetensors --json --out vgg7.json`,
    )
    .action((file: string | undefined, flags: SimulationFlags) =>
      runSimulation(file, flags, (report) => report, replayText, io),
    );
}
