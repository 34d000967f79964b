/** The ablation is its conditions, each run for itself: what it runs once for several of them changes nothing. */
import { expect, test } from 'vitest';
import { simulate } from '../../src/simulate.js';
import { ablation, ablationMachines } from '../../src/train/ablation.js';
import { openSteps } from '../../src/trace/openSteps.js';
import { smallConv, writeStep } from '../support/steps.js';
import { useFolder } from '../trace/support.js';

const folder = useFolder();

test('each condition of the ablation equals a run of its own', async () => {
  const shapes = { first: smallConv(), second: smallConv() };
  const path = await writeStep(folder.path('step.safetensors'), { seed: 5, shapes });
  const options = { settings: ['tiles=2', 'units=2', 'lanes=2'], budget: 'lanes', training: true } as const;
  const phases = ['forward', 'gradInput', 'gradWeight'] as const;
  const whole = ablation(openSteps(path), { ...options, phases, prune: 0.9 });
  const runs = [...whole.otherRuns, whole];
  expect(runs.map(({ config }) => [config.precision, config.prune])).toEqual([
    ['int8', 0],
    ['int8', 0.9],
    ['int16', 0],
    ['int16', 0.9],
  ]);
  expect(whole.verified).toBe(true);
  for (const run of runs) {
    const { precision, prune } = run.config;
    const alone = simulate(openSteps(path), {
      ...options,
      phases,
      machines: ablationMachines(),
      precision: precision as 'int8',
      prune: prune!,
    });
    expect(run.machines).toEqual(alone.machines);
    expect(run.pruning).toEqual(alone.pruning);
  }
});
