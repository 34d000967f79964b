/** Energy per byte: the published table, and the curve through it. */
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { memoryFigure, SRAM_TABLE, sramAccess } from '../../src/energy/memory.js';
import { ENERGY_NODES, memoryScaleOf } from '../../src/energy/node.js';
import { capacity } from './support.js';

describe('a byte of SRAM', () => {
  it('costs what the table says at its capacities: 64 bits in 8 KB, 32 KB and 1 MB', () => {
    for (const [kib, pJ] of [
      [8, 10],
      [32, 20],
      [1024, 100],
    ]) {
      const figure = memoryFigure('45nm', 'local', kib * 1024);
      expect(figure.pJ).toBeCloseTo(pJ / 8, 12);
      expect(figure).toMatchObject({ how: 'published', node: '45 nm', measuredAt: '45 nm' });
    }
  });

  it('never costs less in a larger memory, and never nothing', () => {
    fc.assert(
      fc.property(capacity, capacity, fc.constantFrom(...ENERGY_NODES), (a, b, node) => {
        const [small, large] = [Math.min(a, b), Math.max(a, b)].map((bytes) =>
          memoryFigure(node, 'global', bytes),
        );
        expect(large.pJ).toBeGreaterThanOrEqual(small.pJ);
        expect(small.pJ).toBeGreaterThan(0);
      }),
    );
    for (const [i, { bytes }] of SRAM_TABLE.entries()) {
      expect(sramAccess(bytes - 1).pJ).toBeLessThan(sramAccess(bytes).pJ);
      expect(sramAccess(bytes).pJ / sramAccess(bytes - 1).pJ).toBeCloseTo(1, 3);
      if (i > 0) {
        // In the middle of the logarithms stands the mean of the logarithms.
        const before = SRAM_TABLE[i - 1];
        const middle = sramAccess(Math.sqrt(bytes * before.bytes)).pJ;
        expect(middle).toBeCloseTo(Math.sqrt(before.pJ * SRAM_TABLE[i].pJ), 9);
      }
    }
  });

  it('of an infinite or very large memory is that of the largest in the table, and says so', () => {
    for (const bytes of [Infinity, 4 << 20]) {
      const figure = memoryFigure('45nm', 'global', bytes);
      expect(figure.pJ).toBe(12.5);
      expect(figure.how).toBe('published; of 1024 KiB, the largest tabulated');
    }
    expect(memoryFigure('45nm', 'local', 4096).how).toBe('published; log-log extrapolated below 8 KiB');
    expect(memoryFigure('45nm', 'local', 1 << 17).how).toBe('published; log-log between 32 KiB and 1024 KiB');
  });
});

test('at 180 nm SRAM is scaled the other way round, and DRAM not at all', () => {
  const { factor } = memoryScaleOf('180nm');
  // The SAC unit takes 29.4 and 9.5 pJ at 45 nm.
  expect(factor).toBeGreaterThan(376.4 / 29.4 - 0.4);
  expect(factor).toBeLessThan(118.1 / 9.5 + 0.4);
  const [near, far] = ENERGY_NODES.map((node) => memoryFigure(node, 'local', 8192));
  expect(far.pJ / near.pJ).toBeCloseTo(factor, 12);
  expect(far.how).toMatch(/scaled from 45 nm by 12\.\d+/);
  const [dram, other] = ENERGY_NODES.map((node) => memoryFigure(node, 'dram', Infinity));
  expect(dram.pJ).toBe(243.75);
  expect(other.pJ).toBe(dram.pJ);
  expect(other).toMatchObject({ node: '180 nm', measuredAt: '45 nm' });
});
