/**
 * Energy of whole systems (SPEC sections 9 and 11): work per joule of Tetris over the dense array, and of SparseTrain over
 * its dense twin. Theirs are of other nodes, networks and boundaries of what is counted: context, all of it.
 */
import type { Budget } from '../../../src/arch/budget.js';
import { ENERGY_NODES, type EnergyNode } from '../../../src/energy/node.js';
import type { Precision } from '../../../src/quantize.js';
import type { Claim, Section } from '../claim.js';
import { TITLES, trained, type Recorded, type Trained } from '../networks.js';
import { TARGETS } from './pruning.js';
import { figureOf, inference, PRECISIONS, SYSTEM_NETWORKS, training } from './system.js';

const BUDGETS = ['lanes', 'area'] as const satisfies readonly Budget[];
const SHORT = { lanes: '/lane', area: '/area' } as const;

const tetris = (
  network: Recorded,
  precision: Precision,
  budget: (typeof BUDGETS)[number],
  energyNode: EnergyNode,
): Claim => ({
  id: `energy.tetris.${network}.${precision}.${budget}.${energyNode}`,
  claim: `${TITLES[network]}, ${precision}, ${SHORT[budget]}, ${energyNode}`,
  source: 'Tetris',
  tag: 'pub',
  theirs: 5.33,
  unit: 'x dense, work per joule',
  decimals: 2,
  ...figureOf(
    inference(network, precision, { budget, memory: 'dadiannao-like', energyNode }),
    'machines.0.total.energy.efficiencyVsDense',
  ),
  tolerance: null,
  reason:
    'Theirs is "up to", power efficiency over DaDianNao at 65 nm, and what it counts was not read. By our synthesis a SAC ' +
    'lane costs several MAC lanes in area and a word several multiplications in energy, and kneaded words take more ' +
    'bytes than raw weights; here DRAM and buffers count too. Other networks and nodes.',
});

const sparsetrain = (network: Trained, p: number, energyNode: EnergyNode): Claim => ({
  id: `energy.sparsetrain.${network}.${p}.${energyNode}`,
  claim: `over twin, ${TITLES[network]}, p = ${p}, ${energyNode}`,
  source: 'SparseTrain',
  tag: 'pub',
  theirs: 2.2,
  unit: 'x twin, work per joule',
  decimals: 2,
  ...figureOf(training(network, p, { energyNode }), 'machines.0.total.energy.efficiencyVsTwin'),
  tolerance: null,
  reason:
    'Theirs is of AlexNet and ResNet, networks of hundreds of channels, at another node; ours are recorded steps of small ' +
    'networks. The baseline is alike: the same array without compression, masks and pruning.',
});

export const energy: Section = {
  name: 'energy',
  title: 'Energy of whole systems',
  about:
    'Energy of the baseline over energy of the machine, DRAM and buffers included, each row at one node. Tetris over the ' +
    'dense array in inference, memory dadiannao-like, /lane: as many lanes, /area: as much logic at 45 nm. SparseTrain ' +
    'over its dense twin in whole training steps, int16, memory sparsetrain-like, by pruning target p.',
  claims: [
    ...SYSTEM_NETWORKS.flatMap((network) =>
      PRECISIONS.flatMap((precision) =>
        BUDGETS.flatMap((budget) => ENERGY_NODES.map((node) => tetris(network, precision, budget, node))),
      ),
    ),
    ...trained.flatMap((network) =>
      [0, ...TARGETS].flatMap((p) => ENERGY_NODES.map((node) => sparsetrain(network, p, node))),
    ),
  ],
};
