/** What a layer and phase must yield: the dense reference of the phase, as a machine delivers it. */
import type { LayerWork } from './arch/machine.js';
import { referenceForward, referenceGradInput, referenceGradWeight } from './reference.js';

/**
 * @param masked whether the machine leaves out gradients by the input that the ReLU mask zeroes
 * @throws Error where an operand of the phase is missing, which is checked when the work is made
 */
export function expectedOutput(work: LayerWork, masked: boolean): Float64Array {
  const { shape, weights, phase } = work;
  const activations = work.activations!.codes;
  if (phase === 'forward') return referenceForward(shape, weights.codes, activations);
  const gradOutput = work.gradOutput!.codes;
  if (phase === 'gradWeight') return referenceGradWeight(shape, activations, gradOutput);
  const gradInput = referenceGradInput(shape, weights.codes, gradOutput);
  const { inputMask } = work;
  return masked && inputMask ? gradInput.map((value, i) => (inputMask[i] === 0 ? 0 : value)) : gradInput;
}
