/** Row PEs in float32: the same timing, and sums that stay within the rounding of their products. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sparsetrain, sparsetrainDense } from '../../src/arch/sparsetrain.js';
import { expectedOutput } from '../../src/expected.js';
import { caseArbitrary, workOf } from '../../src/fuzz.js';
import { float32Error } from '../../src/simulate/verify.js';
import { configured, conv, layer } from '../support/layers.js';
import { runs } from '../support/runs.js';

describe.each([sparsetrain, sparsetrainDense])('$name in float32', (kind) => {
  it('takes the cycles of integers, and stays within the rounding bound', () => {
    fc.assert(
      fc.property(caseArbitrary([kind]), (c) => {
        const work = workOf(c);
        const exact = configured(kind, c.settings).step(work);
        const machine = configured(kind, { ...c.settings, arithmetic: 'float32' });
        const rounded = machine.step(work);
        expect(machine.float32).toBe(true);
        expect(rounded.counters).toEqual(exact.counters);
        expect(machine.count(work)).toEqual(exact.counters);
        const { outside } = float32Error(work, rounded.output, exact.output);
        expect(outside).toBe(0);
      }),
      { numRuns: runs(80) },
    );
  });

  it('rounds: a long sum of large products differs, a wrong one is outside', () => {
    const values = [32767, -32749, 32719, 12345, -32003];
    const work = layer(conv({ channels: 40, width: 6, kernelWidth: 3 }), 'int16', {
      weights: values,
      activations: values.map((x) => x - 2),
    });
    const { output } = configured(kind, { arithmetic: 'float32' }).step(work);
    const expected = expectedOutput(work, kind.masksGradInput === true);
    const { outside, largest } = float32Error(work, output, expected);
    expect(outside).toBe(0);
    expect(largest).toBeGreaterThan(0);
    output[3] *= 1.001;
    expect(float32Error(work, output, expected).outside).toBe(1);
    output[3] = NaN;
    expect(float32Error(work, output, expected).outside).toBe(1);
  });
});
