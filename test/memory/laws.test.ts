/**
 * Laws of the memory system around every machine, in all phases, over random layers and memories: nothing is lost, no
 * limit means no waiting, more of anything never costs, and both levels of detail give the same.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { masked } from '../../src/arch/masked.js';
import { MACHINES } from '../../src/arch/registry.js';
import { caseArbitrary } from '../../src/fuzz.js';
import type { MemoryConfig } from '../../src/memory/config.js';
import { timeMoves } from '../../src/memory/moveTiming.js';
import { bytesOf, SOURCES } from '../../src/memory/traffic.js';
import type { MovePlan } from '../../src/sim/movePlan.js';
import {
  bothWays,
  counted,
  inMemory,
  INFINITE,
  memoryArbitrary,
  type CountedCase,
} from '../support/memory.js';
import { naiveKneaderBits, type NaiveLanes } from '../support/naiveStored.js';
import { runs } from '../support/runs.js';

/** Draws a layer of the machine, a memory, and how much more of something. */
const law = (
  kind: (typeof MACHINES)[number],
  usual: number,
  check: (one: CountedCase, config: MemoryConfig, more: number) => void,
): void => {
  const more = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.constant(Infinity));
  const property = fc.property(caseArbitrary([kind]), memoryArbitrary, more, (c, config, more) =>
    check(counted(kind, c), config, more),
  );
  fc.assert(property, { numRuns: runs(usual) });
};

const RAISED = [
  'dramBytesPerCycle',
  'globalBytesPerCycle',
  'localBytesPerCycle',
  'dramBurstBytes',
  'globalBurstBytes',
] as const;

describe.each(MACHINES.map((kind) => ({ name: kind.name, kind })))('$name', ({ kind }) => {
  it('loses nothing, and takes no less time than its PEs or its DRAM port', () => {
    law(kind, 60, (one, config) => {
      const result = inMemory(one, config);
      if (!result) return;
      const { systemCycles, stall, traffic, violations } = result;
      expect(violations).toEqual([]);
      const waits = Object.values(stall);
      for (const cycles of waits) expect(Number.isSafeInteger(cycles) && cycles >= 0).toBe(true);
      expect(systemCycles).toBe(one.counters.cycles + waits.reduce((a, b) => a + b, 0));
      const { dramBytesPerCycle: rate, dramBurstBytes } = config;
      const atOnce = Math.max(rate, dramBurstBytes);
      if (atOnce < Infinity)
        expect(systemCycles).toBeGreaterThanOrEqual(Math.ceil((bothWays(traffic.dram) - atOnce) / rate));
    });
  });

  it('never waits for a memory without limits', () => {
    law(kind, 20, (one, config) => {
      // Capacities and what stays on chip have no say where no port has a limit.
      const ports = {
        dramBytesPerCycle: Infinity,
        globalBytesPerCycle: Infinity,
        localBytesPerCycle: Infinity,
      };
      for (const result of [inMemory(one, INFINITE)!, inMemory(one, { ...config, ...ports })]) {
        if (!result) continue;
        expect(result.systemCycles).toBe(one.counters.cycles);
        expect(result.stall).toEqual({ weights: 0, activations: 0, refill: 0, output: 0, local: 0 });
      }
    });
  });

  it.each(RAISED)('more %s never makes it slower', (name) => {
    law(kind, 12, (one, config, more) => {
      const before = inMemory(one, config);
      if (!before) return;
      const after = inMemory(one, { ...config, [name]: config[name] + more })!;
      expect(after.systemCycles).toBeLessThanOrEqual(before.systemCycles);
      expect(after.traffic).toEqual(before.traffic);
    });
  });

  it('a larger global buffer never adds DRAM traffic, nor does keeping operands in it', () => {
    law(kind, 40, (one, config, more) => {
      const before = inMemory(one, config);
      if (!before) return;
      const bytes = bothWays(before.traffic.dram);
      const larger = inMemory(one, { ...config, globalBytes: config.globalBytes + more })!;
      expect(bothWays(larger.traffic.dram)).toBeLessThanOrEqual(bytes);
      const through = inMemory(one, { ...config, onChip: 'none' })!;
      expect(bytes).toBeLessThanOrEqual(bothWays(through.traffic.dram));
    });
  });

  it('moves no more at once than buffers hold', () => {
    law(kind, 40, (one, drawn) => {
      const config = { ...drawn, onChip: 'none' as const };
      let plan: MovePlan | null = null;
      const result = inMemory(one, config, (moves, dram, global) => {
        plan = moves;
        return timeMoves(moves, dram, global);
      });
      if (!result || !plan) return;
      const { moves, ownWeights, ownActivations, nextWeights, nextActivations, fill, outputs } =
        plan as MovePlan;
      // Two fills are there at once. A part of a byte may be there twice, at either end.
      for (let j = 0; j < moves; j++)
        expect(fill[j] + (j > 0 ? fill[j - 1] : 0)).toBeLessThanOrEqual(config.localBytes + 2);
      // What is kept stands beside the halves. With the first move comes the whole of what the first outer tile keeps.
      const { keepsSwept, stationary } = result.tiling;
      if (keepsSwept || stationary === 'global') return;
      for (let j = 1; j < moves; j++) {
        const loads = ownWeights[j] + ownActivations[j] + nextWeights[j] + nextActivations[j];
        expect(2 * (loads + outputs[j])).toBeLessThanOrEqual(config.globalBytes + 2 * SOURCES.length);
      }
    });
  });

  it('is the same around counted and stepped machines', () => {
    law(kind, 20, (one, config) => {
      const { counters } = one.machine.step(one.work);
      expect(inMemory({ ...one, counters }, config)).toEqual(inMemory(one, config));
    });
  });
});

it('on-line kneaders read KS (B + 1) bits per group from local buffers, again for every output', () => {
  law(masked, 100, (one, config) => {
    const result = inMemory(one, config);
    if (!result) return;
    const operand = one.work.phase === 'gradWeight' ? 'inputs' : 'weights';
    const bits = naiveKneaderBits(one.work, one.machine.config as unknown as NaiveLanes);
    expect(result.traffic.local.reads[operand]).toBe(bytesOf(bits));
  });
});
