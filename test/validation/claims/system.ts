/**
 * The memory system around the arrays (SPEC section 8): bits that weights take in DRAM, two laws of ports, and what is
 * left of the speedups of Tetris and SparseTrain once memory is around them. Whole reports at level count.
 */
import { kneadedWordBits } from '../../../src/bit/knead.js';
import { MACHINES } from '../../../src/arch/registry.js';
import { magnitudeBitsOf, type Precision } from '../../../src/quantize.js';
import type { LayerReport } from '../../../src/report/report.js';
import { EXACT, rounded, within, type Claim, type Figure, type Section } from '../claim.js';
import type { Lab } from '../lab.js';
import { argumentsOf, type Setup } from '../setup.js';
import { recorded, TITLES, trained, type Recorded, type Trained } from '../networks.js';

export const PRECISIONS = ['int16', 'int8'] as const;

/** Tetris and the dense array in inference. */
export const inference = (network: Recorded, precision: Precision, given: Partial<Setup> = {}): Setup => ({
  command: 'replay',
  network,
  machine: 'tetris,dadiannao',
  precision,
  level: 'count',
  ...given,
});

/** SparseTrain, and its twin with it, in whole training steps with memory as published. */
export const training = (network: Trained, prune: number, given: Partial<Setup> = {}): Setup => ({
  command: 'train',
  network,
  machine: 'sparsetrain',
  precision: 'int16',
  level: 'count',
  memory: 'sparsetrain-like',
  prune,
  seed: 1,
  ...given,
});

/** A number of a report, and the command that prints it. */
export const figureOf = (setup: Setup, at: string): Pick<Claim, 'ours' | 'command'> => ({
  ours: (lab) => lab.figure(setup, at),
  command: { args: argumentsOf(setup), at },
});

const STORED: Record<Precision, Figure> = { int16: [64, 70], int8: [26, 29] };
const WEIGHTS = 'total.memory.stored.weights';
const KNEADED_BITS = `machines.0.${WEIGHTS}.bits`;
const RAW_BITS = `machines.1.${WEIGHTS}.bits`;
/** The dense array stores one code per weight. */
const COUNT = `machines.1.${WEIGHTS}.elements`;

/** Sums of numbers of the reports of all recorded networks. */
async function pooled(lab: Lab, precision: Precision, places: readonly string[]): Promise<number[]> {
  const sums = places.map(() => 0);
  for (const network of recorded)
    for (const [i, at] of places.entries()) sums[i] += await lab.figure(inference(network, precision), at);
  return sums;
}

/** Bits of weights by the memory system, less rows of the PEs times bits of a word; over networks, without sign. */
async function differingBits(lab: Lab, precision: Precision): Promise<number> {
  let bits = 0;
  for (const network of recorded) {
    const setup = inference(network, precision);
    const stride = await lab.figure(setup, 'machines.0.config.kneadingStride');
    const wordBits = kneadedWordBits(magnitudeBitsOf(precision), stride);
    const { counters } = (await lab.counts(setup)).machines[0];
    bits += Math.abs((await lab.figure(setup, KNEADED_BITS)) - counters.kneadedRows * wordBits);
  }
  return bits;
}

const traffic = (precision: Precision): Claim[] => {
  const spec = {
    source: 'SPEC 8',
    tag: 'own',
    theirs: STORED[precision],
    unit: 'bits',
    decimals: 1,
  } as const;
  return [
    {
      ...spec,
      id: `system.weights.all.${precision}`,
      claim: `stored b/weight, all, ${precision}`,
      ours: async (lab) => {
        const [bits, weights] = await pooled(lab, precision, [KNEADED_BITS, COUNT]);
        return bits / weights;
      },
      tolerance: within(rounded(0)),
      reason:
        'As in the section on kneading, from the bits that the memory system stores and moves: all recorded weights ' +
        'together, half a unit of the last digit printed.',
      command: 'runner',
    },
    ...recorded.map((network): Claim => ({
      ...spec,
      id: `system.weights.${network}.${precision}`,
      claim: `stored b/weight, ${TITLES[network]}, ${precision}`,
      ...figureOf(inference(network, precision), `${KNEADED_BITS} / ${COUNT}`),
      tolerance: null,
      reason: 'One network of those judged together above: SPEC does not name the networks of its range.',
    })),
    {
      ...spec,
      id: `system.weights.rows.${precision}`,
      claim: `stored - rows x word, ${precision}`,
      tag: 'law',
      theirs: 0,
      decimals: 0,
      ours: (lab) => differingBits(lab, precision),
      tolerance: EXACT,
      reason:
        'Law: a kneaded row is a word in memory. Bits by the memory system against rows counted by the PEs, six networks.',
      command: 'runner',
    },
    {
      ...spec,
      id: `system.weights.raw.${precision}`,
      claim: `raw stored b/weight, all, ${precision}`,
      tag: 'law',
      theirs: { int16: 16, int8: 8 }[precision],
      ours: async (lab) => {
        const [bits, weights] = await pooled(lab, precision, [RAW_BITS, COUNT]);
        return bits / weights;
      },
      tolerance: EXACT,
      reason: 'Law: the dense array stores codes as they are, six networks.',
      command: 'runner',
    },
  ];
};

/** All machines on a recorded step, all phases that they run: rows by machine, layer and phase. */
async function stepRows(lab: Lab, network: Trained, given: Partial<Setup>): Promise<LayerReport[]> {
  const machine = MACHINES.map(({ name }) => name).join(',');
  const { machines } = await lab.report(training(network, 0.9, { machine, ...given }));
  return machines.flatMap(({ layers }) => layers);
}

/** Bytes per cycle through the DRAM port, falling. */
const BANDWIDTHS = ['infinite', '16', '2'];

const LAW: Pick<Claim, 'source' | 'tag' | 'theirs' | 'unit' | 'decimals' | 'tolerance' | 'command'> = {
  source: 'SPEC 8',
  tag: 'law',
  theirs: 0,
  unit: 'rows',
  decimals: 0,
  tolerance: EXACT,
  command: 'runner',
};

const laws: Claim[] = [
  {
    ...LAW,
    id: 'system.infinite',
    claim: 'no memory limit: rows that differ',
    ours: async (lab) => {
      let rows = 0;
      for (const network of trained)
        for (const { cycles, memory } of await stepRows(lab, network, { memory: 'infinite' }))
          if (memory.systemCycles !== cycles) rows++;
      return rows;
    },
    reason:
      'Law: with the preset infinite a system takes the cycles of its PEs. All machines, layers and phases of the three ' +
      'recorded steps, int16, p = 0.9.',
  },
  {
    ...LAW,
    id: 'system.bandwidth',
    claim: 'narrower DRAM, fewer cycles: rows',
    ours: async (lab) => {
      let falls = 0;
      for (const network of trained) {
        let before: LayerReport[] | null = null;
        for (const bandwidth of BANDWIDTHS) {
          const settings = [`memory.dramBytesPerCycle=${bandwidth}`];
          const now = await stepRows(lab, network, { memory: 'dadiannao-like', settings });
          falls += (before ?? now).filter(
            (row, i) => now[i].memory.systemCycles < row.memory.systemCycles,
          ).length;
          before = now;
        }
      }
      return falls;
    },
    reason:
      `Law: less bandwidth never makes cycles fewer. ${BANDWIDTHS.join(', ')} bytes per cycle, else as dadiannao-like, the ` +
      'same rows.',
  },
];

export const SYSTEMS = ['infinite', 'dadiannao-like', 'edge-like'] as const;
export const SYSTEM_NETWORKS = ['waifu2x', 'resnet8'] as const;

const speedup = (network: Recorded, precision: Precision, memory: string): Claim => ({
  id: `system.tetris.${network}.${precision}.${memory}`,
  claim: `${TITLES[network]}, ${precision}, ${memory}`,
  source: 'Tetris',
  ...(precision === 'int16' ? { tag: 'rep', theirs: 1.3 } : { tag: 'pub', theirs: 1.5 }),
  unit: 'x dense system',
  decimals: 2,
  printed: 2,
  ...figureOf(
    inference(network, precision, { budget: 'lanes', memory }),
    'machines.0.total.memory.systemSpeedup',
  ),
  tolerance: null,
  reason:
    precision === 'int16'
      ? 'Reported, not re-read, no verdict. Other networks; and what memory theirs had around the array was not read.'
      : 'Theirs is "up to", of its best network. Other networks; and what memory theirs had was not read: context.',
});

const ofStep = (network: Trained): Claim => ({
  id: `system.sparsetrain.${network}`,
  claim: `over twin, ${TITLES[network]}, p = 0.9`,
  source: 'SparseTrain',
  tag: 'pub',
  theirs: 2.7,
  unit: 'x twin system',
  decimals: 2,
  ...figureOf(training(network, 0.9), 'machines.0.total.memory.systemSpeedupVsTwin'),
  tolerance: null,
  reason:
    'Other networks than AlexNet and ResNet. The buffer has the published size; its ports are ours, in the preset ' +
    'sparsetrain-like: context.',
});

export const system: Section = {
  name: 'system',
  title: 'Memory around the arrays',
  about:
    'Bits of weights as stored in DRAM; cycles with memory. Speedups: Tetris over the dense array at equal lanes, skew ' +
    'with two slots, both with the memory that the row names; infinite is the PEs alone. SparseTrain over its twin, int16.',
  claims: [
    ...PRECISIONS.flatMap(traffic),
    ...laws,
    ...SYSTEM_NETWORKS.flatMap((network) =>
      PRECISIONS.flatMap((precision) => SYSTEMS.map((memory) => speedup(network, precision, memory))),
    ),
    ...trained.map(ofStep),
  ],
};
