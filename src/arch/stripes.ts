/** Stripes-like (MICRO 2016; SPEC section 4): bit-serial in the storage width of the activations. */
import type { MachineKind } from './machine.js';
import { SERIAL_PARAMETERS, SerialMachine } from './serial.js';
import type { SerialConfig } from './serialConfig.js';

export const stripes: MachineKind = {
  name: 'stripes',
  summary: 'bit-serial in all bits of activations: 8 or 16 cycles per step, weights in parallel',
  source: 'Stripes, MICRO 2016',
  parameters: SERIAL_PARAMETERS,
  phases: ['forward'],
  needsActivations: true,
  units: () => 'serial',
  configure: (config) => {
    const timing = { ...(config as unknown as SerialConfig), firstStageBits: null, columnRegisters: 0 };
    return new SerialMachine('stripes', config, timing);
  },
};
