/**
 * DRAM traffic against brute force: of all tilings that fit, the memory system takes one with the least bytes, and loads
 * exactly the rows and planes that its passes need.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MACHINES } from '../../src/arch/registry.js';
import { caseArbitrary } from '../../src/fuzz.js';
import { bytesOf, SOURCES } from '../../src/memory/traffic.js';
import { counted, inMemory, INFINITE, memoryArbitrary } from '../support/memory.js';
import { naiveDram, naiveFits, withoutOperands, type NaiveTiling } from '../support/naiveTraffic.js';
import { naiveBuffers, naiveLocalReads } from '../support/naiveLocal.js';
import { naiveTiles } from '../support/naiveTiles.js';
import { runs } from '../support/runs.js';

const kinds = MACHINES.map((kind) => ({ name: kind.name, kind }));

describe.each(kinds)('$name', ({ kind }) => {
  it('loads what the passes of the best tiling need', () => {
    const property = fc.property(caseArbitrary([kind]), memoryArbitrary, (c, config) => {
      const one = counted(kind, c);
      const result = inMemory(one, config);
      if (!result) return;
      const { work, machine } = one;
      const sumBits = config.outputBits === 0 ? work.weights.storageBits : config.outputBits;
      const outputBits = work.phase === 'gradWeight' ? config.gradWeightBits : sumBits;
      const { tiling, traffic, stored } = result;
      const tiles = withoutOperands(
        naiveTiles(kind.units(work.phase), machine, work, outputBits),
        tiling.onChip,
      );
      const onChip = tiling.onChip.reduce((bits, operand) => bits + stored[operand]!.bits, 0);
      const capacity = 8 * config.globalBytes - onChip;
      const stationary = tiling.stationary === 'local' ? (['local'] as const) : (['global', 'none'] as const);
      const longest = Math.max(1, ...tiles.map(({ steps }) => steps.length));
      const fitting = stationary
        .flatMap((keepsStationary) => [true, false].map((keepsSwept) => ({ keepsStationary, keepsSwept })))
        .flatMap((keeps) => stepCounts(longest).map((steps): NaiveTiling => ({ ...keeps, steps })))
        .filter((candidate) => naiveFits(tiles, candidate, capacity))
        .map((candidate) => ({ candidate, bits: naiveDram(tiles, candidate) }))
        .map((each) => ({ ...each, total: Object.values(each.bits).reduce((a, b) => a + b, 0) }));
      const least = Math.min(...fitting.map(({ total }) => total));
      const best = fitting
        .filter(
          ({ total, candidate }) =>
            total === least &&
            candidate.keepsStationary === tiling.stationary &&
            candidate.keepsSwept === tiling.keepsSwept,
        )
        .map(({ bits }) => ({ ...bits }));
      const { reads, writes } = traffic.dram;
      const found = JSON.stringify([...SOURCES.map((source) => reads[source]), writes.outputs]);
      expect(
        best.map((bits) => JSON.stringify([...SOURCES, 'outputs' as const].map((o) => bytesOf(bits[o])))),
      ).toContain(found);
    });
    fc.assert(property, { numRuns: runs(40) });
  });

  it('takes as long as the slower of PEs and local ports, where all is one move', () => {
    let checked = 0;
    const property = fc.property(caseArbitrary([kind]), fc.integer({ min: 1, max: 6 }), (c, rate) => {
      // One row of results: a step on lanes; on row PEs one plane of them.
      const { groups } = c.shape;
      const flat = { batch: 1, height: 1, kernelHeight: 1, padTop: 0, padBottom: 0 };
      const plane = ['row', 'denseRow'].includes(kind.units(c.phase))
        ? { groups: 1, channels: 1, filters: 1 }
        : { groups: 1, channels: c.shape.channels / groups, filters: c.shape.filters / groups };
      const one = counted(kind, { ...c, shape: { ...c.shape, ...flat, ...plane } });
      const { work, machine, counters } = one;
      const { tiling, stall } = inMemory(one, { ...INFINITE, localBytesPerCycle: rate })!;
      if (tiling.moves !== 1 || counters.cycles === 0) return;
      checked++;
      const reads = naiveLocalReads(kind.units(work.phase), machine, work);
      const bits = Object.values(reads).reduce((a, b) => a + b, 0);
      const perCycle = 8 * rate * naiveBuffers(kind.units(work.phase), machine, work);
      expect(counters.cycles + stall.local).toBe(Math.max(counters.cycles, Math.ceil(bits / perCycle)));
    });
    fc.assert(property, { numRuns: runs(40) });
    expect(checked).toBeGreaterThan(3);
  });

  it('reads from local buffers what PEs take', () => {
    const property = fc.property(caseArbitrary([kind]), memoryArbitrary, (c, config) => {
      const one = counted(kind, c);
      const result = inMemory(one, config);
      if (!result) return;
      const bits = naiveLocalReads(kind.units(one.work.phase), one.machine, one.work);
      const { outputs, ...reads } = result.traffic.local.reads;
      expect(outputs).toBe(0);
      expect(reads).toEqual(Object.fromEntries(SOURCES.map((source) => [source, bytesOf(bits[source])])));
    });
    fc.assert(property, { numRuns: runs(40) });
  });
});

const stepCounts = (longest: number): number[] => {
  const counts = [longest];
  for (let steps = 1; steps < longest; steps *= 2) counts.push(steps);
  return counts;
};
