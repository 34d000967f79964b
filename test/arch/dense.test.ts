/**
 * Dense closed forms (SPEC sections 3, 4 and 10): DaDianNao and Stripes take no data into account, nor does Tetris in
 * gradWeight.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dadiannao } from '../../src/arch/dadiannao.js';
import { stripes } from '../../src/arch/stripes.js';
import { tetris } from '../../src/arch/tetris.js';
import { shapeArbitrary } from '../../src/fuzz.js';
import { MacPe } from '../../src/sim/macPe.js';
import { macCount, outputSize } from '../../src/tensor.js';
import { configured, conv, layer, pad, range } from '../support/layers.js';
import { runs } from '../support/runs.js';

const big = conv({
  channels: 64,
  height: 56,
  width: 56,
  filters: 64,
  kernelHeight: 3,
  kernelWidth: 3,
  ...pad(1),
});
const weightsOnly = { ...layer(conv()), shape: big, activations: null };

const hardware = fc.record({
  tiles: fc.integer({ min: 1, max: 4 }),
  units: fc.integer({ min: 1, max: 4 }),
  lanes: fc.integer({ min: 1, max: 4 }),
});

describe('dense MAC array', () => {
  it('takes 112,896 cycles for 64x56x56 by 64x64x3x3, pad 1, as published', () => {
    expect(macCount(big)).toBe(115_605_504);
    const published = configured(dadiannao, { tileBy: 'filters' }).count(weightsOnly);
    expect(published.cycles).toBe(112_896);
    // 64 filters are 4 of 16 tiles: by positions, all 16 work.
    expect(configured(dadiannao).count(weightsOnly).cycles).toBe(112_896 / 4);
  });

  it('takes N Ho Wo ceil(C/L) R S ceil(F/(tiles units)) cycles a group with tileBy=filters', () => {
    fc.assert(
      fc.property(shapeArbitrary, hardware, (shape, array) => {
        const { outHeight, outWidth } = outputSize(shape);
        const [C, F] = [shape.channels / shape.groups, shape.filters / shape.groups];
        const steps = Math.ceil(C / array.lanes) * shape.kernelHeight * shape.kernelWidth;
        const blocks = Math.ceil(F / (array.tiles * array.units));
        const cycles = shape.batch * outHeight * outWidth * steps * blocks * shape.groups;
        const machine = configured(dadiannao, { ...array, tileBy: 'filters' });
        const work = layer(shape, 'int8');
        expect(machine.count(work).cycles).toBe(cycles);
        expect(machine.step(work).counters.cycles).toBe(cycles);
        const flat = configured(dadiannao, { ...array, tileBy: 'filters', lowering: 'flattened' });
        const flatSteps = Math.ceil((C * shape.kernelHeight * shape.kernelWidth) / array.lanes);
        expect(flat.count(work).cycles).toBe((cycles / steps) * flatSteps);
      }),
      { numRuns: runs(60) },
    );
  });

  it('of gradWeight takes the blocks of weights over the tiles, times the positions over the lanes', () => {
    fc.assert(
      fc.property(shapeArbitrary, hardware, (shape, array) => {
        const { groups, filters, channels, kernelHeight, kernelWidth } = shape;
        const { outHeight, outWidth } = outputSize(shape);
        const perFilter = (channels / groups) * kernelHeight * kernelWidth;
        const blocks = (filters / groups) * Math.ceil(perFilter / array.units);
        const steps = Math.ceil((shape.batch * outHeight * outWidth) / array.lanes);
        const work = layer(shape, 'int8', { phase: 'gradWeight' });
        for (const kind of [dadiannao, tetris])
          expect(configured(kind, array).count(work).cycles).toBe(
            groups * Math.ceil(blocks / array.tiles) * steps,
          );
      }),
      { numRuns: runs(60) },
    );
  });

  it.each([
    // filters, tiles, positions: the tile with the most positions counts, block by block
    [4, 4, 10, 3], // one chunk of filters on four tiles: ceil(10 / 4)
    [8, 4, 10, 5], // two chunks, two tiles each
    [12, 4, 10, 10], // three chunks: one tile is left over, and cannot help
    [20, 4, 10, 13], // four chunks, then one: 10 + ceil(10 / 4)
    [4, 4, 1, 1],
  ])(
    'with tileBy=positions, %i filters of 4 units on %i tiles at %i positions take %i',
    (filters, tiles, width, cycles) => {
      const machine = configured(dadiannao, { tiles, units: 4, lanes: 1, tileBy: 'positions' });
      const work = layer(conv({ filters, width }));
      expect(machine.count(work).cycles).toBe(cycles);
      expect(machine.step(work).counters.cycles).toBe(cycles);
    },
  );

  it('accounts for absent lanes, absent units and empty tiles', () => {
    // 3 channels on 2 lanes: bricks of 2 and 1. 3 filters on 2 x 2 units. 1 position.
    const work = layer(conv({ channels: 3, filters: 3 }));
    const { counters } = configured(dadiannao, { tiles: 2, units: 2, lanes: 2, tileBy: 'filters' }).step(
      work,
    );
    expect(counters).toMatchObject({
      cycles: 2,
      terms: 9,
      busy: 9,
      idle: { absentLane: 3, absentUnit: 4, empty: 0 },
    });
    const lone = configured(dadiannao, { tiles: 3, units: 4, lanes: 2 }).step(work).counters;
    // The first tile has the only position; two tiles hold the same filters and nothing else.
    expect(lone.idle.empty).toBe(2 * 3 * 2 * 2);
    expect(lone.idle.absentUnit).toBe(3 * 2 * 2);
  });
});

/** Steps of a linear layer go to the columns in turn; test/arch/pragmatic.test.ts has them. */
const convolutions = shapeArbitrary.filter(({ op }) => op === 'conv');

describe('Stripes', () => {
  it('takes 8 or 16 cycles per step and pallet', () => {
    fc.assert(
      fc.property(convolutions, hardware, fc.integer({ min: 1, max: 5 }), (shape, array, columns) => {
        const { outHeight, outWidth } = outputSize(shape);
        const steps =
          Math.ceil(shape.channels / shape.groups / array.lanes) * shape.kernelHeight * shape.kernelWidth;
        const pallets = shape.batch * Math.ceil((outHeight * outWidth) / columns);
        const blocks = shape.groups * Math.ceil(shape.filters / shape.groups / (array.tiles * array.units));
        for (const precision of ['int8', 'int16'] as const) {
          const work = layer(shape, precision);
          const machine = configured(stripes, { ...array, columns, tileBy: 'filters' });
          const cycles = (precision === 'int8' ? 8 : 16) * steps * pallets * blocks;
          expect(machine.count(work).cycles).toBe(cycles);
          expect(machine.step(work).counters.cycles).toBe(cycles);
        }
      }),
      { numRuns: runs(40) },
    );
  });
});

describe('MAC PE', () => {
  it('gives its outputs three cycles after the last brick, bubbles or not', () => {
    const pe = new MacPe(2, 3);
    const brick = Int32Array.of(1, 2, 3, -4, 5, -6);
    const activations = Int32Array.of(7, -8, 9);
    const sums = [7 - 16 + 27, -28 - 40 - 54];
    const feed = (given: boolean, last: boolean): void =>
      pe.cycle(given ? brick : null, 0, activations, last);
    feed(true, false);
    feed(false, false);
    feed(true, true); // accepted in cycle 2
    feed(true, true); // another output at once
    const seen: (number[] | null)[] = [];
    for (let cycle = 4; cycle < 8; cycle++) {
      seen.push(pe.outValid ? [0, 1].map((n) => pe.outValue(n)) : null);
      feed(false, false);
    }
    // In cycle t + 3 = 5 the output is there, in 6 the next, and then none.
    expect(seen).toEqual([null, sums.map((s) => 2 * s), sums, null]);
  });

  it('is exact beyond 32 bits', () => {
    const pe = new MacPe(1, 4);
    for (const last of [false, false, true])
      pe.cycle(
        Int32Array.from(range(4), () => -32_767),
        0,
        Int32Array.from(range(4), () => 65_535),
        last,
      );
    while (!pe.outValid) pe.cycle(null, 0, new Int32Array(4), false);
    expect(pe.outValue(0)).toBe(-12 * 32_767 * 65_535);
  });
});
