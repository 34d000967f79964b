/** replay and compare: what they print, the JSON that others read, CSV, and files. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { MACHINES } from '../../src/arch/registry.js';
import { memoryOf, plainConfig } from '../../src/memory/config.js';
import type { CompareReport } from '../../src/report/budgetReport.js';
import { PAGE_WIDTH } from '../../src/report/textTable.js';
import { parseCsv } from '../report/parseCsv.js';
import { good, goodReport, kneadsim, LENET, SEPARABLE, temporaryFolder, WEIGHTS_ONLY } from './harness.js';

const COUNT = [LENET, '--level', 'count'];
/** As many as fit beside each other. */
const PEERS = ['--machine', 'dadiannao,pragmatic,stripes,tetris'];
const everyMachine = MACHINES.map(({ name }) => name);

/** The keys that the issue promises to those who read the JSON. */
const TOP = ['tool', 'version', 'config', 'seed', 'traceHash', 'units', 'verified', 'machines'];
const ROW = (
  'name phase macs terms cycles pipelineCycles boundCycles singleStreamBound speedupVsDense occupancySpeedup ' +
  'utilization essentialBits zeroBitFraction zeroValueFraction activationZeroBitFraction ' +
  'activationZeroValueFraction kneadedRatio busy stall idle verified'
).split(' ');

describe.each(['replay', 'compare'])('JSON of %s', (command) => {
  test('has every promised key, at step level with values checked', async () => {
    const report = await goodReport(command, LENET, '--layer', 'conv1', '--seed', '7');
    for (const key of TOP) expect(report).toHaveProperty(key);
    expect(report).toMatchObject({ tool: 'kneadsim', seed: 7, verified: true, config: { level: 'step' } });
    expect(report.traceHash).toMatch(/^[0-9a-f]{64}$/);
    expect(report.machines.map(({ name }) => name)).toEqual(everyMachine);
    for (const machine of report.machines) {
      expect(machine).toHaveProperty(
        machine.name.startsWith('sparsetrain') ? 'config.groups' : 'config.tiles',
      );
      expect(machine.layers.map(({ name }) => name)).toEqual(['conv1']);
      for (const row of [...machine.layers, machine.total]) {
        for (const key of ROW) expect(row).toHaveProperty(key);
        for (const cycles of [...Object.values(row.stall), ...Object.values(row.idle)])
          expect(cycles).toBeTypeOf('number');
        expect(row.verified).toBe(true);
      }
    }
  });

  test('is the same bytes twice, and the same from both commands but for the budgets of compare', async () => {
    const args = [...COUNT, '--precision', 'int8', '--budget', 'none'];
    const text = await good(command, ...args, '--json');
    expect(await good(command, ...args, '--json')).toBe(text);
    const { budgets, ...report } = JSON.parse(text) as CompareReport;
    expect(budgets === undefined).toBe(command === 'replay');
    expect(report).toEqual(await goodReport('replay', ...args));
  });

  test('says null for verified where nothing was computed', async () => {
    const report = await goodReport(command, ...COUNT);
    expect([report.verified, report.machines[0].total.verified]).toEqual([null, null]);
  });
});

test('options reach the simulation', async () => {
  const args = ['--scale', 'pow2', '--per', 'channel', '--min-code', 'refuse', '--precision', 'int8'];
  const report = await goodReport('replay', ...COUNT, ...args, '--layer', 'conv?');
  expect(report.config).toEqual({
    level: 'count',
    precision: 'int8',
    scale: 'pow2',
    per: 'channel',
    minCode: 'refuse',
    layer: 'conv?',
    budget: 'none',
    phases: ['forward'],
    prune: null,
    threshold: null,
    thresholdFifo: null,
    firstGradInput: false,
    memory: { preset: 'dadiannao-like', ...plainConfig(memoryOf('dadiannao-like').config) },
    energyNode: '45nm',
  });
});

test('memory and node of energy reach the simulation, parameters override presets', async () => {
  const memory = [
    '--memory',
    'edge-like',
    '--set',
    'memory.dramBytesPerCycle=3',
    '--set',
    'memory.localBytes=infinite',
  ];
  const { config, machines } = await goodReport('replay', ...COUNT, ...memory, '--energy-node', '180nm');
  expect(config.memory).toEqual({
    preset: 'edge-like',
    ...plainConfig(memoryOf('edge-like').config),
    dramBytesPerCycle: 3,
    localBytes: 'infinite',
  });
  expect(config.energyNode).toBe('180nm');
  for (const { total } of machines) expect(total.energy.node).toBe('180 nm');
});

test('machines are repeated or separated by commas, in the order of the user', async () => {
  const report = await goodReport(
    'replay',
    ...COUNT,
    '--machine',
    'tetris,stripes',
    '--machine',
    'dadiannao',
  );
  expect(report.machines.map(({ name }) => name)).toEqual(['tetris', 'stripes', 'dadiannao']);
});

test('a setting goes to every machine that has it, or to the named one', async () => {
  const args = ['--set', 'tiles=2', '--set', 'tetris.units=4', '--set', 'kneadingStride=32'];
  const report = await goodReport('replay', ...COUNT, '--machine', 'dadiannao,tetris', ...args);
  expect(report.machines.map(({ config }) => [config.tiles, config.units, config.kneadingStride])).toEqual([
    [2, 16, undefined],
    [2, 4, 32],
  ]);
});

test('without a trace the bundled ResNet-8 runs', async () => {
  const report = await goodReport('replay', '--level', 'count');
  expect(report.trace.network).toBe('resnet8-fmnist');
});

test('on weights alone, machines that need activations are left out and named', async () => {
  const left = MACHINES.filter(({ needsActivations }) => needsActivations).map(({ name }) => name);
  const { code, out, err } = await kneadsim('replay', WEIGHTS_ONLY, '--json');
  expect(code).toBe(0);
  expect(err).toBe(
    `note: left out ${left.join(', ')}: their timing needs activations, and the trace has weights only\n`,
  );
  expect(JSON.parse(out)).toMatchObject({ config: { level: 'count' }, verified: null });
});

describe('tables', () => {
  test.each([
    ['replay', LENET, '--layer', 'conv1'],
    ['compare', LENET, '--layer', 'conv1'],
    ['replay', SEPARABLE],
    ['compare', SEPARABLE],
    ['replay', '--level', 'count', '--set', 'sync=barrier', '--set', 'throttleWords=1', '--set', 'columns=4'],
    ['compare', '--level', 'count', '--set', 'tiles=1', '--set', 'units=1', '--set', 'lanes=1'],
  ])('%s %s fits in 100 columns', async (...args) => {
    const { out } = await kneadsim(...args);
    for (const line of out.split('\n')) expect(line.length, line).toBeLessThanOrEqual(PAGE_WIDTH);
  });

  test('replay names the policy beside the speedup and its bound', async () => {
    const out = await good('replay', ...COUNT, '--machine', 'tetris', '--set', 'sync=barrier');
    expect(out).toContain(
      'tetris: 16 tiles x 16 units x 16 lanes by positions, kneadingStride 16, windowSlots 2,\n' +
        '    sync barrier (default skew)\n',
    );
    expect(out).toMatch(/speedup +bound/);
    for (const name of ['conv1', 'conv2', 'conv3', 'total'])
      expect(out).toMatch(new RegExp(`^${name} `, 'm'));
  });

  test('say what is known of values, and no more', async () => {
    expect(await good('replay', ...COUNT)).toContain('values not checked: level count only times');
    expect(await good('compare', LENET, '--layer', 'conv1', ...PEERS)).toContain(
      'verified: all 75,264 outputs equal the dense reference',
    );
  });

  test('compare has one table with the cycles that JSON has, and one with those of the system', async () => {
    const { machines } = await goodReport('compare', ...COUNT, ...PEERS);
    const out = await good('compare', ...COUNT, ...PEERS);
    const [pes, system, ...others] = out.match(/^total .*$/gm)!;
    expect(others).toEqual([]);
    for (const { total: row } of machines) {
      expect(pes).toContain(row.cycles.toLocaleString('en-US'));
      expect(system).toContain(row.memory.systemCycles.toLocaleString('en-US'));
    }
  });
});

test('CSV holds what JSON holds, one row per machine and layer, then the total', async () => {
  const report = await goodReport('replay', ...COUNT);
  const [header, ...rows] = parseCsv(await good('replay', ...COUNT, '--csv'));
  expect(header[0]).toBe('machine');
  expect(rows).toHaveLength(report.machines.length * (3 + 1));
  const expected = report.machines.flatMap(({ name, layers, total }) =>
    [...layers, total].map((row) => {
      const cells: [string, unknown][] = [['machine', name]];
      const visit = (path: string, value: unknown): void => {
        if (typeof value !== 'object' || value === null) cells.push([path.slice(1), value]);
        else for (const [part, inner] of Object.entries(value)) visit(`${path}.${part}`, inner);
      };
      visit('', { ...row, portCycles: row.portCycles ?? { one: null, two: null } });
      return Object.fromEntries(cells);
    }),
  );
  const found = rows.map((row) => Object.fromEntries(header.map((key, i) => [key, row[i]])));
  expect(found).toEqual(
    expected.map((row) =>
      Object.fromEntries(Object.entries(row).map(([k, v]) => [k, v === null ? '' : String(v)])),
    ),
  );
});

test('compare has both budgets, whichever one the run has', async () => {
  const [lanes, area, none] = await Promise.all(
    ['lanes', 'area', 'none'].map(async (budget) => {
      const machines =
        budget === 'area' ? ['--machine', 'dadiannao,tetris'] : ['--machine', 'dadiannao,stripes,tetris'];
      return JSON.parse(
        await good('compare', ...COUNT, ...machines, '--json', '--budget', budget),
      ) as CompareReport;
    }),
  );
  expect(none.budgets).toEqual(lanes.budgets);
  expect(area.budgets).toEqual(lanes.budgets.filter(({ machine }) => machine !== 'stripes'));
  const [dense, stripes, tetris] = lanes.budgets;
  expect(stripes.area).toBeNull();
  expect(tetris.lanes.multipliers).toBe(dense.lanes.multipliers);
  expect(tetris.area!.um2!).toBeLessThanOrEqual(dense.area!.um2!);
  expect(lanes.machines[2].total.speedupVsDense).toBe(tetris.lanes.speedup);
  expect(area.machines[1].total.speedupVsDense).toBe(tetris.area!.speedup);
});

describe('--out', () => {
  test.each([
    ['r.json', [], ['--json']],
    ['r.csv', [], ['--csv']],
    ['r.txt', [], []],
    ['R.JSON', [], ['--json']],
    ['r.csv', ['--json'], ['--json']],
    ['r.json', ['--csv'], ['--csv']],
  ])('to %s with %j keeps stdout silent and writes what stdout would get', async (file, flags, same) => {
    const folder = temporaryFolder();
    expect(await good('replay', ...COUNT, ...flags, '--out', join(folder, file))).toBe('');
    expect(readFileSync(join(folder, file), 'utf8')).toBe(await good('replay', ...COUNT, ...same));
    expect(readdirSync(folder)).toEqual([file]);
  });

  test('replaces a file that is there', async () => {
    const file = join(temporaryFolder(), 'r.json');
    writeFileSync(file, 'old');
    await good('compare', ...COUNT, '--out', file);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ tool: 'kneadsim' });
  });
});
