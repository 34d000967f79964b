/** The hybrid is tetris forward and sparsetrain backward, each with its own parameters. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hybrid } from '../../src/arch/hybrid.js';
import { PHASES } from '../../src/arch/machine.js';
import { sparsetrain } from '../../src/arch/sparsetrain.js';
import { tetris } from '../../src/arch/tetris.js';
import { caseArbitrary, counterDifferences, workOf } from '../../src/fuzz.js';
import { configured, conv, layer, pad } from '../support/layers.js';
import { outputDifferences } from '../support/laws.js';
import { runs } from '../support/runs.js';

const parameterNames = (kind: typeof hybrid): string[] => kind.parameters.map(({ name }) => name);

describe('hybrid', () => {
  it('has the parameters of both, and one of its own', () => {
    expect(parameterNames(hybrid)).toEqual([
      ...parameterNames(tetris),
      ...parameterNames(sparsetrain).filter((name) => name !== 'arithmetic'),
      'split',
    ]);
    expect(new Set(parameterNames(hybrid)).size).toBe(hybrid.parameters.length);
    expect(PHASES.map((phase) => hybrid.units(phase))).toEqual(['sac', 'row', 'row']);
  });

  it('is in each phase the machine of that phase, on its share of tiles and groups', () => {
    fc.assert(
      fc.property(
        caseArbitrary([hybrid]),
        fc.integer({ min: 0, max: 99 }),
        fc.integer({ min: 1, max: 9 }),
        (c, split, size) => {
          const settings = { ...c.settings, tiles: size, groups: size + 1, split };
          const machine = configured(hybrid, settings);
          const share = (whole: number, percent: number): number =>
            split === 0 ? whole : Math.max(1, Math.floor((whole * percent) / 100));
          const parts = { ...settings, tiles: share(size, split), groups: share(size + 1, 100 - split) };
          const kind = c.phase === 'forward' ? tetris : sparsetrain;
          const alone = configured(
            kind,
            Object.fromEntries(Object.entries(parts).filter(([name]) => parameterNames(kind).includes(name))),
          );
          const work = workOf(c);
          const found = machine.step(work);
          const expected = alone.step(work);
          expect(counterDifferences(found.counters, expected.counters)).toEqual([]);
          expect(counterDifferences(machine.count(work), expected.counters)).toEqual([]);
          expect(outputDifferences('hybrid', found.output, expected.output)).toEqual([]);
          expect(machine.laneSlots(c.phase)).toBe(alone.laneSlots(c.phase));
        },
      ),
      { numRuns: runs(60) },
    );
  });

  it('gives each array the full budget by default, and divides it where told', () => {
    const lanes = (settings: Record<string, number>): number[] =>
      PHASES.map((phase) => configured(hybrid, settings).laneSlots(phase));
    expect(lanes({})).toEqual([4096, 504, 504]);
    expect(lanes({ split: 50 })).toEqual([2048, 252, 252]);
    // At least one of each.
    expect(lanes({ tiles: 2, groups: 2, split: 10 })).toEqual([256, 9, 9]);
    expect(lanes({ tiles: 2, groups: 2, split: 99 })).toEqual([256, 9, 9]);
  });

  it('refuses what the SAC array cannot do', () => {
    const work = layer(conv({ width: 4, kernelWidth: 3, ...pad(1), height: 3 }));
    const machine = configured(hybrid, { emptyGroupCycles: 0 });
    expect(() => machine.check?.('step', 'int16')).toThrow(/emptyGroupCycles is 0/);
    expect(() => machine.step(work)).toThrow(/emptyGroupCycles is 0/);
    expect(() => machine.check?.('count', 'int16')).not.toThrow();
  });
});
