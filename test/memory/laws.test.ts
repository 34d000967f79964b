/**
 * Laws of the memory system around every machine, in all phases, over random layers and memories: nothing is lost, no
 * limit means no waiting, more of anything never costs, and both levels of detail give the same.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { masked } from '../../src/arch/masked.js';
import { MACHINES } from '../../src/arch/registry.js';
import { stripes } from '../../src/arch/stripes.js';
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
import { configured, conv, layer } from '../support/layers.js';
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
    law(kind, 40, (one, config) => {
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
    law(kind, 15, (one, config) => {
      // Capacities and what stays on chip have no say where no port has a limit, nor rates where all credits are there.
      const ports = {
        dramBytesPerCycle: Infinity,
        globalBytesPerCycle: Infinity,
        localBytesPerCycle: Infinity,
      };
      const bursts = { dramBurstBytes: Infinity, globalBurstBytes: Infinity, localBytesPerCycle: Infinity };
      for (const memory of [INFINITE, { ...config, ...ports }, { ...config, ...bursts }]) {
        const result = inMemory(one, memory);
        if (!result) continue;
        expect(result.systemCycles).toBe(one.counters.cycles);
        expect(result.stall).toEqual({ weights: 0, activations: 0, refill: 0, output: 0, local: 0 });
      }
    });
  });

  it.each(RAISED)('more %s never makes it slower', (name) => {
    law(kind, 8, (one, config, more) => {
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
    law(kind, 30, (one, drawn) => {
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
    law(kind, 15, (one, config) => {
      const { counters } = one.machine.step(one.work);
      expect(inMemory({ ...one, counters }, config)).toEqual(inMemory(one, config));
    });
  });
});

it('passes of many pieces and of few share what comes for the next outer tile by their steps', () => {
  // The first row lies in padding and passes in few pieces, the second passes in many.
  const shape = conv({
    ...{ batch: 2, channels: 5, filters: 6, height: 2, width: 7, kernelHeight: 2, kernelWidth: 3 },
    ...{ strideY: 2, dilationX: 2, padTop: 2, padLeft: 1, padRight: 2 },
  });
  const work = layer(shape, 'int16');
  const machine = configured(stripes, { tiles: 3, units: 1, lanes: 1, columns: 1 });
  const one = { kind: stripes, machine, work, counters: machine.count(work) };
  let largest = 0;
  inMemory(one, { ...INFINITE, globalBytes: 257, outputBits: 32 }, (plan, dram, global) => {
    for (let j = 1; j < plan.moves; j++)
      largest = Math.max(largest, plan.ownActivations[j] + plan.nextWeights[j] + plan.outputs[j]);
    return timeMoves(plan, dram, global);
  });
  expect(largest).toBeLessThanOrEqual(Math.ceil(257 / 2));
});

it('what comes for the next outer tile goes into the buffers of that one', () => {
  // Blocks of five filters and of one, a tile for each filter; a filter has 12 bytes of weights, which local buffers keep.
  const shape = conv({ channels: 6, filters: 12, groups: 2, width: 4, kernelWidth: 2 });
  const work = layer(shape, 'int16');
  const machine = configured(stripes, { tiles: 5, units: 1, lanes: 1, columns: 1, tileBy: 'filters' });
  const one = { kind: stripes, machine, work, counters: machine.count(work) };
  let fills: number[] = [];
  const result = inMemory(one, { ...INFINITE, localBytes: 64 }, (plan, dram, global) => {
    fills = [...plan.fill];
    return timeMoves(plan, dram, global);
  })!;
  expect(result.tiling).toMatchObject({ stationary: 'local', moves: 8 });
  // Three outputs, each with a window of 12 bytes, in two moves; and 6 bytes of weights with each, at first all 12.
  expect(fills).toEqual([18 + 12, 24, 24, 24, 24, 24, 24, 18]);
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
