/** Claims made up for tests of how claims are judged and shown. */
import { EXACT, type Claim, type Section } from './claim.js';

export const claim = (given: Partial<Claim> = {}): Claim => ({
  id: 'toy.one',
  claim: 'one and one',
  source: 'arithmetic',
  tag: 'law',
  theirs: 2,
  unit: 'ones',
  decimals: 1,
  ours: () => 2,
  tolerance: EXACT,
  reason: 'It has always been two.',
  command: 'runner',
  ...given,
});
export const toy = (...given: Partial<Claim>[]): Section => ({
  name: 'toy',
  title: 'Toy',
  about: 'Sums | of *ones*.',
  claims: given.map(claim),
});
