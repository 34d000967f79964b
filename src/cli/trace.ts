/** `kneadsim trace`: import makes canonical traces from other formats, info looks into them. */
import { Command, Option } from 'commander';
import { printable } from '../report/number.js';
import { importTrace, type ImportOptions } from '../trace/import/import.js';
import { LAYOUTS } from '../trace/import/source.js';
import { processIo } from './io.js';
import { wholeNumber } from './options.js';
import { LateBar } from './progress.js';
import { infoCommand } from './traceInfo.js';

export function traceCommand(): Command {
  return new Command('trace')
    .description('make canonical traces from other formats, and look into them')
    .addCommand(infoCommand())
    .addCommand(importCommand())
    .addHelpText(
      'after',
      `
Try:
  kneadsim trace info traces/lenet5-fmnist-late-s01500.safetensors
  kneadsim trace import weights.npz --input 32x32 --out weights.safetensors`,
    );
}

function importCommand(): Command {
  return new Command('import')
    .description('convert a source to a canonical trace')
    .argument('<source>', '.npz, .npy, .safetensors, a SCALE-Sim topology .csv, or a folder in DNNsim layout')
    .requiredOption('--out <file>', 'canonical trace to write (.safetensors)')
    .addOption(
      new Option('--layout <layout>', 'axes of the weights (default: metadata, else oihw)').choices(LAYOUTS),
    )
    .option('--input <HxW>', 'input size of convolutions without a recorded input (W if one-dimensional)')
    .option('--layers <file.csv>', 'table of layers: name,op,input,stride,padding,dilation,groups')
    .option('--depthwise <glob>', 'layers that are depthwise, whatever their shape suggests; * crosses /')
    .option('--conv <glob>', 'layers that are plain convolutions, whatever their shape suggests')
    .option('--integers', 'take integral weights and inputs as codes')
    .addOption(
      new Option('--code-bits <bits>', 'storage width of such codes (default: 8 if all fit, else 16)')
        .choices(['8', '16'])
        .implies({ integers: true }),
    )
    .option('--network <name>', 'name of the network')
    .option('--source <text>', 'where the values come from')
    .option('--licence <text>', 'licence of the values')
    .option('--seed <n>', 'seed of synthetic values', wholeNumber(0), 1)
    .addHelpText(
      'after',
      `
Cells of the table: input 32x32, stride 2 or 2x1 (height x width), padding 1, 1x2 or top:bottom:left:right,
op conv, depthwise or linear. Names may be globs; empty cells leave the default, which for weights without a
recorded input is stride 1, dilation 1, padding floor((k-1)/2).

Try:
  kneadsim trace import weights.npz --input 32x32 --out weights.safetensors
  kneadsim trace import mobile.npz --layout hwio --depthwise '*depthwise*' --input 56x56 --out mobile.safetensors
  kneadsim trace import dnnsim-folder --integers --out codes.safetensors
  kneadsim trace import topology.csv --seed 7 --out synthetic.safetensors`,
    )
    .action(runImport);
}

type ImportFlags = Omit<ImportOptions, 'codeBits' | 'progress'> & { out: string; codeBits?: '8' | '16' };

const NOTES_SHOWN = 3;

async function runImport(source: string, flags: ImportFlags): Promise<void> {
  const { out, codeBits, ...options } = flags;
  const io = processIo();
  const bar = new LateBar(io);
  const result = await importTrace(source, out, {
    ...options,
    ...(codeBits ? { codeBits: codeBits === '8' ? 8 : 16 } : {}),
    progress: (done, total) => bar.update(done, total, 'bytes'),
  }).finally(() => bar.stop());
  for (const note of result.notes.slice(0, NOTES_SHOWN)) io.err(`note: ${printable(note)}\n`);
  if (result.notes.length > NOTES_SHOWN)
    io.err(`note: ${result.notes.length - NOTES_SHOWN} more like these\n`);
  io.err(`${out}: ${result.layers} layers, ${result.tensors} tensors\n`);
}
