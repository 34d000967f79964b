/** list shows the registry, and fuzz runs over it. */
import { expect, test } from 'vitest';
import { MACHINES } from '../../src/arch/registry.js';
import { good, refused } from './harness.js';

test('list names machines, sources and every parameter with its default', async () => {
  const out = await good('list');
  for (const { name, source, parameters } of MACHINES) {
    expect(out).toMatch(new RegExp(`^${name}: `, 'm'));
    expect(out).toContain(`from ${source}`);
    for (const p of parameters) expect(out).toMatch(new RegExp(`^ +${p.name} +${p.default} `, 'm'));
  }
  for (const line of out.split('\n')) expect(line.length, line).toBeLessThanOrEqual(100);
});

test('list --json holds the same', async () => {
  const { machines } = JSON.parse(await good('list', '--json')) as { machines: unknown[] };
  expect(machines).toEqual(
    MACHINES.map(({ name, summary, source, phases, needsActivations, units, parameters }) => ({
      name,
      summary,
      source,
      phases,
      units: Object.fromEntries(phases.map((phase) => [phase, units(phase)])),
      needsActivations,
      parameters,
    })),
  );
});

test('fuzz says what it ran, under which seed', async () => {
  expect(await good('fuzz', '--machine', 'tetris,dadiannao', '--runs', '5', '--seed', '3')).toBe(
    'tetris, dadiannao: 5 runs with seed 3; step, count and the dense reference agree\n',
  );
  const result = JSON.parse(await good('fuzz', '--machine', 'stripes', '--runs', '2', '--json')) as {
    seed: number;
  };
  expect(result).toMatchObject({ runs: 2, failure: null, replay: null, machines: ['stripes'] });
  expect(result.seed).toBeGreaterThanOrEqual(0);
});

test.each([
  [['--machine', 'nothing'], /unknown machine nothing/],
  [['--runs', '0'], /--runs.*at least 1/],
  [['--runs', 'many'], /--runs.*at least 1/],
  [['--seed', '-5'], /--seed.*from 0 to/],
])('fuzz refuses %j', async (args, message) => {
  expect(await refused('fuzz', ...args)).toMatch(message);
});
