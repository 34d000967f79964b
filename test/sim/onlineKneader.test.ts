/** The on-line kneader: its words are those of kneading what the mask leaves, whoever takes them and when. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptySlot, FLUSH, KneadedWords, PASS } from '../../src/bit/knead.js';
import { codeArbitrary, shapeArbitrary } from '../../src/fuzz.js';
import { lowerPhase } from '../../src/lower/phases.js';
import { paddedInput } from '../../src/lower/forward.js';
import { Random } from '../../src/random.js';
import { referenceForward } from '../../src/reference.js';
import { GroupWalk } from '../../src/sim/groupWalk.js';
import { KneadingPe } from '../../src/sim/kneadingPe.js';
import { OnlineKneaders } from '../../src/sim/onlineKneader.js';
import { sacLayer, SacTile, WindowPort } from '../../src/sim/sacTile.js';
import { layer, range } from '../support/layers.js';
import { naiveRows, type NaiveSlot } from '../support/naiveKnead.js';
import { peConfig } from '../support/pe.js';
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

describe('a PE behind on-line kneaders', () => {
  const hardware = fc.record({
    units: fc.integer({ min: 1, max: 4 }),
    lanes: fc.integer({ min: 1, max: 4 }),
    kneadingStride: fc.integer({ min: 1, max: 5 }),
    windowSlots: fc.integer({ min: 1, max: 4 }),
    throttleWords: fc.integer({ min: 0, max: 4 }),
    windowLoadCycles: fc.integer({ min: 1, max: 3 }),
    barrier: fc.boolean(),
  });

  it('computes the same under back-pressure on its output ports, later', () => {
    let later = 0;
    fc.assert(
      fc.property(shapeArbitrary, hardware, fc.nat(), (shape, drawn, seed) => {
        const array = { ...drawn, tiles: 1, tileBy: 'filters', lowering: 'channelBlock' } as const;
        const work = layer(shape, 'int8', { seed, activations: [0, 5, -3, 0, 0, 127] });
        const lowering = lowerPhase('forward', shape, array);
        const operands = {
          stream: work.weights.codes,
          window: paddedInput(shape, work.activations!.codes),
        };
        const run = (ready: () => number): { cycles: number; output: Float64Array } => {
          const sums = sacLayer(lowering, operands.window);
          const windows = new GroupWalk(lowering, 0, array.lanes, 1, array.kneadingStride);
          const walk = new GroupWalk(lowering, 0, array.lanes, array.units, array.kneadingStride);
          const port = new WindowPort(sums, windows, array.kneadingStride);
          const config = peConfig({ ...drawn, magnitudeBits: B });
          const pe = new KneadingPe(config, lowering, operands, port, walk);
          const cycle = pe.cycle.bind(pe);
          pe.cycle = () => {
            for (let n = 0; n < array.units; n++) pe.outReady[n] = ready();
            cycle();
          };
          const tile = new SacTile(pe, sums, 0, windows, 2);
          let end = 0;
          for (const block of lowering.blocks) {
            tile.startBlock(block, null);
            end = tile.runBlock();
          }
          pe.cycle = cycle;
          pe.outReady.fill(1);
          tile.drain();
          return { cycles: end, output: sums.output };
        };
        const random = new Random(seed);
        const expected = referenceForward(shape, work.weights.codes, work.activations!.codes);
        const free = run(() => 1);
        // Not for longer than the tile's guard against deadlocks has patience.
        let held = 0;
        const pressed = run(() => {
          held = random.uniform() < 0.3 || held === 2 * array.units ? 0 : held + 1;
          return held === 0 ? 1 : 0;
        });
        expect(free.output).toEqual(expected);
        expect(pressed.output).toEqual(expected);
        expect(pressed.cycles).toBeGreaterThanOrEqual(free.cycles);
        if (pressed.cycles > free.cycles) later++;
      }),
      { numRuns: runs(60) },
    );
    expect(later).toBeGreaterThan(0);
  });
});
