/** Parameters of split-and-accumulate arrays (SPEC section 3), as their timing code reads them and users set them. */
import type { LaneArray } from '../lower/lowering.js';
import { ARRAY_PARAMETERS, LOWERING_PARAMETER, type Parameter } from './machine.js';

export interface SacConfig extends LaneArray {
  /** Units per tile: physical units times int8 streams. */
  units: number;
  kneadingStride: number;
  windowSlots: number;
  throttleWords: number;
  sync: 'barrier' | 'skew';
  windowLoadCycles: number;
  emptyGroupCycles: number;
  /** B of the kneaded codes. */
  magnitudeBits: number;
}

export const SAC_PARAMETERS: readonly Parameter[] = [
  ...ARRAY_PARAMETERS,
  LOWERING_PARAMETER,
  { name: 'kneadingStride', default: 16, min: 1, max: 256, doc: 'weights per kneaded group (KS)' },
  { name: 'windowSlots', default: 2, min: 1, max: 64, doc: 'activation windows buffered per lane (D)' },
  {
    name: 'throttleWords',
    default: 4,
    min: 0,
    max: 64,
    doc: 'kneaded words buffered per unit and lane (TD)',
  },
  {
    name: 'sync',
    default: 'skew',
    values: ['skew', 'barrier'],
    doc: 'whether units of a tile may run ahead within the buffered windows, or wait for each other',
  },
  {
    name: 'windowLoadCycles',
    default: 1,
    min: 1,
    max: 64,
    doc: 'cycles that a lane port takes per window',
  },
];
