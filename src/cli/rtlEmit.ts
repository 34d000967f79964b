/** `kneadsim rtl emit`: the Verilog of a machine's units with its parameters, benches and stimuli, for a user's own flow. */
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { chooseMachines } from '../arch/choose.js';
import { atomicWriteText, makeFolder } from '../files.js';
import { PRECISIONS, type Precision } from '../quantize.js';
import { emitFiles } from '../rtl/emit.js';
import type { Io } from './io.js';
import { repeated, wholeNumber } from './options.js';

interface EmitFlags {
  machine: string;
  set?: string[];
  precision: Precision;
  seed: number;
  out: string;
  json?: true;
}

export function emitCommand(io: Io): Command {
  return new Command('emit')
    .description("write the Verilog of a machine's units, with benches and a stimulus each")
    .option('--machine <name>', 'machine', 'tetris')
    .option(
      '--set <[machine.]name=value>',
      'parameter of the machine, see "kneadsim list"; repeat it',
      repeated,
    )
    .addOption(
      new Option('--precision <format>', 'codes that the units are built for')
        .choices(PRECISIONS)
        .default('int16'),
    )
    .option('--seed <n>', 'seed of the stimuli', wholeNumber(0, 2 ** 31 - 1), 1)
    .requiredOption('--out <folder>', 'folder to write to')
    .option('--json', 'names of the files as JSON')
    .addHelpText(
      'after',
      `
In the folder, "make" runs the benches under Icarus, "make verilator" under Verilator, and compares with the model.

Try:
  kneadsim rtl emit --out tetris-rtl
  kneadsim rtl emit --machine masked --precision int8 --set units=4 --set lanes=4 --out masked-rtl
  kneadsim rtl emit --machine sparsetrain --set ports=1 --out sparsetrain-rtl`,
    )
    .action((flags: EmitFlags) => runEmit(flags, io));
}

function runEmit({ machine, set = [], precision, seed, out, json }: EmitFlags, io: Io): void {
  const [{ machine: chosen }] = chooseMachines([machine], set, 'none', precision).machines;
  chosen.check?.('step', precision);
  const files = emitFiles(machine, chosen.config, precision, seed);
  makeFolder(out);
  for (const [name, text] of files) atomicWriteText(join(out, name), text);
  const names = [...files.keys()];
  if (json) io.out(`${JSON.stringify({ folder: out, files: names }, null, 2)}\n`);
  else io.out(`${names.map((name) => join(out, name)).join('\n')}\n`);
  io.err(`wrote ${names.length} files; compare with the model: make -C ${out}\n`);
}
