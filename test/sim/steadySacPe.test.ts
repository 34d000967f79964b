/** The steady PE is the SAC PE, cycle by cycle, wherever words never run out and outputs are always taken. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KneadedWords } from '../../src/bit/knead.js';
import { runsSteadily } from '../../src/sim/steadyControl.js';
import { SteadyMemory, SteadySacPe } from '../../src/sim/steadySacPe.js';
import { randomValues, range } from '../support/layers.js';
import { blockWork, lockStep, type BlockWork, type MakeFast } from '../support/lockStep.js';
import { peConfig } from '../support/pe.js';
import { runs } from '../support/runs.js';

/** The second of two PEs in the memory, so that addresses are not zero. */
const steady =
  (wasm: boolean): MakeFast =>
  (config, words, source, most) => {
    const memory = new SteadyMemory(config, 2, most.words, wasm);
    const pe = new SteadySacPe(config, words, source, memory, 1);
    return { pe, store: (filled) => memory.store(filled) };
  };

const work = blockWork(fc.constantFrom(1, 4, 7, 15), fc.integer({ min: 1, max: 6 }), 65_535);

describe('steady SAC PE', () => {
  it.each([true, false])('is the SAC PE, register by register (WebAssembly: %s)', (wasm) => {
    const property = fc.property(work, fc.nat(), fc.integer({ min: 2, max: 10 }), (drawn, seed, tenths) => {
      expect(runsSteadily(drawn.config)).toBe(true);
      lockStep(drawn, steady(wasm), { seed, density: tenths / 10, perGroup: false });
    });
    fc.assert(property, { numRuns: runs(150) });
  });

  it.each([true, false])(
    'is so with more lanes than a word of the host has bits (WebAssembly: %s)',
    (wasm) => {
      for (const lanes of [32, 33, 70]) {
        for (const wide of manyLanes(lanes))
          lockStep(wide, steady(wasm), { seed: 1, density: 1, perGroup: false });
      }
    },
  );

  it('is not chosen where its conditions do not hold', () => {
    expect(runsSteadily(peConfig({ throttleWords: 1 }))).toBe(false);
    expect(runsSteadily(peConfig({ wideSegments: true }))).toBe(false);
    for (const throttleWords of [0, 2, 4])
      expect(runsSteadily(peConfig({ throttleWords, lanes: 33 }))).toBe(true);
  });

  it('refuses more words than there is room for', () => {
    const words = new KneadedWords(15, 4);
    words.knead([1, 1, 1], 0, 3, true);
    expect(() => new SteadyMemory(peConfig(), 1, 2).store(words)).toThrow(/3 words/);
  });
});

/** Groups of all lengths, and groups of one word each: all lanes end in the same cycle. */
function manyLanes(lanes: number): BlockWork[] {
  const KS = 5;
  const windows = range(lanes).map((l) => range(4).map((g) => randomValues(KS, 15, 0.5, l * 10 + g)));
  const mixed = range(2).map((n) =>
    range(lanes).map((l) => [randomValues(1 + (l % KS), 15, 0.4, n * 1000 + l * 10)]),
  );
  const ones = range(2).map(() => range(lanes).map(() => [[-1]]));
  return [mixed, ones].map((kind) => ({
    config: peConfig({ units: 2, lanes, kneadingStride: KS }),
    activeLanes: lanes,
    blocks: [{ kinds: [kind], kindOf: [], first: 0, step: 1, outputs: 4, wait: 9, skip: 1 }],
    windows,
  }));
}
