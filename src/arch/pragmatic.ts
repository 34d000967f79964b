/**
 * Bit-Pragmatic-like (MICRO 2017, arXiv:1610.06920; SPEC section 4): only the essential bits of activations cost
 * cycles, weights are parallel.
 */
import type { MachineKind } from './machine.js';
import { SERIAL_PARAMETERS, SerialMachine } from './serial.js';
import type { SerialConfig } from './serialConfig.js';

export const pragmatic: MachineKind = {
  name: 'pragmatic',
  summary: 'bit-serial in the essential bits of activations, two-stage shifting, weights in parallel',
  source: 'Bit-Pragmatic, MICRO 2017, arXiv:1610.06920',
  parameters: [
    ...SERIAL_PARAMETERS,
    {
      name: 'firstStageBits',
      default: 2,
      min: 0,
      max: 4,
      doc: 'bits of the first-stage shifter: lanes drop bits within 2^b of the least remaining position',
    },
    {
      name: 'columnRegisters',
      default: 0,
      min: 0,
      max: 64,
      doc: 'steps that a column may run ahead of the slowest (0: all columns wait in each step)',
    },
  ],
  phases: ['forward'],
  needsActivations: true,
  units: () => 'serial',
  configure: (config) => new SerialMachine('pragmatic', config, config as unknown as SerialConfig),
};
