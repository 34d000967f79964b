/** What a recording is determined by: the same settings give the same bytes. */
import { UserError } from '../errors.js';
import type { Threshold } from '../report/report.js';

export interface RecordSettings {
  network: string;
  dataset: string;
  /** Training steps. The learning rate falls to nearly 0 over them. */
  steps: number;
  /** Steps to record, counted from 1, rising. */
  recordAt: number[];
  /** Examples per step. */
  batch: number;
  /** Examples of a recorded batch that go into the trace. */
  keep: number;
  /** Of initial weights, order of examples and draws of the pruning. */
  seed: number;
  /** Target p of the stochastic pruning; 0: none. */
  prune: number;
  threshold: Threshold;
  /** At the first step. */
  learningRate: number;
  /** Whether fully connected layers are recorded too. */
  linear: boolean;
}

/** Steps have five digits in file names. */
export const MAX_STEPS = 99_999;

/** @throws UserError naming the option that does not fit */
export function checkSettings(settings: RecordSettings, trainExamples: number): RecordSettings {
  const { steps, recordAt, batch, keep, prune, learningRate } = settings;
  const fault = (option: string, found: unknown, expected: string): UserError =>
    new UserError('bad-setting', `--${option}: found ${String(found)}, expected ${expected}`);
  const whole = (option: string, value: number, most: number, why = ''): void => {
    if (!Number.isInteger(value) || value < 1 || value > most)
      throw fault(option, value, `a whole number from 1 to ${most}${why}`);
  };
  whole('steps', steps, MAX_STEPS);
  whole('batch', batch, trainExamples, ', the number of training images');
  whole('keep', keep, batch, ', the batch');
  if (recordAt.length === 0) throw fault('record-at', 'no step', 'at least one');
  for (const [index, step] of recordAt.entries()) {
    whole('record-at', step, steps, ', the number of steps');
    if (index > 0 && step <= recordAt[index - 1])
      throw fault('record-at', recordAt.join(), 'steps in rising order');
  }
  if (!(prune >= 0 && prune < 1)) throw fault('prune', prune, 'a target of at least 0 and below 1');
  if (!(learningRate > 0 && learningRate < Infinity))
    throw fault('learning-rate', learningRate, 'a number above 0');
  return settings;
}
