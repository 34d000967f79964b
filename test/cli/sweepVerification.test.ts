/** A sweep with a machine that computes wrong values at some points: exit 2 naming them, no result files. */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';
import type { Machine, MachineConfig, MachineKind } from '../../src/arch/machine.js';
import type { PoolJob } from '../../src/sweep/pool.js';
import { good, kneadsim, LENET, temporaryFolder } from './harness.js';

const broke = vi.hoisted(() => ({ now: true }));

// Stripes with one wrong output, in arrays of two and of eight tiles.
vi.mock('../../src/arch/stripes.js', async (original) => {
  const { stripes } = await original<{ stripes: MachineKind }>();
  const { broken } = await import('../support/broken.js');
  const wrong = broken(stripes, () => ({ step: ({ output }) => void (output[0] += 1) }));
  const configure = (config: MachineConfig): Machine =>
    (broke.now && [2, 8].includes(config.tiles as number) ? wrong : stripes).configure(config);
  return { stripes: { ...stripes, configure } };
});

// Other processes would not see the broken machine.
vi.mock('../../src/sweep/pool.js', () => ({
  runPool: async ({ folder, file, points, done }: PoolJob) => {
    const { computePoint, openedSweep } = await import('../../src/sweep/opened.js');
    const { readSpec } = await import('../../src/sweep/spec.js');
    const opened = openedSweep(folder, readSpec(folder), file);
    for (const point of points) done({ point, violations: computePoint(opened, point), error: null });
  },
}));

const ARGS = ['sweep', LENET, '--machine', 'stripes', '--layer', 'conv3', '--set', 'tiles=1,2,4,8'];

beforeEach(() => void (broke.now = true));

test('all other points are computed; failed ones are computed again', async () => {
  const folder = temporaryFolder();
  const { code, out, err } = await kneadsim(...ARGS, '--out', folder);
  expect([code, out]).toEqual([2, '']);
  const lines = err.trimEnd().split('\n');
  expect(lines).toHaveLength(3);
  expect(lines[0]).toMatch(/^kneadsim: point 1: stripes, layer conv3, forward: 1 of \d+ outputs differ/);
  expect(lines[2]).toMatch(
    /^kneadsim: points 1, 3 are not verified; see "violations" in .*000001\.json; there are no/,
  );
  expect(readdirSync(folder).sort()).toEqual(['points', 'sweep.json']);
  expect(readdirSync(join(folder, 'points'))).toHaveLength(4);

  const collected = await kneadsim('sweep', '--collect', '--out', folder);
  expect([collected.code, collected.err]).toEqual([2, `${lines[2]}\n`]);
  expect((await kneadsim('sweep', '--point', '3', '--out', folder)).code).toBe(2);
  await good('sweep', '--point', '2', '--out', folder);

  broke.now = false;
  expect(await good('sweep', '--out', folder)).toMatch(/^4 points, 2 computed and 2 found/);
  expect(existsSync(join(folder, 'sweep.parquet'))).toBe(true);
});

test('results of before do not outlive a failure', async () => {
  const folder = temporaryFolder();
  broke.now = false;
  await good(...ARGS, '--out', folder);
  broke.now = true;
  rmSync(join(folder, 'points', '000003.json'));
  expect((await kneadsim('sweep', '--point', '3', '--out', folder)).code).toBe(2);
  expect((await kneadsim('sweep', '--collect', '--out', folder)).code).toBe(2);
  expect(readdirSync(folder).sort()).toEqual(['points', 'sweep.json']);
});
