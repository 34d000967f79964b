/**
 * Row PEs clock by clock, in PE-cycles (cycles in which a PE has an operation) per second of CPU, PPUs and dispatch
 * included: one layer of a training step against naive loops that skip zeros, without a clock; then the whole step of
 * ResNet-8 on the sparse array and on its dense twin. No goal of its own.
 */
import { PHASES, resolveConfig, type LayerWork, type Machine } from '../src/arch/machine.js';
import { machineKind } from '../src/arch/registry.js';
import { expectedOutput } from '../src/expected.js';
import { outputSize } from '../src/tensor.js';
import { mustEqual, PRECISIONS, resnet8Training } from './data.js';
import { bestCpu, NAIVE, noted, runSuite, type Case, type GoalLine } from './support.js';

const TAPS = 3;
/** 3x3, stride 1, padding 1. */
const LAYER = 'layer2.0.conv2';

export async function rowStep(): Promise<GoalLine[]> {
  // Cycles are the same in both precisions but for values that quantisation makes zero.
  const works = resnet8Training('int16');
  const machine = make('sparsetrain');
  const cases = works
    .filter(({ name }) => name === LAYER)
    .flatMap((work): Case[] => {
      const { counters, output } = machine.step(work);
      mustEqual(`${work.phase} step`, output, expectedOutput(work, true));
      mustEqual(`${work.phase} ${NAIVE}`, naiveRows(work), expectedOutput(work, true));
      const same = { group: `${LAYER} ${work.phase}`, work: peCycles(work, counters.busy) };
      return [
        { ...same, name: 'sparsetrain step', body: () => machine.step(work).counters.cycles },
        { ...same, name: NAIVE, body: () => naiveRows(work)[0] },
      ];
    });
  const speeds = await runSuite('rowStep', 'M PE-cycles', cases);
  const ratios = PHASES.map((phase) =>
    noted(
      `row PEs against naive loop, ${phase}`,
      speeds.get(`${LAYER} ${phase}: sparsetrain step`)!.ratio,
      'x naive',
    ),
  );
  return [
    ...ratios,
    ...PRECISIONS.flatMap((precision) => {
      const network = precision === 'int16' ? works : resnet8Training(precision);
      return ['sparsetrain', 'sparsetrain-dense'].flatMap((name) =>
        PHASES.map((phase) => {
          const own = network.filter((work) => work.phase === phase);
          const what = `${name} step, ResNet-8, p = 0.9, ${phase}, ${precision}`;
          return noted(what, rate(make(name), own), 'M PE-cycles/s');
        }),
      );
    }),
  ];
}

function make(name: string): Machine {
  const kind = machineKind(name);
  return kind.configure(resolveConfig(kind, { taps: String(TAPS) }));
}

/** Kernels here are no wider than the PE: an operation uses all taps of its kernel row. */
const peCycles = ({ shape }: LayerWork, laneCycles: number): number =>
  laneCycles / (shape.op === 'linear' ? 1 : Math.min(TAPS, shape.kernelWidth));

function rate(machine: Machine, works: LayerWork[]): number {
  let cycles = 0;
  const step = (): number =>
    (cycles = works.reduce((sum, work) => sum + peCycles(work, machine.step(work).counters.busy), 0));
  const [seconds] = bestCpu([step], 5, 0.1);
  return cycles / 1e6 / seconds;
}

/** All products of a 3x3 layer with padding 1 whose streamed operand is not zero. */
function naiveRows(work: LayerWork): Float64Array {
  const { shape, phase, inputMask } = work;
  const { batch, channels, filters, height, width } = shape;
  const { outHeight, outWidth } = outputSize(shape);
  const [weights, inputs] = [work.weights.codes, work.activations!.codes];
  const gradients = work.gradOutput?.codes;
  const sizes = { forward: filters * outHeight * outWidth, gradInput: channels * height * width };
  const sums = new Float64Array(phase === 'gradWeight' ? weights.length : batch * sizes[phase]);
  for (let n = 0; n < batch; n++)
    for (let f = 0; f < filters; f++)
      for (let c = 0; c < channels; c++)
        for (let oy = 0; oy < outHeight; oy++)
          for (let r = 0; r < 3; r++) {
            const y = oy + r - 1;
            if (y < 0 || y >= height) continue;
            for (let x = 0; x < width; x++) {
              const input = ((n * channels + c) * height + y) * width + x;
              for (let s = 0; s < 3; s++) {
                const ox = x + 1 - s;
                if (ox < 0 || ox >= outWidth) continue;
                const output = ((n * filters + f) * outHeight + oy) * outWidth + ox;
                const weight = ((f * channels + c) * 3 + r) * 3 + s;
                if (phase === 'forward') {
                  if (inputs[input] !== 0) sums[output] += weights[weight] * inputs[input];
                } else if (gradients![output] === 0) continue;
                else if (phase === 'gradWeight') sums[weight] += inputs[input] * gradients![output];
                else if (!inputMask || inputMask[input] !== 0)
                  sums[input] += weights[weight] * gradients![output];
              }
            }
          }
  return sums;
}
