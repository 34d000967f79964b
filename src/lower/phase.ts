/**
 * The phases of training a layer. forward: O = W * I. gradInput (GTA): dI = dO * rotated W. gradWeight (GTW):
 * dW = I * dO, summed over the examples. Weight update, batch norm and optimiser are not modelled.
 */
import { inputShape, outputShape, weightShape, type ConvShape } from '../tensor.js';

export const PHASES = ['forward', 'gradInput', 'gradWeight'] as const;
export type Phase = (typeof PHASES)[number];

/** Shape of what a phase yields: (N, F, Ho, Wo), (N, C, H, W) or (F, C/groups, R, S). */
export function phaseOutputShape(phase: Phase, shape: ConvShape): number[] {
  if (phase === 'forward') return outputShape(shape);
  return phase === 'gradInput' ? inputShape(shape) : weightShape(shape);
}
