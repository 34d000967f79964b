/** The one check for machines that need activations. */
import { UserError } from '../errors.js';
import type { Codes } from '../quantize.js';
import type { LayerWork } from './machine.js';

/** @throws UserError where the trace holds weights only */
export function requireActivations(machine: string, work: LayerWork): Codes {
  if (work.activations) return work.activations;
  throw new UserError(
    'no-activations',
    `layer ${work.name}: found no activations in the trace, expected a tensor ${work.name}/input for machine ` +
      `${machine} at this level; use a trace with activations, or --level count with machines that time ` +
      'weights alone (dadiannao, tetris)',
  );
}
