/**
 * Stochastic gradient pruning (SPEC section 5; SparseTrain, arXiv:2007.13595): density by target p, in closed form, on
 * drawn normal gradients and on recorded ones; and that the expectation of each gradient stays.
 */
import { hash32, Random } from '../../../src/random.js';
import { hashDraws } from '../../../src/sparse/draws.js';
import { prune } from '../../../src/sparse/prune.js';
import { exactThreshold, prunedDensity } from '../../../src/sparse/threshold.js';
import {
  AT_MOST,
  EXACT,
  rounded,
  STANDARD_ERRORS,
  within,
  type Claim,
  type Command,
  type Section,
} from '../claim.js';
import type { Lab } from '../lab.js';
import { argumentsOf, type Setup } from '../setup.js';
import { TITLES, trained, type Trained } from '../networks.js';

/** SPEC section 5: rho(p). */
const RHO: [p: number, rho: number][] = [
  [0.5, 0.7407],
  [0.7, 0.6199],
  [0.8, 0.5487],
  [0.9, 0.4597],
  [0.95, 0.3975],
  [0.99, 0.3085],
];
/** Targets that SPEC names. */
export const TARGETS = [0.7, 0.8, 0.9, 0.99];
const rhoOf = (p: number): number => RHO.find(([target]) => target === p)![1];

const common = { source: 'SPEC 5', unit: 'density', decimals: 4 } as const;

const closed = ([p, rho]: [number, number]): Claim => ({
  ...common,
  id: `density.closed.${p}`,
  claim: `rho(p), p = ${p}, closed form`,
  tag: 'law',
  theirs: rho,
  ours: () => prunedDensity(p),
  tolerance: within(rounded(4)),
  reason: 'Closed form; theirs is printed with four decimals.',
  command: 'runner',
});

const BATCHES = 16;
const BATCH = 2 ** 15;

/** Density of normal gradients after pruning at their own threshold: mean of batches, and its standard error. */
const drawn = (lab: Lab, p: number): { mean: number; error: number } =>
  lab.once(`density ${p}`, () => {
    const densities = Array.from({ length: BATCHES }, (_, batch) => {
      const random = new Random(hash32(5, batch));
      const values = Float64Array.from({ length: BATCH }, () => random.normal());
      const { prunedNonZero } = prune(
        values,
        exactThreshold(values, p),
        hashDraws(1, batch, 'normal'),
        p,
      ).statistics;
      return prunedNonZero / BATCH;
    });
    const mean = densities.reduce((a, b) => a + b, 0) / BATCHES;
    const squares = densities.reduce((sum, d) => sum + (d - mean) ** 2, 0);
    return { mean, error: Math.sqrt(squares / (BATCHES - 1) / BATCHES) };
  });

const sampled = (p: number): Claim => ({
  ...common,
  id: `density.drawn.${p}`,
  claim: `normal gradients pruned, p = ${p}`,
  tag: 'law',
  theirs: rhoOf(p),
  ours: (lab) => drawn(lab, p).mean,
  tolerance: (lab) => within(STANDARD_ERRORS * drawn(lab, p).error + rounded(4)),
  reason: `${STANDARD_ERRORS} standard errors over ${BATCHES} batches of ${BATCH} elements, and the rounding of theirs.`,
  command: 'runner',
});

const setup = (network: Trained, p: number): Setup => ({
  command: 'train',
  network,
  machine: 'dadiannao',
  precision: 'int16',
  level: 'count',
  prune: p,
  seed: 1,
});

const trainCommand = (network: Trained, p: number, at: string): Command => ({
  args: argumentsOf(setup(network, p)),
  at,
});

/** Of all layers together, before quantisation. */
export async function prunedShare(lab: Lab, network: Trained, p: number): Promise<number> {
  const { pruning } = await lab.counts(setup(network, p));
  const elements = pruning.reduce((sum, layer) => sum + layer.elements, 0);
  return pruning.reduce((sum, layer) => sum + layer.elements * layer.density.pruned, 0) / elements;
}

const ofNetwork = (network: Trained, p: number): Claim => ({
  ...common,
  id: `density.${network}.${p}`,
  claim: `${TITLES[network]}, recorded, p = ${p}`,
  tag: 'own',
  theirs: rhoOf(p),
  ours: (lab) => prunedShare(lab, network, p),
  tolerance: AT_MOST,
  reason: '"Real gradients have heavier tails and come out sparser" than rho(p): an inequality.',
  command: trainCommand(network, p, 'pruning: density.pruned, weighted by elements'),
});

const bias = (network: Trained): Claim => ({
  id: `density.bias.${network}`,
  claim: `largest bias, ${TITLES[network]}, p = 0.9`,
  source: 'SPEC 5',
  tag: 'law',
  theirs: 0,
  unit: 'standard errors',
  decimals: 2,
  ours: async (lab) => {
    const { pruning } = await lab.counts(setup(network, 0.9));
    const biases = pruning.map(({ measuredBias, biasStandardError }) => measuredBias / biasStandardError);
    return biases.reduce((largest, b) => (Math.abs(b) > Math.abs(largest) ? b : largest), 0);
  },
  tolerance: within(STANDARD_ERRORS),
  reason: `E[g'] = g: the mean of g' - g of a layer, in its own standard errors under the rule, within ${STANDARD_ERRORS}.`,
  command: trainCommand(network, 0.9, 'pruning: measuredBias / biasStandardError'),
});

const falls: Claim = {
  id: 'density.falls',
  claim: 'p up, density up: cases',
  source: 'SPEC 5',
  tag: 'law',
  theirs: 0,
  unit: 'cases',
  decimals: 0,
  ours: async (lab) => {
    let cases = 0;
    for (const network of trained) {
      const densities: number[] = [];
      for (const p of [0, ...TARGETS]) densities.push(await prunedShare(lab, network, p));
      cases += densities.filter((d, i) => i > 0 && d > densities[i - 1]).length;
    }
    return cases;
  },
  tolerance: EXACT,
  reason: 'Law: one draw per element, whatever p is, so a larger p never keeps more. Three networks.',
  command: 'runner',
};

export const pruning: Section = {
  name: 'density',
  title: 'Density of pruned gradients by p',
  about:
    "Share of gradients that are not zero after pruning at the step's own threshold. p is not the resulting sparsity: " +
    'rho(p) is the density of normal gradients.',
  claims: [
    ...RHO.map(closed),
    ...TARGETS.map(sampled),
    ...trained.flatMap((network) => TARGETS.map((p) => ofNetwork(network, p))),
    falls,
    ...trained.map(bias),
  ],
};
