/** Jobs for engines: whatever a path is, every point is computed once, then results are collected. */
import { execFileSync } from 'node:child_process';
import { test as law, fc } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { engineJob, ENGINES, quoted } from '../../src/sweep/engines.js';

const sh = (script: string, env: Record<string, string> = {}): string =>
  execFileSync('sh', ['-c', script], { encoding: 'utf8', env: { ...process.env, ...env } });

law.prop(
  [
    fc.array(
      fc.string({ unit: 'grapheme' }).filter((s) => !s.includes('\0')),
      { minLength: 1 },
    ),
  ],
  {
    numRuns: 20,
  },
)('words survive a shell', (words) => {
  expect(sh(`printf '%s\\0' ${words.map(quoted).join(' ')}`)).toBe(words.map((word) => `${word}\0`).join(''));
});

/** Prints its words, one line per call. */
const program = ['sh', '-c', 'printf "%s|" "$@"; echo', "it's { a } program"];
const FOLDER = `/tmp/it's {a} "folder", 100%`;
const job = (points: number): Parameters<typeof engineJob>[1] => ({ folder: FOLDER, points, program });
const call = (point: number): string => `sweep|--point|${point}|--out|${FOLDER}|`;
const COLLECT = `sweep|--collect|--out|${FOLDER}|\n`;

describe('Slurm', () => {
  test.each([1, 7, 1000, 1001, 2500])('its tasks take %i points once', (points) => {
    const { files } = engineJob('slurm', job(points));
    const script = files['sweep.sbatch'];
    const last = Number(/^#SBATCH --array=0-(\d+)$/m.exec(script)![1]);
    expect(last).toBe(Math.min(points, 1000) - 1);
    const calls: string[] = [];
    // The first, the last and the one where a second round ends; for a few points all of them.
    const tasks = points <= 7 ? Array.from({ length: points }, (_, i) => i) : [0, (points - 1) % 1000, last];
    for (const task of new Set(tasks))
      calls.push(
        ...sh(script, { SLURM_ARRAY_TASK_ID: `${task}` })
          .trimEnd()
          .split('\n'),
      );
    const wanted = [...new Set(tasks)].flatMap((task) =>
      Array.from({ length: Math.ceil((points - task) / (last + 1)) }, (_, i) => call(task + i * (last + 1))),
    );
    expect(calls).toEqual(wanted);
    expect(sh(files['collect.sbatch'])).toBe(COLLECT);
  });

  test('a task fails if one of its points does, and tries the others', () => {
    const failing = { ...job(3), program: ['sh', '-c', 'echo "$3"; [ "$3" = 1 ] && exit 2; exit 0', 'x'] };
    const script = engineJob('slurm', failing).files['sweep.sbatch'].replaceAll('point + 3', 'point + 1');
    expect(sh(`(${script}\n) || echo failed $?`, { SLURM_ARRAY_TASK_ID: '0' })).toBe('0\n1\n2\nfailed 2\n');
  });
});

test('GNU parallel gets a command per line', () => {
  const { files } = engineJob('parallel', job(5));
  const lines = files['jobs.txt'].trimEnd().split('\n');
  expect(lines.map((line) => sh(line))).toEqual([0, 1, 2, 3, 4].map((i) => `${call(i)}\n`));
  expect(sh(files['parallel.sh'].split('&& \\\n')[1])).toBe(COLLECT);
});

test('Snakemake fills in wildcards and nothing else', () => {
  const { Snakefile } = engineJob('snakemake', job(5)).files;
  const shells = [...Snakefile.matchAll(/^ {4}shell: (".*")$/gm)].map(
    ([, text]) => JSON.parse(text) as string,
  );
  // As Python's format does, which fails at a name that it does not know.
  const formatted = shells.map((text) =>
    text.replace(/\{\{|\}\}|\{[^{}]*\}/g, (found) => {
      if (found.length === 2 && found !== '{}') return found[0];
      if (found !== '{wildcards.point}') throw new Error(`no value for ${found}`);
      return '000003';
    }),
  );
  expect(formatted.map((text) => sh(text))).toEqual([`${call(3).replace('|3|', '|000003|')}\n`, COLLECT]);
  expect(Snakefile).toContain('for i in range(5)');
});

test.each(ENGINES)('the job of %s says how to run it', (engine) => {
  const { files, run } = engineJob(engine, job(3));
  expect(Object.values(files).join('')).toContain(`#   ${run}\n`);
});
