/** Share of zero bits among the magnitude bits of weights: the premise of kneading (Tetris; SPEC sections 1 and 11). */
import { PRECISIONS } from '../../../src/quantize.js';
import type { Claim, Section, Tolerance } from '../claim.js';
import { PUBLISHED_ZERO_BITS } from '../density.js';
import type { Lab } from '../lab.js';
import { commandOf, type Setup } from '../setup.js';
import { recorded, TITLES, type Recorded } from '../networks.js';

const theirs = 100 * PUBLISHED_ZERO_BITS;
const SOURCE = 'Tetris';

/** Uniformly random bits: what weights would have if kneading had no premise. */
const RANDOM_BITS = 50;

const OTHER_NETWORKS =
  "Theirs is the average over the paper's networks, whose weights are not here, in a 16-bit format that the abstract " +
  'does not describe. The share follows from the largest weight of a tensor, which sets the scale: rare large weights ' +
  'raise it, and normal ones (last rows) have none.';

const setup = (network: string, precision: Setup['precision']): Setup => ({
  command: 'replay',
  network,
  machine: 'dadiannao',
  precision,
  level: 'count',
});

const share = async (lab: Lab, s: Setup): Promise<number> => 100 * (await lab.number(s, 'zeroBitFraction'));

const common = { source: SOURCE, tag: 'pub', theirs, unit: '% of bits', decimals: 1 } as const;

const ofNetwork = (network: Recorded, precision: Setup['precision']): Claim => ({
  ...common,
  id: `zero-bits.${network}.${precision}`,
  claim: `zero bits, ${TITLES[network]}, ${precision}`,
  ours: (lab) => share(lab, setup(network, precision)),
  tolerance: null,
  reason: OTHER_NETWORKS,
  command: commandOf(setup(network, precision), 'zeroBitFraction', '100 * '),
});

const ofShape = (network: 'alexnet' | 'vgg16', title: string): Claim => ({
  ...common,
  id: `zero-bits.${network}.int16`,
  claim: `zero bits, ${title} shapes, normal, int16`,
  ours: (lab) => share(lab, setup(network, 'int16')),
  tolerance: null,
  reason:
    'Their layer shapes, synthetic: seeded normal weights. Normal weights have no rare large ones, so their scale is ' +
    'tighter and fewer bits are zero than in trained weights.',
  command: commandOf(setup(network, 'int16'), 'zeroBitFraction', '100 * '),
});

/** Theirs must stand apart from random bits by as much as ours may stand apart from theirs. */
const PREMISE: Tolerance = { below: theirs - RANDOM_BITS, above: theirs - RANDOM_BITS };

const premise: Claim = {
  ...common,
  id: 'zero-bits.average.int16',
  claim: 'zero bits, average of six networks, int16',
  ours: async (lab) => {
    const shares = await Promise.all(recorded.map((network) => share(lab, setup(network, 'int16'))));
    return shares.reduce((a, b) => a + b, 0) / shares.length;
  },
  tolerance: PREMISE,
  reason:
    'The claim is that most weight bits are zero. Networks and format differ, so what can be judged is the premise: ' +
    `the average must lie on their side of ${RANDOM_BITS} %, the share in random bits, and no further above theirs ` +
    'than theirs is above that.',
  command: 'runner',
};

export const zeroBits: Section = {
  name: 'zero-bits',
  title: 'Zero bits of weights',
  about: 'Average over networks of the share of zero bits over all magnitude bits (int16: 15, int8: 7).',
  claims: [
    premise,
    ...PRECISIONS.toReversed().flatMap((precision) => recorded.map((n) => ofNetwork(n, precision))),
    ofShape('alexnet', 'AlexNet'),
    ofShape('vgg16', 'VGG-16'),
  ],
};
