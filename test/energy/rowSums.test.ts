/** Sums that row PEs add to row buffers: counted as those that leave the accumulators of clocked PEs. */
import fc from 'fast-check';
import { afterEach, expect, it, test, vi } from 'vitest';
import { machineKind } from '../../src/arch/registry.js';
import { rowSums } from '../../src/energy/rowSums.js';
import { caseArbitrary, workOf } from '../../src/fuzz.js';
import { rowShape } from '../../src/lower/rowOperations.js';
import type { Phase } from '../../src/lower/phase.js';
import { RowAccumulators } from '../../src/sim/rowAccumulators.js';
import { outputSize } from '../../src/tensor.js';
import { configured, conv, layer, pad } from '../support/layers.js';
import { rowSumsAtMost } from './support.js';

const KINDS = ['sparsetrain', 'sparsetrain-dense'].map(machineKind);
afterEach(() => void vi.restoreAllMocks());

it('are those that clocked PEs retire, and never more than the bound', () => {
  const retire = vi.spyOn(RowAccumulators.prototype as unknown as { retire(): void }, 'retire');
  let found = 0;
  const byPhase = new Set<Phase>();
  fc.assert(
    fc.property(caseArbitrary(KINDS), (c) => {
      const work = workOf(c);
      const kind = machineKind(c.machine);
      const machine = configured(kind, c.settings);
      retire.mockClear();
      const { counters } = machine.step(work);
      const sums = rowSums(work, Number(machine.config.taps), kind.name === 'sparsetrain-dense');
      expect(sums).toBe(retire.mock.calls.length);
      const shape = rowShape(work.shape);
      const widths = {
        forward: outputSize(shape).outWidth,
        gradInput: shape.width,
        gradWeight: shape.kernelWidth,
      };
      expect(sums).toBeLessThanOrEqual(rowSumsAtMost(counters, widths[work.phase]));
      found += sums;
      byPhase.add(work.phase);
    }),
    { numRuns: 150 },
  );
  expect(found).toBeGreaterThan(1000);
  expect(byPhase.size).toBe(3);
});

test('one row by hand', () => {
  // Inputs at columns 1 and 5 of eight, three taps, padding 1: outputs 0 to 2 and 4 to 6.
  const shape = conv({ width: 8, kernelWidth: 3, ...pad(0), padLeft: 1, padRight: 1 });
  const activations = [0, 3, 0, 0, 0, -2, 0, 0];
  expect(rowSums(layer(shape, 'int8', { activations }), 3, false)).toBe(6);
  expect(rowSums(layer(shape, 'int8', { activations }), 3, true)).toBe(8);
  // Two pieces of the kernel row: taps 0 and 1 reach two outputs of each, tap 2 one.
  expect(rowSums(layer(shape, 'int8', { activations }), 2, false)).toBe(6);
  // Gradients at 0 and 7, masked but for columns 1 and 2.
  const gradients = [1, 0, 0, 0, 0, 0, 0, 1];
  const back = {
    ...layer(shape, 'int8', { phase: 'gradInput', gradients }),
    inputMask: Uint8Array.of(0, 1, 1, 0, 0, 0, 0, 0),
  };
  expect(rowSums(back, 3, false)).toBe(1);
  // Gradient 0 meets inputs -1, 0 and 1 at its taps, gradient 7 inputs 6, 7 and 8: only input 1 is there, at tap 2.
  const weights = { ...layer(shape, 'int8', { phase: 'gradWeight', gradients, activations }) };
  expect(rowSums(weights, 3, false)).toBe(1);
});

test('wide rows: more than 32 columns are in several words', () => {
  const shape = conv({ width: 100, kernelWidth: 3, padLeft: 1, padRight: 1 });
  const activations = Array.from({ length: 100 }, (_, i) => (i % 33 === 31 ? 1 : 0));
  // Around 31, 64 and 97.
  expect(rowSums(layer(shape, 'int8', { activations }), 3, false)).toBe(9);
  expect(rowSums(layer(shape, 'int8', { activations }), 3, true)).toBe(100);
});
