/**
 * Kneading itself (SPEC sections 2, 3 and 8): width of a kneaded word, rows over weights by kneading stride, bound of
 * real weights, and the weight traffic that follows. Nothing here waits, so no timing is involved.
 */
import { kneadedWordBits } from '../../../src/bit/knead.js';
import { magnitudeBitsOf, type Precision } from '../../../src/quantize.js';
import { EXACT, rounded, within, type Claim, type Figure, type Section } from '../claim.js';
import { groupLength, PUBLISHED_DENSITY } from '../density.js';
import type { Lab } from '../lab.js';
import { commandOf, type Setup } from '../setup.js';
import { recorded, TITLES, type Recorded } from '../networks.js';

const STRIDE = 16;
/** Lanes of the default array, which deals channels to lanes: with few channels, groups are short. */
const LANES = 16;

/** @param lanes 1: all weights of a filter are one stream */
const setup = (network: string, precision: Precision, stride: number, lanes: number): Setup => ({
  command: 'replay',
  network,
  machine: 'tetris',
  precision,
  level: 'count',
  settings: [`kneadingStride=${stride}`, `lanes=${lanes}`],
});

/** T_KS / T_base. */
const ratio = (lab: Lab, network: string, precision: Precision, stride: number, lanes: number) =>
  lab.number(setup(network, precision, stride, lanes), 'kneadedRatio');

/** T_KS / T_base of the weights of all recorded networks together. */
async function pooledRatio(lab: Lab, precision: Precision, lanes: number): Promise<number> {
  let rows = 0;
  let weights = 0;
  for (const network of recorded) {
    const count = await lab.weights(network);
    rows += count * (await ratio(lab, network, precision, STRIDE, lanes));
    weights += count;
  }
  return rows / weights;
}

const wordBits = (precision: Precision): number => kneadedWordBits(magnitudeBitsOf(precision), STRIDE);

const width = (precision: Precision, theirs: number): Claim => ({
  id: `kneading.word.${precision}`,
  claim: `bits of a kneaded word, ${precision}`,
  source: 'SPEC 2',
  tag: 'law',
  theirs,
  unit: 'bits',
  decimals: 0,
  ours: () => wordBits(precision),
  tolerance: EXACT,
  reason: 'Closed form: flush, pass, and per magnitude bit a sign, a pointer of 4 bits and a valid bit.',
  command: 'runner',
});

const STRIDES = [8, 16, 32, 64, 128];

const monotone: Claim = {
  id: 'kneading.multiples',
  claim: 'KS doubled, rows added: cases',
  source: 'SPEC 2',
  tag: 'law',
  theirs: 0,
  unit: 'cases',
  decimals: 0,
  ours: async (lab) => {
    let cases = 0;
    for (const network of recorded)
      for (const precision of ['int16', 'int8'] as const) {
        const ratios: number[] = [];
        for (const stride of STRIDES) ratios.push(await ratio(lab, network, precision, stride, 1));
        cases += ratios.filter((r, i) => i > 0 && r > ratios[i - 1]).length;
      }
    return cases;
  },
  tolerance: EXACT,
  reason: `Law: rows of two groups kneaded as one are at most the sum. KS ${STRIDES.join(', ')}, six networks, both precisions.`,
  command: 'runner',
};

/** Reported of the paper, int16: rows over weights by KS. */
const REPORTED: [stride: number, theirs: number][] = [
  [10, 0.75],
  [32, 0.64],
];

const sensitivity = (network: Recorded, stride: number, theirs: number): Claim => ({
  id: `kneading.stride.${network}.ks${stride}`,
  claim: `rows/weights, KS ${stride}, ${TITLES[network]}`,
  source: 'Tetris',
  tag: 'rep',
  theirs,
  unit: 'rows/weight',
  decimals: 3,
  ours: (lab) => ratio(lab, network, 'int16', stride, 1),
  tolerance: null,
  reason: 'Reported of the paper, not re-read: no verdict. Ours is without short groups (one lane), int16.',
  command: commandOf(setup(network, 'int16', stride, 1), 'kneadedRatio'),
});

const independent = (stride: number, theirs: number): Claim => ({
  id: `kneading.stride.independent.ks${stride}`,
  claim: `rows/weights, KS ${stride}, independent`,
  source: 'Tetris',
  tag: 'rep',
  theirs,
  unit: 'rows/weight',
  decimals: 3,
  ours: () => groupLength(PUBLISHED_DENSITY, 'int16', stride).mean / stride,
  tolerance: null,
  reason:
    'Reported, no verdict. Closed form of bits that are set independently at the published density (31.1 %): what the ' +
    'average density alone would give.',
  command: 'runner',
});

/** Of figures that SPEC gives as a range "on real networks", without naming these. */
const POOLED =
  'SPEC gives a range over networks that it does not name, so the networks are judged together: all recorded weights, ' +
  'tolerance half a unit of the last digit printed. Rows of single networks are context.';
const SINGLE = 'One network of those judged together above: SPEC does not name the networks of its range.';

const boundSource = { source: 'SPEC 3', tag: 'own', theirs: [1.42, 1.51] as Figure } as const;

const bounds: Claim[] = [
  {
    ...boundSource,
    id: 'kneading.bound.all',
    claim: 'weights/cycle, all networks',
    unit: 'weights/cycle',
    decimals: 3,
    ours: async (lab) => 1 / (await pooledRatio(lab, 'int16', 1)),
    tolerance: within(rounded(2)),
    reason: POOLED,
    command: 'runner',
  },
  ...recorded.map((network): Claim => ({
    ...boundSource,
    id: `kneading.bound.${network}`,
    claim: `weights/cycle, ${TITLES[network]}`,
    unit: 'weights/cycle',
    decimals: 3,
    ours: async (lab) => 1 / (await ratio(lab, network, 'int16', STRIDE, 1)),
    tolerance: null,
    reason: SINGLE,
    command: commandOf(setup(network, 'int16', STRIDE, 1), 'kneadedRatio', '1 / '),
  })),
];

const TRAFFIC: Record<Precision, Figure> = { int16: [64, 70], int8: [26, 29] };

const traffic = (precision: Precision): Claim[] => {
  const common = {
    source: 'SPEC 8',
    tag: 'own',
    theirs: TRAFFIC[precision],
    unit: 'bits',
    decimals: 1,
  } as const;
  return [
    {
      ...common,
      id: `kneading.traffic.all.${precision}`,
      claim: `bits/weight, all networks, ${precision}`,
      ours: async (lab) => wordBits(precision) * (await pooledRatio(lab, precision, LANES)),
      tolerance: within(rounded(0)),
      reason: `${POOLED} Rows times bits of a word over weights, streams cut for the default array.`,
      command: 'runner',
    },
    ...recorded.map((network): Claim => ({
      ...common,
      id: `kneading.traffic.${network}.${precision}`,
      claim: `bits/weight, ${TITLES[network]}, ${precision}`,
      ours: async (lab) => wordBits(precision) * (await ratio(lab, network, precision, STRIDE, LANES)),
      tolerance: null,
      reason: SINGLE,
      command: commandOf(
        setup(network, precision, STRIDE, LANES),
        'kneadedRatio',
        `${wordBits(precision)} * `,
      ),
    })),
  ];
};

export const kneading: Section = {
  name: 'kneading',
  title: 'Kneading: stride, bound and weight traffic',
  about:
    'KS is 16 where not said. Bounds and ratios by stride are of one lane, which has no short groups but at the end of ' +
    'a filter. Raw weights take 16 and 8 bits.',
  claims: [
    width('int16', 92),
    width('int8', 44),
    monotone,
    ...REPORTED.flatMap(([stride, theirs]) => [
      ...recorded.map((network) => sensitivity(network, stride, theirs)),
      independent(stride, theirs),
    ]),
    ...bounds,
    ...traffic('int16'),
    ...traffic('int8'),
  ],
};
