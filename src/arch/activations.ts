/** Machines that need activations or gradients: the checks, and the one text for where there are none. */
import { UserError } from '../errors.js';
import { laneOperands, type LaneOperands } from '../lower/phases.js';
import type { Codes } from '../quantize.js';
import type { LayerWork } from './machine.js';

/** @throws UserError where the trace holds weights only */
export function requireActivations(machine: string, work: LayerWork): Codes {
  if (work.activations) return work.activations;
  throw noActivations(`layer ${work.name}`, work.name, machine, 'this level');
}

/** @throws UserError where the trace holds no gradients */
export function requireGradients(machine: string, work: LayerWork): Codes {
  if (work.gradOutput) return work.gradOutput;
  throw new UserError(
    'no-gradients',
    `layer ${work.name}: found no gradients, expected a tensor ${work.name}/grad_output for machine ${machine} in ` +
      `phase ${work.phase}; use a trace of a training step, or --phase forward`,
  );
}

/** Operands with their widths, in magnitude bits. */
export interface PhaseOperands extends LaneOperands {
  streamBits: number;
  windowBits: number;
}

/** What the lanes of a machine multiply in this phase. @throws UserError where the trace lacks an operand */
export function requireOperands(machine: string, work: LayerWork): PhaseOperands {
  const { phase, shape, weights } = work;
  const activations = phase === 'gradInput' ? null : requireActivations(machine, work);
  const gradOutput = phase === 'forward' ? null : requireGradients(machine, work);
  const none = new Int32Array(0);
  const codes = {
    weights: weights.codes,
    activations: activations?.codes ?? none,
    gradOutput: gradOutput?.codes ?? none,
  };
  return {
    ...laneOperands(phase, shape, codes),
    streamBits: (phase === 'gradWeight' ? activations! : weights).magnitudeBits,
    windowBits: (gradOutput ?? activations!).magnitudeBits,
  };
}

/** @param place the layer, and the file where it is known */
export const noActivations = (place: string, layer: string, machine: string, level: string): UserError =>
  new UserError(
    'no-activations',
    `${place}: found no activations, expected a tensor ${layer}/input for machine ${machine} at ${level}; use a ` +
      'trace with activations, or --level count with machines that time weights alone, such as tetris',
  );
