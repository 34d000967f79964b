/** The split of a unit's energy by cause: systems of equations, and costs that are found again. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MeasuredEnergy } from '../../src/rtl/synth/measure.js';
import { energySplit, leastSquares, solve } from '../../src/rtl/synth/split.js';

const whole = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max });

describe('a system of equations', () => {
  it('is solved: put in again, the solution gives the right side', () => {
    const system = whole(1, 4).chain((size) => {
      const row = fc.array(whole(-9, 9), { minLength: size, maxLength: size });
      return fc.tuple(fc.array(row, { minLength: size, maxLength: size }), row);
    });
    let solved = 0;
    fc.assert(
      fc.property(system, ([matrix, right]) => {
        const found = solve(matrix, right);
        if (!found) return;
        solved++;
        matrix.forEach((row, i) =>
          expect(row.reduce((sum, a, j) => sum + a * found[j], 0)).toBeCloseTo(right[i], 6),
        );
      }),
    );
    expect(solved).toBeGreaterThan(20);
  });

  it('without a single solution has none', () => {
    expect(
      solve(
        [
          [1, 2],
          [2, 4],
        ],
        [1, 2],
      ),
    ).toBeNull();
    expect(solve([[0]], [1])).toBeNull();
    expect(leastSquares([[1], [1], [4]], [2, 4, 12])).toEqual([expect.closeTo(3, 9)]);
    // The first row begins with nothing: rows change places.
    expect(
      solve(
        [
          [0, 2],
          [3, 0],
        ],
        [4, 9],
      ),
    ).toEqual([3, 2]);
  });
});

/** A run that spends what `costs` says: pJ by thing and module, and the clock in every cycle. */
function runOf(
  costs: Record<string, Record<string, number>>,
  counts: Record<string, number>,
  cycles: number,
): MeasuredEnergy {
  const energyOf = (module: string) => {
    const clock = cycles * (costs.clock[module] ?? 0);
    const work = Object.entries(counts).reduce(
      (sum, [thing, count]) => sum + count * (costs[thing][module] ?? 0),
      0,
    );
    // Loads and cells: only their sum counts.
    return { switching: work / 4, internal: clock + (3 * work) / 4, clock };
  };
  const modules = new Map(['tree', 'adder'].map((module) => [module, energyOf(module)]));
  const nothing = { switching: 0, internal: 0, clock: 0 };
  return {
    ...{ operation: '', operations: 1, cycles, total: nothing, parts: modules, modules, counts },
    ...{ leakage: 0, openSta: 0 },
  };
}

describe('the split', () => {
  it('finds the costs by which runs were made, whatever their sizes', () => {
    const cost = whole(1, 1000);
    fc.assert(
      fc.property(
        fc.array(cost, { minLength: 5, maxLength: 5 }),
        whole(10, 500),
        whole(1, 9),
        whole(11, 99),
        ([clock, word, add, output, sum], words, few, many) => {
          const costs = {
            clock: { tree: clock },
            word: { tree: word, adder: add },
            output: { tree: output, adder: sum },
          };
          const runs = [few, many].map((outputs) =>
            runOf(costs, { word: words, output: outputs }, words + outputs),
          );
          const split = energySplit(runs)!;
          expect(Object.keys(split)).toEqual(['clock', 'word', 'output']);
          for (const [thing, modules] of Object.entries(costs))
            for (const [module, pJ] of Object.entries(modules))
              expect(split[thing][module] / pJ).toBeCloseTo(1, 6);
        },
      ),
    );
  });

  it('leaves out what a module has nothing of', () => {
    const costs = { clock: {}, word: { tree: 0.1, adder: 3 }, output: { tree: 7 } };
    const runs = [1, 5].map((outputs) => runOf(costs, { word: 33, output: outputs }, 40));
    expect(energySplit(runs)).toEqual({
      clock: {},
      word: { tree: expect.closeTo(0.1, 9) as number, adder: expect.closeTo(3, 9) as number },
      output: { tree: expect.closeTo(7, 9) as number },
    });
  });

  it('of a thing that concerns some modules only goes by the others on average', () => {
    const costs = { clock: {}, word: { tree: 1, adder: 3 }, output: { tree: 7, adder: 11 } };
    const runs = [0, 20].map((outputs) => runOf(costs, { word: 100, output: outputs }, 40));
    expect(energySplit(runs, { output: ['tree'] })).toEqual({
      clock: {},
      word: { tree: expect.closeTo(1, 9) as number, adder: expect.closeTo(3 + 1.1, 9) as number },
      output: { tree: expect.closeTo(7, 9) as number },
    });
  });

  it('is none where runs are too few, or alike', () => {
    const costs = { clock: {}, word: { adder: 3 }, output: { tree: 7 } };
    const run = runOf(costs, { word: 33, output: 2 }, 40);
    expect(energySplit([])).toBeNull();
    expect(energySplit([run])).toBeNull();
    expect(energySplit([run, run])).toBeNull();
  });
});
