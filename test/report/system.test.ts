/** The whole system in reports: parts that add up, totals as sums of rows, ratios over the dense machine. */
import { describe, expect, test } from 'vitest';
import { ENERGY_PARTS } from '../../src/energy/figure.js';
import { BOUNDS } from '../../src/memory/bottleneck.js';
import { memoryOf } from '../../src/memory/config.js';
import { MEMORY_LEVELS, OPERANDS } from '../../src/memory/traffic.js';
import type { LayerReport, Report } from '../../src/report/report.js';
import { simulate } from '../../src/simulate.js';
import { MEMORY_CAUSES } from '../../src/sim/movePlan.js';
import { openTrace } from '../../src/trace/open.js';
import { PHASES } from '../../src/arch/machine.js';
import { LENET } from '../cli/harness.js';

const MACHINES = ['dadiannao', 'stripes', 'tetris', 'sparsetrain', 'masked'];

function run(preset: string, level: 'count' | 'step' = 'count'): Report {
  const trace = openTrace(LENET);
  try {
    return simulate(trace, {
      machines: MACHINES,
      phases: PHASES,
      level,
      prune: 0.9,
      budget: 'lanes',
      memory: memoryOf(preset),
    });
  } finally {
    trace.close();
  }
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const rowsOf = (report: Report): LayerReport[] =>
  report.machines.flatMap((m) => [...m.layers, ...m.phaseTotals, m.total]);

describe.each(['dadiannao-like', 'sparsetrain-like', 'edge-like', 'infinite'])('memory %s', (preset) => {
  const report = run(preset);

  test('parts of the system cycles add up, and stalls are what is beyond PE cycles', () => {
    expect(report.violations).toEqual([]);
    for (const { cycles, memory } of rowsOf(report)) {
      expect(sum(BOUNDS.map((bound) => memory.cycleParts[bound]))).toBe(memory.systemCycles);
      expect(cycles + sum(MEMORY_CAUSES.map((cause) => memory.stall[cause]))).toBe(memory.systemCycles);
      for (const bound of BOUNDS) {
        expect(memory.cycleParts[bound]).toBeGreaterThanOrEqual(0);
        expect(memory.cycleParts[bound]).toBeLessThanOrEqual(memory.cycleParts[memory.boundBy!]);
      }
      expect(memory.boundShare).toBeCloseTo(memory.cycleParts[memory.boundBy!] / memory.systemCycles, 12);
      if (preset === 'infinite') expect(memory.systemCycles).toBe(cycles);
    }
  });

  test('a total is the sum of its rows', () => {
    for (const { layers, total } of report.machines) {
      expect(total.memory.systemCycles).toBe(sum(layers.map(({ memory }) => memory.systemCycles)));
      expect(total.memory.dramBytes).toBe(sum(layers.map(({ memory }) => memory.dramBytes)));
      for (const level of MEMORY_LEVELS)
        for (const operand of OPERANDS)
          for (const way of ['reads', 'writes'] as const)
            expect(total.memory.traffic[level][way][operand]).toBe(
              sum(layers.map(({ memory }) => memory.traffic[level][way][operand])),
            );
      for (const part of ENERGY_PARTS)
        if (total.energy.parts[part] !== null)
          expect(total.energy.parts[part]).toBeCloseTo(
            sum(layers.map(({ energy }) => energy.parts[part]!)),
            3,
          );
    }
  });

  test('energy is the sum of its parts, null without coefficients, and 1 x for the dense machine', () => {
    for (const { name, total } of report.machines) {
      const { energy, memory, macs } = total;
      if (name === 'stripes') expect([energy.total, energy.parts.pe, energy.edp]).toEqual([null, null, null]);
      else {
        expect(energy.total).toBeCloseTo(sum(ENERGY_PARTS.map((part) => energy.parts[part]!)), 3);
        expect(energy.perMac).toBeCloseTo(energy.total! / macs, 9);
        expect(energy.edp).toBeCloseTo(energy.total! * memory.systemCycles, -3);
      }
      if (name === 'dadiannao') expect([memory.systemSpeedup, energy.efficiencyVsDense]).toEqual([1, 1]);
    }
  });

  test('no machine is above its roof', () => {
    for (const { name, layers } of report.machines)
      for (const { memory } of layers)
        // Machines that skip work may pass the roof of dense lanes, but not that of the DRAM port.
        if (name === 'dadiannao')
          expect(memory.macsPerCycle!).toBeLessThanOrEqual(memory.roofMacsPerCycle! * (1 + 1e-9));
  });
});

test('both levels say the same of memory and energy', () => {
  const strip = (report: Report) =>
    report.machines.map(({ layers }) => layers.map(({ memory, energy }) => ({ memory, energy })));
  expect(strip(run('edge-like', 'step'))).toEqual(strip(run('edge-like')));
});
