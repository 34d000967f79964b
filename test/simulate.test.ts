/** The whole flow on bundled real traces: values, levels, conservation, and the definitions of the report. */
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { MACHINES, machineKind } from '../src/arch/registry.js';
import { tetris } from '../src/arch/tetris.js';
import { quantize, type Codes, type Precision } from '../src/quantize.js';
import type { LayerReport, Report } from '../src/report/report.js';
import { simulate, type SimulateOptions } from '../src/simulate.js';
import { macCount, outputSize } from '../src/tensor.js';
import { openTrace } from '../src/trace/open.js';
import type { TraceLayer } from '../src/trace/trace.js';
import { broken, WRONG_VALUES } from './support/broken.js';
import { range } from './support/layers.js';
import { naiveOnes } from './support/naiveKnead.js';

const LENET = 'lenet5-fmnist-late-s01500';
const all = MACHINES.map(({ name }) => name);

function withLayers<T>(name: string, use: (layers: TraceLayer[]) => T): T {
  const trace = openTrace(fileURLToPath(new URL(`../traces/${name}.safetensors`, import.meta.url)));
  try {
    return use(trace.layers);
  } finally {
    trace.close();
  }
}

function run(name: string, options: Partial<SimulateOptions>): Report {
  const trace = openTrace(fileURLToPath(new URL(`../traces/${name}.safetensors`, import.meta.url)));
  try {
    return simulate(trace, { machines: all, ...options });
  } finally {
    trace.close();
  }
}

const codesOf = (layer: TraceLayer, role: 'weight' | 'input', precision: Precision): Codes =>
  quantize(layer.read(role), { precision, unsignedAllowed: role === 'input' }, { file: '', place: '' });

const kneads = (name: string): boolean => ['sac', 'maskedSac'].includes(machineKind(name).units('forward'));

const sum = (parts: Record<string, number>): number => Object.values(parts).reduce((a, b) => a + b, 0);

describe.each(['int8', 'int16'] as const)('lenet5 at %s', (precision) => {
  let step: Report;
  let count: Report;
  beforeAll(() => {
    step = run(LENET, { precision });
    count = run(LENET, { precision, level: 'count' });
  }, 60_000);

  it('is verified through all machines, every output equal to the dense reference', () => {
    expect(step.config.level).toBe('step');
    expect(step.violations).toEqual([]);
    expect(step.verified).toBe(true);
    for (const { layers, total } of step.machines)
      expect([...layers, total].map((row) => row.verified)).toEqual([true, true, true, true]);
  });

  it('has the same rows at level count, unverified', () => {
    expect(count.verified).toBeNull();
    expect(count.violations).toEqual([]);
    const plain = (report: Report) =>
      report.machines.map(({ name, layers, total }) => ({
        name,
        rows: [...layers, total].map((row) =>
          Object.fromEntries(
            Object.entries(row).filter(([key]) => !/verified|outputsChecked|checked/i.test(key)),
          ),
        ),
      }));
    expect(plain(count)).toEqual(plain(step));
  });

  it('accounts for every lane and cycle, and issues every term', () => {
    for (const { name, layers, laneSlots } of step.machines)
      for (const row of layers) {
        expect(row.busy + sum(row.stall) + sum(row.idle)).toBe(laneSlots * row.cycles);
        // Rows leave out padding and zeros; conservation counts what remains.
        if (name.startsWith('sparsetrain')) expect(row.terms).toBeLessThanOrEqual(row.macs);
        else expect(row.terms).toBe(row.macs);
        expect(row.cycles).toBeGreaterThanOrEqual(row.boundCycles);
      }
  });

  it('reports what its definitions say', () => {
    withLayers(LENET, (traced) => {
      const dense = step.machines.find(({ name }) => name === 'dadiannao')!;
      for (const { name, layers, laneSlots, config } of step.machines)
        layers.forEach((row, i) => {
          const layer = traced[i];
          const weights = codesOf(layer, 'weight', precision);
          const input = codesOf(layer, 'input', precision);
          // Bit-serial columns work on one dense lane together.
          const share = Number(config.columns ?? 1);
          expect(row).toMatchObject({ name: layer.name, phase: 'forward', macs: macCount(layer.shape) });
          expect(row.speedupVsDense).toBe(row.denseCycles / row.cycles);
          expect(row.denseCycles).toBe(dense.layers[i].cycles);
          expect(row.utilization).toBe(row.busy / (laneSlots * row.cycles));
          expect(row.occupancySpeedup).toBe((row.macs * share) / (row.busy + sum(row.stall)));
          const zeroBits = (c: Codes): number =>
            1 - c.codes.reduce((n, x) => n + naiveOnes(x), 0) / (c.codes.length * c.magnitudeBits);
          const zeros = (c: Codes): number => c.codes.filter((x) => x === 0).length / c.codes.length;
          expect(row.zeroBitFraction).toBeCloseTo(zeroBits(weights), 12);
          expect(row.zeroValueFraction).toBe(zeros(weights));
          expect(row.activationZeroBitFraction).toBeCloseTo(zeroBits(input), 12);
          expect(row.activationZeroValueFraction).toBe(zeros(input));
          expect(row.kneadedRatio === null).toBe(!kneads(name));
          const { outHeight, outWidth } = outputSize(layer.shape);
          const ones = weights.codes.reduce((n, x) => n + naiveOnes(x), 0);
          if (name === 'tetris' || name === 'dadiannao')
            expect(row.essentialBits).toBe(ones * layer.shape.batch * outHeight * outWidth);
        });
    });
  });

  it('adds its layers up in the total', () => {
    for (const { layers, total } of step.machines) {
      const added = (of: (row: LayerReport) => number): number => layers.reduce((n, row) => n + of(row), 0);
      for (const key of [
        'macs',
        'terms',
        'cycles',
        'boundCycles',
        'pipelineCycles',
        'busy',
        'essentialBits',
        'denseCycles',
      ] as const)
        expect(total[key]).toBe(added((row) => row[key]));
      expect(total.phase).toBe('all');
      expect(total.speedupVsDense).toBe(added((row) => row.denseCycles) / total.cycles);
      for (const cause of Object.keys(total.stall) as (keyof typeof total.stall)[])
        expect(total.stall[cause]).toBe(added((row) => row.stall[cause]));
    }
  });
});

describe('a corrupted machine', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it.each(Object.entries(WRONG_VALUES))('(%s) is not verified, and the report says where', (_, tamper) => {
    const wrong = broken(tetris, tamper);
    vi.spyOn(tetris, 'configure').mockImplementation(wrong.configure);
    const report = run(LENET, { machines: ['dadiannao', 'tetris'], layer: 'conv2' });
    expect(report.verified).toBe(false);
    expect(report.machines.map(({ total }) => total.verified)).toEqual([true, false]);
    expect(report.violations[0]).toMatch(/^tetris, layer conv2, forward: .*\d+ of 6400 outputs differ/);
  });

  it('with a counter that leaks is not verified, at level count too', () => {
    const wrong = broken(tetris, () => ({ count: (c) => void c.busy++ }));
    vi.spyOn(tetris, 'configure').mockImplementation(wrong.configure);
    const report = run(LENET, { machines: ['tetris'], layer: 'conv3', level: 'count' });
    expect(report.verified).toBe(false);
    expect(report.violations).toEqual([expect.stringMatching(/issued \+ stalled \+ idle = lanes x cycles/)]);
  });
});

describe('choices of the flow', () => {
  it('sends a setting to every machine that has it, or to the one named', () => {
    const settings = ['tiles=2', 'tetris.units=3', 'columns=4'];
    const chosen = ['dadiannao', 'pragmatic', 'stripes', 'tetris'];
    const { machines } = run(LENET, { machines: chosen, level: 'count', layer: 'conv1', settings });
    expect(machines.map(({ config }) => [config.tiles, config.units, config.columns])).toEqual([
      [2, 16, undefined],
      [2, 16, 4],
      [2, 16, 4],
      [2, 3, undefined],
    ]);
    // The denominator has the array of each machine: 6 filters take both tiles if a tile has 3 units.
    expect(machines[3].total.denseCycles).toBe(2 * machines[0].total.cycles);
  });

  it.each(['tiles=3', 'units=5', 'lanes=4', 'tileBy=filters'])(
    'divides by dadiannao with the same %s',
    (setting) => {
      const options = { level: 'count', layer: 'conv2', settings: ['tiles=9', setting] } as const;
      const dense = run(LENET, { ...options, machines: ['dadiannao'] }).machines[0].total.cycles;
      expect(dense).not.toBe(
        run(LENET, { ...options, settings: ['tiles=9'], machines: ['dadiannao'] }).machines[0].total.cycles,
      );
      // Asked for or not.
      expect(run(LENET, { ...options, machines: ['tetris'] }).machines[0].total.denseCycles).toBe(dense);
    },
  );

  it.each<[Partial<SimulateOptions>, string, RegExp]>([
    [{ machines: ['tetriss'] }, 'unknown-machine', /unknown machine tetriss; there are dadiannao/],
    [{ machines: [] }, 'no-machine', /no machine/],
    [{ machines: ['tetris', 'tetris'] }, 'machine-twice', /named twice/],
    [{ settings: ['kneading=3'] }, 'unknown-parameter', /none of .* has a parameter kneading/],
    [{ machines: ['tetris'], settings: ['stripes.tiles=3'] }, 'unknown-parameter', /stripes is not among/],
    [{ settings: ['tiles'] }, 'bad-setting', /expected \[machine.\]parameter=value/],
    [{ settings: ['tiles=0'] }, 'bad-parameter', /found "0", expected a whole number from 1 to/],
    [{ settings: ['tetris.sync=eager'] }, 'bad-parameter', /expected skew or barrier/],
    [{ layer: 'fc*' }, 'no-layer', /no layer matches fc\*; it has conv1, conv2, conv3/],
    [{ machines: ['tetris'], settings: ['emptyGroupCycles=0'] }, 'bad-parameter', /level count/],
    [{ machines: ['tetris'], settings: ['int8Streams=2'] }, 'bad-parameter', /int8Streams=1/],
  ])('refuses %j', (options, code, message) => {
    const refused = () => run(LENET, { layer: 'conv1', ...options });
    expect(refused).toThrow(message);
    expect(refused).toThrow(expect.objectContaining({ code, exitCode: 1 }));
  });

  it('needs activations to step, and for machines that are timed by them', () => {
    const name = 'waifu2x-vgg7-scale2.0x';
    for (const options of [{ level: 'step' }, { level: 'count' }, {}] as const)
      expect(() => run(name, options)).toThrow(
        expect.objectContaining({ code: 'no-activations', exitCode: 1 }),
      );
    const report = run(name, { machines: ['dadiannao', 'tetris'] });
    expect([report.config.level, report.verified]).toEqual(['count', null]);
    expect(report.machines[1].total.activationZeroBitFraction).toBeNull();
  });

  it('two int8 streams double the units, and emptyGroupCycles=0 is a bound', () => {
    const total = (...settings: string[]): LayerReport =>
      run(LENET, { machines: ['tetris'], precision: 'int8', level: 'count', layer: 'conv3', settings })
        .machines[0].total;
    const few = ['tiles=1', 'tileBy=filters', 'kneadingStride=2'];
    expect(total(...few, 'units=4', 'int8Streams=2').cycles).toBe(total(...few, 'units=8').cycles);
    const [bound, real] = [total(...few, 'emptyGroupCycles=0'), total(...few)];
    expect(bound.kneadedRatio!).toBeLessThan(real.kneadedRatio!);
    expect(bound.cycles).toBeLessThanOrEqual(real.cycles);
  });

  it('tells how far it is', () => {
    const seen: string[] = [];
    run(LENET, {
      machines: ['dadiannao', 'tetris'],
      level: 'count',
      progress: (done, of, label) => seen.push(`${done}/${of} ${label}`),
    });
    expect(seen).toEqual([
      ...range(6).map((i) => `${i}/6 conv${1 + (i >> 1)} on ${i % 2 ? 'tetris' : 'dadiannao'}`),
      '6/6 done',
    ]);
  });
});
