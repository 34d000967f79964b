/**
 * A fast PE beside the general one, cycle by cycle, on the same work: blocks of outputs of several kinds, with waits
 * between them, as a tile hands them out. Throws in the first cycle in which anything differs.
 */
import fc from 'fast-check';
import { expect } from 'vitest';
import { KneadedWords } from '../../src/bit/knead.js';
import { codeArbitrary } from '../../src/fuzz.js';
import { Random } from '../../src/random.js';
import type { WindowSource } from '../../src/sim/activationWindows.js';
import { SacPe } from '../../src/sim/sacPe.js';
import type { SacPeConfig } from '../../src/sim/sacRegisters.js';
import { range } from './layers.js';
import { peConfig } from './pe.js';

/** What a kind of output is made of: weights of [unit][lane][group], the first lanes only. */
export type Kind = number[][][][];

export interface Block {
  kinds: Kind[];
  /** Kind of the o-th output: kindOf[first + o step]. */
  kindOf: number[];
  first: number;
  step: number;
  outputs: number;
  /** Cycles to wait after the block, and cycles that then pass at once. */
  wait: number;
  skip: number;
}

export interface BlockWork {
  config: SacPeConfig;
  /** Lanes that any output uses. */
  activeLanes: number;
  blocks: Block[];
  /** [lane]: activations of one window after the other, over and over. */
  windows: number[][][];
}

export interface Fast {
  pe: SacPe;
  /** Takes over what the word memory holds. */
  store(words: KneadedWords): void;
}

/** Makes the fast PE; words and pairs of activations are the most that its memory needs. */
export type MakeFast = (
  config: SacPeConfig,
  words: KneadedWords,
  source: WindowSource,
  most: { words: number; pairs: number },
) => Fast;

export interface LockStepOptions {
  /** How often windows are offered. */
  density: number;
  seed: number;
  /** Segments are compared only where no lane of the unit is inside a group. */
  perGroup: boolean;
}

/** Hardware of any width and mode that the fast PEs take; absent lanes and units, kinds and waits. */
export function blockWork(
  magnitudeBits: fc.Arbitrary<number>,
  kneadingStride: fc.Arbitrary<number>,
  activation: number,
): fc.Arbitrary<BlockWork> {
  const hardware = fc.record({
    units: fc.integer({ min: 1, max: 4 }),
    lanes: fc.integer({ min: 1, max: 5 }),
    windowSlots: fc.integer({ min: 1, max: 4 }),
    throttleWords: fc.constantFrom(0, 2, 3, 4),
    windowLoadCycles: fc.integer({ min: 1, max: 3 }),
    barrier: fc.boolean(),
    magnitudeBits,
    kneadingStride,
  });
  return hardware.chain((drawn) =>
    fc
      .record({
        pool: fc.array(codeArbitrary(drawn.magnitudeBits, true), {
          minLength: 1,
          maxLength: 30,
          size: 'max',
        }),
        blocks: fc.integer({ min: 1, max: 3 }),
        salt: fc.nat(),
      })
      .map(({ pool, blocks, salt }) => {
        const random = new Random(salt);
        const activeLanes = 1 + random.int(drawn.lanes);
        const extremes = [-activation, activation, 0];
        const value = (): number =>
          random.int(3) === 0 ? extremes[random.int(3)] : random.int(2 * activation + 1) - activation;
        return {
          config: peConfig(drawn),
          activeLanes,
          blocks: range(blocks).map(() => drawBlock(random, drawn, activeLanes, pool)),
          windows: range(drawn.lanes).map(() => range(5).map(() => range(drawn.kneadingStride).map(value))),
        };
      }),
  );
}

function drawBlock(
  random: Random,
  { units, kneadingStride }: { units: number; kneadingStride: number },
  activeLanes: number,
  pool: number[],
): Block {
  const present = 1 + random.int(units);
  const kinds = range(1 + random.int(3)).map((): Kind => {
    // Units share the windows of a lane, hence the sizes of groups.
    const sizes = range(1 + random.int(activeLanes)).map(() =>
      range(1 + random.int(3)).map(() => 1 + random.int(kneadingStride)),
    );
    const draw = (n: number): number[] => range(n).map(() => pool[random.int(pool.length)]);
    return range(present).map(() => sizes.map((groups) => groups.map(draw)));
  });
  const [first, step, outputs] = [random.int(3), 1 + random.int(2), 1 + random.int(6)];
  const kindOf = range(first + outputs * step).map(() => random.int(kinds.length));
  // Cycles can be skipped once trees and throttle buffers have settled.
  const skip = random.int(2) * random.int(9);
  return { kinds, kindOf, first, step, outputs, wait: skip > 0 ? 12 : random.int(12), skip };
}

const kindsOf = ({ kinds, kindOf, first, step, outputs }: Block): Kind[] =>
  range(outputs).map((o) => (kinds.length === 1 ? kinds[0] : kinds[kindOf[first + o * step]]));

/** The sums of each unit, by plain multiplication. */
function plainValues({ config, blocks, windows }: BlockWork): number[][] {
  const taken = range(config.lanes).map(() => 0);
  const values = range(config.units).map((): number[] => []);
  for (const kind of blocks.flatMap(kindsOf)) {
    kind.forEach((lanes, n) => {
      const sum = (l: number): number =>
        lanes[l].reduce((s, group, g) => {
          const window = windows[l][(taken[l] + g) % windows[l].length];
          return group.reduce((t, w, k) => t + w * window[k], s);
        }, 0);
      values[n].push(range(lanes.length).reduce((s, l) => s + sum(l), 0));
    });
    kind[0].forEach((groups, l) => (taken[l] += groups.length));
  }
  return values;
}

/** Kneads the streams of a block. Returns the first word of [unit][kind][lane]. */
function knead(words: KneadedWords, { kinds }: Block, lanes: number): Int32Array {
  words.count = 0;
  const units = kinds[0].length;
  const streams = new Int32Array(units * kinds.length * lanes).fill(-1);
  kinds.forEach((kind, k) =>
    kind.forEach((unit, n) =>
      unit.forEach((groups, l) => {
        streams[(n * kinds.length + k) * lanes + l] = words.count;
        groups.forEach((group, g) => words.knead(group, 0, group.length, g === groups.length - 1));
      }),
    ),
  );
  return streams;
}

const mostOf = (blocks: Block[], size: (group: number[]) => number): number =>
  Math.max(...blocks.map(({ kinds }) => kinds.flat(3).reduce((sum, group) => sum + size(group), 0)));

export function lockStep(work: BlockWork, make: MakeFast, options: LockStepOptions): void {
  const { config, activeLanes, blocks, windows } = work;
  const words = new KneadedWords(config.magnitudeBits, config.kneadingStride, 1);
  const source = (): WindowSource => {
    const loaded = new Int32Array(config.lanes);
    return {
      load(lane, table, at) {
        const window = windows[lane][loaded[lane]++ % windows[lane].length];
        window.forEach((a, p) => {
          table[at + p] = a;
          table[at + config.kneadingStride + p] = -a;
        });
      },
    };
  };
  const plain = new SacPe(config, words, source());
  const { pe, store } = make(config, words, source(), {
    words: mostOf(blocks, (group) => group.length),
    pairs: mostOf(blocks, (group) => Math.ceil(group.length / 2)),
  });
  for (const each of [plain, pe]) each.setLanes((l) => l < activeLanes);
  const step = stepper(work, plain, pe, options);
  for (const block of blocks) {
    const streams = knead(words, block, config.lanes);
    store(words);
    const plan = {
      kindOf: Int32Array.from(block.kindOf),
      ...{ first: block.first, step: block.step, streams },
      lanes: Int32Array.from(block.kinds, (kind) => kind[0].length),
      terms: Int32Array.from(block.kinds, (kind) => kind[0].flat(2).length),
    };
    const outputs = block.kinds[0].map(() => block.outputs);
    for (const each of [plain, pe]) each.setUnits(outputs, plan);
    for (let cycles = 0; plain.runningUnits > 0; cycles++) {
      if (cycles > 20_000) throw new Error('deadlock');
      step.cycle();
      if (pe.runningUnits !== plain.runningUnits) throw new Error(`cycle ${plain.clock - 1}: units run on`);
    }
    expect(pe.counters).toEqual(plain.counters);
    for (let t = 0; t < block.wait; t++) step.cycle();
    for (const each of [plain, pe]) each.skip(block.skip);
  }
  for (let t = 0; t <= plain.latency; t++) step.cycle();
  expect(step.values).toEqual(plainValues(work));
  expect(pe.counters).toEqual(plain.counters);
  expect(pe.terms).toBe(plain.terms);
  expect(pe.lastAccept).toBe(plain.lastAccept);
  expect(pe.clock).toBe(plain.clock);
}

/** Moves both by a cycle and compares. */
function stepper(work: BlockWork, plain: SacPe, pe: SacPe, { density, seed, perGroup }: LockStepOptions) {
  const { config, activeLanes } = work;
  const { units, lanes, magnitudeBits: B } = config;
  const random = new Random(seed);
  const values = range(units).map((): number[] => []);
  const inside = new Uint8Array(units * lanes);
  const names = plain.registers.specs.map(({ name }) => name);
  /** Units whose segments have to agree. */
  const settled = (n: number): boolean =>
    !perGroup || !inside.subarray(n * lanes, (n + 1) * lanes).includes(1);
  const agree = (name: string): boolean => {
    const [found, expected] = [pe.registers.view(name), plain.registers.view(name)];
    return expected.every((x, i) => found[i] === x || (name === 'segment' && !settled(Math.floor(i / B))));
  };
  const cycle = (): void => {
    const at = `cycle ${plain.clock}`;
    for (let l = 0; l < activeLanes; l++)
      plain.windowValid[l] = pe.windowValid[l] = random.uniform() < density ? 1 : 0;
    for (let i = 0; i < inside.length; i++)
      if (plain.accepts(Math.floor(i / lanes), i % lanes))
        inside[i] = plain.words.marks[plain.wordPointer[i]] === 0 ? 1 : 0;
    plain.cycle();
    pe.cycle();
    if (pe.emitted !== plain.emitted) throw new Error(`${at}: ${pe.emitted} outputs, not ${plain.emitted}`);
    for (let e = 0; e < plain.emitted; e++) {
      const [n, value] = [plain.emittedUnit[e], plain.emittedValue[e]];
      if (pe.emittedUnit[e] !== n || pe.emittedValue[e] !== value) throw new Error(`${at}: another output`);
      values[n].push(value);
    }
    for (const name of names) if (!agree(name)) throw new Error(`${at}: register ${name} differs`);
    // Essential bits are counted where a group ends.
    for (const cause of ['busy', 'output', 'flush', 'window', 'weights', 'finished'] as const)
      if (pe.counters[cause] !== plain.counters[cause]) throw new Error(`${at}: counter ${cause} differs`);
    if (pe.lastAccept !== plain.lastAccept) throw new Error(`${at}: another last word`);
  };
  return { values, cycle };
}
