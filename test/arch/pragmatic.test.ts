/** Bit-Pragmatic and Stripes against an independent naive implementation, and by hand. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pragmatic } from '../../src/arch/pragmatic.js';
import { stripes } from '../../src/arch/stripes.js';
import { codeArbitrary, shapeArbitrary } from '../../src/fuzz.js';
import { elementCount, inputShape } from '../../src/tensor.js';
import { codes, configured, conv, layer } from '../support/layers.js';
import { naiveBrick, naiveSerialCycles } from '../support/naiveSerial.js';
import { runs } from '../support/runs.js';

const small = (max: number, min = 1): fc.Arbitrary<number> => fc.integer({ min, max });
const cases = fc.record({
  shape: shapeArbitrary,
  unsigned: fc.boolean(),
  precision: fc.constantFrom<'int8' | 'int16'>('int8', 'int16'),
  settings: fc.record({
    tiles: small(3),
    units: small(3),
    lanes: small(4),
    columns: small(5),
    firstStageBits: small(4, 0),
    columnRegisters: small(2, 0),
    lowering: fc.constantFrom('channelBlock', 'flattened'),
  }),
  pool: fc.array(codeArbitrary(16, false), { minLength: 1, maxLength: 40, size: 'max' }),
});

/** Cycles of one brick of these activations, a lane each, at both levels. */
function brickCost(activations: number[], firstStageBits: number): number {
  const shape = conv({ channels: activations.length });
  const work = { ...layer(shape), activations: codes(inputShape(shape), activations, 16) };
  const array = { tiles: 1, units: 1, lanes: activations.length, columns: 1 };
  const machine = configured(pragmatic, { ...array, firstStageBits });
  const { cycles } = machine.step(work).counters;
  expect(machine.count(work).cycles).toBe(cycles);
  return cycles;
}

describe('bit-serial machines', () => {
  it('take the cycles of the naive implementation, both levels', () => {
    fc.assert(
      fc.property(cases, ({ shape, unsigned, precision, settings, pool }) => {
        const bits = (precision === 'int8' ? 7 : 15) + (unsigned ? 1 : 0);
        const values = pool.map((a, i) => (a % 2 ** bits) * (!unsigned && i % 2 === 1 ? -1 : 1));
        const shuffled = Array.from(
          { length: elementCount(inputShape(shape)) },
          (_, i) => values[(i * 7) % values.length],
        );
        const activations = codes(inputShape(shape), shuffled, bits, precision === 'int8' ? 8 : 16);
        const work = { ...layer(shape, precision), activations };
        const { tiles, units, lanes, columns, lowering } = settings;
        const shared = { tiles, units, lanes, columns, lowering };
        const serial = { ...shared, firstStageBits: null, columnRegisters: 0 };
        const machines = [
          [configured(pragmatic, { ...settings, tileBy: 'filters' }), settings],
          [configured(stripes, { ...shared, tileBy: 'filters' }), serial],
        ] as const;
        for (const [machine, config] of machines) {
          const cycles = naiveSerialCycles(config, work);
          expect(machine.count(work).cycles).toBe(cycles);
          expect(machine.step(work).counters.cycles).toBe(cycles);
        }
      }),
      { numRuns: runs(120) },
    );
  });

  it('find the cost of a brick by any of their closed forms', () => {
    const brick = fc.array(codeArbitrary(16, false), { minLength: 1, maxLength: 8, size: 'max' });
    fc.assert(
      fc.property(brick, small(4, 0), (magnitudes, bits) => {
        expect(brickCost(magnitudes, bits)).toBe(naiveBrick(magnitudes, bits));
      }),
      { numRuns: runs(500) },
    );
  });
});

describe('Bit-Pragmatic by hand', () => {
  it.each([
    // b = 0: each bit position that any lane has. b = 1: pairs of neighbouring positions. b = 2: within four.
    [
      [0b0000_0000, 0],
      [1, 1, 1, 1, 1],
    ],
    [
      [0b0000_0001, 0b0100_0000],
      [2, 2, 2, 1, 1],
    ],
    [
      [0b0000_0101, 0b0000_1010],
      [4, 2, 2, 2, 2],
    ],
    [[0b0111_1111], [7, 7, 7, 7, 7]],
    [
      [0b0100_0001, 0b0001_0000],
      [3, 3, 2, 2, 2],
    ],
  ])('bricks %j', (activations, costs) => {
    expect(costs.map((_, firstStageBits) => brickCost(activations, firstStageBits))).toEqual(costs);
  });

  it('sums the maximum over columns, or lets columns run ahead by their registers', () => {
    // Two positions side by side, one channel, three taps two apart: bits 1 2 1 and 2 1 2.
    const shape = conv({ width: 6, kernelWidth: 3, dilationX: 2 });
    const work = layer(shape, 'int8', { activations: [1, 3, 3, 1, 1, 3] });
    const cycles = (columnRegisters: number): number => {
      const machine = configured(pragmatic, { tiles: 1, units: 1, lanes: 1, columns: 2, columnRegisters });
      expect(machine.count(work).cycles).toBe(machine.step(work).counters.cycles);
      return machine.step(work).counters.cycles;
    };
    expect([0, 1, 2].map(cycles)).toEqual([6, 5, 5]);
  });

  it('cuts pallets across row ends, and begins a new one with each example', () => {
    // 5 positions an example in rows of... 5 = 3 + 2: columns of 4 give pallets of 4 and 1, twice.
    const work = layer(conv({ batch: 2, width: 5 }), 'int8', { activations: [1, 1, 1, 1, 127] });
    const machine = configured(pragmatic, { tiles: 1, units: 1, lanes: 1, columns: 4 });
    expect(machine.step(work).counters.cycles).toBe(2 * (1 + 7));
    const rows = layer(conv({ height: 2, width: 3 }), 'int8', { activations: [1, 1, 1, 127, 1, 1] });
    expect(machine.step(rows).counters.cycles).toBe(7 + 1);
  });
});
