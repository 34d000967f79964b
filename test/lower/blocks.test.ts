/** The order of work over tiles: every filter at every position exactly once; groups never share a tile. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { palletsOf } from '../../src/lower/pallets.js';
import { shapeArbitrary } from '../../src/fuzz.js';
import { itemsOf, workBlocks, type TileBy } from '../../src/lower/blocks.js';
import { positionCount } from '../../src/lower/forward.js';
import { conv, range } from '../support/layers.js';
import { runs } from '../support/runs.js';

const array = fc.record({
  tiles: fc.integer({ min: 1, max: 6 }),
  units: fc.integer({ min: 1, max: 4 }),
  tileBy: fc.constantFrom<TileBy>('positions', 'filters'),
});

describe('blocks of work', () => {
  it('cover every filter and position once, group after group', () => {
    fc.assert(
      fc.property(shapeArbitrary, array, (shape, machine) => {
        const positions = positionCount(shape);
        const perGroup = shape.filters / shape.groups;
        const done = new Map<string, number>();
        let group = 0;
        for (const block of workBlocks(shape, machine)) {
          expect(block.tiles.length).toBe(machine.tiles);
          expect(block.group).toBeGreaterThanOrEqual(group);
          group = block.group;
          for (const tile of block.tiles) {
            expect(tile.units).toBeLessThanOrEqual(machine.units);
            let items = 0;
            for (let p = tile.first; p < positions && tile.units > 0; p += tile.step, items++)
              for (let n = 0; n < tile.units; n++) {
                const filter = tile.firstUnit + n;
                expect(Math.floor(filter / perGroup)).toBe(group);
                done.set(`${filter} ${p}`, (done.get(`${filter} ${p}`) ?? 0) + 1);
              }
            expect(itemsOf(tile, positions)).toBe(items);
          }
        }
        expect(done.size).toBe(shape.filters * positions);
        expect(Math.max(...done.values())).toBe(1);
      }),
      { numRuns: runs(60) },
    );
  });

  const tilesOf = (filters: number, tiles: number, tileBy: TileBy): number[][][] =>
    [...workBlocks(conv({ filters }), { tiles, units: 2, tileBy })].map((block) =>
      block.tiles.map((t) => [t.firstUnit, t.units, t.first, t.step]),
    );

  it('with tileBy=filters, are tiles x units filters at the same positions', () => {
    expect(tilesOf(7, 3, 'filters')).toEqual([
      [
        [0, 2, 0, 1],
        [2, 2, 0, 1],
        [4, 2, 0, 1],
      ],
      [
        [6, 1, 0, 1],
        [-1, 0, 0, 1],
        [-1, 0, 0, 1],
      ],
    ]);
  });

  it('with tileBy=positions, deal further positions to tiles that would be left over', () => {
    expect(tilesOf(3, 5, 'positions')).toEqual([
      [
        [0, 2, 0, 2],
        [0, 2, 1, 2],
        [2, 1, 0, 2],
        [2, 1, 1, 2],
        [-1, 0, 0, 2],
      ],
    ]);
  });
});

describe('pallets', () => {
  it('are consecutive positions, across row ends, never across examples; only the last may be partial', () => {
    fc.assert(
      fc.property(shapeArbitrary, fc.integer({ min: 1, max: 7 }), (shape, columns) => {
        const pallets = palletsOf(shape, columns);
        const covered = range(pallets.count).flatMap((k) =>
          range(pallets.windows[k]).map((c) => pallets.first[k] + c),
        );
        expect(covered).toEqual(range(positionCount(shape)));
        const plane = positionCount(shape) / shape.batch;
        for (let k = 0; k < pallets.count; k++) {
          const last = pallets.first[k] + pallets.windows[k];
          expect(Math.floor(pallets.first[k] / plane)).toBe(pallets.example[k]);
          if (pallets.windows[k] < columns) expect(last % plane).toBe(0);
          expect(Math.floor((last - 1) / plane)).toBe(pallets.example[k]);
        }
      }),
      { numRuns: runs(60) },
    );
  });
});
