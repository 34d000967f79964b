/**
 * The clocked SAC PE in lane-cycles (unit x lane x cycle) per second of CPU, values included. One tile on the same
 * words: values per group or every register in its cycle, each with either kernel, general PE, naive loop. Then whole
 * layers through the machine itself, with kneading and all. Goal: 40 M lane-cycles per second.
 */
import { resolveConfig, type LayerWork } from '../src/arch/machine.js';
import { tetris } from '../src/arch/tetris.js';
import type { Precision } from '../src/quantize.js';
import { referenceForward } from '../src/reference.js';
import { conv3x3, mustEqual, PRECISIONS, resnet8, seededLayer } from './data.js';
import { naiveTile } from './naiveSac.js';
import { PES, blockWork, sacArray, tetrisConfig } from './sacArray.js';
import { atLeast, bestCpu, NAIVE, noted, runSuite, shown, type Case, type GoalLine } from './support.js';
import { TextTable } from './textTable.js';

/** Every lane, unit and tile has work on this one: 4 chunks of 16 filters, 4 tiles each. */
const FULL = conv3x3(64, 14, 28, 64);

export async function sacStep(): Promise<GoalLine[]> {
  const speeds = await runSuite('sacStep', 'M lane-cycles', PRECISIONS.flatMap(tileCases));
  const lines: GoalLine[] = PRECISIONS.map((precision) =>
    noted(
      `SAC tile against naive loop, ${precision}`,
      speeds.get(`${precision} tile: ${PES[0]}`)!.ratio,
      'x naive',
    ),
  );
  const table = new TextTable(['M lane-cycles/s (CPU)', 'tetris step', ...PES]);
  for (const precision of PRECISIONS) {
    const full = [seededLayer(FULL, precision, 11)];
    const network = resnet8(precision);
    lines.push(
      atLeast(
        40,
        `SAC step, fully occupied layer, ${precision}`,
        rate(table, `${full[0].name}, ${precision}`, full),
        'M lane-cycles/s',
      ),
    );
    lines.push(
      noted(
        `SAC step, ResNet-8, occupied lanes, ${precision}`,
        rate(table, `ResNet-8, occupied, ${precision}`, network),
        'M lane-cycles/s',
      ),
    );
  }
  console.log(`\n${table.toString()}`);
  console.log('Tetris step includes kneading; the columns beside it have the PEs alone.');
  return lines;
}

function tileCases(precision: Precision): Case[] {
  const config = tetrisConfig({ tiles: '1' });
  const work = seededLayer(conv3x3(64, 8, 8, 16), precision, 3);
  const layer = blockWork(config, work);
  const naive = naiveTile(layer, config.kneadingStride, config.windowSlots);
  const runs = [
    ...PES.map((kind) => ({ name: kind as string, ...sacArray(layer, kind) })),
    { name: NAIVE, ...naive },
  ];
  const expected = referenceForward(work.shape, work.weights.codes, work.activations!.codes);
  const cycles = runs.map(({ name, run, output }) => {
    const found = run();
    mustEqual(`${precision} ${name}`, output, expected);
    return found;
  });
  mustEqual(
    `${precision} cycles`,
    cycles,
    cycles.map(() => cycles[0]),
  );
  const laneCycles = config.units * config.lanes * cycles[0];
  return runs.map(({ name, run }) => ({ group: `${precision} tile`, name, body: run, work: laneCycles }));
}

/** Adds a row of rates; returns that of the machine. Lanes without work are not counted. */
function rate(table: TextTable, name: string, works: LayerWork[]): number {
  const machine = tetris.configure(resolveConfig(tetris, {}));
  const config = tetrisConfig();
  let laneCycles = 0;
  for (const work of works) {
    const { counters, output } = machine.step(work);
    mustEqual(work.name, output, referenceForward(work.shape, work.weights.codes, work.activations!.codes));
    const { absentLane, absentUnit, empty } = counters.idle;
    laneCycles += machine.laneSlots('forward') * counters.cycles - absentLane - absentUnit - empty;
  }
  const step = (): number => works.reduce((cycles, work) => cycles + machine.step(work).counters.cycles, 0);
  const layers = works.map((work) => blockWork(config, work));
  const arrays = PES.map((kind) => layers.map((layer) => sacArray(layer, kind)));
  const bodies = arrays.map((array) => (): number => array.reduce((cycles, { run }) => cycles + run(), 0));
  // The slow PEs have few rounds: they only say what the first one gains.
  const seconds = [...bestCpu([step, bodies[0]], 15, 0.1), ...bestCpu(bodies.slice(1), 3, 0.1)];
  const rates = seconds.map((s) => laneCycles / 1e6 / s);
  table.row([name, ...rates.map(shown)]);
  return rates[0];
}
