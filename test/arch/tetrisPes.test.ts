/** Which PE steps a Tetris array makes no difference to what is found, and what its kernels read has its bounds. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BlockKneader } from '../../src/arch/blockKneader.js';
import { resolveConfig } from '../../src/arch/machine.js';
import type { SacConfig } from '../../src/arch/sacConfig.js';
import { tetris } from '../../src/arch/tetris.js';
import { fastestPe, type PeKind, type WordBounds } from '../../src/arch/tetrisPes.js';
import { groupRows, type KneadedWords } from '../../src/bit/knead.js';
import { caseArbitrary, workOf, type FuzzCase } from '../../src/fuzz.js';
import { lowerPhase } from '../../src/lower/phases.js';
import type { SacPeConfig } from '../../src/sim/sacRegisters.js';
import type { Probe } from '../../src/sim/probe.js';
import { configured } from '../support/layers.js';
import { peConfig } from '../support/pe.js';
import { runs } from '../support/runs.js';

const cases = caseArbitrary([tetris]).filter(({ phase }) => phase !== 'gradWeight');

/** Watches some tiles and looks at nothing. */
const watching = (watched: (tile: number) => boolean): Probe => ({
  places: () => watched,
  component: () => () => undefined,
});

/** A kneader for the array of a case. */
function kneaderOf(c: FuzzCase) {
  const work = workOf(c);
  const array = resolveConfig(tetris, c.settings) as unknown as SacConfig;
  const streams = c.settings.int8Streams === '2' ? 2 : 1;
  const config = { ...array, units: array.units * streams, magnitudeBits: work.weights.magnitudeBits };
  const lowering = lowerPhase(c.phase, c.shape, config);
  return { lowering, config, kneader: new BlockKneader(config, lowering, work.weights.codes) };
}

/** Pairs of activations that the groups point to, up to the last one each. */
function pairsIn({ slots, groups, count, magnitudeBits, stride }: KneadedWords): number {
  let pairs = 0;
  for (let word = 0; word < count;) {
    const end = word + groupRows(groups[word]);
    const used = [...slots.subarray(word * magnitudeBits, end * magnitudeBits)].filter((s) => s < 2 * stride);
    pairs += Math.ceil(Math.max(0, ...used.map((s) => (s % stride) + 1)) / 2);
    word = end;
  }
  return pairs;
}

describe('PEs of a Tetris array', () => {
  it('find the same, be they watched or not', () => {
    const property = fc.property(cases, (c) => {
      const machine = configured(tetris, c.settings);
      const work = workOf(c);
      const general = machine.step(
        work,
        watching(() => true),
      );
      expect(machine.step(work)).toEqual(general);
      // Fast PEs beside the general one.
      expect(
        machine.step(
          work,
          watching((tile) => tile % 2 === 0),
        ),
      ).toEqual(general);
    });
    fc.assert(property, { numRuns: runs(100) });
  });

  it.each([
    ['of any values', cases, false],
    // Every weight has the lowest bit: a group takes a row per weight and all its pairs, so the bounds are reached.
    ['that are odd', cases.map((c) => ({ ...c, weights: c.weights.map((w) => w | 1) })), true],
  ] as const)('are told how much room weights %s need in any block', (_, drawn, reached) => {
    const property = fc.property(drawn, (c) => {
      const { kneader, lowering } = kneaderOf(c);
      const most = { words: 0, pairs: 0 };
      for (const block of lowering.blocks) {
        kneader.knead(block);
        most.words = Math.max(most.words, kneader.words.count);
        most.pairs = Math.max(most.pairs, pairsIn(kneader.words));
      }
      const bounds = kneader.bounds();
      if (reached) expect(most).toEqual({ words: bounds.words, pairs: bounds.pairs });
      expect(most.words).toBeLessThanOrEqual(bounds.words);
      expect(most.pairs).toBeLessThanOrEqual(bounds.pairs);
    });
    fc.assert(property, { numRuns: runs(60) });
  });

  it.each<[PeKind, number, Partial<WordBounds>, Partial<SacPeConfig>]>([
    ['perGroup', 15, {}, {}],
    ['perWord', 16, {}, {}],
    ['perWord', 15, { uses: 7.9 }, {}],
    // 16 columns of 4 bytes per pair, 15 of 2 per word: a byte beyond 2^30 is too much.
    ['perGroup', 15, { pairs: 2 ** 24 }, {}],
    ['perWord', 15, { pairs: 2 ** 24 + 1 }, {}],
    ['perWord', 16, { words: Math.floor(2 ** 30 / 30) }, {}],
    ['general', 16, { words: Math.floor(2 ** 30 / 30) + 1 }, {}],
    ['general', 15, {}, { throttleWords: 1 }],
    ['general', 15, {}, { wideSegments: true }],
  ])('are of kind %s for values of %i bits and %o', (kind, bits, bounds, given) => {
    const all = { words: 100, pairs: 100, uses: 8, ...bounds };
    expect(fastestPe(peConfig(given), bits, all)).toBe(kind);
  });

  it('are of every kind in the cases above', () => {
    const kinds = fc.sample(cases, { numRuns: 200, seed: 1 }).map((c) => {
      const { kneader, config, lowering } = kneaderOf(c);
      const bits = c.unsigned ? config.magnitudeBits + 1 : config.magnitudeBits;
      const terms = Math.max(...lowering.kinds.map((k) => k.terms));
      const wideSegments = terms * 2 ** bits >= 2 ** 31;
      return fastestPe(
        { ...peConfig(), throttleWords: Number(c.settings.throttleWords), wideSegments },
        bits,
        kneader.bounds(),
      );
    });
    for (const kind of ['perGroup', 'perWord', 'general']) expect(kinds.some((k) => k === kind)).toBe(true);
  });
});
