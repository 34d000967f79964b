/**
 * The clocked dense machine in M MACs per second of CPU, against the plain dense loops (which know no clock) and a
 * clocked array as one would first write it, with objects per lane. No goal of its own: replay has one.
 */
import { resolveConfig, type LayerWork } from '../src/arch/machine.js';
import { dadiannao } from '../src/arch/registry.js';
import { outputIndex } from '../src/lower/forward.js';
import { referenceForward } from '../src/reference.js';
import { macCount, outputSize } from '../src/tensor.js';
import { conv3x3, mustEqual, PRECISIONS, seededLayer } from './data.js';
import { NAIVE, noted, runSuite, type Case, type GoalLine } from './support.js';

const UNITS = 16;
const LANES = 16;

export async function macStep(): Promise<GoalLine[]> {
  const cases = PRECISIONS.flatMap((precision): Case[] => {
    const work = seededLayer(conv3x3(32, 8, 8, 32), precision, 5);
    const machine = dadiannao.configure(resolveConfig(dadiannao, {}));
    const dense = (): Float64Array =>
      referenceForward(work.shape, work.weights.codes, work.activations!.codes);
    mustEqual(`${precision} step`, machine.step(work).output, dense());
    mustEqual(`${precision} naive`, naiveArray(work), dense());
    const bodies: [string, () => number][] = [
      ['dadiannao step', () => machine.step(work).output[0]],
      ['dense loops, no clock', () => dense()[0]],
      [NAIVE, () => naiveArray(work)[0]],
    ];
    return bodies.map(([name, body]) => ({ group: precision, name, body, work: macCount(work.shape) }));
  });
  const speeds = await runSuite('macStep', 'M MACs', cases);
  return PRECISIONS.map((precision) =>
    noted(`MAC step, ${precision}`, speeds.get(`${precision}: dadiannao step`)!.ratio, 'x naive'),
  );
}

interface Lane {
  weight: number;
  product: number;
}
interface Unit {
  filter: number;
  lanes: Lane[];
  sum: number;
  accumulator: number;
}

/** Filter chunk by chunk, position by position, kernel tap by tap; three stages, one brick of L channels a step. */
function naiveArray({ shape, weights, activations }: LayerWork): Float64Array {
  const { outHeight, outWidth } = outputSize(shape);
  const output = new Float64Array(shape.filters * outHeight * outWidth);
  for (let first = 0; first < shape.filters; first += UNITS) {
    const units = Array.from({ length: UNITS }, (_, n): Unit => {
      const lanes = Array.from({ length: LANES }, () => ({ weight: 0, product: 0 }));
      return { filter: first + n, lanes, sum: 0, accumulator: 0 };
    });
    for (let y = 0; y < outHeight; y++)
      for (let x = 0; x < outWidth; x++) {
        for (let r = 0; r < shape.kernelHeight; r++)
          for (let s = 0; s < shape.kernelWidth; s++)
            for (let c = 0; c < shape.channels; c += LANES) {
              const window = Array.from({ length: LANES }, (_, l) => {
                const [row, column] = [y + r - shape.padTop, x + s - shape.padLeft];
                const inside = row >= 0 && row < shape.height && column >= 0 && column < shape.width;
                const at = ((c + l) * shape.height + row) * shape.width + column;
                return inside ? activations!.codes[at] : 0;
              });
              for (const unit of units) {
                clock(unit);
                unit.lanes.forEach((lane, l) => {
                  const at = (unit.filter * shape.channels + c + l) * shape.kernelHeight + r;
                  lane.weight = weights.codes[at * shape.kernelWidth + s];
                  lane.product = lane.weight * window[l];
                });
              }
            }
        for (const unit of units) {
          // The last brick leaves its stages before the output is taken.
          clock(unit);
          for (const lane of unit.lanes) lane.product = 0;
          clock(unit);
          output[outputIndex(shape, unit.filter, y * outWidth + x)] = unit.accumulator;
          unit.accumulator = 0;
        }
      }
  }
  return output;
}

/** Accumulators take the sums, sums take the products: from the last stage to the first. */
function clock(unit: Unit): void {
  unit.accumulator += unit.sum;
  unit.sum = unit.lanes.reduce((total, lane) => total + lane.product, 0);
}
