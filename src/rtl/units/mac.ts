/**
 * The dense MAC PE (SPEC section 4) as a twin: `sim/macPe.ts` and `rtl/verilog/mac_pe.v` under one stimulus.
 *
 * The TypeScript model has no stall: a cycle in which a finished output waits is a cycle in which it is not clocked,
 * and a cycle without a brick is a bubble.
 */
import { z } from 'zod';
import type { Random } from '../../random.js';
import { MacPe } from '../../sim/macPe.js';
import { boundaryCode, checkForm, faultsOf, hex64, randomReady } from '../stimulus.js';
import type { Hardware, RtlUnit, VerilogParameters } from '../unit.js';

/** The accumulators of the bench sum up to 2^20 products of 32 bits: 52 bits, exact in a double. */
const TERM_BITS = 20;

const bit = z.union([z.literal(0), z.literal(1)]);
const width = z.int().min(1).max(64);
const brick = z.strictObject({
  weights: z.array(z.array(z.int())),
  activations: z.array(z.int()),
  last: bit,
});
const schema = z.strictObject({
  units: width,
  lanes: width,
  magnitudeBits: z.int().min(1).max(15),
  activationBits: z.int().min(1).max(16),
  bricks: z.array(brick).min(1),
  ready: z.array(z.tuple([bit, bit])).default([]),
});

export type MacStimulus = z.infer<typeof schema>;

function parse(json: unknown, file: string): MacStimulus {
  const fault = faultsOf(file);
  const stimulus = checkForm(schema, json, file);
  const { units, lanes, magnitudeBits, activationBits, bricks } = stimulus;
  const numbers = (values: number[], count: number, low: number, high: number, place: string): void => {
    if (values.length !== count) throw fault(place, `${values.length} numbers`, `${count}, one per lane`);
    values.forEach((value, i) => {
      if (value < low || value > high) throw fault(`${place}[${i}]`, `${value}`, `${low} to ${high}`);
    });
  };
  const weightMost = 2 ** magnitudeBits - 1;
  const activationMost = 2 ** activationBits - 1;
  bricks.forEach(({ weights, activations }, i) => {
    const place = `bricks[${i}]`;
    if (weights.length !== units)
      throw fault(`${place}.weights`, `${weights.length} rows`, `${units}, one per unit`);
    weights.forEach((row, n) => numbers(row, lanes, -weightMost, weightMost, `${place}.weights[${n}]`));
    numbers(activations, lanes, -activationMost, activationMost, `${place}.activations`);
  });
  if (bricks[bricks.length - 1].last !== 1)
    throw fault(`bricks[${bricks.length - 1}].last`, '0', '1, so that the last output leaves');
  let terms = 0;
  bricks.forEach(({ last }, i) => {
    terms += lanes;
    if (terms > 2 ** TERM_BITS)
      throw fault(`bricks[${i}]`, 'an output of more terms', `at most ${2 ** TERM_BITS}`);
    if (last === 1) terms = 0;
  });
  return stimulus;
}

/** A series of runs goes through all units and lanes of 1 to 4. */
function randomStimulus(random: Random, run: number, given: Hardware = {}): MacStimulus {
  const hardware = {
    units: 1 + (run % 4),
    lanes: 1 + (Math.floor(run / 4) % 4),
    magnitudeBits: [1, 3, 7, 15][random.int(4)],
    activationBits: [1, 3, 7, 8, 15, 16][random.int(6)],
    ...given,
  };
  const { units, lanes, magnitudeBits, activationBits } = hardware;
  const rareLast = 1 + random.int(6);
  const bricks = Array.from({ length: 1 + random.int(24) }, () => ({
    weights: Array.from({ length: units }, () =>
      Array.from({ length: lanes }, () => boundaryCode(random, magnitudeBits)),
    ),
    activations: Array.from({ length: lanes }, () => boundaryCode(random, activationBits)),
    last: (random.int(rareLast) === 0 ? 1 : 0) as 0 | 1,
  }));
  bricks[bricks.length - 1].last = 1;
  const rows = random.int(4) === 0 ? 0 : random.int(60);
  const ready = randomReady(random, rows, 2) as [0 | 1, 0 | 1][];
  return { ...hardware, bricks, ready };
}

const outputsOf = ({ bricks }: MacStimulus): number => bricks.filter(({ last }) => last === 1).length;

/** Every line of `ready` may be wasted; after that each brick and the pipeline take a cycle. */
const cycleLimit = ({ bricks, ready }: MacStimulus): number =>
  ready.length + bricks.length + MacPe.latency + 1;

function pack(stimulus: MacStimulus): string {
  const { bricks, ready } = stimulus;
  const counts = [ready.length, bricks.length, outputsOf(stimulus), cycleLimit(stimulus)];
  const rows: number[][] = [counts, ...ready];
  for (const { weights, activations, last } of bricks) rows.push([last, ...weights.flat(), ...activations]);
  return rows.map((row) => row.map(hex64).join(' ') + '\n').join('');
}

function trace(stimulus: MacStimulus, registers: boolean): string[] {
  const { units, lanes, bricks, ready } = stimulus;
  const pe = new MacPe(units, lanes);
  const weights = bricks.map((brick) => Int32Array.from(brick.weights.flat()));
  const activations = bricks.map((brick) => Int32Array.from(brick.activations));
  const idle = new Int32Array(lanes);
  const lines: string[] = [];
  let left = outputsOf(stimulus);
  for (let cycle = 0, next = 0; left > 0; cycle++) {
    const [offer, take] = ready[cycle] ?? [1, 1];
    const { outValid } = pe;
    const enable = !outValid || take === 1;
    const accepted = enable && offer === 1 && next < bricks.length;
    const fired = outValid && take === 1;
    const words: string[] = [String(cycle), ...[accepted, outValid, fired].map((flag) => (flag ? '1' : '0'))];
    if (fired) for (let n = 0; n < units; n++) words.push(hex64(pe.outValue(n)));
    if (registers) words.push('|', ...registersOf(pe).map(hex64));
    lines.push(words.join(' '));
    if (fired) left--;
    if (!enable) continue;
    if (accepted) pe.cycle(weights[next], 0, activations[next], bricks[next++].last === 1);
    else pe.cycle(null, 0, idle, false);
  }
  return lines;
}

/** Products, sum and accumulator of the first unit. */
function registersOf(pe: MacPe): number[] {
  const { registers, lanes } = pe;
  const product = registers.doubles('product').subarray(0, lanes);
  return [...product, registers.doubles('sum')[0], registers.doubles('accumulator')[0]];
}

export const macUnit: RtlUnit<MacStimulus> = {
  name: 'mac',
  aliases: ['mac_pe', 'mac_lane'],
  summary: 'dense MAC PE of DaDianNao: products, sum over lanes, accumulators',
  sources: ['mac_pe.v', 'mac_lane.v'],
  bench: 'tb_mac_pe.v',
  parse,
  random: randomStimulus,
  parameters: ({ units, lanes, magnitudeBits, activationBits }): VerilogParameters => ({
    UNITS: units,
    LANES: lanes,
    MAGNITUDE_BITS: magnitudeBits,
    ACTIVATION_BITS: activationBits,
    TERM_BITS,
  }),
  pack,
  trace,
};
