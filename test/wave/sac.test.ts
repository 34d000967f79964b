/**
 * What a wave of SAC machines shows, against an account of its own: words are unpacked from their bits, picked from the
 * window registers, summed by hand; at the flush segments must be plain sums over the layer, bit by bit.
 */
import { describe, expect, it } from 'vitest';
import type { LayerWork } from '../../src/arch/machine.js';
import { machineKind } from '../../src/arch/registry.js';
import { expectedOutput } from '../../src/expected.js';
import { laterStream, type OutputPlan } from '../../src/sim/outputPlan.js';
import { outputSize } from '../../src/tensor.js';
import { configured, conv, layer, pad, range } from '../support/layers.js';
import type { Wave } from './parseVcd.js';
import { cyclesOf, recorded } from './recorded.js';

const UNITS = 2;
const LANES = 2;
const KS = 4;
const B = 7;
const ARRAY = { tiles: 1, units: UNITS, lanes: LANES, kneadingStride: KS, windowSlots: 2 };
/** Two blocks of filters, several groups per output, padding, a stride, an odd channel. */
const SHAPE = conv({
  channels: 3,
  height: 3,
  width: 5,
  filters: 3,
  kernelHeight: 3,
  kernelWidth: 2,
  strideX: 2,
  ...pad(1),
});

/** {flush, pass, B x {sign, pointer, valid}}, column 0 in the lowest bits. */
function unpacked(word: string): { flush: boolean; pass: boolean; columns: ([number, number] | null)[] } {
  const each = 1 + Math.log2(KS) + 1;
  expect(word).toHaveLength(2 + B * each);
  const columns = range(B).map((b): [number, number] | null => {
    const digits = word.slice(word.length - (b + 1) * each, word.length - b * each);
    if (digits.at(-1) === '0') {
      expect(digits).toMatch(/^0+$/);
      return null;
    }
    return [parseInt(digits.slice(1, -1), 2), digits[0] === '1' ? -1 : 1];
  });
  return { flush: word[0] === '1', pass: word[1] === '1', columns };
}

/** What the accepted words of a unit add to its segments in a cycle. */
function addends(wave: Wave, unit: number, cycle: number): number[] {
  const sums = new Array<number>(B).fill(0);
  for (let l = 0; l < LANES; l++) {
    const lane = `tile0.unit${unit}.lane${l}`;
    if (wave.at(`${lane}.accept`, cycle) === 0) continue;
    expect(wave.at(`${lane}.wordValid`, cycle)).toBe(1);
    const word = unpacked(wave.digits(`${lane}.word`, cycle));
    expect([wave.at(`${lane}.flush`, cycle), wave.at(`${lane}.pass`, cycle)]).toEqual([
      Number(word.flush),
      Number(word.pass),
    ]);
    const slot = wave.at(`${lane}.readSlot`, cycle);
    word.columns.forEach((column, b) => {
      if (column) sums[b] += column[1] * wave.at(`tile0.lane${l}.window${slot}_${column[0]}`, cycle);
    });
  }
  return sums;
}

const segmentsAt = (wave: Wave, unit: number, cycle: number): number[] =>
  range(B).map((b) => wave.at(`tile0.unit${unit}.segment${b}`, cycle));

/** Of an output, for each bit of the weights, the sum of the activations of the weights that have it. */
function bitSums({ shape, weights, activations }: LayerWork, filter: number, position: number): number[] {
  const { outWidth } = outputSize(shape);
  const [oy, ox] = [Math.floor(position / outWidth), position % outWidth];
  const sums = new Array<number>(B).fill(0);
  for (let c = 0; c < shape.channels; c++)
    for (let r = 0; r < shape.kernelHeight; r++)
      for (let s = 0; s < shape.kernelWidth; s++) {
        const [y, x] = [oy * shape.strideY + r - shape.padTop, ox * shape.strideX + s - shape.padLeft];
        if (y < 0 || y >= shape.height || x < 0 || x >= shape.width) continue;
        const { channels: C, kernelHeight: R, kernelWidth: S } = shape;
        const weight = weights.codes[((filter * C + c) * R + r) * S + s];
        const activation = activations!.codes[(c * shape.height + y) * shape.width + x];
        for (let b = 0; b < B; b++)
          if ((Math.abs(weight) >> b) & 1) sums[b] += Math.sign(weight) * activation;
      }
  return sums;
}

const STAGES = Math.ceil(Math.log2(B));

describe.each([
  ['tetris', 3],
  ['tetris', 0],
  ['masked', 3],
  ['masked', 0],
] as const)('the wave of %s with throttle buffers of %i words', (name, throttleWords) => {
  const work = layer(SHAPE, 'int8', { seed: 7 });
  const { wave, result } = recorded(configured(machineKind(name), { ...ARRAY, throttleWords }), work);
  const { outHeight, outWidth } = outputSize(SHAPE);
  const positions = outHeight * outWidth;
  const cycles = cyclesOf(wave);

  it('shows segments grow by what the accepted words pick from the windows', () => {
    for (let unit = 0; unit < UNITS; unit++)
      for (const cycle of cycles.slice(0, -1)) {
        const held = segmentsAt(wave, unit, cycle);
        const taken = wave.at(`tile0.unit${unit}.pending`, cycle) === 1;
        const added = addends(wave, unit, cycle);
        expect(segmentsAt(wave, unit, cycle + 1), `unit ${unit}, cycle ${cycle}`).toEqual(
          held.map((sum, b) => (taken ? 0 : sum) + added[b]),
        );
      }
  });

  it('shows plain sums by bit at the flush, and the outputs after the tree', () => {
    const reference = expectedOutput(work, false);
    for (let unit = 0; unit < UNITS; unit++) {
      const flushes = cycles.filter((cycle) => wave.at(`tile0.unit${unit}.pending`, cycle) === 1);
      // Filters go to units in turn, chunk after chunk, all positions of each.
      const filters = range(SHAPE.filters).filter((f) => f % UNITS === unit);
      const outputs = filters.flatMap((f) => range(positions).map((p) => [f, p] as const));
      expect(flushes).toHaveLength(outputs.length);
      const leaves = cycles.filter((cycle) => wave.at(`tile0.unit${unit}.outValid`, cycle) === 1);
      expect(leaves).toEqual(flushes.map((cycle) => cycle + STAGES));
      flushes.forEach((cycle, k) => {
        const [filter, position] = outputs[k];
        expect(segmentsAt(wave, unit, cycle)).toEqual(bitSums(work, filter, position));
        expect(wave.at(`tile0.unit${unit}.outValue`, leaves[k])).toBe(
          reference[filter * positions + position],
        );
      });
      for (const cycle of cycles)
        if (!leaves.includes(cycle)) expect(wave.digits(`tile0.unit${unit}.outValue`, cycle)).toBe('x');
    }
  });

  it('marks as many accepted words as the counters know, one flush per lane and output', () => {
    let accepted = 0;
    for (let unit = 0; unit < UNITS; unit++)
      for (let l = 0; l < LANES; l++) {
        const lane = `tile0.unit${unit}.lane${l}`;
        const accepts = cycles.filter((cycle) => wave.at(`${lane}.accept`, cycle) === 1);
        accepted += accepts.length;
        const filters = range(SHAPE.filters).filter((f) => f % UNITS === unit).length;
        const flushes = accepts.filter((cycle) => wave.at(`${lane}.flush`, cycle) === 1);
        expect(flushes).toHaveLength(filters * positions);
        // A word stays at the head until it is accepted.
        for (const cycle of cycles.slice(1)) {
          if (wave.at(`${lane}.accept`, cycle - 1) === 1 || wave.at(`${lane}.wordValid`, cycle) === 0)
            continue;
          const before = wave.digits(`${lane}.word`, cycle - 1);
          if (before !== 'x') expect(wave.digits(`${lane}.word`, cycle)).toBe(before);
        }
      }
    expect(accepted).toBe(result.counters.busy);
  });

  it('keeps its counts within what the hardware has', () => {
    const most = (path: string): number =>
      cycles.reduce((max, cycle) => Math.max(max, wave.at(path, cycle)), 0);
    for (let l = 0; l < LANES; l++) {
      expect(most(`tile0.lane${l}.windowCount`)).toBe(ARRAY.windowSlots);
      for (let unit = 0; unit < UNITS; unit++)
        expect(most(`tile0.unit${unit}.lane${l}.throttleCount`)).toBe(throttleWords);
    }
  });
});

it('a word of a lane that waits is that of its next output', () => {
  // One lane has one word per output, the other four: it waits with its next word at hand.
  const shape = conv({ channels: 2, width: 3, filters: 1 });
  const work = layer(shape, 'int8', { weights: [1, 15], activations: [1, 2, 3, 4, 5, 6] });
  const settings = { ...ARRAY, units: 1, kneadingStride: 4 };
  const { wave } = recorded(configured(machineKind('tetris'), settings), work);
  const lane = 'tile0.unit0.lane0';
  const accepts = cyclesOf(wave).filter((cycle) => wave.at(`${lane}.accept`, cycle) === 1);
  expect(accepts).toHaveLength(3);
  const first = wave.digits(`${lane}.word`, accepts[0]);
  expect(unpacked(first).columns[0]).toEqual([0, 1]);
  for (let cycle = accepts[0]; cycle <= accepts[2]; cycle++)
    expect(wave.digits(`${lane}.word`, cycle)).toBe(first);
  // Words are offered without end; those after the last are not known.
  for (const signal of ['word', 'pass', 'flush'])
    expect(wave.digits(`${lane}.${signal}`, accepts[2] + 1)).toBe('x');
  expect(wave.at(`${lane}.wordValid`, accepts[2] + 1)).toBe(1);
});

it('a lane without items has no words', () => {
  const work = layer(conv({ channels: 1, width: 3, filters: 3 }), 'int8');
  for (const throttleWords of [0, 3]) {
    const { wave } = recorded(configured(machineKind('tetris'), { ...ARRAY, throttleWords }), work);
    const signals = ['wordValid', 'accept', 'throttleCount'].map((name) => `tile0.unit0.lane1.${name}`);
    for (const cycle of cyclesOf(wave)) {
      expect(signals.map((path) => wave.at(path, cycle))).toEqual([0, 0, 0]);
      expect(wave.digits('tile0.unit0.lane1.word', cycle)).toBe('x');
    }
  }
});

it('the next words of a lane are those of the next output in which it takes part', () => {
  // Outputs of the share: kinds 0, 1, 0, 1 at places 1, 3, 5, 7; only kind 1 has lane 1.
  const plan: OutputPlan = {
    kindOf: Int32Array.of(9, 0, 9, 1, 9, 0, 9, 1),
    first: 1,
    step: 2,
    lanes: Int32Array.of(1, 2),
    terms: Int32Array.of(1, 2),
    streams: Int32Array.of(10, -1, 11, 12, 20, -1, 21, 22),
  };
  // [begun, left, unit, lane]
  const next = (...[begun, left, n, l]: number[]): number => laterStream(plan, begun, left, n, l, 2);
  expect([next(1, 3, 0, 0), next(1, 3, 0, 1), next(2, 2, 0, 1), next(2, 2, 1, 1)]).toEqual([11, 12, 12, 22]);
  expect([next(2, 2, 1, 0), next(2, 1, 0, 1), next(4, 0, 0, 0)]).toEqual([20, -1, -1]);
});
