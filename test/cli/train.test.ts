/** train: the ablation, tables, JSON and CSV, the file of outputs, the search over shapes, and what is refused. */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { PHASES } from '../../src/arch/machine.js';
import { referenceForward, referenceGradInput, referenceGradWeight } from '../../src/reference.js';
import type { AblationReport } from '../../src/report/ablationReport.js';
import type { ShapeReport } from '../../src/report/shapeReport.js';
import { PAGE_WIDTH } from '../../src/report/textTable.js';
import { ablationMachines } from '../../src/train/ablation.js';
import { openTrace } from '../../src/trace/open.js';
import { parseCsv } from '../report/parseCsv.js';
import { smallConv, writeStep } from '../support/steps.js';
import { good, goodReport, LENET, refused, temporaryFolder, WEIGHTS_ONLY } from './harness.js';

const LAYER = ['--layer', 'conv3'];
const SMALL = ['--set', 'tiles=2', '--set', 'units=4', '--set', 'lanes=4'];
const longest = (text: string): number => Math.max(...text.split('\n').map((line) => line.length));

const step = (parts: Partial<Parameters<typeof writeStep>[1]> = {}): Promise<string> =>
  writeStep(join(temporaryFolder(), 'step.safetensors'), { seed: 5, ...parts });

describe('the ablation', () => {
  test('has every condition, machine and phase, with both denominators, and is verified', async () => {
    const file = await step();
    const report = JSON.parse(await good('train', file, ...SMALL, '--json')) as AblationReport;
    expect(report).toMatchObject({ verified: true, config: { precision: 'int16', prune: 0.9 } });
    expect(report.otherRuns.map(({ config }) => [config.precision, config.prune])).toEqual([
      ['int8', 0],
      ['int8', 0.9],
      ['int16', 0],
    ]);
    const machines = ablationMachines();
    expect(report.ablation).toHaveLength(4 * machines.length * (PHASES.length + 1));
    for (const row of report.ablation) {
      expect(machines).toContain(row.machine);
      expect(row.vsDense.raw).toBe(row.vsDense.cycles! / row.cycles);
      for (const factor of Object.values(row.vsDense)) expect(factor).toBeGreaterThan(0);
      expect(Object.values(row.shares).reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
      if (row.machine === 'dadiannao') expect([row.vsDense.raw, row.vsDense.bound]).toEqual([1, 1]);
      if (row.machine === 'sparsetrain-dense') expect([row.vsTwin.raw, row.vsTwin.bound]).toEqual([1, 1]);
    }
  });

  test('is a text of tables that fit the page', async () => {
    const file = await step();
    const text = await good('train', file, ...SMALL, '--precision', 'int8');
    expect(longest(text)).toBeLessThanOrEqual(PAGE_WIDTH);
    expect(
      text.match(/^int8, gradients (not pruned|pruned at p = 0\.9), speedup x dense MAC$/gm),
    ).toHaveLength(2);
    for (const machine of ablationMachines())
      expect(text.match(new RegExp(`^${machine} `, 'gm'))!.length).toBeGreaterThanOrEqual(4);
    expect(text).toMatch(/^verified: all [\d,]+ outputs of 2 runs equal the dense reference/m);
    expect(text).toContain('budget lanes: as many multipliers as the dense array, 32');
  });

  test('as CSV has one row per condition, machine and phase', async () => {
    const file = await step();
    const args = [
      'train',
      file,
      ...SMALL,
      '--precision',
      'int8',
      '--prune',
      '0',
      '--level',
      'count',
      '--csv',
    ];
    const [header, ...rows] = parseCsv(await good(...args));
    expect(header).toEqual(
      expect.arrayContaining(['machine', 'prune', 'vsDense.raw', 'shares.stall.window']),
    );
    expect(rows).toHaveLength(ablationMachines().length * (PHASES.length + 1));
  });
});

describe('named machines', () => {
  test('give rows with densities, pruning and configuration', async () => {
    const report = await goodReport('train', LENET, ...LAYER, '--machine', 'tetris', '--seed', '3');
    expect(report).toMatchObject({
      seed: 3,
      verified: true,
      config: { phases: PHASES, prune: 0.9, threshold: 'exact', budget: 'lanes', level: 'step' },
      budget: { lanes: 4096 },
    });
    expect(report.pruning).toHaveLength(1);
    expect(report.machines[0].layers.map(({ phase }) => phase)).toEqual(PHASES);
    for (const { density } of report.machines[0].layers)
      expect(density.gradOutput).toBe(report.pruning[0].density.quantized);
  });

  test('give tables that fit the page, with the gradients and what was recorded', async () => {
    const text = await good('train', LENET, '--machine', 'dadiannao,tetris', '--prune', '0');
    expect(longest(text)).toBeLessThanOrEqual(PAGE_WIDTH);
    expect(text).toContain('gradients not pruned');
    expect(text).toMatch(/^recorded: [\d,]+ values of 5 tensors, 0 outside the quantisation bound/m);
    expect(text).toMatch(/^total +gradInput /m);
  });

  test('take phases and thresholds from the command line', async () => {
    const args = [
      '--phase',
      'gradWeight',
      '--phase',
      'gradInput',
      '--threshold',
      'predicted',
      '--level',
      'count',
    ];
    const { config } = await goodReport('train', LENET, '--machine', 'dadiannao', ...args, '--prune', '0.5');
    expect(config).toMatchObject({
      phases: ['gradInput', 'gradWeight'],
      threshold: 'predicted',
      prune: 0.5,
    });
  });

  test('run a folder as one run, in a text of totals', async () => {
    const folder = temporaryFolder();
    for (const s of [1, 2]) await writeStep(join(folder, `s${s}.safetensors`), { seed: s });
    const text = await good('train', folder, '--machine', 'dadiannao', ...SMALL);
    expect(text).toContain('2 steps');
    expect(text).toMatch(/threshold predicted/);
    expect(text).not.toMatch(/^first +forward/m);
    expect(text).toContain('rows per step and layer are in --json and --csv');
  });
});

interface Tensor {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

/** Reads a safetensors file without the code under test. */
function readTensors(file: string): Map<string, Float64Array | Int16Array> {
  const bytes = readFileSync(file);
  const length = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.subarray(8, 8 + length).toString('utf8')) as Record<string, Tensor>;
  const tensors = new Map<string, Float64Array | Int16Array>();
  let end = 0;
  for (const [name, { dtype, shape, data_offsets: at }] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const data = new Uint8Array(bytes.subarray(8 + length + at[0], 8 + length + at[1])).buffer;
    const values = dtype === 'F64' ? new Float64Array(data) : new Int16Array(data);
    expect(values).toHaveLength(shape.reduce((n, d) => n * d, 1));
    tensors.set(name, values);
    end = Math.max(end, at[1]);
  }
  expect(bytes.length).toBe(8 + length + end);
  return tensors;
}

describe('--outputs', () => {
  test('holds codes, scales and outputs that can be computed again', async () => {
    const file = await step();
    const out = join(temporaryFolder(), 'outputs.safetensors');
    await good('train', file, '--machine', 'dadiannao', ...SMALL, '--precision', 'int8', '--outputs', out);
    const tensors = readTensors(out);
    const trace = openTrace(file);
    for (const traced of trace.layers) {
      const { name, shape } = traced;
      const get = (what: string) => tensors.get(`${name}/${what}`)!;
      const [weight, input, gradient] = ['weight', 'input', 'grad_output'].map((role) =>
        get(`codes/${role}`),
      );
      expect(get('forward/output')).toEqual(referenceForward(shape, weight, input));
      expect(get('gradWeight/output')).toEqual(referenceGradWeight(shape, input, gradient));
      if (name === 'first') expect(get('gradInput/output')).toBeUndefined();
      else expect(get('gradInput/output')).toEqual(referenceGradInput(shape, weight, gradient));
      const [scale] = get('scales/weight');
      const reals = traced.read('weight').data;
      weight.forEach((code, i) =>
        expect(Math.abs(code * scale - reals[i])).toBeLessThanOrEqual(scale * 0.5001),
      );
    }
    trace.close();
  });

  test('names tensors by step in a run of several', async () => {
    const folder = temporaryFolder();
    for (const s of [1, 2]) await writeStep(join(folder, `s${s}.safetensors`), { seed: s });
    const out = join(temporaryFolder(), 'o.safetensors');
    await good('train', folder, '--machine', 'dadiannao', ...SMALL, '--phase', 'forward', '--outputs', out);
    expect([...readTensors(out).keys()].filter((name) => name.endsWith('output')).sort()).toEqual(
      ['step0/first', 'step0/second', 'step1/first', 'step1/second'].map((name) => `${name}/forward/output`),
    );
  });

  test('refuses a folder, and level count, and leaves nothing behind', async () => {
    const folder = temporaryFolder();
    expect(await refused('train', LENET, '--machine', 'tetris', '--outputs', folder)).toContain(
      'is a folder',
    );
    const args = ['train', LENET, '--machine', 'tetris', '--level', 'count'];
    expect(await refused(...args, '--outputs', join(folder, 'o'))).toContain(
      'only level step computes outputs',
    );
    // One file would take the place of the other.
    const same = ['--out', join(folder, 'o'), '--outputs', join(folder, '.', 'x', '..', 'o')];
    expect(await refused('train', LENET, '--machine', 'tetris', ...same)).toContain(
      'expected a file for each',
    );
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('--shape-search', () => {
  test('tries shapes of one budget, and runs the winners again with values', async () => {
    const file = await step({ shapes: { first: smallConv({ channels: 2, filters: 2 }) } });
    const args = ['train', file, '--shape-search', '--precision', 'int8', '--machine', 'tetris,dadiannao'];
    const small = ['--set', 'units=2', '--set', 'kneadingStride=4', '--set', 'lowering=channelBlock'];
    const report = JSON.parse(await good(...args, ...small, '--json')) as ShapeReport;
    expect(report.verified).toBe(true);
    for (const { config, machine, kept, occupancySpeedup, singleStreamBound, level } of report.shapes) {
      expect((config.tiles as number) * (config.units as number) * (config.lanes as number)).toBe(512);
      expect(config.units).toBe(2);
      expect(kept).toBe(occupancySpeedup! / singleStreamBound!);
      expect(level).toBe('count');
      if (machine === 'tetris') expect(config.kneadingStride).toBe(4);
    }
    for (const { machine, byCycles, byOccupancy, byKept } of report.winners) {
      const own = report.shapes.filter((row) => row.machine === machine);
      expect(byCycles).toMatchObject({ level: 'step', verified: true });
      expect(byCycles.cycles).toBe(Math.min(...own.map(({ cycles }) => cycles)));
      expect(byKept.kept).toBe(Math.max(...own.map((row) => row.kept!)));
      expect(byOccupancy.occupancySpeedup).toBe(Math.max(...own.map((row) => row.occupancySpeedup!)));
    }
    // Tiles for all machines are the budget, not a part of the shape.
    const few = JSON.parse(await good(...args, ...small, '--set', 'tiles=2', '--json')) as ShapeReport;
    for (const { config } of few.shapes)
      expect((config.tiles as number) * (config.lanes as number)).toBe(2 * 16);
    const text = await good(...args, ...small);
    expect(longest(text)).toBeLessThanOrEqual(PAGE_WIDTH);
    expect(text).toMatch(/^verified: all [\d,]+ outputs of the \d winners, at level step/m);
  });
});

describe('refused in one line:', () => {
  test.each([
    [['--prune', '1'], /at least 0 \(no pruning\) and below 1/],
    [['--prune', 'NaN'], /at least 0 \(no pruning\) and below 1/],
    [['--prune', ''], /below 1/],
    [['--prune', '-0.1'], /below 1/],
    [['--phase', 'backward'], /found backward, expected forward, gradInput, gradWeight/],
    [['--threshold', 'guessed'], /exact, predicted/],
    [['--budget', 'watts'], /lanes, area, none/],
    [['--machine', 'stripes', '--phase', 'gradInput'], /stripes does not run gradInput; it runs forward/],
    [['--machine', 'stripes', '--budget', 'area', '--phase', 'forward'], /no coefficient for its PEs/],
  ])('%j', async (args, message) => {
    expect(await refused('train', LENET, ...args)).toMatch(message);
  });

  test('a folder without traces, and a trace without gradients', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'notes.txt'), '');
    expect(await refused('train', folder)).toMatch(/folder without \.safetensors files/);
    expect(await refused('train', WEIGHTS_ONLY)).toMatch(/found no grad_output, expected.*--phase forward/);
  });
});
