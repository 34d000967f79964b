/** Parameters and counters: defaults, ranges, sums, and the registry. */
import { describe, expect, it } from 'vitest';
import { addCounters, resolveConfig, zeroCounters, type Counters } from '../../src/arch/machine.js';
import { machineKind, MACHINES } from '../../src/arch/registry.js';
import { tetris } from '../../src/arch/tetris.js';
import { bump, counterPaths } from '../support/broken.js';
import { conv, configured, layer } from '../support/layers.js';

describe('machines', () => {
  it('are found by name, each with a summary, a source and documented parameters', () => {
    const published = ['dadiannao', 'pragmatic', 'stripes', 'tetris'];
    const training = ['sparsetrain', 'sparsetrain-dense', 'hybrid', 'masked'];
    expect(MACHINES.map(({ name }) => name)).toEqual([...published, ...training]);
    for (const kind of MACHINES) {
      expect(machineKind(kind.name)).toBe(kind);
      expect(kind.summary.length * kind.source.length).toBeGreaterThan(0);
      const names = kind.parameters.map((p) => p.name);
      expect(new Set(names).size).toBe(names.length);
      for (const p of kind.parameters) {
        expect(p.doc.length).toBeGreaterThan(5);
        // A default is a value that the parameter takes.
        expect(resolveConfig(kind, { [p.name]: String(p.default) })[p.name]).toBe(p.default);
      }
    }
    expect(() => machineKind('Tetris')).toThrow(
      expect.objectContaining({ code: 'unknown-machine', exitCode: 1 }),
    );
  });

  it('have the defaults of the specification', () => {
    expect(resolveConfig(tetris, {})).toEqual({
      tiles: 16,
      units: 16,
      lanes: 16,
      tileBy: 'positions',
      lowering: 'channelBlock',
      kneadingStride: 16,
      windowSlots: 2,
      throttleWords: 4,
      sync: 'skew',
      windowLoadCycles: 1,
      emptyGroupCycles: 1,
      int8Streams: 1,
    });
    expect(resolveConfig(machineKind('pragmatic'), {})).toMatchObject({
      columns: 16,
      firstStageBits: 2,
      columnRegisters: 0,
    });
  });

  it.each([
    ['lanes', ''],
    ['lanes', '1.5'],
    ['lanes', '0'],
    ['lanes', '1025'],
    ['lanes', 'many'],
    ['kneadingStride', '257'],
    ['kneadingStride', '-1'],
    ['kneadingStride', 'Infinity'],
    ['sync', 'Skew'],
    ['tileBy', ''],
  ])('refuse %s=%j', (name, value) => {
    const refused = () => resolveConfig(tetris, { [name]: value });
    expect(refused).toThrow(new RegExp(`tetris.${name}: found "${value}", expected `));
    expect(refused).toThrow(expect.objectContaining({ code: 'bad-parameter', exitCode: 1 }));
  });

  it('refuse parameters that they have not, naming those that they have', () => {
    expect(() => resolveConfig(tetris, { columns: '4' })).toThrow(
      /no parameter columns; it has tiles, units, lanes/,
    );
  });

  it('say so when activations are missing', () => {
    const work = { ...layer(conv()), activations: null };
    for (const kind of MACHINES) {
      const machine = configured(kind);
      const missing = expect.objectContaining({ code: 'no-activations', exitCode: 1 });
      expect(() => machine.step(work)).toThrow(missing);
      if (kind.needsActivations) expect(() => machine.count(work)).toThrow(missing);
      else expect(machine.count(work).cycles).toBeGreaterThan(0);
    }
  });

  it('cannot step a group of no cycles, nor serve two streams of int16', () => {
    const work = layer(conv(), 'int16');
    expect(() => configured(tetris, { emptyGroupCycles: 0 }).step(work)).toThrow(/no clocked PE can do/);
    for (const level of ['count', 'step'] as const)
      expect(() => configured(tetris, { int8Streams: 2 })[level](work)).toThrow(
        /int8Streams is 2 at --precision int16/,
      );
    expect(configured(tetris, { int8Streams: 2 }).laneSlots('forward')).toBe(
      2 * configured(tetris).laneSlots('forward'),
    );
  });
});

describe('counters', () => {
  it('add up, every one of them', () => {
    const paths = counterPaths(zeroCounters());
    expect(paths).toHaveLength(21);
    const numbered = (factor: number): Counters => {
      const counters = zeroCounters();
      paths.forEach((path, i) => bump(counters, path, factor * (i + 1)));
      return counters;
    };
    const sum = numbered(1);
    expect(addCounters(sum, numbered(10))).toBe(sum);
    expect(sum).toEqual(numbered(11));
  });
});
