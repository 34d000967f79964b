/** The on-line kneader: its words are those of kneading what the mask leaves, whoever takes them and when. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptySlot, FLUSH, KneadedWords, PASS } from '../../src/bit/knead.js';
import { codeArbitrary } from '../../src/fuzz.js';
import { Random } from '../../src/random.js';
import { OnlineKneaders } from '../../src/sim/onlineKneader.js';
import { range } from '../support/layers.js';
import { naiveRows, type NaiveSlot } from '../support/naiveKnead.js';
import { runs } from '../support/runs.js';

const B = 7;
/** Around the edges of a plane's 32-bit words, and small. */
const strides = fc.oneof(fc.integer({ min: 1, max: 5 }), fc.constantFrom(16, 31, 32, 33, 64, 100));

const groups = strides.chain((stride) =>
  fc.record({
    stride: fc.constant(stride),
    groups: fc.array(
      fc.record({
        codes: fc.array(codeArbitrary(B, true), { minLength: 1, maxLength: stride, size: 'max' }),
        mask: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: stride, maxLength: stride, size: 'max' }),
        flush: fc.boolean(),
      }),
      { minLength: 1, maxLength: 4 },
    ),
    seed: fc.nat(),
  }),
);

function slotsOf(words: KneadedWords, word: number): NaiveSlot[] {
  return range(B).map((b) => {
    const slot = words.slots[word * B + b];
    if (slot === emptySlot(words.stride)) return null;
    return slot < words.stride ? { weight: slot, sign: 1 } : { weight: slot - words.stride, sign: -1 };
  });
}

describe('on-line kneader', () => {
  it('offers the rows of what the mask leaves, in order, until each is taken', () => {
    fc.assert(
      fc.property(groups, ({ stride, groups: list, seed }) => {
        const random = new Random(seed);
        const kneaders = new OnlineKneaders(2, B, stride);
        const words = new KneadedWords(B, stride, 2);
        const identity = Int32Array.from(range(stride));
        for (const { codes, mask, flush } of list) {
          const rows = naiveRows(
            codes.map((code, k) => (mask[k] === 0 ? 0 : code)),
            B,
          );
          const values = Int32Array.from(mask);
          kneaders.load(1, Int32Array.from(codes), 0, identity, values, 0, identity, 0, codes.length, flush);
          rows.forEach((row, t) => {
            const last = t === rows.length - 1;
            // Offered again and again until it is taken.
            for (let wait = random.int(3); wait >= 0; wait--) {
              kneaders.offer(1, words, 1);
              expect(slotsOf(words, 1)).toEqual(row);
              expect(words.valid[1]).toBe(row.filter((slot) => slot !== null).length);
              expect(words.marks[1]).toBe(!last ? 0 : flush ? PASS | FLUSH : PASS);
              expect(kneaders.valid[1]).toBe(1);
            }
            expect(kneaders.taken(1)).toBe(last);
          });
          expect(kneaders.valid[1]).toBe(0);
          expect(kneaders.valid[0]).toBe(0);
        }
      }),
      { numRuns: runs(150) },
    );
  });
});
