/** The steady PE is the SAC PE, cycle by cycle, wherever words never run out and outputs are always taken. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KneadedWords } from '../../src/bit/knead.js';
import { Random } from '../../src/random.js';
import type { WindowSource } from '../../src/sim/activationWindows.js';
import { SacPe } from '../../src/sim/sacPe.js';
import { runsSteadily } from '../../src/sim/steadyControl.js';
import { SteadyMemory, SteadySacPe } from '../../src/sim/steadySacPe.js';
import { peConfig, plainSums, type PeWork } from '../support/pe.js';
import { peWork } from '../support/peLaws.js';
import { randomValues, range } from '../support/layers.js';
import { runs } from '../support/runs.js';

/** Registers whose state must agree after every cycle. Counts of throttle buffers are not tracked. */
const COMPARED = [
  'windowCount',
  'windowHead',
  'loadTimer',
  'lead',
  'readSlot',
  'flushed',
  'pending',
  'segment',
];

interface Bench {
  pe: SacPe;
  words: KneadedWords;
}

/** A PE with its words in place. `make` gets all that a constructor needs. */
function bench(work: PeWork, make: (words: KneadedWords, source: WindowSource) => SacPe): Bench {
  const { config, weights, windows } = work;
  const { lanes, kneadingStride: KS } = config;
  const words = new KneadedWords(config.magnitudeBits, KS, 1);
  const starts: number[] = [];
  weights.forEach((unit, n) =>
    unit.forEach((lane, l) => {
      starts[n * lanes + l] = words.count;
      for (const output of lane)
        output.forEach((group, g) => words.knead(group, 0, group.length, g === output.length - 1));
    }),
  );
  const loaded = new Array<number>(lanes).fill(0);
  const pe = make(words, {
    load: (lane, table, at) => {
      const window = windows[lane][loaded[lane]++ % windows[lane].length];
      window.forEach((a, p) => {
        table[at + p] = a;
        table[at + KS + p] = -a;
      });
    },
  });
  pe.setLanes((l) => weights[0][l].some((groups) => groups.length > 0));
  pe.setUnits(weights.map(() => weights[0][0].length));
  starts.forEach((start, i) => (pe.wordPointer[i] = start));
  return { pe, words };
}

function compare(drawn: PeWork, seed: number, density: number, wasm: boolean): void {
  const { throttleWords } = drawn.config;
  const config = {
    ...drawn.config,
    wideSegments: false,
    throttleWords: throttleWords === 1 ? 0 : throttleWords,
  };
  const work = { ...drawn, config };
  expect(runsSteadily(config)).toBe(true);
  const plain = bench(work, (words, source) => new SacPe(config, words, source)).pe;
  // The second of two PEs in the memory, so that addresses are not zero.
  const steady = bench(work, (words, source) => {
    const memory = new SteadyMemory(config, 2, words.count, wasm);
    memory.store(words);
    return new SteadySacPe(config, words, source, memory, 1);
  }).pe;
  const random = new Random(seed);
  const values: number[][] = work.weights.map(() => []);
  let left = work.weights.length * work.weights[0][0].length;
  for (let cycle = 0; left > 0; cycle++) {
    if (cycle > 20_000) throw new Error('deadlock');
    for (let l = 0; l < config.lanes; l++) {
      const valid = work.windows[l].length > 0 && random.uniform() < density ? 1 : 0;
      plain.windowValid[l] = steady.windowValid[l] = valid;
    }
    plain.cycle();
    steady.cycle();
    if (steady.emitted !== plain.emitted) throw new Error(`cycle ${cycle}: ${steady.emitted} outputs`);
    for (let e = 0; e < plain.emitted; e++, left--) {
      if (steady.emittedUnit[e] !== plain.emittedUnit[e] || steady.emittedValue[e] !== plain.emittedValue[e])
        throw new Error(`cycle ${cycle}: another output`);
      values[plain.emittedUnit[e]].push(plain.emittedValue[e]);
    }
    for (const name of COMPARED)
      if (steady.registers.view(name).join() !== plain.registers.view(name).join())
        throw new Error(`cycle ${cycle}: register ${name} differs`);
    const { busy, flush, window } = plain.counters;
    if (steady.counters.busy !== busy || steady.counters.flush !== flush || steady.counters.window !== window)
      throw new Error(`cycle ${cycle}: counters differ`);
  }
  expect(values).toEqual(plainSums(work));
  expect(steady.counters).toEqual(plain.counters);
  expect(steady.lastAccept).toBe(plain.lastAccept);
}

describe('steady SAC PE', () => {
  it.each([true, false])('is the SAC PE, register by register (WebAssembly: %s)', (wasm) => {
    const property = fc.property(peWork, fc.nat(), fc.integer({ min: 2, max: 10 }), (work, seed, tenths) =>
      compare(work, seed, tenths / 10, wasm),
    );
    fc.assert(property, { numRuns: runs(120) });
  });

  it.each([true, false])(
    'with 32 lanes, where the mask of ended groups is full (WebAssembly: %s)',
    (wasm) => {
      const weights = range(2).map((n) =>
        range(32).map((l) =>
          range(4).map((o) => [randomValues(1 + (l % 5), 15, 0.4, n * 1000 + l * 10 + o)]),
        ),
      );
      const windows = range(32).map((l) => range(4).map((g) => randomValues(5, 15, 0.5, l * 10 + g)));
      compare({ config: peConfig({ units: 2, lanes: 32, kneadingStride: 5 }), weights, windows }, 1, 1, wasm);
      // Every group of one word: all 32 lanes end in the same cycle.
      const ones = range(2).map(() => range(32).map(() => range(4).map(() => [[-1]])));
      compare(
        { config: peConfig({ units: 2, lanes: 32, kneadingStride: 5 }), weights: ones, windows },
        1,
        1,
        wasm,
      );
    },
  );

  it('is not chosen where its conditions do not hold', () => {
    expect(runsSteadily(peConfig({ throttleWords: 1 }))).toBe(false);
    expect(runsSteadily(peConfig({ wideSegments: true }))).toBe(false);
    for (const throttleWords of [0, 2, 4])
      expect(runsSteadily(peConfig({ throttleWords, lanes: 32 }))).toBe(true);
  });

  it('refuses more words than there is room for', () => {
    const words = new KneadedWords(15, 4);
    words.knead([1, 1, 1], 0, 3, true);
    expect(() => new SteadyMemory(peConfig(), 1, 2).store(words)).toThrow(/3 words/);
  });
});
