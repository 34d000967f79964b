/** Machines that need activations: the check, and the one text for where there are none. */
import { UserError } from '../errors.js';
import type { Codes } from '../quantize.js';
import type { LayerWork } from './machine.js';

/** @throws UserError where the trace holds weights only */
export function requireActivations(machine: string, work: LayerWork): Codes {
  if (work.activations) return work.activations;
  throw noActivations(`layer ${work.name}`, work.name, machine, 'this level');
}

/** @param place the layer, and the file where it is known */
export const noActivations = (place: string, layer: string, machine: string, level: string): UserError =>
  new UserError(
    'no-activations',
    `${place}: found no activations, expected a tensor ${layer}/input for machine ${machine} at ${level}; use a ` +
      'trace with activations, or --level count with machines that time weights alone (dadiannao, tetris)',
  );
