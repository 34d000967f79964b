/** The denominator: a dense layer whose cycles a public C++ simulator gave (SPEC section 4, the anchor). */
import { EXACT, type Claim, type Section } from '../claim.js';
import { commandOf, type Setup } from '../setup.js';

const setup: Setup = {
  command: 'replay',
  network: 'anchor',
  machine: 'dadiannao',
  precision: 'int16',
  level: 'step',
  settings: ['tileBy=filters'],
};

const SOURCE = 'SPEC 4';

const row = (id: string, claim: string, theirs: number, unit: string, field: 'macs' | 'cycles'): Claim => ({
  id: `dense.${id}`,
  claim,
  source: SOURCE,
  tag: 'own',
  theirs,
  unit,
  decimals: 0,
  ours: (lab) => lab.number(setup, field),
  tolerance: EXACT,
  reason:
    'Closed form of shape and array, no data involved; theirs was computed by a public simulator. Equal.',
  command: commandOf(setup, field),
});

export const dense: Section = {
  name: 'dense',
  title: 'Dense anchor',
  about:
    'Input 64 x 56 x 56, weights 64 x 64 x 3 x 3, padding 1, stride 1, on 16 tiles x 16 filters x 16 lanes, published ' +
    'mapping; clocked, every output checked.',
  claims: [
    row('macs', 'multiplications', 115_605_504, 'MACs', 'macs'),
    row('cycles', 'compute cycles', 112_896, 'cycles', 'cycles'),
  ],
};
