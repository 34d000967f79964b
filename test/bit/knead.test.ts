/** Kneading: words, rows, planes and lengths agree with each other, with a naive sinking loop, and with hand examples. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  groupBits,
  groupFlushes,
  groupRows,
  emptySlot,
  FLUSH,
  kneadedRows,
  kneadedWordBits,
  KneadedWords,
  PASS,
  pointerBits,
} from '../../src/bit/knead.js';
import { bitPlanes, lengthOfPlanes, planeWords, popcount32 } from '../../src/bit/planes.js';
import { codeArbitrary } from '../../src/fuzz.js';
import { range } from '../support/layers.js';
import { naiveLengths, naiveOnes, naiveRows } from '../support/naiveKnead.js';
import { runs } from '../support/runs.js';

/** A group of up to KS weights. */
const group = fc
  .record({
    bits: fc.constantFrom(1, 3, 7, 15),
    stride: fc.oneof(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 7, max: 256 })),
  })
  .chain(({ bits, stride }) =>
    fc.record({
      bits: fc.constant(bits),
      stride: fc.constant(stride),
      weights: fc.array(codeArbitrary(bits, true), { minLength: 1, maxLength: stride, size: 'max' }),
    }),
  );

describe('kneading', () => {
  it('sinks bits as a naive loop does: pointers, signs, order', () => {
    fc.assert(
      fc.property(group, ({ weights, bits, stride }) => {
        const naive = naiveRows(weights, bits).map((row) =>
          row.map((slot) => slot && [slot.weight, slot.sign]),
        );
        expect(kneadedRows(weights, bits, stride)).toEqual(naive);
      }),
      { numRuns: runs(150) },
    );
  });

  it('loses nothing: valid slots rebuild the weights exactly', () => {
    fc.assert(
      fc.property(group, ({ weights, bits, stride }) => {
        const rebuilt = weights.map(() => 0);
        for (const row of kneadedRows(weights, bits, stride))
          row.forEach((slot, b) => {
            if (slot) rebuilt[slot[0]] += slot[1] * 2 ** b;
          });
        expect(rebuilt).toEqual(weights);
      }),
      { numRuns: runs(150) },
    );
  });

  it('writes streams of groups: rows, marks, valid slots, group sizes', () => {
    const streams = fc.array(group, { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(streams, fc.boolean(), (groups, tight) => {
        const { bits, stride } = groups[0];
        const words = new KneadedWords(bits, stride, tight ? 1 : 256);
        let at = 0;
        groups.forEach(({ weights }, i) => {
          const mine = weights.slice(0, stride).map((w) => w % 2 ** bits);
          const flush = i === groups.length - 1;
          // Somewhere within a longer stream.
          const rows = words.knead([99, ...mine, 99], 1, 1 + mine.length, flush);
          expect(rows).toBe(naiveLengths(mine, bits, stride)[0]);
          expect(words.count).toBe(at + rows);
          const marks = range(rows).map((t) => (t < rows - 1 ? 0 : flush ? PASS | FLUSH : PASS));
          expect([...words.marks.subarray(at, at + rows)]).toEqual(marks);
          const ones = mine.reduce((n, w) => n + naiveOnes(w), 0);
          expect(words.valid.subarray(at, at + rows).reduce((a, b) => a + b, 0)).toBe(ones);
          const facts = words.groups[at];
          expect([groupRows(facts), groupBits(facts), groupFlushes(facts)]).toEqual([rows, ones, flush]);
          at += rows;
        });
      }),
      { numRuns: runs(80) },
    );
  });

  it('has as many rows as the fullest bit plane, one if there is none', () => {
    fc.assert(
      fc.property(group, ({ weights, bits, stride }) => {
        const planes = bitPlanes(weights, bits, stride);
        const length = lengthOfPlanes(planes, bits, stride);
        expect(Math.max(1, length)).toBe(kneadedRows(weights, bits, stride).length);
        const words = planeWords(stride);
        for (let b = 0; b < bits; b++)
          for (let k = 0; k < stride; k++) {
            const bit = (planes[b * words + (k >>> 5)] >>> (k & 31)) & 1;
            expect(bit).toBe(Math.floor(Math.abs(weights[k] ?? 0) / 2 ** b) % 2);
          }
      }),
      { numRuns: runs(60) },
    );
  });

  it('under a mask has the length of the group whose masked weights are zero', () => {
    fc.assert(
      fc.property(group, fc.infiniteStream(fc.boolean()), ({ weights, bits, stride }, live) => {
        const keep = weights.map(() => live.next().value as boolean);
        const mask = new Uint32Array(planeWords(stride));
        keep.forEach((kept, k) => {
          if (kept) mask[k >>> 5] |= 1 << (k & 31);
        });
        const masked = weights.map((w, k) => (keep[k] ? w : 0));
        const length = lengthOfPlanes(bitPlanes(weights, bits, stride), bits, stride, mask);
        expect(length).toBe(lengthOfPlanes(bitPlanes(masked, bits, stride), bits, stride));
        expect(Math.max(1, length)).toBe(naiveRows(masked, bits).length);
      }),
      { numRuns: runs(80) },
    );
  });

  it('by hand: three weights', () => {
    // 3 = 11, -5 = 101, 0: column 0 holds bits of both, so two rows.
    expect(kneadedRows([3, -5, 0], 3, 16)).toEqual([
      [
        [0, 1],
        [0, 1],
        [1, -1],
      ],
      [[1, -1], null, null],
    ]);
    expect(kneadedRows([0, 0], 7, 16)).toEqual([range(7).map(() => null)]);
  });

  it('makes words of 92 bits for int16 and 44 for int8 at KS = 16', () => {
    expect(kneadedWordBits(15, 16)).toBe(92);
    expect(kneadedWordBits(7, 16)).toBe(44);
    expect([1, 2, 3, 4, 5, 16, 17, 32, 256].map(pointerBits)).toEqual([1, 1, 2, 2, 3, 4, 5, 5, 8]);
  });

  it('takes explicit words, counting their valid slots', () => {
    const words = new KneadedWords(3, 4, 1);
    words.append([0, emptySlot(4), 7], 0);
    words.append([emptySlot(4), emptySlot(4), emptySlot(4)], PASS | FLUSH);
    expect([words.count, ...words.valid.subarray(0, 2), ...words.marks.subarray(0, 2)]).toEqual([
      2, 2, 0, 0, 3,
    ]);
    expect([...words.slots.subarray(0, 6)]).toEqual([0, 8, 7, 8, 8, 8]);
  });
});

describe('popcount32', () => {
  it('counts ones of any 32 bits', () => {
    fc.assert(
      fc.property(fc.integer(), (x) => {
        expect(popcount32(x)).toBe(naiveOnes(x >>> 0));
      }),
    );
    expect([0, -1, 2 ** 31, 1].map(popcount32)).toEqual([0, 32, 1, 1]);
  });
});
