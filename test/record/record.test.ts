/** Recording: 20 real steps and their replay, determinism, a run that is killed, and checkpoints that do not fit. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PHASES } from '../../src/arch/machine.js';
import { UserError, VerificationError } from '../../src/errors.js';
import { CHECKPOINT_FILE } from '../../src/record/checkpoint.js';
import { networkOf } from '../../src/record/networks/registry.js';
import { record, type RecordSummary } from '../../src/record/record.js';
import { recordedStep } from '../../src/record/recordedStep.js';
import type { RecordSettings } from '../../src/record/settings.js';
import { Trainer } from '../../src/record/trainer.js';
import { simulate } from '../../src/simulate.js';
import { openTrace } from '../../src/trace/open.js';
import { openSteps } from '../../src/trace/openSteps.js';
import type { Trace } from '../../src/trace/trace.js';
import { checkRelations } from './relations.js';
import { dataset, short, tf } from './support.js';

const root = mkdtempSync(join(tmpdir(), 'kneadsim-record-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const folder = (name: string): string => join(root, name);

const go = (settings: RecordSettings, out: string, resume = false): Promise<RecordSummary> =>
  record(tf, { settings, out, resume, checkpointEvery: 2 });

/** All results of a run by name, checkpoint included. */
const bytesOf = (out: string): Map<string, string> =>
  new Map(
    readdirSync(out)
      .sort()
      .map((name) => [name, readFileSync(join(out, name)).toString('base64')]),
  );

describe('20 real steps', () => {
  const out = folder('twenty');
  const steps = Array.from({ length: 20 }, (_, index) => index + 1);
  let summary: RecordSummary;
  beforeAll(async () => {
    summary = await go(short({ steps: 20, recordAt: steps, keep: 1 }), out);
  });

  it('are recorded in order of their names, with a log beside them', () => {
    expect(openSteps(out).files).toEqual(summary.traces.map(({ file }) => join(out, file)));
    expect(summary.traces.map(({ file }) => file)).toEqual(
      steps.map((step) => `lenet5-fashion-mnist-small-s${String(step).padStart(5, '0')}.safetensors`),
    );
    const [head, ...lines] = readFileSync(join(out, 'training.csv'), 'utf8').trimEnd().split('\n');
    expect(head).toBe('step,loss,train_accuracy,density_before,density_after');
    expect(lines.map((line) => Number(line.split(',')[0]))).toEqual(steps);
    expect(JSON.parse(readFileSync(join(out, 'training.json'), 'utf8'))).toEqual(summary);
    expect(summary.test).toEqual({
      accuracy: summary.test.correct / 250,
      correct: summary.test.correct,
      count: 250,
    });
    expect(summary.last.loss).toBeLessThan(Number(lines[0].split(',')[1]));
  });

  it('hold gradients that follow from their operands', () => {
    for (const { file } of [summary.traces[0], summary.traces[19]]) {
      const trace = openTrace(join(out, file));
      expect(trace.layers.map(({ name }) => name)).toEqual(['conv1', 'conv2', 'conv3']);
      expect(trace.layers.map(({ shape }) => shape.batch)).toEqual([1, 1, 1]);
      checkRelations(trace);
      trace.close();
    }
  });

  it('replay through machines in all phases, every value verified', () => {
    const run = simulate(openSteps(out), {
      machines: ['dadiannao'],
      phases: [...PHASES],
      prune: 0.9,
      level: 'count',
    });
    expect(run.steps.length).toBe(20);
    const last = openTrace(join(out, summary.traces[19].file));
    const report = simulate(last, { machines: ['dadiannao'], phases: [...PHASES], level: 'step', prune: 0 });
    last.close();
    expect(report.verified).toBe(true);
  });
});

describe.each(['resnet8', 'tcn'])('%s', (network) => {
  it('records what a bundled trace of its kind holds', async () => {
    const out = folder(network);
    const { traces } = await go(
      short({ network, steps: 1, recordAt: [1], batch: 4, prune: 0.9, threshold: 'exact' }),
      out,
    );
    const trace = openTrace(join(out, traces[0].file));
    const bundled = openTrace(
      `traces/${network === 'tcn' ? 'tcn-seqfmnist' : 'resnet8-fmnist'}-late-s00600.safetensors`,
    );
    const facts = ({ layers }: Trace): unknown =>
      layers.map(({ name, shape, postRelu, tensors }) => ({ name, shape, postRelu, tensors }));
    expect(facts(trace)).toEqual(facts(bundled));
    checkRelations(trace);
    bundled.close();
    trace.close();
  });
});

describe('a recording', () => {
  const settings = short({ prune: 0.9, steps: 6, recordAt: [1, 5, 6], linear: true });

  it('has the same bytes again, and others under another seed', async () => {
    await go(settings, folder('one'));
    await go(settings, folder('two'));
    expect(bytesOf(folder('two'))).toEqual(bytesOf(folder('one')));
    const other = await go({ ...settings, seed: 2 }, folder('other'));
    const one = JSON.parse(readFileSync(join(folder('one'), 'training.json'), 'utf8')) as RecordSummary;
    expect(other.traces[0].sha256).not.toBe(one.traces[0].sha256);
  });

  /** Loaded before the program: the process dies when it is about to give this trace its name. */
  const dying = (trace: string): string =>
    `data:text/javascript,${encodeURIComponent(`
      import fs from 'node:fs';
      import { syncBuiltinESMExports } from 'node:module';
      const { renameSync } = fs;
      fs.renameSync = (from, to) => {
        if (to.endsWith('${trace}')) process.kill(process.pid, 'SIGKILL');
        renameSync(from, to);
      };
      syncBuiltinESMExports();`)}`;

  it('has the same bytes if the process was killed in between', async () => {
    const out = folder('killed');
    const flags = '--steps 6 --record-at 1,5,6 --batch 8 --keep 2 --prune 0.9 --linear --checkpoint-every 2';
    const node = ['--import', 'tsx', '--import', dying('s00005.safetensors'), 'src/cli/main.ts'];
    const child = spawn(process.execPath, [...node, 'record', ...flags.split(' '), '--out', out], {
      stdio: 'ignore',
    });
    expect(await new Promise((resolve) => child.on('exit', (_, signal) => resolve(signal)))).toBe('SIGKILL');
    expect(openSteps(out).files.length).toBe(1);
    expect(existsSync(join(out, CHECKPOINT_FILE))).toBe(true);
    expect(existsSync(join(out, 'training.csv'))).toBe(false);
    await go(settings, out, true);
    const found = bytesOf(out);
    // A file that was being written when the process died keeps its temporary name.
    for (const name of found.keys()) if (name.endsWith('.tmp')) found.delete(name);
    expect(found).toEqual(bytesOf(folder('one')));
  });

  it('goes on from the end: nothing is trained again', async () => {
    const before = bytesOf(folder('one'));
    const progress: string[] = [];
    await record(tf, {
      settings,
      out: folder('one'),
      resume: true,
      checkpointEvery: 2,
      progress: (_done, _total, label) => progress.push(label),
    });
    expect(new Set(progress)).toEqual(new Set(['test images']));
    expect(bytesOf(folder('one'))).toEqual(before);
  });

  it('refuses a checkpoint that is not its own', async () => {
    const path = join(folder('one'), CHECKPOINT_FILE);
    const refused = async (
      changes: Partial<RecordSettings>,
      resume: boolean,
      line: RegExp,
    ): Promise<void> => {
      const attempt = go({ ...settings, ...changes }, folder('one'), resume);
      await expect(attempt).rejects.toThrow(UserError);
      await expect(attempt).rejects.toThrow(line);
    };
    await refused({}, false, /holds the checkpoint of another run; go on with --resume, or choose another/);
    await refused({ seed: 2 }, true, /checkpoint.bin: seed: found 1, expected 2; resume with the options/);
    await refused({ network: 'tcn' }, true, /: network: found lenet5, expected tcn; resume with/);
    await refused({ recordAt: [6] }, true, /: recordAt: found 1,5,6, expected 6; resume with/);
    const whole = readFileSync(path);
    const damaged = Buffer.from(whole);
    damaged[whole.length >> 1] ^= 1;
    for (const bytes of [damaged, whole.subarray(0, whole.length - 5), Buffer.from('short')]) {
      writeFileSync(path, bytes);
      await refused(
        {},
        true,
        /checkpoint.bin: found .*, expected a checkpoint of kneadsim record; delete it and/,
      );
    }
    writeFileSync(path, whole);
  });

  it('refuses settings that cannot be', async () => {
    const cases: [Partial<RecordSettings>, RegExp][] = [
      [{ batch: 501 }, /^--batch: found 501, expected a whole number from 1 to 500, the number of training/],
      [{ keep: 9 }, /^--keep: found 9, expected a whole number from 1 to 8, the batch$/],
      [{ recordAt: [7] }, /^--record-at: found 7, expected a whole number from 1 to 6, the number of steps$/],
      [{ recordAt: [] }, /^--record-at: found no step, expected at least one$/],
      [{ recordAt: [3, 3] }, /^--record-at: found 3,3, expected steps in rising order$/],
      [{ prune: 1 }, /^--prune: found 1, expected a target of at least 0 and below 1$/],
      [{ steps: 0 }, /^--steps: found 0, expected a whole number from 1 to 99999$/],
      [{ learningRate: 0 }, /^--learning-rate: found 0, expected a number above 0$/],
    ];
    for (const [changes, line] of cases)
      await expect(go({ ...settings, ...changes }, folder('none'))).rejects.toThrow(line);
    expect(existsSync(folder('none'))).toBe(false);
  });

  it('is not written if its gradients contradict its operands', () => {
    const trainer = new Trainer(tf, networkOf('lenet5'), dataset, settings);
    const result = trainer.step(1, true);
    recordedStep(result, settings, dataset);
    const [{ gradInput, gradWeight }] = result.captured;
    for (const tensor of [gradInput, gradWeight]) {
      const at = tensor.findIndex((g) => Math.abs(g) > 0);
      const right = tensor[at];
      tensor[at] += Math.max(...tensor);
      expect(() => recordedStep(result, settings, dataset)).toThrow(VerificationError);
      tensor[at] = right;
    }
  });
});
