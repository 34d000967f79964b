/** What every recorded training step must satisfy: its gradients follow from its operands, by the dense reference. */
import { expect } from 'vitest';
import { referenceGradInput, referenceGradWeight } from '../../src/reference.js';
import type { Trace } from '../../src/trace/trace.js';

/** Largest difference, relative to the largest value. */
function difference(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  let largest = 0;
  let apart = 0;
  for (let i = 0; i < expected.length; i++) {
    largest = Math.max(largest, Math.abs(expected[i]));
    apart = Math.max(apart, Math.abs(found[i] - expected[i]));
  }
  return apart / largest;
}

/** grad_input of the layer alone, grad_weight of the kept examples, input_mask where the input is post-ReLU. */
export function checkRelations(trace: Trace): void {
  for (const layer of trace.layers) {
    const { name, shape, tensors, postRelu } = layer;
    const data = (role: Parameters<typeof layer.read>[0]): ArrayLike<number> => layer.read(role).data;
    const gradInput = referenceGradInput(shape, data('weight'), data('grad_output'));
    expect(difference(data('grad_input'), gradInput), name).toBeLessThan(1e-4);
    const gradWeight = referenceGradWeight(shape, data('input'), data('grad_output'));
    expect(difference(data('grad_weight'), gradWeight), name).toBeLessThan(1e-4);
    expect(tensors.input_mask !== undefined, name).toBe(postRelu);
    if (!postRelu) continue;
    const input = data('input');
    const mask = data('input_mask');
    let wrong = 0;
    for (let i = 0; i < input.length; i++) if (mask[i] !== (input[i] === 0 ? 0 : 1)) wrong++;
    expect(wrong, name).toBe(0);
  }
}
