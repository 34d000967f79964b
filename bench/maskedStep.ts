/**
 * Masked kneading clock by clock, on-line kneaders included, in lane-cycles (unit x lane x cycle) per second of CPU:
 * one tile against a naive loop that kneads each group under its mask and sums row by row, without a clock; then a
 * whole training step of ResNet-8 by phase. No goal of its own.
 */
import { PHASES, resolveConfig, type LayerWork } from '../src/arch/machine.js';
import { masked } from '../src/arch/masked.js';
import { referenceForward } from '../src/reference.js';
import { outputSize } from '../src/tensor.js';
import { conv3x3, mustEqual, PRECISIONS, resnet8Training, seededLayer } from './data.js';
import { bestCpu, NAIVE, noted, runSuite, type Case, type GoalLine } from './support.js';

const LANES = 16;
const STRIDE = 16;

export async function maskedStep(): Promise<GoalLine[]> {
  const cases = PRECISIONS.flatMap((precision): Case[] => {
    const machine = masked.configure(resolveConfig(masked, { tiles: '1' }));
    const work = seededLayer(conv3x3(64, 8, 8, 16), precision, 3);
    const expected = referenceForward(work.shape, work.weights.codes, work.activations!.codes);
    const { counters, output } = machine.step(work);
    mustEqual(`${precision} masked step`, output, expected);
    mustEqual(`${precision} ${NAIVE}`, naiveMasked(work), expected);
    const laneCycles = machine.laneSlots('forward') * counters.cycles;
    const group = `${precision} tile`;
    return [
      { group, name: 'masked step', body: () => machine.step(work).counters.cycles, work: laneCycles },
      { group, name: NAIVE, body: () => naiveMasked(work)[0], work: laneCycles },
    ];
  });
  const speeds = await runSuite('maskedStep', 'M lane-cycles', cases);
  return PRECISIONS.flatMap((precision) => [
    noted(
      `masked tile against naive loop, ${precision}`,
      speeds.get(`${precision} tile: masked step`)!.ratio,
      'x naive',
    ),
    ...networkLines(precision),
  ]);
}

/** Lanes without work are not counted. */
function networkLines(precision: (typeof PRECISIONS)[number]): GoalLine[] {
  const machine = masked.configure(resolveConfig(masked, {}));
  const works = resnet8Training(precision);
  return PHASES.map((phase) => {
    const own = works.filter((work) => work.phase === phase);
    let laneCycles = 0;
    const step = (): number => {
      laneCycles = 0;
      for (const work of own) {
        const { cycles, idle } = machine.step(work).counters;
        laneCycles += machine.laneSlots(phase) * cycles - idle.absentLane - idle.absentUnit - idle.empty;
      }
      return laneCycles;
    };
    const [seconds] = bestCpu([step], 3, 0.1);
    const what = `masked step, ResNet-8, p = 0.9, occupied lanes, ${phase}, ${precision}`;
    return noted(what, laneCycles / 1e6 / seconds, 'M lane-cycles/s');
  });
}

/** Groups of a 3x3 convolution with padding 1 and stride 1, as the lanes take them. */
function naiveMasked({ shape, weights, activations }: LayerWork): Float64Array {
  const { channels, filters, height, width } = shape;
  const { outHeight, outWidth } = outputSize(shape);
  const output = new Float64Array(filters * outHeight * outWidth);
  for (let f = 0, place = 0; f < filters; f++)
    for (let oy = 0; oy < outHeight; oy++)
      for (let ox = 0; ox < outWidth; ox++, place++)
        for (let l = 0; l < LANES; l++) {
          const items: [number, number][] = [];
          for (let r = 0; r < 3; r++)
            for (let s = 0; s < 3; s++)
              for (let c = l; c < channels; c += LANES) {
                const [y, x] = [oy + r - 1, ox + s - 1];
                const inside = y >= 0 && y < height && x >= 0 && x < width;
                const activation = inside ? activations!.codes[(c * height + y) * width + x] : 0;
                items.push([weights.codes[((f * channels + c) * 3 + r) * 3 + s], activation]);
              }
          for (let from = 0; from < items.length; from += STRIDE)
            output[place] += naiveGroup(items.slice(from, from + STRIDE), weights.magnitudeBits);
        }
  return output;
}

/** Row by row: each column gives its next weight with an activation. */
function naiveGroup(group: [number, number][], magnitudeBits: number): number {
  const columns = Array.from({ length: magnitudeBits }, (_, b) =>
    group.filter(([weight, activation]) => activation !== 0 && (Math.abs(weight) >>> b) & 1),
  );
  const rows = Math.max(1, ...columns.map((column) => column.length));
  let sum = 0;
  for (let row = 0; row < rows; row++)
    columns.forEach((column, b) => {
      if (row < column.length) sum += Math.sign(column[row][0]) * column[row][1] * 2 ** b;
    });
  return sum;
}
