/**
 * The PE that commits groups is the SAC PE: all registers in every cycle, segments wherever no lane of their unit is
 * inside a group. Its tables say what a group adds.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptySlot, KneadedWords } from '../../src/bit/knead.js';
import { codeArbitrary } from '../../src/fuzz.js';
import {
  FACTOR_BITS,
  groupModule,
  GroupTables,
  pairBytes,
  pairsOf,
  plainGroupKernel,
  tableColumns,
} from '../../src/sim/groupKernel.js';
import { commitsGroups, GroupMemory, GroupSacPe } from '../../src/sim/groupSacPe.js';
import { kernelBuffer } from '../../src/sim/wasm.js';
import { randomValues, range } from '../support/layers.js';
import { blockWork, lockStep, type MakeFast } from '../support/lockStep.js';
import { peConfig } from '../support/pe.js';
import { runs } from '../support/runs.js';

/** Largest magnitude of an activation. */
const LARGEST = 2 ** FACTOR_BITS - 1;

/** The second of two PEs in the memory, so that addresses are not zero. */
const perGroup =
  (wasm: boolean): MakeFast =>
  (config, words, source, most) => {
    const memory = new GroupMemory(config, 2, most.pairs, wasm);
    const pe = new GroupSacPe(config, words, source, memory, 1);
    return { pe, store: (filled) => memory.store(filled) };
  };

/** Columns that fill the last vector of segments, and columns that do not. */
const columns = fc.integer({ min: 1, max: 15 });
const strides = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constantFrom(15, 16, 17, 63, 64, 255, 256));

describe('SAC PE that commits groups', () => {
  it.each([true, false])('is the SAC PE in all that is not inside a group (WebAssembly: %s)', (wasm) => {
    const work = blockWork(columns, strides, LARGEST);
    const property = fc.property(work, fc.nat(), fc.integer({ min: 2, max: 10 }), (drawn, seed, tenths) => {
      expect(commitsGroups(drawn.config, FACTOR_BITS)).toBe(true);
      lockStep(drawn, perGroup(wasm), { seed, density: tenths / 10, perGroup: true });
    });
    fc.assert(property, { numRuns: runs(150) });
  });

  it.each([true, false])('is so with many lanes, at the largest activations (WebAssembly: %s)', (wasm) => {
    for (const lanes of [32, 33, 70])
      for (const KS of [1, 4, 7, 16]) {
        // All bits set: every slot is in use, and activations of one sign add up.
        const kind = (sign: number) =>
          range(2).map((n) =>
            range(lanes).map((l) => [range(1 + (l % KS)).map(() => (n === 0 ? sign : -sign) * LARGEST)]),
          );
        const windows = range(lanes).map(() =>
          range(3).map((g) => range(KS).map(() => (g === 1 ? -LARGEST : LARGEST))),
        );
        const block = { kindOf: [1, 0, 1, 0], first: 0, step: 1, outputs: 4, wait: 9, skip: 1 };
        const config = peConfig({ units: 2, lanes, kneadingStride: KS });
        const blocks = [{ ...block, kinds: [kind(1), kind(-1)] }];
        lockStep({ config, activeLanes: lanes, blocks, windows }, perGroup(wasm), {
          ...{ seed: 1, density: 1, perGroup: true },
        });
      }
  });

  it('is not chosen where its conditions do not hold', () => {
    expect(commitsGroups(peConfig(), 15)).toBe(true);
    // An unsigned activation of 16 bits is no signed number of 16 bits.
    expect(commitsGroups(peConfig(), 16)).toBe(false);
    expect(commitsGroups(peConfig({ throttleWords: 1 }), 7)).toBe(false);
    expect(commitsGroups(peConfig({ wideSegments: true }), 7)).toBe(false);
  });

  it('refuses more groups than there is room for', () => {
    const words = new KneadedWords(15, 4);
    words.knead([1, 1, 1], 0, 3, true);
    new GroupMemory(peConfig(), 1, 2).store(words);
    expect(() => new GroupMemory(peConfig(), 1, 1).store(words)).toThrow(/tables of 128 bytes/);
  });
});

const drawn = fc.record({
  magnitudeBits: columns,
  stride: strides,
  activations: fc.array(codeArbitrary(FACTOR_BITS, true), { minLength: 1, maxLength: 30, size: 'max' }),
  salt: fc.nat(),
  count: fc.nat(),
});

describe('table of a group', () => {
  const weightsOf = (B: number, stride: number, salt: number, count: number): number[] =>
    randomValues(1 + (count % stride), B, 0.4, salt);

  /** Table of a group, written between numbers of another kind; and its pairs. */
  function tableOf(B: number, stride: number, weights: number[]) {
    const words = new KneadedWords(B, stride);
    // Slots of another group lie before and behind.
    words.knead([1], 0, 1, false);
    const from = words.count;
    words.knead(weights, 0, weights.length, true);
    const to = words.count;
    words.knead([-1], 0, 1, false);
    const size = (pairsOf(stride) * pairBytes(B)) / 2;
    const halves = new Int16Array(size + 20).fill(999);
    const pairs = new GroupTables(B, stride).write(halves, 10, words.slots, from * B, to * B);
    expect([...halves.subarray(0, 10), ...halves.subarray(10 + size)]).toEqual(range(20).map(() => 999));
    return { table: halves.subarray(10, 10 + size), pairs };
  }

  it('holds the sign of each weight in the columns of its bits', () => {
    const property = fc.property(drawn, ({ magnitudeBits: B, stride, salt, count }) => {
      const weights = weightsOf(B, stride, salt, count);
      const { table, pairs } = tableOf(B, stride, weights);
      const used = weights.reduce((most, w, k) => (w === 0 ? most : k + 1), 0);
      expect(pairs).toBe(Math.ceil(used / 2));
      expect(table.length).toBe(pairsOf(stride) * 2 * tableColumns(B));
      const expected = new Int16Array(table.length);
      weights.forEach((w, k) => {
        for (let b = 0; b < B; b++)
          if (Math.floor(Math.abs(w) / 2 ** b) % 2 === 1)
            expected[(Math.floor(k / 2) * tableColumns(B) + b) * 2 + (k % 2)] = Math.sign(w);
      });
      expect(table).toEqual(expected);
    });
    fc.assert(property, { numRuns: runs(150) });
  });

  it('counts a pointer as often as a column has it', () => {
    const empty = emptySlot(3);
    // Words of two columns: 0 is +a0, 4 is -a1, 5 is -a2.
    const slots = Uint16Array.of(0, 4, 0, empty, 5, 4);
    const halves = new Int16Array(32);
    expect(new GroupTables(2, 3).write(halves, 0, slots, 0, 6)).toBe(2);
    expect([...halves]).toEqual([
      ...[2, 0, 0, -2, 0, 0, 0, 0],
      ...[-1, 0, 0, 0, 0, 0, 0, 0],
      ...range(16).map(() => 0),
    ]);
  });

  it.each([true, false])('gives what the slots of the group select (WebAssembly: %s)', (wasm) => {
    const property = fc.property(drawn, ({ magnitudeBits: B, stride, activations, salt, count }) => {
      const weights = weightsOf(B, stride, salt, count);
      const { table, pairs } = tableOf(B, stride, weights);
      const [segmentsAt, windowAt, tableAt] = [64, 256, 256 + 8 * stride + 64];
      const { buffer, kernel } = kernelBuffer(
        tableAt + 2 * table.length,
        () => groupModule(B, stride),
        (buffer) => plainGroupKernel(buffer, B),
        wasm,
      );
      const ints = new Int32Array(buffer);
      new Int16Array(buffer).set(table, tableAt / 2);
      const start = range(B).map((b) => b * 1000 - 3);
      // What lies behind the segments is no multiple of anything, what lies behind the window is beyond 16 bits.
      const behind = range(8).map((i) => 2 ** 30 + i);
      ints.set([...start, ...behind], segmentsAt / 4);
      const window = range(2 * stride + 1).map((p) => {
        const a = activations[(p % stride) % activations.length];
        return p === 2 * stride ? 0 : p < stride ? a : 0 - a;
      });
      ints.set([...window, ...behind], windowAt / 4);
      kernel(segmentsAt, tableAt, windowAt, pairs);
      const sums = start.map((s, b) =>
        weights.reduce(
          (t, w, k) => (Math.floor(Math.abs(w) / 2 ** b) % 2 === 1 ? t + Math.sign(w) * window[k] : t),
          s,
        ),
      );
      expect([...ints.subarray(segmentsAt / 4, segmentsAt / 4 + B + 8)]).toEqual([...sums, ...behind]);
      expect([...ints.subarray(windowAt / 4, windowAt / 4 + window.length)]).toEqual(window);
    });
    fc.assert(property, { numRuns: runs(100) });
  });
});
