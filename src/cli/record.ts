/** `kneadsim record`: trains a small network on real images and records training steps as traces. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { DATASETS } from '../record/datasets.js';
import { NETWORKS, networkOf } from '../record/networks/registry.js';
import type { RecordSummary } from '../record/record.js';
import { MAX_STEPS } from '../record/settings.js';
import { loadTensorFlow } from '../record/tensorflow.js';
import { printable } from '../report/number.js';
import { THRESHOLDS, type Threshold } from '../report/report.js';
import type { Io } from './io.js';
import { wholeNumber } from './options.js';
import { LateBar } from './progress.js';

interface RecordFlags {
  network: string;
  dataset: string;
  steps: number;
  recordAt?: number[];
  batch: number;
  keep: number;
  seed: number;
  prune: number;
  threshold: Threshold;
  learningRate?: number;
  linear?: true;
  out: string;
  resume?: true;
  checkpointEvery: number;
  json?: true;
}

export function recordCommand(io: Io): Command {
  return new Command('record')
    .description('train a small network on real images and record training steps as traces')
    .option('--network <name>', NETWORKS.map(({ name }) => name).join(', '), 'lenet5')
    .option('--dataset <name>', DATASETS.map(({ name }) => name).join(', '), 'fashion-mnist-small')
    .option('--steps <n>', 'training steps', wholeNumber(1, MAX_STEPS), 300)
    .option('--record-at <steps>', 'steps to record, such as 5,300 or 1-20 (default: the last)', stepList)
    .option('--batch <n>', 'examples per step', wholeNumber(1), 64)
    .option('--keep <n>', 'examples of a recorded batch that go into the trace', wholeNumber(1), 4)
    .option('--seed <n>', 'of weights, order of examples and pruning', wholeNumber(0), 1)
    .option('--prune <p>', 'target of stochastic gradient pruning in training; 0: none', share, 0)
    .addOption(
      new Option('--threshold <rule>', 'pruning threshold: predicted from earlier steps, or exact')
        .choices(THRESHOLDS)
        .default('predicted'),
    )
    .option('--learning-rate <rate>', 'at the first step (default: by network)', positive)
    .option('--linear', 'record fully connected layers too')
    .requiredOption('--out <folder>', 'where traces, log and checkpoint go')
    .option('--resume', 'go on from the checkpoint in the folder')
    .option('--checkpoint-every <n>', 'steps between checkpoints', wholeNumber(1), 50)
    .option('--json', 'the summary as JSON')
    .addHelpText('after', help())
    .action((flags: RecordFlags) => runRecord(flags, io));
}

const help = (): string => `
Networks:
${listed(NETWORKS)}

Data sets:
${listed(DATASETS)}

The same options give the same bytes. Traces are named by step; training.csv and training.json tell loss,
accuracy and gradient density.

Try:
  kneadsim record --out recorded
  kneadsim record --steps 20 --record-at 1-20 --batch 16 --keep 2 --out recorded
  kneadsim record --network resnet8 --dataset fashion-mnist --steps 600 --prune 0.9 --out recorded`;

const listed = (things: readonly { name: string; summary: string }[]): string =>
  things.map(({ name, summary }) => `  ${name.padEnd(20)} ${summary}`).join('\n');

/** Steps and ranges of steps; sorted, each once. */
function stepList(text: string): number[] {
  const steps = new Set<number>();
  for (const part of text.split(',')) {
    const [, from, to = from] = /^\s*(\d{1,5})(?:-(\d{1,5}))?\s*$/.exec(part) ?? [];
    if (from === undefined || Number(from) < 1 || Number(to) < Number(from))
      throw new InvalidArgumentError('expected steps from 1 on, such as 5,300 or 1-20.');
    for (let step = Number(from); step <= Number(to); step++) steps.add(step);
  }
  return [...steps].sort((a, b) => a - b);
}

function share(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value < 1))
    throw new InvalidArgumentError('expected a target of at least 0 and below 1.');
  return value;
}

function positive(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value > 0 && value < Infinity))
    throw new InvalidArgumentError('expected a number above 0.');
  return value;
}

async function runRecord(flags: RecordFlags, io: Io): Promise<void> {
  const { out, resume = false, checkpointEvery, json, linear = false, ...rest } = flags;
  const settings = {
    ...rest,
    linear,
    recordAt: flags.recordAt ?? [flags.steps],
    learningRate: flags.learningRate ?? networkOf(flags.network).rate,
  };
  // TensorFlow.js takes a while to load, which the other commands need not pay.
  const tf = await loadTensorFlow();
  const { record } = await import('../record/record.js');
  const bar = new LateBar(io, true);
  let summary: RecordSummary;
  try {
    summary = await record(tf, {
      settings,
      out,
      resume,
      checkpointEvery,
      progress: (done, total, label) => bar.update(done, total, label),
      note: (text) => io.err(`${text}\n`),
    });
  } finally {
    bar.stop();
  }
  io.out(json ? `${JSON.stringify(summary, null, 2)}\n` : textOf(summary, out));
}

const percent = (x: number): string => `${(100 * x).toFixed(1)} %`;

function textOf({ settings, dataset, traces, last, test, density }: RecordSummary, out: string): string {
  const folder = printable(out);
  return (
    `${settings.network} on ${dataset.name}: ${settings.steps} steps of ${settings.batch} examples, seed ${settings.seed}\n` +
    `loss           ${last.loss.toFixed(4)} at the last step\n` +
    `test accuracy  ${percent(test.accuracy)}, ${test.correct} of ${test.count} images\n` +
    `\ngradients that are not zero${settings.prune === 0 ? '' : `, before and after pruning at p = ${settings.prune}`}\n` +
    Object.entries(density)
      .map(
        ([layer, { before, after }]) =>
          `  ${layer.padEnd(16)} ${percent(before).padStart(7)}${settings.prune === 0 ? '' : percent(after).padStart(9)}\n`,
      )
      .join('') +
    `\ntraces in ${folder}, checked against the dense reference\n` +
    traces.map(({ file, sha256 }) => `  ${file}  ${sha256.slice(0, 12)}\n`).join('') +
    `\nreplay them: kneadsim train ${folder}\n`
  );
}
