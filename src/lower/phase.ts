/**
 * The phases of training a layer. forward: O = W * I. gradInput (GTA): dI = dO * rotated W. gradWeight (GTW):
 * dW = I * dO, summed over the examples. Weight update, batch norm and optimiser are not modelled.
 */
export const PHASES = ['forward', 'gradInput', 'gradWeight'] as const;
export type Phase = (typeof PHASES)[number];
