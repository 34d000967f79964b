/** The ablation is as sound as all of its conditions: what fails in one of them is told, with the condition. */
import { expect, test, vi } from 'vitest';
import type { LayerWork, MachineConfig, MachineKind } from '../../src/arch/machine.js';
import { ablation } from '../../src/train/ablation.js';
import { openSteps } from '../../src/trace/openSteps.js';
import { smallConv, writeStep } from '../support/steps.js';
import { useFolder } from '../trace/support.js';

const folder = useFolder();

// One wrong output per layer and phase, at int8 alone: not in the condition that comes last.
vi.mock('../../src/arch/masked.js', async (original) => {
  const { masked } = await original<{ masked: MachineKind }>();
  const configure = (config: MachineConfig) => {
    const machine = masked.configure(config);
    const step = (work: LayerWork) => {
      const result = machine.step(work);
      if (work.precision === 'int8') result.output[0] += 1;
      return result;
    };
    return Object.assign(Object.create(machine) as typeof machine, { step });
  };
  return { masked: { ...masked, configure } };
});

test('is verified only if every condition is, and names those that are not', async () => {
  const path = await writeStep(folder.path('step.safetensors'), { seed: 2, shapes: { only: smallConv() } });
  const options = { machines: ['masked'], settings: ['tiles=2', 'units=2', 'lanes=2'], prune: 0.9 };
  const report = ablation(openSteps(path), { ...options, phases: ['forward', 'gradWeight'] });
  expect(report.machines[0].total.verified).toBe(true);
  expect(report.verified).toBe(false);
  expect(report.violations.map((line) => line.replace(/: \d+ of.*/, ''))).toEqual(
    [0, 0.9].flatMap((p) =>
      ['forward', 'gradWeight'].map((phase) => `int8, p = ${p}: masked, layer only, ${phase}`),
    ),
  );
  const verified = report.ablation.map((row) => [row.precision, row.verified]);
  expect(verified.every(([precision, sound]) => sound === (precision === 'int16'))).toBe(true);

  const one = ablation(openSteps(path), { ...options, precision: 'int16', phases: ['forward'] });
  expect([one.verified, one.violations, one.otherRuns.length]).toEqual([true, [], 1]);
});
