/** The same sweep gives the same files, in whatever order, by however many, however often it was killed. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { Random } from '../../src/random.js';
import { runPool } from '../../src/sweep/pool.js';
import { pointPath } from '../../src/sweep/pointFile.js';
import { etaText } from '../../src/sweep/run.js';
import { good, kneadsim, LENET, refused, temporaryFolder } from '../cli/harness.js';
import { seed } from '../support/runs.js';
import { contents, ended, GRID, pointFiles, POINTS, startSweep } from './support.js';

/** Files of a sweep that nothing happened to. */
let wanted: Record<string, string>;

beforeAll(async () => {
  const folder = temporaryFolder();
  expect(await good('sweep', ...GRID, '--out', folder, '--workers', '1')).toMatch(
    /^12 points, 12 computed and 0 found: /,
  );
  wanted = contents(folder);
  rmSync(folder, { recursive: true });
}, 60_000);

/** Temporary files of a process that is gone. */
function leaveBehind(folder: string): void {
  const gone = Number(execFileSync(process.execPath, ['-p', 'process.pid']));
  const name = `.kneadsim-${hostname().replace(/[^A-Za-z0-9]/g, '_')}-${gone}-0.tmp`;
  for (const place of [folder, join(folder, 'points')]) writeFileSync(join(place, name), 'torn');
}

describe('the same bytes', () => {
  test('are files of points and results, and no others', () => {
    const points = Array.from({ length: POINTS }, (_, i) => `points/${String(i).padStart(6, '0')}.json`);
    expect(Object.keys(wanted).sort()).toEqual(
      [...points, 'sweep.csv', 'sweep.json', 'sweep.parquet'].sort(),
    );
  });

  test('by three workers', async () => {
    const folder = temporaryFolder();
    await good('sweep', ...GRID, '--out', folder, '--workers', '3');
    expect(contents(folder)).toEqual(wanted);
  });

  test('point by point from the last to the first, each twice, then collected', async () => {
    const folder = temporaryFolder();
    await good('sweep', ...GRID, '--out', folder, '--engine', 'parallel');
    for (let point = POINTS - 1; point >= 0; point--) {
      expect(await good('sweep', '--point', `${point}`, '--out', folder)).toBe('');
      expect(pointFiles(folder)).toHaveLength(POINTS - point);
      await good('sweep', '--point', `${point}`, '--out', folder);
    }
    expect(existsSync(join(folder, 'sweep.csv'))).toBe(false);
    expect(await good('sweep', '--collect', '--out', folder)).toBe('');
    expect(contents(folder)).toMatchObject(wanted);
  });

  test('from a trace in another place', async () => {
    const folder = temporaryFolder();
    const trace = join(temporaryFolder(), LENET.split('/').pop()!);
    writeFileSync(trace, readFileSync(LENET));
    await good('sweep', trace, ...GRID.slice(1), '--out', folder);
    rmSync(trace);
    const { 'sweep.json': spec, ...others } = contents(folder);
    expect(wanted).toMatchObject(others);
    expect(spec.replace(trace, 'T')).toBe(wanted['sweep.json'].replace(/[^"]*\/traces\/[^"]*/, 'T'));
    rmSync(pointPath(folder, 5));
    expect(await refused('sweep', '--out', folder)).toMatch(/no such file; check the path/);
    expect(await good('sweep', LENET, '--out', folder)).toMatch(/1 computed and 11 found/);
    expect(contents(folder)).toMatchObject(others);
  });
});

describe('after harm', () => {
  test('what is missing, torn or foreign is computed again, leftovers go, the rest is kept', async () => {
    const folder = temporaryFolder();
    await good('sweep', ...GRID, '--out', folder);
    rmSync(pointPath(folder, 0));
    truncateSync(pointPath(folder, 1), 500);
    writeFileSync(pointPath(folder, 2), wanted['points/000003.json']);
    leaveBehind(folder);
    const { code, out, err } = await kneadsim('sweep', '--out', folder);
    expect([code, out.slice(0, 33)]).toEqual([0, '12 points, 3 computed and 9 found']);
    expect(err).toBe(
      [1, 2]
        .map((i) => `note: point ${i}: its file is damaged or of another sweep; computed again\n`)
        .join(''),
    );
    expect(contents(folder)).toEqual(wanted);
    leaveBehind(folder);
    await good('sweep', '--out', folder);
    expect(contents(folder)).toEqual(wanted);
  });

  test('collecting names what is missing or damaged, and leaves neither results nor damaged files', async () => {
    const folder = temporaryFolder();
    await good('sweep', ...GRID, '--out', folder);
    rmSync(pointPath(folder, 0));
    truncateSync(pointPath(folder, 7), 100);
    expect(await refused('sweep', '--collect', '--out', folder)).toMatch(
      /points 0, 7 are missing or damaged/,
    );
    expect(Object.keys(contents(folder))).toHaveLength(POINTS - 2 + 1);
  });

  test('kill -9 at random moments, of all or of the first process alone', async () => {
    const random = new Random(seed);
    let hit = 0;
    // A sweep that was done before the signal came does not count.
    for (let round = 0; hit < 3 && round < 10; round++) {
      const folder = temporaryFolder();
      const child = startSweep(folder, '--workers', '2');
      const exit = ended(child);
      // Between the first and the last point, at whatever moment of a write that is.
      const enough = 1 + random.int(POINTS - 1);
      while (pointFiles(folder).length < enough && child.exitCode === null)
        await new Promise((done) => setTimeout(done, 5));
      process.kill(round % 2 === 0 ? -child.pid! : child.pid!, 'SIGKILL');
      await exit;
      if (!existsSync(join(folder, 'sweep.csv'))) hit++;
      // Workers that are still at their last points meet the sweep that goes on.
      await good('sweep', ...GRID, '--out', folder);
      await new Promise((done) => setTimeout(done, 200));
      expect(contents(folder)).toEqual(wanted);
    }
    expect(hit).toBe(3);
  });

  test('two sweeps at once in one folder', async () => {
    const folder = temporaryFolder();
    const both = [startSweep(folder), startSweep(folder, '--workers', '1')];
    expect(await Promise.all(both.map(ended))).toEqual([0, 0]);
    expect(contents(folder)).toEqual(wanted);
  });
});

test('time left is that of the points to come', () => {
  expect(etaText(0, 5, 100)).toBe('ETA unknown yet');
  expect(etaText(2, 6, 3000)).toBe('ETA 6 s');
  expect(etaText(1, 101, 1500)).toBe('ETA 2 min 30 s');
  expect(etaText(1, 101, 80_000)).toBe('ETA 2 h 13 min');
  expect(etaText(5, 5, 100)).toBe('ETA 0 s');
});

describe('a pool', () => {
  test('names the error of a point, and begins no further ones', async () => {
    const folder = temporaryFolder();
    const done: number[] = [];
    const job = { folder, file: LENET, points: [0, 1, 2], workers: 1, done: () => done.push(0) };
    await expect(runPool(job)).rejects.toThrow(/sweep\.json: no such file/);
    expect(done).toEqual([]);
  });

  /** Runs with a program that every worker starts with. */
  async function withPreload<T>(program: string, action: () => Promise<T>): Promise<T> {
    const file = join(temporaryFolder(), 'preload.cjs');
    writeFileSync(file, program);
    const before = process.env.NODE_OPTIONS;
    process.env.NODE_OPTIONS = `--require=${file}`;
    try {
      return await action();
    } finally {
      if (before === undefined) delete process.env.NODE_OPTIONS;
      else process.env.NODE_OPTIONS = before;
    }
  }

  test('gives a point up whose process ends twice', async () => {
    const job = { folder: temporaryFolder(), file: LENET, points: [4], workers: 1, done: () => undefined };
    await withPreload('process.exit(3)', () =>
      expect(runPool(job)).rejects.toThrow(/^point 4: its process ended 2 times \(exit code 3\)/),
    );
  });

  test('gives a point whose process ends once to another', async () => {
    const folder = temporaryFolder();
    await good('sweep', ...GRID, '--out', folder, '--engine', 'parallel');
    const once = JSON.stringify(join(temporaryFolder(), 'once'));
    const done: number[] = [];
    const job = { folder, file: LENET, points: [0, 1, 2], workers: 1 };
    await withPreload(
      `try { require('fs').mkdirSync(${once}); process.kill(process.pid, 'SIGKILL'); } catch (e) { if (e.code !== 'EEXIST') throw e; }`,
      () => runPool({ ...job, done: ({ point }) => done.push(point) }),
    );
    expect(done).toEqual([0, 1, 2]);
    expect(pointFiles(folder)).toHaveLength(3);
  });
});
