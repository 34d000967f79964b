/** `kneadsim record` on the command line: what it prints, and wrong input in one line. */
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RecordSummary } from '../../src/record/record.js';
import { kneadsim, refused, temporaryFolder } from './harness.js';

const SHORT = ['record', '--steps', '2', '--batch', '4', '--keep', '1'];

describe('kneadsim record', () => {
  it('says what it trained and where the traces are, and takes the same folder only to go on', async () => {
    const out = join(temporaryFolder(), 'deep', 'folder');
    const { code, out: text, err } = await kneadsim(...SHORT, '--prune', '0.9', '--out', out);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(text).toMatch(/^lenet5 on fashion-mnist-small: 2 steps of 4 examples, seed 1$/m);
    expect(text).toMatch(/^test accuracy +[\d.]+ %, \d+ of 250 images$/m);
    expect(text).toMatch(/^ {2}conv1 +[\d.]+ % +[\d.]+ %$/m);
    expect(text).toContain(`replay them: kneadsim train ${out}\n`);
    expect(existsSync(join(out, 'lenet5-fashion-mnist-small-s00002.safetensors'))).toBe(true);
    expect(await refused(...SHORT, '--out', out)).toContain(`${out}: holds the checkpoint of another run`);
    const again = await kneadsim(...SHORT, '--prune', '0.9', '--out', out, '--resume', '--json');
    expect(again.code).toBe(0);
    expect(again.err).toBe('going on after step 2\n');
    const summary = JSON.parse(again.out) as RecordSummary;
    expect(summary.traces.map(({ step }) => step)).toEqual([2]);
    expect(summary.settings).toMatchObject({ prune: 0.9, threshold: 'predicted', seed: 1 });
  });

  it('takes steps and ranges of steps', async () => {
    const out = join(temporaryFolder(), 'out');
    const { out: json } = await kneadsim(
      ...SHORT,
      '--steps',
      '4',
      '--record-at',
      '4,1-2',
      '--out',
      out,
      '--json',
    );
    expect((JSON.parse(json) as RecordSummary).settings.recordAt).toEqual([1, 2, 4]);
  });

  it.each([
    [['--network', 'vgg'], /network "vgg" is unknown; choose one of lenet5, resnet8, tcn$/],
    [['--dataset', 'cifar'], /data set "cifar" is unknown; choose one of fashion-mnist-small, /],
    [['--prune', '1'], /'--prune <p>' argument '1' is invalid. expected a target of at least 0 and below 1;/],
    [['--prune', 'x'], /'--prune <p>' argument 'x' is invalid/],
    [
      ['--threshold', 'none'],
      /'--threshold <rule>' argument 'none' is invalid. Allowed choices are exact, predicted;/,
    ],
    [['--record-at', '3'], /--record-at: found 3, expected a whole number from 1 to 2, the number of steps$/],
    [['--record-at', '2-1'], /'--record-at <steps>' argument '2-1' is invalid. expected steps from 1 on/],
    [['--record-at', '0'], /expected steps from 1 on/],
    [
      ['--batch', '501'],
      /--batch: found 501, expected a whole number from 1 to 500, the number of training images$/,
    ],
    [['--keep', '5'], /--keep: found 5, expected a whole number from 1 to 4, the batch$/],
    [['--learning-rate', '0'], /expected a number above 0/],
    [['--seed', '-1'], /expected a whole number of at least 0/],
  ])('refuses %j in one line', async (flags, line) => {
    const out = join(temporaryFolder(), 'out');
    expect((await refused(...SHORT, '--out', out, ...flags)).trimEnd()).toMatch(line);
    expect(existsSync(out)).toBe(false);
  });

  it('refuses a folder that is a file, lies in a file, or cannot be written', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'file');
    writeFileSync(file, 'x');
    expect(await refused(...SHORT, '--out', file)).toContain(`${file}: is a file, expected a folder`);
    expect(await refused(...SHORT, '--out', join(file, 'out'))).toContain('part of the path is a file');
    expect(await refused(...SHORT, '--out', '')).toContain('the output path is empty; name a folder');
    const closed = join(folder, 'closed');
    mkdirSync(closed);
    chmodSync(closed, 0o500);
    // The superuser may write everywhere.
    if (process.getuid?.() !== 0)
      expect(await refused(...SHORT, '--out', closed)).toContain(`${closed}: may not be written`);
  });

  it('needs to be told where to write', async () => {
    expect(await refused('record')).toContain("required option '--out <folder>' not specified");
  });
});
