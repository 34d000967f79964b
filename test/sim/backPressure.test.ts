/** Back-pressure on every port of the SAC PE changes cycles, never values; and PEs that let it are rejected. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plainSums, runPe, soundPe } from '../support/pe.js';
import { backPressureChangesNoValue, BROKEN_PES, peWork, randomPorts } from '../support/peLaws.js';

describe('back-pressure', () => {
  it('changes cycles, never values', () => {
    backPressureChangesNoValue(soundPe);
  });

  it.each(Object.entries(BROKEN_PES))('a PE that %s is rejected', (_, make) => {
    expect(() => backPressureChangesNoValue(make, { endOnFailure: true })).toThrow(/Property failed/);
  });

  it('is drawn so that every cause of a stall, and every kind of absence, occurs', () => {
    const seen = {
      output: 0,
      flush: 0,
      window: 0,
      weights: 0,
      finished: 0,
      lane: 0,
      unit: 0,
      empty: 0,
      later: 0,
    };
    const works = fc.sample(peWork, 100);
    works.forEach((work, i) => {
      const run = runPe(work, randomPorts(i, 0.4));
      for (const cause of ['output', 'flush', 'window', 'weights', 'finished'] as const)
        if (run.pe.counters[cause] > 0) seen[cause]++;
      if (work.weights[0].some((lane) => lane.flat().length === 0)) seen.lane++;
      if (work.weights.length < work.config.units) seen.unit++;
      if (work.weights.flat(3).some((group) => group.every((w) => w === 0))) seen.empty++;
      if (run.cycles > runPe(work).cycles) seen.later++;
    });
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(10);
    const widths = (of: (work: (typeof works)[0]) => number): Set<number> => new Set(works.map(of));
    expect(widths((w) => w.config.units).size).toBe(4);
    expect(widths((w) => w.config.lanes).size).toBe(4);
    expect(widths((w) => w.config.windowSlots).size).toBe(4);
    expect(widths((w) => w.config.throttleWords).size).toBe(5);
  });

  it.each(['word', 'window', 'out'] as const)('on the %s port alone delays, and loses nothing', (port) => {
    let delayed = 0;
    for (const [i, work] of fc.sample(peWork, 60).entries()) {
      const run = runPe(work, { [port]: randomPorts(i, 0.3)[port] });
      expect(run.values).toEqual(plainSums(work));
      if (run.cycles > runPe(work).cycles) delayed++;
    }
    expect(delayed).toBeGreaterThan(30);
  });
});
