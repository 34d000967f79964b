/**
 * The SAC PE in TypeScript and its Verilog twin under Verilator, side by side: 16 units, 1 and 16 lanes, the same kneaded
 * words and windows, fed so that nothing ever waits for them. Values must be those of the dense reference, and cycles the
 * same. Goals, in lane-cycles (unit x lane x cycle) per second of CPU: twice Verilator's with every register in its
 * cycle, four times with values committed per group.
 *
 * The TypeScript side loads its windows and finds its words in its own time. Verilator's time is told with and without
 * what its driver takes to put them on the ports; the goals are judged without. It is skipped where there is no Verilator.
 */
import { blockWork, sacArray, tetrisConfig, type PeName } from '../sacArray.js';
import { conv3x3, mustEqual, PRECISIONS, seededLayer } from '../data.js';
import type { Precision } from '../../src/quantize.js';
import { referenceForward } from '../../src/reference.js';
import { GroupWalk } from '../../src/sim/groupWalk.js';
import { treeStages } from '../../src/sim/rearTree.js';
import { WindowPort } from '../../src/sim/sacTile.js';
import { atLeast, leastOf, shown, timed, type GoalLine } from '../support.js';
import { TextTable } from '../textTable.js';
import { buildModel, verilatorVersion, type Model } from './build.js';
import { packWork } from './stimulus.js';

const LANES = [1, 16];
const EVERY_REGISTER: PeName = 'every register, WebAssembly';
const PER_GROUP: PeName = 'per group, WebAssembly';
const GOALS: [PeName, string, number][] = [
  [EVERY_REGISTER, 'every register', 2],
  [PER_GROUP, 'values per group', 4],
];
const ROUNDS = 15;
/** Runs of the Verilator model per round. */
const RUNS = 2;

export async function verilator(): Promise<GoalLine[]> {
  const version = verilatorVersion();
  if (version === null) {
    console.log(
      'verilator: not on this machine, so the SAC PE is not compared with it (make rtl installs it)',
    );
    return [];
  }
  console.log(`SAC PE of 16 units under ${version}, building takes some minutes`);
  const table = new TextTable([
    'M lane-cycles/s (CPU)',
    'cycles',
    'Verilator',
    'less feeding',
    ...GOALS.flatMap(([, name]) => [name, 'x Verilator', 'less feeding']),
  ]);
  const lines = PRECISIONS.flatMap((precision) => LANES.flatMap((lanes) => compare(table, precision, lanes)));
  console.log(table.toString());
  return lines;
}

function compare(table: TextTable, precision: Precision, lanes: number): GoalLine[] {
  const name = `${precision}, ${lanes} ${lanes === 1 ? 'lane' : 'lanes'}`;
  const config = tetrisConfig({ tiles: '1', lanes: String(lanes) });
  const work = seededLayer(conv3x3(64, 8, 8, config.units), precision, 3);
  const block = blockWork(config, work);
  const expected = referenceForward(work.shape, work.weights.codes, work.activations!.codes);
  const { magnitudeBits, kneadingStride } = block.config;
  const outputs = block.layer.lowering.positions;
  const walk = new GroupWalk(block.layer.lowering, 0, lanes, 1, kneadingStride);
  const packed = packWork({
    ...{ units: config.units, lanes, activationBits: magnitudeBits, outputs },
    ...{ words: block.words, streams: block.streams },
    source: new WindowPort(block.layer, walk, kneadingStride),
    windows: outputs * Math.ceil(block.terms.items[0] / kneadingStride),
  });
  const model = buildModel(
    {
      ...{ units: config.units, lanes, magnitudeBits, activationBits: magnitudeBits, kneadingStride },
      ...{ windowSlots: config.windowSlots, throttleWords: config.throttleWords },
      segmentBits: magnitudeBits + 1 + Math.ceil(Math.log2(block.terms.terms)),
    },
    packed,
  );
  try {
    mustEqual(`${name}: Verilator`, model.values, expected);
    const arrays = GOALS.map(([pe]) => sacArray(block, pe));
    arrays.forEach(({ run, output }, i) => {
      // The tile tells the cycle of the last word; its sum leaves so many later.
      const last = run() + 1 + treeStages(magnitudeBits);
      mustEqual(`${name}: ${GOALS[i][0]}`, output, expected);
      mustEqual(`${name}: cycles of ${GOALS[i][0]}`, [last], [model.run(1).cycles]);
    });
    return measure(
      table,
      name,
      config.units * lanes,
      model,
      arrays.map(({ run }) => run),
    );
  } finally {
    model.close();
  }
}

function measure(
  table: TextTable,
  name: string,
  lanes: number,
  model: Model,
  bodies: (() => number)[],
): GoalLine[] {
  let feeding = Infinity;
  let cycles = 0;
  const verilated = (): number => {
    const run = model.run(RUNS);
    feeding = Math.min(feeding, run.feeding);
    cycles = run.cycles;
    return run.seconds;
  };
  const [theirs, ...ours] = leastOf([verilated, ...bodies.map((body) => timed(body, 0.1))], ROUNDS);
  const rate = (seconds: number): number => (lanes * cycles) / 1e6 / seconds;
  const ratio = (seconds: number): number => (theirs - feeding) / seconds;
  table.row([
    name,
    shown(cycles),
    shown(rate(theirs)),
    shown(rate(theirs - feeding)),
    ...ours.flatMap((s) => [rate(s), theirs / s, ratio(s)]).map(shown),
  ]);
  return GOALS.map(([, what, goal], i) =>
    atLeast(goal, `SAC PE, ${name}, ${what}`, ratio(ours[i]), 'x Verilator'),
  );
}
