/** Speed of SparseTrain by pruning target p (SPEC section 6; the published 2.7x on AlexNet and ResNet). */
import type { Claim, Section } from '../claim.js';
import { commandOf, type Setup } from '../setup.js';
import type { Field } from '../counts.js';
import { TITLES, trained } from '../networks.js';
import { TARGETS } from './pruning.js';

const PUBLISHED = 2.7;

const setup = (network: string, p: number, given: Partial<Setup> = {}): Setup => ({
  command: 'train',
  network,
  machine: 'sparsetrain',
  precision: 'int16',
  level: 'count',
  prune: p,
  seed: 1,
  ...given,
});

const OTHER_NETWORKS =
  'Theirs is of AlexNet and ResNet, networks of hundreds of channels; ours are recorded steps of small networks. The ' +
  'baseline is alike: the same array without compression, masks and pruning.';
const SYNTHETIC =
  'One published layer shape (half of conv5, 13 x 13), synthetic values: activations half zero, normal gradients that ' +
  'the ReLU behind zeroed by half. In a trained AlexNet both are sparser.';
const MAC_BASELINE =
  'Another baseline than theirs: the dense MAC array with as many multipliers, whose gradWeight needs no loading.';

const claim = (
  id: string,
  title: string,
  s: Setup,
  reason: string,
  field: Field = 'speedupVsTwin',
): Claim => ({
  id: `sparsetrain.${id}`,
  claim: title,
  source: 'SparseTrain',
  tag: 'pub',
  theirs: PUBLISHED,
  unit: 'x',
  decimals: 2,
  ours: (lab) => lab.number(s, field),
  tolerance: null,
  reason,
  command: commandOf(s, field),
});

export const sparsetrain: Section = {
  name: 'sparsetrain',
  title: 'SparseTrain: speed by p',
  about:
    'Cycles of a whole training step, int16, 56 groups of 3 PEs, exact thresholds; theirs is "about 2.7x". Context: no ' +
    'row can be judged.',
  claims: [
    ...trained.flatMap((network) =>
      [0, ...TARGETS].map((p) =>
        claim(
          `${network}.${p}`,
          `over twin, ${TITLES[network]}, p = ${p}`,
          setup(network, p),
          OTHER_NETWORKS,
        ),
      ),
    ),
    ...[0, 0.9].map((p) =>
      claim(
        `alexnet-step.${p}`,
        `over twin, AlexNet conv5, p = ${p}`,
        setup('alexnet-step', p, { layer: 'conv5a' }),
        SYNTHETIC,
      ),
    ),
    ...trained.map((network) =>
      claim(
        `${network}.mac`,
        `over MACs, ${TITLES[network]}, p = 0.9`,
        setup(network, 0.9, { budget: 'lanes' }),
        MAC_BASELINE,
        'speedupVsDense',
      ),
    ),
  ],
};
