/**
 * The clocked bit-serial machines in M MACs per second of CPU, against a naive loop over lists of bit positions.
 * No goal of its own: replay has one.
 */
import { resolveConfig, type LayerWork } from '../src/arch/machine.js';
import { machineKind } from '../src/arch/registry.js';
import { referenceForward } from '../src/reference.js';
import { macCount, outputSize } from '../src/tensor.js';
import { conv3x3, mustEqual, PRECISIONS, seededLayer } from './data.js';
import { NAIVE, noted, runSuite, type Case, type GoalLine } from './support.js';

const LANES = 16;
const MACHINES = ['pragmatic', 'stripes'];

export async function serialStep(): Promise<GoalLine[]> {
  const cases = PRECISIONS.flatMap((precision): Case[] => {
    const work = seededLayer(conv3x3(32, 8, 8, 16), precision, 9);
    const expected = referenceForward(work.shape, work.weights.codes, work.activations!.codes);
    const group = precision;
    const make = (name: string): (() => Float64Array) => {
      const kind = machineKind(name);
      const machine = kind.configure(resolveConfig(kind, {}));
      return () => machine.step(work).output;
    };
    const runs: [string, () => Float64Array][] = [
      ...MACHINES.map((name): [string, () => Float64Array] => [`${name} step`, make(name)]),
      // Values and steps of Pragmatic; Stripes is compared with the same loop.
      [NAIVE, () => naivePragmatic(work, 4)],
    ];
    return runs.map(([name, run]) => {
      mustEqual(`${precision} ${name}`, run(), expected);
      return { group, name, body: () => run()[0], work: macCount(work.shape) };
    });
  });
  const speeds = await runSuite('serialStep', 'M MACs', cases);
  return PRECISIONS.map((precision) =>
    noted(`Pragmatic step, ${precision}`, speeds.get(`${precision}: pragmatic step`)!.ratio, 'x naive'),
  );
}

/** Per brick: each lane drops its lowest bit if it is less than `reach` above the least of all lanes. */
function naivePragmatic({ shape, weights, activations }: LayerWork, reach: number): Float64Array {
  const { outHeight, outWidth } = outputSize(shape);
  const plane = outHeight * outWidth;
  const output = new Float64Array(shape.filters * plane);
  for (let y = 0; y < outHeight; y++)
    for (let x = 0; x < outWidth; x++)
      for (let r = 0; r < shape.kernelHeight; r++)
        for (let s = 0; s < shape.kernelWidth; s++)
          for (let c = 0; c < shape.channels; c += LANES) {
            const lanes = Array.from({ length: LANES }, (_, l) => {
              const [row, column] = [y + r - shape.padTop, x + s - shape.padLeft];
              const inside = row >= 0 && row < shape.height && column >= 0 && column < shape.width;
              const at = ((c + l) * shape.height + row) * shape.width + column;
              const code = inside ? activations!.codes[at] : 0;
              return { channel: c + l, sign: Math.sign(code), bits: bitsOf(Math.abs(code)) };
            });
            while (lanes.some(({ bits }) => bits.length > 0)) {
              const least = Math.min(...lanes.map(({ bits }) => bits[0] ?? Infinity));
              for (const { channel, sign, bits } of lanes) {
                if (bits.length === 0 || bits[0] >= least + reach) continue;
                const factor = sign * 2 ** bits.shift()!;
                for (let f = 0; f < shape.filters; f++) {
                  const at = (f * shape.channels + channel) * shape.kernelHeight + r;
                  output[f * plane + y * outWidth + x] += weights.codes[at * shape.kernelWidth + s] * factor;
                }
              }
            }
          }
  return output;
}

function bitsOf(magnitude: number): number[] {
  const bits: number[] = [];
  for (let b = 0; magnitude >>> b > 0; b++) if ((magnitude >>> b) & 1) bits.push(b);
  return bits;
}
