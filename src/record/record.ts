/**
 * The whole recording, in order: data, network, training from the start or from a checkpoint, a trace at each of the
 * chosen steps, the test at the end, the log. The same settings give the same bytes, interrupted or not.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { UserError } from '../errors.js';
import { atomicWriteText, isFile, makeFolder, readInput } from '../files.js';
import { writeTrace } from '../trace/write.js';
import { VERSION } from '../version.js';
import { CHECKPOINT_FILE, readCheckpoint, writeCheckpoint } from './checkpoint.js';
import { loadDataset, type Dataset } from './datasets.js';
import { parameterSpecs } from './networks/network.js';
import { networkOf } from './networks/registry.js';
import { Pruner } from './pruner.js';
import { recordedStep } from './recordedStep.js';
import { checkSettings, type RecordSettings } from './settings.js';
import { TENSORFLOW_VERSION, type Tf } from './tensorflow.js';
import { shares, TrainingLog } from './trainingLog.js';
import { Trainer } from './trainer.js';

export interface RecordOptions {
  settings: RecordSettings;
  /** Folder for traces, log and checkpoint; made if it is not there. */
  out: string;
  /** Go on from the checkpoint in `out`, if there is one. */
  resume: boolean;
  /** Steps between checkpoints. */
  checkpointEvery: number;
  progress?: (done: number, total: number, label: string) => void;
  /** What a person should know. */
  note?: (text: string) => void;
}

export interface RecordSummary {
  version: string;
  framework: string;
  settings: RecordSettings;
  dataset: { name: string; source: string; licence: string; train: number; test: number };
  /** In order of steps. */
  traces: { step: number; file: string; sha256: string }[];
  /** Of the batch, at the last step, before its update. */
  last: { loss: number; accuracy: number };
  /** On the whole test set, after the last step. */
  test: { accuracy: number; correct: number; count: number };
  /** Share of non-zero gradients by each convolution's output, over all steps, before and after pruning. */
  density: Record<string, { before: number; after: number }>;
}

/** @throws UserError for settings, folders, data sets or checkpoints that do not fit */
export async function record(tf: Tf, options: RecordOptions): Promise<RecordSummary> {
  const { settings, out, progress = () => {}, note = () => {} } = options;
  const network = networkOf(settings.network);
  const dataset = loadDataset(settings.dataset);
  checkSettings(settings, dataset.train.count);
  makeFolder(out);
  const checkpoint = join(out, CHECKPOINT_FILE);
  const found = isFile(checkpoint);
  if (found && !options.resume)
    throw new UserError(
      'unfinished',
      `${out}: holds the checkpoint of another run; go on with --resume, or choose another folder`,
    );
  const resumed = found ? readCheckpoint(checkpoint, settings, parameterSpecs(network)) : null;
  if (options.resume) note(resumed ? `going on after step ${resumed.step}` : 'no checkpoint: from the start');
  const trainer = new Trainer(
    tf,
    network,
    dataset,
    settings,
    resumed && {
      parameters: resumed.parameters,
      pruner: new Pruner(settings.prune, settings.threshold, settings.seed, resumed.pruner),
    },
  );
  const log = new TrainingLog(resumed?.rows);
  for (let step = (resumed?.step ?? 0) + 1; step <= settings.steps; step++) {
    const recording = settings.recordAt.includes(step);
    const result = trainer.step(step, recording);
    log.add(result, settings.batch);
    if (recording)
      await writeTrace(join(out, traceName(settings, step)), recordedStep(result, settings, dataset));
    if (step % options.checkpointEvery === 0 || step === settings.steps)
      writeCheckpoint(checkpoint, {
        settings,
        step,
        parameters: trainer.parameters,
        pruner: trainer.pruner.state(),
        rows: log.rows,
      });
    progress(step, settings.steps, `steps, loss ${result.loss.toFixed(3)}`);
  }
  const test = trainer.evaluate((done, total) => progress(done, total, 'test images'));
  const summary = summaryOf(options, dataset, log, trainer.pruner, test);
  atomicWriteText(join(out, 'training.csv'), log.csv());
  atomicWriteText(join(out, 'training.json'), `${JSON.stringify(summary, null, 2)}\n`);
  return summary;
}

/** Sorted by name, traces are in order of steps. */
const traceName = ({ network, dataset }: RecordSettings, step: number): string =>
  `${network}-${dataset}-s${String(step).padStart(5, '0')}.safetensors`;

function summaryOf(
  { settings, out }: RecordOptions,
  dataset: Dataset,
  log: TrainingLog,
  pruner: Pruner,
  test: { correct: number; count: number },
): RecordSummary {
  const { name, source, licence } = dataset;
  const [, loss, accuracy] = log.last();
  return {
    version: VERSION,
    framework: `TensorFlow.js ${TENSORFLOW_VERSION}, wasm`,
    settings,
    dataset: { name, source, licence, train: dataset.train.count, test: dataset.test.count },
    traces: settings.recordAt.map((step) => {
      const file = traceName(settings, step);
      const sha256 = createHash('sha256')
        .update(readInput(join(out, file), 2 ** 31))
        .digest('hex');
      return { step, file, sha256 };
    }),
    last: { loss, accuracy },
    test: { accuracy: test.correct / test.count, ...test },
    density: Object.fromEntries(
      Object.entries(pruner.state().totals)
        .map(([layer, total]) => [layer, shares(total)] as const)
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    ),
  };
}
