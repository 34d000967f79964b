/**
 * Tetris against the dense array and against Pragmatic (SPEC sections 3 and 11): int16 and int8, each sync policy, at
 * equal lanes and at equal area of logic. Theirs is of other networks, and only reported but for one sentence.
 */
import type { Budget } from '../../../src/arch/budget.js';
import type { Precision } from '../../../src/quantize.js';
import type { Claim, Section } from '../claim.js';
import type { Lab } from '../lab.js';
import { argumentsOf, commandOf, type Setup } from '../setup.js';
import { POLICIES, policyName, policySettings, type Policy } from './synchronisation.js';

const PRECISIONS = ['int16', 'int8'] as const;
const BUDGETS = ['lanes', 'area'] as const;

/** Reported: speedups over DaDianNao. */
const TETRIS: Record<Precision, number> = { int16: 1.3, int8: 1.5 };
const PRAGMATIC = 1.15;
/** Reported: chips at 65 nm, mm2. */
const CHIPS = { dadiannao: 79.36, pragmatic: 153.65, tetris: 89.76 };

const DEFAULT = POLICIES[2];

/** Where weights and shapes come from; files of one precision carry codes of that width. */
interface Source {
  title: string;
  network: (precision: Precision) => string;
  level: Setup['level'];
  /** What differs from theirs. */
  differs: string;
}
const SOURCES: Record<string, Source> = {
  waifu2x: {
    title: 'VGG-7',
    network: () => 'waifu2x',
    level: 'count',
    differs: 'real weights of seven plain 3x3 convolutions (waifu2x), 32x32 inputs',
  },
  bits: {
    title: 'AlexNet bits',
    network: (precision) => `alexnet-bits-${precision}`,
    level: 'count',
    differs:
      'AlexNet shapes, bits set independently at the published density (31.1 %), which real weights are not',
  },
  vgg16: {
    title: 'VGG-16',
    network: () => 'vgg16',
    level: 'count',
    differs: 'VGG-16 shapes, normal weights, synthetic',
  },
  alexnet: {
    title: 'AlexNet',
    network: () => 'alexnet',
    level: 'count',
    differs: 'AlexNet shapes, normal weights and half-zero normal activations, synthetic',
  },
  resnet8: {
    title: 'ResNet-8',
    network: () => 'resnet8',
    level: 'step',
    differs: 'a recorded network of 8 to 32 channels, too narrow for the array',
  },
};

const setup = (
  source: string,
  machine: string,
  precision: Precision,
  given: { policy?: Policy; budget?: Budget } = {},
): Setup => ({
  command: 'replay',
  network: SOURCES[source].network(precision),
  machine,
  precision,
  level: SOURCES[source].level,
  ...(given.policy ? { settings: policySettings(given.policy) } : {}),
  budget: given.budget ?? 'lanes',
});

const reported = (source: string): string =>
  'Reported of the paper, not re-read: no verdict. Theirs is the mean of AlexNet, GoogleNet, VGG-16, VGG-19 and NiN, ' +
  `with a synchronisation that we do not know. Ours: ${SOURCES[source].differs}.`;

const common = { source: 'Tetris', tag: 'rep', unit: 'x', decimals: 2, printed: 2 } as const;
const per: Record<(typeof BUDGETS)[number], string> = { lanes: '/lane', area: '/area' };

const speedup = (source: string, precision: Precision, policy: Policy, budget: 'lanes' | 'area'): Claim => {
  const s = setup(source, 'tetris', precision, { policy, budget });
  return {
    ...common,
    id: `tetris.${source}.${precision}.${policyName(policy)}.${budget}`,
    claim: `${SOURCES[source].title}, ${precision}, ${policy.sync} D ${policy.slots} ${per[budget]}`,
    theirs: TETRIS[precision],
    ours: (lab) => lab.number(s, 'speedupVsDense'),
    tolerance: null,
    reason: reported(source),
    command: commandOf(s, 'speedupVsDense'),
  };
};

const bound = (source: string, precision: Precision): Claim => {
  const s = setup(source, 'tetris', precision, { policy: DEFAULT });
  return {
    ...common,
    id: `tetris.${source}.${precision}.bound`,
    claim: `${SOURCES[source].title}, ${precision}, nobody waits`,
    theirs: TETRIS[precision],
    ours: (lab) => lab.number(s, 'singleStreamBound'),
    tolerance: null,
    reason: reported(source),
    command: commandOf(s, 'singleStreamBound'),
  };
};

const matrix = (source: string): Claim[] =>
  PRECISIONS.flatMap((precision) => [
    ...BUDGETS.flatMap((budget) => POLICIES.map((policy) => speedup(source, precision, policy, budget))),
    bound(source, precision),
  ]);

const atDefault = (source: string): Claim[] =>
  PRECISIONS.flatMap((precision) => [
    ...BUDGETS.map((budget) => speedup(source, precision, DEFAULT, budget)),
    bound(source, precision),
  ]);

const ALL = Object.keys(SOURCES);

const largest: Claim = {
  ...common,
  id: 'tetris.largest',
  claim: 'largest of all networks, int8 /lane',
  tag: 'pub',
  theirs: 1.5,
  ours: async (lab) => {
    let most = 0;
    for (const source of ALL) {
      const s = setup(source, 'tetris', 'int8', { policy: DEFAULT });
      most = Math.max(most, await lab.number(s, 'speedupVsDense'));
    }
    return most;
  },
  tolerance: null,
  reason:
    '"Up to 1.50x" of the abstract names neither the baseline, nor the precision, nor whether an int8 unit takes two ' +
    'streams. Ours: int8, one stream, skew with two slots, over a dense int8 array of equal lanes. Not comparable.',
  command: 'runner',
};

const pragmatic = (source: string, precision: Precision): Claim => {
  const s = setup(source, 'pragmatic', precision);
  return {
    ...common,
    id: `tetris.pragmatic.${source}.${precision}`,
    claim: `Pragmatic, ${SOURCES[source].title}, ${precision} /lane`,
    theirs: PRAGMATIC,
    ours: (lab) => lab.number(s, 'speedupVsDense'),
    tolerance: null,
    reason: `${reported(source)} Pragmatic skips bits of activations, which are half zero here.`,
    command: commandOf(s, 'speedupVsDense'),
  };
};

/** Tetris over Pragmatic at equal lanes. */
const overPragmatic = async (
  lab: Lab,
  source: string,
  precision: Precision,
  policy: Policy,
): Promise<number> =>
  (await lab.number(setup(source, 'pragmatic', precision), 'cycles')) /
  (await lab.number(setup(source, 'tetris', precision, { policy }), 'cycles'));

const versus = (source: string, precision: Precision, policy: Policy): Claim => ({
  ...common,
  id: `tetris.over-pragmatic.${source}.${precision}.${policyName(policy)}`,
  claim: `over PRA, ${SOURCES[source].title}, ${precision}, ${policy.sync} D ${policy.slots}`,
  theirs: TETRIS[precision] / PRAGMATIC,
  ours: (lab) => overPragmatic(lab, source, precision, policy),
  tolerance: null,
  reason: `Quotient of two reported figures. ${reported(source)}`,
  command: {
    args: argumentsOf(setup(source, 'pragmatic,tetris', precision, { policy })),
    at: 'machines.0.total.cycles / machines.1.total.cycles',
  },
});

const versusArea = (source: string, precision: Precision): Claim => {
  const areas = CHIPS.pragmatic / CHIPS.tetris;
  return {
    ...common,
    id: `tetris.over-pragmatic.${source}.${precision}.area`,
    claim: `over PRA, ${SOURCES[source].title}, ${precision} /their chip`,
    theirs: (areas * TETRIS[precision]) / PRAGMATIC,
    ours: async (lab) => areas * (await overPragmatic(lab, source, precision, DEFAULT)),
    tolerance: null,
    reason:
      'There is no Pragmatic PE in Verilog here, so no area of ours: both sides use their reported chips (153.65 and ' +
      '89.76 mm2 at 65 nm), and only the cycles differ.',
    command: 'runner',
  };
};

export const tetris: Section = {
  name: 'tetris',
  title: 'Tetris against dense and Pragmatic',
  about:
    'Speedup over the dense array in inference, KS 16, 16 x 16 x 16. /lane: as many lanes as the dense array. /area: as ' +
    'much logic, by our synthesis at 45 nm. Nobody waits: the bound. PRA: Pragmatic, at equal lanes.',
  claims: [
    ...matrix('waifu2x'),
    ...matrix('bits'),
    ...['vgg16', 'alexnet', 'resnet8'].flatMap(atDefault),
    largest,
    ...['alexnet', 'resnet8'].flatMap((source) => PRECISIONS.map((p) => pragmatic(source, p))),
    pragmatic('vgg16', 'int16'),
    ...['alexnet', 'resnet8'].flatMap((source) =>
      PRECISIONS.flatMap((p) => [
        ...POLICIES.map((policy) => versus(source, p, policy)),
        versusArea(source, p),
      ]),
    ),
  ],
};
