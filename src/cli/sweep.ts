/** `kneadsim sweep`: a grid of machines, parameters and options over a trace, here or on a cluster. */
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { LEVELS, PHASES } from '../arch/machine.js';
import { UserError } from '../errors.js';
import { atomicWriteText, makeFolder } from '../files.js';
import { DEFAULT_MEMORY, MEMORY_NAMES } from '../memory/config.js';
import { PRECISIONS } from '../quantize.js';
import { printable } from '../report/number.js';
import { THRESHOLDS } from '../report/report.js';
import { axesOf, type AxisTexts } from '../sweep/axes.js';
import { collect, verificationFailed } from '../sweep/collect.js';
import { ENGINES, engineJob, LOG_FOLDER, type Engine } from '../sweep/engines.js';
import { checkPoints } from '../sweep/evaluate.js';
import { describePoint, OPTION_AXES, pointsOf } from '../sweep/grid.js';
import { programOf } from '../sweep/program.js';
import { prepare, runSweep, type SweepSummary } from '../sweep/run.js';
import { ensurePoint, openedSweep, type OpenedSweep } from '../sweep/opened.js';
import { makeSpec, openSweep, readSpec, type FixedOptions, type Spec } from '../sweep/spec.js';
import { openSteps } from '../trace/openSteps.js';
import type { Io } from './io.js';
import { addScaleOptions, budgetOption, repeated, wholeNumber } from './options.js';
import { LateBar } from './progress.js';
import { bundledTrace } from './simulation.js';

type SweepFlags = AxisTexts &
  Partial<FixedOptions> & {
    out?: string;
    workers?: number;
    list?: true;
    json?: true;
    engine?: Engine;
    point?: number;
    collect?: true;
  };

const axis = (flags: string, text: string): Option => new Option(flags, text).argParser(repeated);

export function sweepCommand(io: Io): Command {
  const command = new Command('sweep')
    .description(
      'run a grid of machines, parameters and options over a trace, into CSV and Parquet; resumable',
    )
    .argument('[trace]', 'trace, or folder of training steps (default: a recorded ResNet-8)')
    .addOption(axis('--machine <names>', 'machines, one per point'))
    .addOption(
      axis(
        '--set <[machine.]name=values>',
        'parameter of a machine (or memory.name) with its values; repeat it',
      ),
    )
    .addOption(axis('--precision <formats>', `of ${PRECISIONS.join(', ')} (default: int16)`))
    .addOption(axis('--level <levels>', `of ${LEVELS.join(', ')} (default: step if there are activations)`))
    .addOption(
      axis(
        '--phase <phases>',
        `of ${PHASES.join(', ')}; a+b runs both in one point; points are then those of "train"`,
      ),
    )
    .addOption(axis('--layer <globs>', 'layers by name; * crosses /'))
    .addOption(axis('--prune <targets>', 'targets p of gradient pruning, with --phase (default: 0)'))
    .addOption(axis('--seed <seeds>', 'seeds of the draws of pruning (default: 1)'))
    .addOption(axis('--memory <presets>', `of ${MEMORY_NAMES.join(', ')} (default: ${DEFAULT_MEMORY})`));
  return addScaleOptions(command)
    .addOption(budgetOption(' (default: none; with --phase, lanes)'))
    .addOption(
      new Option('--threshold <kind>', 'of pruning, see "kneadsim train --help"').choices(THRESHOLDS),
    )
    .option('--first-grad-input', 'let the first layer of the network have a gradInput too')
    .option('--out <folder>', 'folder of the sweep; started again, it goes on where it was')
    .option('--workers <n>', 'processes at work (default: as many as cores)', wholeNumber(1, 1024))
    .option('--list', 'print the points with their numbers, and run nothing')
    .option('--json', 'print as JSON')
    .addOption(
      new Option('--engine <name>', 'write a job for this engine into the folder, and run nothing').choices(
        ENGINES,
      ),
    )
    .addOption(
      new Option('--point <i>', 'compute this point of the folder alone')
        .argParser(wholeNumber(0))
        .conflicts('collect'),
    )
    .addOption(new Option('--collect', 'put the points of the folder together, and compute nothing'))
    .addHelpText('after', HELP)
    .action((file: string | undefined, flags: SweepFlags) => runCommand(file, flags, io));
}

const HELP = `
Values are separated by commas; every combination is a point. The last axis moves fastest; an axis that cannot change
a point (a parameter that its machine lacks, pruning and seeds in the forward phase) does not multiply it.
The folder gets sweep.json (what is swept), points/, sweep.csv and sweep.parquet; the same sweep gives the same bytes.
After a kill, start it again, or just name the folder: kneadsim sweep --out DIR.

Try:
  kneadsim sweep --machine tetris --set kneadingStride=8,16,32,64 --set sync=barrier,skew --out sweep
  kneadsim sweep --machine tetris,dadiannao --set kneadingStride=8,16 --precision int8,int16 --list
  kneadsim sweep traces/lenet5-fmnist-late-s01500.safetensors --machine masked --phase gradInput --prune 0,0.9 --out pruned
  kneadsim sweep --machine tetris --set windowSlots=1,2,4 --out sweep-slurm --engine slurm
  kneadsim sweep --machine tetris --memory edge-like,infinite --set memory.dramBytesPerCycle=4,16,64 --out memory
  kneadsim sweep --point 2 --out sweep-slurm
  kneadsim sweep --collect --out sweep-slurm`;

async function runCommand(file: string | undefined, flags: SweepFlags, io: Io): Promise<void> {
  const { list, engine, point, collect: collecting } = flags;
  const modes = Object.entries({ list, engine, point, collect: collecting }).filter(
    ([, v]) => v !== undefined,
  );
  if (modes.length > 1)
    throw new UserError('two-modes', `--${modes[0][0]} and --${modes[1][0]}: use one of them at a time`);
  const given = givenAxes(flags);
  // Where no axes are named, the folder has them.
  const fromFolder = given === null;
  if (list) return listPoints(fromFolder ? readSpec(folderOf(flags)) : newSpec(file, flags), flags, io);
  const folder = folderOf(flags);
  if ((point !== undefined || collecting) && given !== null)
    throw new UserError(
      'grid-twice',
      `--${point === undefined ? 'collect' : 'point'} takes its grid from ${folder}; leave --${given} away`,
    );
  const opened = fromFolder
    ? openedSweep(folder, readSpec(folder), file)
    : beginSweep(folder, newSpec(file, flags), file);
  if (collecting) return void collect(opened.folder, opened.spec, opened.points);
  if (point !== undefined) return runPoint(opened, point);
  prepare(opened);
  if (engine) return writeJob(opened, engine, io);
  const bar = new LateBar(io, true);
  try {
    const summary = await runSweep(opened, {
      workers: flags.workers ?? availableParallelism(),
      progress: (done, total, label) => bar.update(done, total, label),
      note: (text) => io.err(`${text}\n`),
    });
    bar.stop();
    io.out(flags.json ? `${JSON.stringify(summary, null, 2)}\n` : summaryText(summary));
  } finally {
    bar.stop();
  }
}

/** Name of an option that says what is swept; null if none was given, so that the folder says it. */
function givenAxes(flags: SweepFlags): string | null {
  const fixed = ['budget', 'scale', 'per', 'minCode', 'threshold', 'firstGradInput'] as const;
  const found = [...OPTION_AXES, 'set' as const, ...fixed].find((name) => flags[name] !== undefined);
  return found?.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`) ?? null;
}

function folderOf({ out }: SweepFlags): string {
  if (out === undefined)
    throw new UserError('no-folder', 'a sweep needs a folder for its results; use --out DIR');
  return out;
}

function newSpec(file: string | undefined, flags: SweepFlags): Spec {
  const { budget, scale, per, minCode, threshold, firstGradInput } = flags;
  const axes = axesOf(flags);
  const points = pointsOf(axes);
  if (
    flags.prune &&
    !points.some(({ values }) => values[axes.findIndex(({ name }) => name === 'prune')] !== null)
  )
    throw new UserError(
      'no-gradients',
      '--prune: no point has gradients; add --phase gradInput, gradWeight or both',
    );
  const source = openSteps(file ?? bundledTrace());
  const spec = makeSpec(
    source,
    {
      budget: budget ?? null,
      scale: scale ?? null,
      per: per ?? null,
      minCode: minCode ?? null,
      threshold: threshold ?? null,
      firstGradInput: firstGradInput ?? false,
    },
    axes,
    points.length,
  );
  checkPoints(spec, points, source);
  return spec;
}

/** The trace is read where the user says, wherever it was as the sweep began. */
const beginSweep = (folder: string, spec: Spec, file: string | undefined): OpenedSweep =>
  openedSweep(folder, openSweep(folder, spec), file ?? bundledTrace());

function runPoint(opened: OpenedSweep, index: number): void {
  const { folder, spec, points, source } = opened;
  const point = points[index];
  if (!point)
    throw new UserError(
      'no-point',
      `--point: found ${index}, expected 0 to ${points.length - 1} as in ${folder}`,
    );
  prepare(opened);
  checkPoints(spec, [point], source);
  if (ensurePoint(opened, index).length > 0) throw verificationFailed(folder, [index]);
}

function listPoints(spec: Spec, { json }: SweepFlags, io: Io): void {
  const points = pointsOf(spec.axes);
  if (json) {
    const listed = points.map(({ index, values }) => ({
      point: index,
      ...Object.fromEntries(spec.axes.map(({ name }, i) => [name, values[i]])),
    }));
    io.out(`${JSON.stringify(listed, null, 2)}\n`);
  } else
    io.out(
      points
        .map((p) => `${String(p.index).padStart(6)}  ${printable(describePoint(spec.axes, p))}\n`)
        .join(''),
    );
}

function writeJob({ folder, points }: OpenedSweep, engine: Engine, io: Io): void {
  const { file, nodeOptions } = programOf('./main', import.meta.url);
  const program = [process.execPath, ...nodeOptions, file];
  const { files, run } = engineJob(engine, { folder: resolve(folder), points: points.length, program });
  makeFolder(join(folder, LOG_FOLDER));
  for (const [name, text] of Object.entries(files)) atomicWriteText(join(folder, name), text);
  const names = Object.keys(files).map((name) => printable(join(folder, name)));
  io.out(`${points.length} points as a job for ${engine}: ${names.join(', ')}\nrun it: ${run}\n`);
}

function summaryText({ points, found, computed, files }: SweepSummary): string {
  const [csv, parquet] = files.map(printable);
  return `${points} points, ${computed} computed and ${found} found: ${csv}, ${parquet}\n`;
}
