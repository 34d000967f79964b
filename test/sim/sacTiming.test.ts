/** The timing facts of the SAC PE that SPEC section 3 states, each on the clocked PE itself. */
import { describe, expect, it } from 'vitest';
import { range } from '../support/layers.js';
import { lone, peConfig, plainSums, runPe, type PeWork } from '../support/pe.js';

const B = { int8: 7, int16: 15 } as const;
const latency = { int8: 4, int16: 5 } as const;
const precisions = ['int8', 'int16'] as const;

/** Outputs of `groups` groups each, every group a single weight. */
const words = (outputs: number, groups: number): number[][][] =>
  range(outputs).map(() => range(groups).map((g) => [1 + g]));

describe('SAC PE timing', () => {
  it.each(precisions)('%s: a flush accepted at t gives an output at t + 1 + LV', (precision) => {
    for (const throttleWords of [0, 1, 2, 4])
      for (const windowSlots of [1, 2, 3]) {
        const work = lone({ magnitudeBits: B[precision], throttleWords, windowSlots }, words(6, 3));
        const run = runPe(work);
        expect(run.pe.latency).toBe(latency[precision]);
        expect(run.leaves[0]).toEqual(run.flushes[0][0].map((t) => t + latency[precision]));
        expect(run.values).toEqual(plainSums(work));
      }
  });

  it.each(precisions)('%s: after reset the window loads in cycle 0, a word is accepted in 1', (precision) => {
    const run = runPe(lone({ magnitudeBits: B[precision], throttleWords: 0 }, [[[5]]]));
    expect(run.accepts[0][0]).toEqual([1]);
    expect(run.leaves[0]).toEqual([1 + latency[precision]]);
    expect(run.leaves[0]).toEqual([precision === 'int16' ? 6 : 5]);
  });

  it('takes one word per cycle, or one every second cycle with a throttle buffer of one word', () => {
    // Eight weights of one bit position: eight words of one group.
    const long = (throttleWords: number): number[] =>
      runPe(lone({ kneadingStride: 8, throttleWords }, [[[1, 1, 1, 1, 1, 1, 1, 1]]])).accepts[0][0];
    for (const throttleWords of [0, 2, 3, 4]) expect(long(throttleWords)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(long(1)).toEqual([1, 3, 5, 7, 9, 11, 13, 15]);
  });

  it.each([
    ['groups of one word', words(1, 6)],
    ['outputs of one word', words(6, 1)],
    ['outputs of two groups', words(3, 2)],
  ])('has no bubble between %s from two window slots on, and one at one slot', (_, outputs) => {
    for (const barrier of [false, true])
      for (const throttleWords of [0, 2, 4]) {
        const accepts = (windowSlots: number): number[] =>
          runPe(lone({ windowSlots, throttleWords, barrier }, outputs)).accepts[0][0];
        for (const slots of [2, 3, 4]) expect(accepts(slots)).toEqual([1, 2, 3, 4, 5, 6]);
        expect(accepts(1)).toEqual([1, 3, 5, 7, 9, 11]);
      }
  });

  it('hides the bubble of one window slot nowhere but at group ends', () => {
    const work = lone({ windowSlots: 1, kneadingStride: 3 }, [
      [
        [1, 1, 1],
        [1, 1],
      ],
      [[1]],
    ]);
    expect(runPe(work).accepts[0][0]).toEqual([1, 2, 3, 5, 6, 8]);
  });

  it('waits for windows that load every third cycle', () => {
    const run = runPe(lone({ windowLoadCycles: 3, windowSlots: 4 }, words(4, 1)));
    expect(run.accepts[0][0]).toEqual([1, 4, 7, 10]);
    expect(run.pe.counters.window).toBe(1 + 2 + 2 + 2);
  });

  it('lets units run ahead within the slots (skew), or makes each wait for all (barrier)', () => {
    // Unit 0 takes 3, 1, 1 words, unit 1 takes 1, 1, 3.
    const weights = [[[[[1, 1, 1], [1], [1]]]], [[[[1], [1], [1, 1, 1]]]]];
    const windows = [range(3).map(() => [1, 2, 3, 4])];
    const accepts = (barrier: boolean, windowSlots: number) =>
      runPe({ config: peConfig({ units: 2, barrier, windowSlots }), weights, windows }).accepts.map(
        (u) => u[0],
      );
    expect(accepts(false, 3)).toEqual([
      [1, 2, 3, 4, 5],
      [1, 2, 3, 4, 5],
    ]);
    // Two slots: unit 1 finds its third window only after unit 0 has passed the first, freed at 3, loaded at 4.
    expect(accepts(false, 2)).toEqual([
      [1, 2, 3, 4, 5],
      [1, 2, 5, 6, 7],
    ]);
    expect(accepts(true, 3)).toEqual([
      [1, 2, 3, 4, 5],
      [1, 4, 5, 6, 7],
    ]);
    expect(accepts(true, 1)).toEqual([
      [1, 2, 3, 5, 7],
      [1, 5, 7, 8, 9],
    ]);
  });

  it('lets lanes of a unit meet at outputs only, and counts the wait of the early one', () => {
    const weights = [
      [
        [[[1, 1, 1, 1]], [[1]]],
        [[[1]], [[1]]],
      ],
    ];
    const windows = range(2).map(() => range(2).map(() => [1, 1, 1, 1]));
    const run = runPe({ config: peConfig({ lanes: 2 }), weights, windows });
    expect(run.accepts[0]).toEqual([
      [1, 2, 3, 4, 5],
      [1, 5],
    ]);
    expect(run.pe.counters.flush).toBe(3);
    expect(run.values).toEqual([[5, 2]]);
  });

  it('passes the window on a flush mark alone, which implies pass', () => {
    const work = lone({ windowSlots: 2 }, words(4, 2));
    expect(runPe({ ...work, flushAlone: true }).accepts).toEqual(runPe(work).accepts);
    expect(runPe({ ...work, flushAlone: true }).values).toEqual(plainSums(work));
  });

  it('does not deadlock on absent lanes and absent units', () => {
    for (const barrier of [false, true]) {
      const config = peConfig({ units: 3, lanes: 3, barrier, windowSlots: 1 });
      const lane = [[[3], [0]], [[-7, 2]]];
      const weights = [[[[], []], lane, [[], []]]];
      const work: PeWork = { config, weights, windows: [[], range(3).map((g) => [g + 1, 5]), []] };
      const run = runPe(work);
      expect(run.values).toEqual(plainSums(work));
      const { busy, essentialBits } = run.pe.counters;
      expect([busy, essentialBits]).toEqual([4, 2 + 3 + 1]);
    }
  });

  it('stalls with cause output while an output is not taken, and loses nothing', () => {
    const work = lone({ throttleWords: 0 }, words(9, 1));
    const free = runPe(work);
    const run = runPe(work, { out: (cycle) => cycle >= 40 });
    expect(run.values).toEqual(plainSums(work));
    expect(free.pe.counters.output).toBe(0);
    // Four sums in the tree and one in the segments; the sixth word is accepted as the tree moves again.
    expect(run.accepts[0][0].slice(0, 6)).toEqual([1, 2, 3, 4, 5, 40]);
    expect(run.pe.counters.output).toBe(40 - 6);
    expect(run.leaves[0].slice(0, 3)).toEqual([40, 41, 42]);
  });
});
