/** The flow of training: gradients, pruning over steps, budgets, denominators, recorded outputs. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { PHASES } from '../src/arch/machine.js';
import { MACHINES } from '../src/arch/registry.js';
import { quantize, type Precision } from '../src/quantize.js';
import type { LayerReport, Report } from '../src/report/report.js';
import { laneCycles, sumOf } from '../src/report/row.js';
import { simulate, type SimulateOptions } from '../src/simulate.js';
import { exactThreshold } from '../src/sparse/threshold.js';
import { openTrace } from '../src/trace/open.js';
import { openSteps } from '../src/trace/openSteps.js';
import type { Role } from '../src/trace/trace.js';
import { smallConv, writeStep, type StepParts } from './support/steps.js';
import { useFolder } from './trace/support.js';

const LENET = 'traces/lenet5-fmnist-late-s01500.safetensors';
const folder = useFolder();
const training = MACHINES.filter(({ phases }) => phases.length === PHASES.length).map(({ name }) => name);
const TINY = ['tiles=2', 'units=3', 'lanes=2'];

const run = (path: string, options: Partial<SimulateOptions> = {}): Report =>
  simulate(openSteps(path), { machines: training, phases: PHASES, prune: 0.9, ...options });

function codes(file: string, layer: string, role: Role, precision: Precision): Int32Array {
  const trace = openTrace(file);
  try {
    const tensor = trace.layers.find(({ name }) => name === layer)!.read(role);
    return quantize(tensor, { precision }, { file, place: layer }).codes;
  } finally {
    trace.close();
  }
}

const nonZero = (values: ArrayLike<number>): number => Array.from(values).filter((x) => x !== 0).length;

describe('a recorded step of LeNet-5, not pruned', () => {
  const report = run(LENET, { machines: ['dadiannao', 'tetris'], prune: 0, precision: 'int8' });

  test('is verified in all phases, and equals what was recorded within quantisation', () => {
    expect(report.verified).toBe(true);
    expect(report.violations).toEqual([]);
    // conv1 is the first layer: no gradient by its input.
    expect(report.recorded.map(({ name, phase }) => `${name} ${phase}`)).toEqual([
      'conv1 gradWeight',
      'conv2 gradInput',
      'conv2 gradWeight',
      'conv3 gradInput',
      'conv3 gradWeight',
    ]);
    for (const { elements, outside, largestShareOfBound, relativeDifference } of report.recorded) {
      expect(elements).toBeGreaterThan(100);
      expect([outside, largestShareOfBound < 1]).toEqual([0, true]);
      // The bound is no blank cheque.
      expect(relativeDifference).toBeLessThan(0.05);
    }
  });

  test('has one row per layer and phase, totals per phase and over all', () => {
    for (const { layers, phaseTotals, total, phases } of report.machines) {
      expect(layers.map(({ name, phase }) => `${name} ${phase}`)).toEqual([
        'conv1 forward',
        'conv1 gradWeight',
        ...['conv2', 'conv3'].flatMap((name) => PHASES.map((phase) => `${name} ${phase}`)),
      ]);
      expect(phases).toEqual(PHASES);
      expect(phaseTotals.map(({ phase }) => phase)).toEqual(PHASES);
      const cycles = (rows: LayerReport[]): number => rows.reduce((n, row) => n + row.cycles, 0);
      expect(cycles(phaseTotals)).toBe(total.cycles);
      expect(cycles(layers)).toBe(total.cycles);
      for (const row of [...layers, ...phaseTotals, total])
        expect(row.utilization).toBeCloseTo(row.busy / (row.busy + sumOf(row.stall) + sumOf(row.idle)), 12);
      for (const row of layers) expect(laneCycles(row)).toBe(row.laneSlots! * row.cycles);
    }
  });

  test('has the densities of a plain count', () => {
    for (const { name, density } of report.machines[0].layers)
      for (const [key, role] of [
        ['input', 'input'],
        ['weight', 'weight'],
        ['gradOutput', 'grad_output'],
      ] as const) {
        const values = codes(LENET, name, role, 'int8');
        expect(density[key]).toBe(nonZero(values) / values.length);
      }
  });

  test('gives the first layer a gradient by its input when told to', () => {
    const { machines } = run(LENET, {
      machines: ['dadiannao'],
      layer: 'conv1',
      phases: ['gradInput'],
      firstGradInput: true,
      level: 'count',
    });
    expect(machines[0].layers.map(({ phase }) => phase)).toEqual(['gradInput']);
  });
});

describe('pruning', () => {
  test('counts zeros by their cause, and is the same for the same seed only', () => {
    const options = { machines: ['dadiannao'], level: 'count', precision: 'int8' } as const;
    const [a, b, c] = [1, 1, 2].map((seed) => run(LENET, { ...options, seed }));
    expect(JSON.stringify(a)).toBe(JSON.stringify(b));
    expect(c.pruning).not.toEqual(a.pruning);
    for (const row of a.pruning) {
      const { elements, zeros, density } = row;
      expect(density.quantized).toBeCloseTo(1 - sumOf(zeros) / elements, 12);
      expect(density.pruned).toBeCloseTo(1 - (zeros.recorded + zeros.pruning) / elements, 12);
      expect(density.recorded).toBeCloseTo(1 - zeros.recorded / elements, 12);
      expect(zeros.pruning).toBeGreaterThan(0);
      expect(Math.abs(row.measuredBias)).toBeLessThan(4 * row.biasStandardError);
      expect([row.tau, row.target, row.threshold]).toEqual([row.tauExact, 0.9, 'exact']);
    }
  });

  test('at p = 0 leaves the gradients as they were recorded', () => {
    const { pruning } = run(LENET, { machines: ['dadiannao'], level: 'count', prune: 0 });
    for (const { tau, zeros, density, addedVariance } of pruning) {
      expect([tau, zeros.pruning, addedVariance]).toEqual([0, 0, 0]);
      expect(density.pruned).toBe(density.recorded);
    }
  });

  test('never adds gradients as p grows', () => {
    const counts = [0, 0.5, 0.9, 0.99].map((prune) =>
      run(LENET, { machines: ['dadiannao'], level: 'count', prune }).pruning.map(
        // After quantisation it need not hold: see test/arch/pruningLaws.test.ts.
        ({ density, elements }) => density.pruned * elements,
      ),
    );
    for (let i = 1; i < counts.length; i++)
      counts[i].forEach((count, layer) => expect(count).toBeLessThanOrEqual(counts[i - 1][layer]));
  });
});

describe('a folder of steps', () => {
  const write = async (count: number): Promise<string> => {
    for (let s = 0; s < count; s++)
      await writeStep(folder.path(`run/s${s + 9}.safetensors`), { seed: s, sigma: 1e-3 * (s + 1) });
    return folder.path('run');
  };

  test('predicts thresholds from the last N_F steps, in the order of the names', async () => {
    const path = await write(4);
    const report = run(path, { machines: ['dadiannao'], thresholdFifo: 2, settings: TINY });
    expect(report.steps.map(({ file }) => file)).toEqual(
      [9, 10, 11, 12].map((s) => join(path, `s${s}.safetensors`)),
    );
    expect(report.config).toMatchObject({ threshold: 'predicted', thresholdFifo: 2 });
    for (const layer of ['first', 'second']) {
      const exact = report.steps.map(({ file }) => {
        const trace = openTrace(file);
        const { data } = trace.layers.find(({ name }) => name === layer)!.read('grad_output');
        trace.close();
        return exactThreshold(data, 0.9);
      });
      const rows = report.pruning.filter(({ name }) => name === layer);
      expect(rows.map(({ tauExact }) => tauExact)).toEqual(exact);
      // Nothing is pruned until the FIFO is full.
      const predicted = [null, null, (exact[0] + exact[1]) / 2, (exact[1] + exact[2]) / 2];
      expect(rows.map(({ tauPredicted }) => tauPredicted)).toEqual(predicted);
      expect(rows.map(({ tau }) => tau)).toEqual(predicted.map((tau) => tau ?? 0));
    }
    expect(report.machines[0].layers.map(({ step }) => step)).toEqual(
      [0, 1, 2, 3].flatMap((step) => Array<number>(5).fill(step)),
    );
    expect(report.machines[0].total.step).toBeNull();
    expect(report.verified).toBe(true);
  });

  test('uses exact thresholds when told to, by the run or for a machine', async () => {
    const path = await write(2);
    const exact = run(path, { machines: ['dadiannao'], threshold: 'exact', level: 'count' });
    for (const { tau, tauExact } of exact.pruning) expect(tau).toBe(tauExact);
    if (!training.includes('sparsetrain')) return;
    const machines = ['dadiannao', 'sparsetrain'];
    const settings = ['sparsetrain.threshold=exact'];
    expect(run(path, { machines, settings, level: 'count' }).pruning).toEqual(exact.pruning);
    expect(() => run(path, { machines, settings, threshold: 'predicted' })).toThrow(
      expect.objectContaining({ code: 'thresholds-differ', exitCode: 1 }),
    );
  });

  test('is as many steps added up', async () => {
    const path = await write(2);
    const options = { machines: ['tetris'], prune: 0, settings: TINY };
    const whole = run(path, options).machines[0].total;
    const parts = [9, 10].map((s) => run(join(path, `s${s}.safetensors`), options).machines[0].total);
    for (const key of ['cycles', 'busy', 'terms', 'macs', 'denseCycles', 'outputsChecked'] as const)
      expect(whole[key]).toBe(parts[0][key] + parts[1][key]);
  });

  test('must be of one network', async () => {
    const path = await write(1);
    await writeStep(join(path, 's99.safetensors'), {
      seed: 1,
      shapes: { first: smallConv(), second: smallConv() },
    });
    expect(() => openSteps(path)).toThrow(
      /s99\.safetensors: layer second: found channels 3, strideX 1, expected channels 4, strideX 2, as in .*s9\./,
    );
  });

  test('must have the same layers and tensors in each', async () => {
    const shapes = { first: smallConv(), second: smallConv({ channels: 4, strideX: 2 }) };
    const [a, b] = ['a', 'b'].map((name) => folder.path(`differ/${name}.safetensors`));
    const refused = async (inA: Partial<StepParts>, inB: Partial<StepParts>): Promise<string> => {
      await writeStep(a, { seed: 1, shapes, ...inA });
      await writeStep(b, { seed: 2, shapes, ...inB });
      try {
        openSteps(folder.path('differ'));
      } catch (error) {
        return (error as Error).message;
      }
      return 'taken';
    };
    const fewer = { shapes: { first: shapes.first } };
    expect(await refused({}, {})).toBe('taken');
    expect(await refused({}, fewer)).toMatch(
      /b\.safetensors: layer 2: found no such layer, expected layer second/,
    );
    expect(await refused(fewer, {})).toMatch(
      /b\.safetensors: layer 2: found layer second, expected no such layer/,
    );
    expect(await refused({}, { without: ['input_mask'] })).toMatch(
      /layer first: found tensors .*expected tensors .*input_mask/,
    );
  });

  test('must hold traces', () => {
    folder.write('empty/readme.txt', 'nothing');
    expect(() => openSteps(folder.path('empty'))).toThrow(
      /folder without \.safetensors files.*kneadsim record/,
    );
  });
});

describe('what cannot run is refused', () => {
  test.each<[Partial<SimulateOptions>, string, RegExp]>([
    [{ prune: 1 }, 'bad-prune', /found 1, expected a target of at least 0 \(no pruning\) and below 1/],
    [{ prune: -0.1 }, 'bad-prune', /found -0.1/],
    [{ prune: NaN }, 'bad-prune', /found NaN/],
    [{ phases: [] }, 'bad-phase', /expected forward, gradInput, gradWeight/],
    [
      { machines: ['stripes'], phases: ['gradInput'] },
      'no-phase',
      /stripes does not run gradInput; it runs forward/,
    ],
    [{ layer: 'conv1', phases: ['gradInput'] }, 'nothing-to-run', /first of the network.*--first-grad-input/],
    [{ per: 'channel' }, 'scales-per-channel', /gradInput sums over filters/],
    [{ machines: ['stripes'], budget: 'area', phases: ['forward'] }, 'no-area', /no coefficient/],
  ])('%j', (options, code, message) => {
    const refused = () => run(LENET, options);
    expect(refused).toThrow(message);
    expect(refused).toThrow(expect.objectContaining({ code, exitCode: 1 }));
  });

  test('a trace without gradients, naming the layer and the remedy', async () => {
    const file = await writeStep(folder.path('bare.safetensors'), { seed: 1, without: ['grad_output'] });
    expect(() => run(file)).toThrow(/layer first: found no grad_output, expected.*--phase forward/);
    expect(run(file, { phases: ['forward'], machines: ['dadiannao'] }).verified).toBe(true);
  });
});

test('factors over the dense twin are those of the twin itself, run beside', () => {
  const machines = ['sparsetrain-dense', 'sparsetrain', 'masked', 'tetris'];
  const report = run(LENET, { machines, level: 'count', budget: 'lanes', precision: 'int8', layer: 'conv2' });
  const [twin, ...others] = report.machines;
  for (const { layers, total } of others)
    for (const [i, row] of [...layers, total].entries()) {
      const beside = [...twin.layers, twin.total][i];
      expect(row.twinCycles).toBe(beside.cycles);
      expect(row.speedupVsTwin).toBe(beside.cycles / row.cycles);
      expect(row.occupancySpeedupVsTwin).toBe(beside.busy / (row.busy + sumOf(row.stall)));
      // Both bounds are over the same dense lane-items.
      expect(row.singleStreamBoundVsTwin).toBeCloseTo(row.singleStreamBound! / beside.singleStreamBound!, 12);
    }
});

test('per-channel scales serve forward and gradWeight', () => {
  const report = run(LENET, {
    machines: ['dadiannao'],
    per: 'channel',
    prune: 0,
    phases: ['forward', 'gradWeight'],
  });
  expect(report.verified).toBe(true);
  for (const { outside } of report.recorded) expect(outside).toBe(0);
});

describe('recorded gradients', () => {
  const recorded = async (gradientsOff: number): Promise<Report> => {
    const file = await writeStep(folder.path('step.safetensors'), { seed: 3, gradientsOff });
    return run(file, { machines: ['dadiannao'], prune: 0, precision: 'int16' });
  };

  test('that are right lie within the bound', async () => {
    const report = await recorded(0);
    expect(report.recorded.map(({ outside }) => outside)).toEqual([0, 0, 0]);
    expect(report.notes).toEqual([]);
  });

  test('that are wrong are found and said aloud, and are no fault of the machine', async () => {
    const report = await recorded(0.01);
    for (const { outside, elements } of report.recorded) expect(outside).toBeGreaterThan(elements / 2);
    expect(report.notes[0]).toMatch(/layer first, gradWeight, step 0: \d+ of 108 values differ/);
    expect([report.verified, report.violations]).toEqual([true, []]);
  });

  test('are not compared where gradients were pruned', async () => {
    const file = await writeStep(folder.path('step.safetensors'), { seed: 3, gradientsOff: 0 });
    expect(run(file, { machines: ['dadiannao'] }).recorded).toEqual([]);
  });
});

test('machines that do not run a phase are left out there, with a note', () => {
  const report = run(LENET, { machines: ['stripes', 'dadiannao'], level: 'count', layer: 'conv2' });
  expect(report.machines.map(({ layers }) => layers.length)).toEqual([1, 3]);
  expect(report.notes).toEqual(['stripes does not run gradInput and gradWeight: left out there']);
});

test('rows of gradWeight on row PEs tell the cycles of either number of ports', () => {
  const machines = ['sparsetrain', 'sparsetrain-dense', 'hybrid', 'masked'];
  const options = { machines, level: 'count', budget: 'lanes', precision: 'int8' } as const;
  const cyclesOf = (ports: number) =>
    run(LENET, { ...options, settings: [`ports=${ports}`] }).machines.map(({ layers, total }) => ({
      rows: layers.map(({ phase, cycles, portCycles }) => ({ phase, cycles, portCycles })),
      total: total.portCycles,
    }));
  const [one, two] = [cyclesOf(1), cyclesOf(2)];
  machines.forEach((name, m) => {
    const inRows = name !== 'masked';
    one[m].rows.forEach((row, i) => {
      const other = two[m].rows[i];
      const both = { one: row.cycles, two: other.cycles };
      const expected = inRows && row.phase === 'gradWeight' ? both : null;
      expect([row.portCycles, other.portCycles]).toEqual([expected, expected]);
      if (expected) expect(both.one).toBeGreaterThan(both.two);
    });
    const sum = (of: 'one' | 'two') =>
      one[m].rows.reduce((cycles, { portCycles }) => cycles + (portCycles?.[of] ?? 0), 0);
    expect(one[m].total).toEqual(inRows ? { one: sum('one'), two: sum('two') } : null);
  });
});
