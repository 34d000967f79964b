/** A machine of row PEs alone, for budgets and areas: three of everything by default, whatever the registry has. */
import { PHASES, type MachineKind } from '../../src/arch/machine.js';
import { dadiannao } from '../../src/arch/registry.js';

export const rowKind: MachineKind = {
  ...dadiannao,
  name: 'rows',
  phases: PHASES,
  units: () => 'row',
  parameters: ['groups', 'pesPerGroup', 'taps'].map((name) => ({
    name,
    default: 3,
    min: 1,
    max: 9999,
    doc: '',
  })),
};
