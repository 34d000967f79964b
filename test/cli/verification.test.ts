/** A machine that computes wrong values: exit 2, every violation named, the report still printed. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import type { LayerWork, MachineConfig, MachineKind } from '../../src/arch/machine.js';
import type { Report } from '../../src/report/report.js';
import type { Probe } from '../../src/sim/probe.js';
import { kneadsim, LENET, temporaryFolder } from './harness.js';

// Stripes with one wrong output per layer that has more than one.
vi.mock('../../src/arch/stripes.js', async (original) => {
  const { stripes } = await original<{ stripes: MachineKind }>();
  const configure = (config: MachineConfig) => {
    const machine = stripes.configure(config);
    const step = (work: LayerWork, probe?: Probe | null) => {
      const result = machine.step(work, probe);
      if (result.output.length > 1) result.output[1] += 1;
      return result;
    };
    const { name, lanesPerDenseLane } = machine;
    const laneSlots = machine.laneSlots.bind(machine);
    const arrayOf = machine.arrayOf.bind(machine);
    return { name, config, laneSlots, arrayOf, lanesPerDenseLane, count: machine.count.bind(machine), step };
  };
  return { stripes: { ...stripes, configure } };
});

describe.each(['replay', 'compare'])('%s', (command) => {
  test('prints the report, then the violations on stderr', async () => {
    const { code, out, err } = await kneadsim(command, LENET, '--machine', 'dadiannao,stripes', '--json');
    expect(code).toBe(2);
    const report = JSON.parse(out) as Report;
    expect(report.machines.map(({ total }) => total.verified)).toEqual([true, false]);
    expect([report.verified, report.violations.length]).toEqual([false, 3]);
    const lines = err.trimEnd().split('\n');
    expect(lines).toHaveLength(4);
    expect(lines[0]).toMatch(
      /^kneadsim: stripes, layer conv1, forward: 1 of \d+ outputs differ .* the first at index 1: found -?\d+, expected -?\d+$/,
    );
    expect(lines[3]).toBe('kneadsim: 3 checks did not hold');
  });

  test('says so in the table, and writes it where it was told to', async () => {
    const out = join(temporaryFolder(), 'r.txt');
    const outcome = await kneadsim(command, LENET, '--machine', 'stripes', '--out', out);
    expect([outcome.code, outcome.out]).toEqual([2, '']);
    expect(readFileSync(out, 'utf8')).toContain('NOT VERIFIED: 3 checks did not hold');
  });
});

test('wave writes what went wrong, and says that it did', async () => {
  const out = join(temporaryFolder(), 'wave.vcd');
  const { code, err } = await kneadsim(
    'wave',
    LENET,
    '--machine',
    'stripes',
    '--layer',
    'conv2',
    '--out',
    out,
  );
  expect(code).toBe(2);
  expect(readFileSync(out, 'utf8')).toContain('"verified": false');
  const lines = err.trimEnd().split('\n');
  expect(lines).toHaveLength(3);
  expect(lines[0]).toContain('wave.vcd: layer conv2');
  expect(lines[1]).toMatch(/^kneadsim: stripes, layer conv2, forward: 1 of \d+ outputs differ/);
  expect(lines[2]).toBe('kneadsim: 1 check did not hold');
});

test('fuzz finds it, shrinks it, and its command replays the very case', async () => {
  const args = ['fuzz', '--machine', 'tetris,stripes', '--runs', '50', '--seed', '9'];
  const { code, out, err } = await kneadsim(...args);
  expect(code).toBe(2);
  expect(out).toMatch(/^stripes: .*output 1 of \d+: found/);
  expect(err).toMatch(/^kneadsim: stripes failed under seed 9; replay: kneadsim fuzz /);
  const replay = /^ {2}kneadsim (fuzz .*)$/m.exec(out)![1].split(' ');
  expect(replay).toContain('--path');
  const again = await kneadsim(...replay);
  expect(again.code).toBe(2);
  const smallest = (text: string): string => text.slice(0, text.indexOf('replay it with'));
  expect(smallest(again.out)).toBe(smallest(out));
  const json = JSON.parse((await kneadsim(...replay, '--json')).out) as { failure: object; replay: string };
  expect(json.failure).toMatchObject({ machine: 'stripes' });
  expect(json.replay).toContain('--path');
});
