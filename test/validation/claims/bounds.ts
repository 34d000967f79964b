/**
 * Bounds of whole recorded training steps if nothing is shared (SPEC section 7, the trial's single-stream bounds): one
 * lane per unit, speedup over dense items, p = 0.9. SPEC states these figures without the conventions behind them, so no
 * row has a verdict; ours is computed under each convention, and theirs stands beside what they span.
 */
import { rowOperands } from '../../../src/arch/sparsetrainOperands.js';
import { RowOperations } from '../../../src/lower/rowOperations.js';
import type { Precision } from '../../../src/quantize.js';
import { workOf, type LoadedLayer } from '../../../src/simulate/load.js';
import { FIELDS, type Counted } from '../counts.js';
import { EXACT, STANDARD_ERRORS, type Claim, type Section, type Span } from '../claim.js';
import type { Lab } from '../lab.js';
import { argumentsOf, type Setup } from '../setup.js';
import { TITLES, trained, type Trained } from '../networks.js';
import { recountMasked } from '../recount.js';

const MACHINES = ['tetris', 'sparsetrain', 'hybrid', 'masked'] as const;
type MachineName = (typeof MACHINES)[number];
const PRECISIONS = ['int8', 'int16'] as const;

/** int8, int16; in the order of MACHINES. */
const TRIAL: Record<Trained, Record<Precision, number[]>> = {
  resnet8: { int8: [1.32, 1.81, 1.75, 4.4], int16: [1.24, 1.8, 1.68, 3.9] },
  lenet5: { int8: [1.33, 1.39, 1.55, 5.5], int16: [1.23, 1.32, 1.42, 4.5] },
  tcn: { int8: [1.33, 2.53, 2.41, 5.7], int16: [1.24, 2.46, 2.23, 5.0] },
};
const decimalsOf = (machine: MachineName): number => (machine === 'masked' ? 1 : 2);

/** Taps of a row PE. LeNet-5 alone has wider kernel rows: cut into pieces, or on PEs with as many taps. */
const TAPS: Record<Trained, number[]> = { resnet8: [3], lenet5: [3, 5], tcn: [3] };
const SEEDS = [1, 2, 3, 4];

/** What SPEC leaves open. */
interface Conventions {
  scale: 'maxabs' | 'pow2';
  firstGradInput: boolean;
  taps: number;
}
const conventionsOf = (network: Trained): Conventions[] =>
  (['maxabs', 'pow2'] as const).flatMap((scale) =>
    [false, true].flatMap((firstGradInput) => TAPS[network].map((taps) => ({ scale, firstGradInput, taps }))),
  );

const setup = (network: Trained, precision: Precision, given: Partial<Setup> = {}): Setup => ({
  command: 'train',
  network,
  machine: MACHINES.join(','),
  precision,
  level: 'count',
  settings: ['lanes=1'],
  prune: 0.9,
  ...given,
});

/** Lane-cycles of gradWeight on row PEs if an operation took the larger of its rows' operands, or the sum and one. */
interface PortBounds {
  larger: number;
  sum: number;
}

function addPortBounds(bounds: PortBounds, layer: LoadedLayer, precision: Precision, taps: number): void {
  const work = workOf(layer, 'gradWeight', { precision });
  const rows = new RowOperations(work.shape, 'gradWeight', taps);
  const { streamed, gradient } = rowOperands(work, false);
  for (let row = 0; row < rows.rows; row++) {
    rows.load(row);
    for (let i = 0; i < rows.count; i++) {
      const inputs = streamed.start[rows.streamed[i] + 1] - streamed.start[rows.streamed[i]];
      const gradients = gradient!.start[rows.gradient[i] + 1] - gradient!.start[rows.gradient[i]];
      const used = rows.pieces[rows.piece[i]].geometry.taps;
      bounds.larger += used * Math.max(inputs, gradients);
      bounds.sum += used * (inputs + gradients + 1);
    }
  }
}

/** The bound with other lane-cycles in gradWeight. On all these machines they are the cycles that were busy. */
function boundWith({ counters, dense, busyInGradWeight }: Counted, laneCycles: number): number {
  return dense.busy / (counters.busy - busyInGradWeight + laneCycles);
}

/** By machine, what the conventions span with one draw of the pruning. */
const spansOfOneDraw = (lab: Lab, network: Trained, precision: Precision): Promise<[number, number][]> =>
  lab.once(`bounds ${network} ${precision}`, async () => {
    const found = MACHINES.map((): [number, number] => [Infinity, -Infinity]);
    for (const { scale, firstGradInput, taps } of conventionsOf(network)) {
      const ports: PortBounds = { larger: 0, sum: 0 };
      const given = { scale, firstGradInput, settings: ['lanes=1', `taps=${taps}`] };
      const { machines } = await lab.countAndSee(setup(network, precision, given), (layer) =>
        addPortBounds(ports, layer, precision, taps),
      );
      machines.forEach((machine, m) => {
        const onRows = machine.name === 'sparsetrain' || machine.name === 'hybrid';
        const bounds = onRows
          ? [boundWith(machine, ports.larger), boundWith(machine, ports.sum)]
          : [FIELDS.singleStreamBound(machine)];
        found[m] = [Math.min(found[m][0], ...bounds), Math.max(found[m][1], ...bounds)];
      });
    }
    return found;
  });

/** By machine, with the draws of a seed. */
const bySeed = async (lab: Lab, network: Trained, precision: Precision, seed: number): Promise<number[]> =>
  (await lab.counts(setup(network, precision, { seed }))).machines.map(FIELDS.singleStreamBound);

/** By machine, the standard deviation over draws of the pruning. */
const deviations = (lab: Lab, network: Trained, precision: Precision): Promise<number[]> =>
  lab.once(`draws ${network} ${precision}`, async () => {
    const runs: number[][] = [];
    for (const seed of SEEDS) runs.push(await bySeed(lab, network, precision, seed));
    return MACHINES.map((_, m) => {
      const bounds = runs.map((run) => run[m]);
      const mean = bounds.reduce((a, b) => a + b, 0) / bounds.length;
      return Math.sqrt(bounds.reduce((sum, b) => sum + (b - mean) ** 2, 0) / (bounds.length - 1));
    });
  });

const NOT_STATED =
  'SPEC states the figure without its conventions, so no verdict: how codes were scaled (maxabs or pow2), and whether ' +
  'the first layer has a gradInput. The span is of ours over these';
const DRAWS = `draws of the pruning (${STANDARD_ERRORS} standard deviations over ${SEEDS.length} seeds)`;

const REASONS: Record<MachineName, string> = {
  tetris: `${NOT_STATED}.`,
  sparsetrain:
    `${NOT_STATED}, and over what is open for row PEs: the cycles of OSRC with two ports, between the larger of the two ` +
    `operand counts and their sum; whether kernel rows wider than three taps are cut; and ${DRAWS}.`,
  hybrid: 'As for Tetris in forward and SparseTrain in the other two phases: no verdict.',
  masked: `${NOT_STATED}, and ${DRAWS}. Theirs has one decimal.`,
};

/** What a machine spans over conventions and draws. */
async function spanOf(lab: Lab, network: Trained, precision: Precision, m: number): Promise<Span> {
  const [least, most] = (await spansOfOneDraw(lab, network, precision))[m];
  const draws = STANDARD_ERRORS * (await deviations(lab, network, precision))[m];
  return [least - draws, most + draws];
}

const claim = (network: Trained, precision: Precision, machine: MachineName, m: number): Claim => {
  const theirs = TRIAL[network][precision][m];
  return {
    id: `bounds.${network}.${precision}.${machine}`,
    claim: `${machine}, ${TITLES[network]}, ${precision}`,
    source: 'SPEC 7',
    tag: 'own',
    theirs,
    unit: 'x dense items',
    decimals: decimalsOf(machine) + 1,
    printed: decimalsOf(machine),
    ours: async (lab) => (await bySeed(lab, network, precision, SEEDS[0]))[m],
    tolerance: null,
    span: (lab) => spanOf(lab, network, precision, m),
    reason: REASONS[machine],
    command: {
      args: argumentsOf(setup(network, precision, { seed: SEEDS[0] })),
      at: `machines.${m}.total.singleStreamBound`,
    },
  };
};

const RECOUNTED: Setup = { ...setup('lenet5', 'int16', { seed: SEEDS[0] }), machine: 'masked' };

/** Ours against plain loops, on the network where theirs and what ours spans are furthest apart. */
const recount: Claim = {
  id: 'bounds.recount.lenet5.int16.masked',
  claim: 'masked, LeNet-5, int16, recounted',
  source: 'recount',
  tag: 'law',
  theirs: 0,
  unit: 'x dense items',
  decimals: 3,
  ours: async (lab) => {
    const sum = { items: 0, rows: 0 };
    let layers = 0;
    const { machines } = await lab.countAndSee(RECOUNTED, (layer) => {
      for (const { items, rows } of recountMasked(layer, layers++ > 0)) {
        sum.items += items;
        sum.rows += rows;
      }
    });
    return FIELDS.singleStreamBound(machines[0]) - sum.items / sum.rows;
  },
  tolerance: EXACT,
  reason: 'Law: the machine against plain loops over codes, which share nothing with it. The difference.',
  command: 'runner',
};

export const bounds: Section = {
  name: 'bounds',
  title: 'Bounds of training steps',
  about:
    'Whole recorded late-training steps, p = 0.9, if nothing is shared by units or lanes (one lane): upper limits, not ' +
    'speedups that an array reaches. Tolerance: whether theirs lies in what ours spans over conventions that SPEC does ' +
    'not state. No verdict, but for the recount.',
  claims: [
    ...trained.flatMap((network) =>
      PRECISIONS.flatMap((precision) => MACHINES.map((machine, m) => claim(network, precision, machine, m))),
    ),
    recount,
  ],
};
