/**
 * A bench for one SAC PE: drives its word, window and output ports with ready and valid, cycle by cycle, and
 * records when words are accepted and outputs leave.
 */
import { FLUSH, KneadedWords, PASS } from '../../src/bit/knead.js';
import type { WindowSource } from '../../src/sim/activationWindows.js';
import { SacPe } from '../../src/sim/sacPe.js';
import type { SacPeConfig } from '../../src/sim/sacRegisters.js';

/** What a PE is to do: the weights of every unit and lane, and the windows of every lane. */
export interface PeWork {
  config: SacPeConfig;
  /** [unit][lane][output][group]: weights. Fewer units than configured: the others are absent. No group in any
   *  output: the lane is absent. */
  weights: number[][][][][];
  /** [lane][group over all outputs]: activations. */
  windows: number[][][];
  /** Flush marks come without the pass mark that they imply. */
  flushAlone?: boolean;
}

export type PeFactory = (config: SacPeConfig, words: KneadedWords, source: WindowSource) => SacPe;
export const soundPe: PeFactory = (config, words, source) => new SacPe(config, words, source);

/** Ports in a cycle: whether the bench offers a word or a window, and takes an output. All do by default. */
export interface PePorts {
  word?: (cycle: number, unit: number, lane: number) => boolean;
  window?: (cycle: number, lane: number) => boolean;
  out?: (cycle: number, unit: number) => boolean;
}

export interface PeRun {
  pe: SacPe;
  /** Cycles in which each unit and lane accepted its words, and which of these carried the flush mark. */
  accepts: number[][][];
  flushes: number[][][];
  /** Outputs of each unit, in the order in which they left, and the cycles in which they left. */
  values: number[][];
  leaves: number[][];
  cycles: number;
}

export const peConfig = (given: Partial<SacPeConfig> = {}): SacPeConfig => ({
  units: 1,
  lanes: 1,
  magnitudeBits: 15,
  kneadingStride: 4,
  windowSlots: 2,
  throttleWords: 4,
  barrier: false,
  windowLoadCycles: 1,
  wideSegments: false,
  ...given,
});

/** Runs until every output has left. Throws on a deadlock, and where a port breaks its protocol. */
export function runPe(work: PeWork, ports: PePorts = {}, make: PeFactory = soundPe): PeRun {
  const { config, weights, windows } = work;
  const { units, lanes, kneadingStride: KS } = config;
  const words = new KneadedWords(config.magnitudeBits, KS, 1);
  const start = weights.map((unit) =>
    unit.map((lane) => {
      const from = words.count;
      for (const output of lane)
        output.forEach((group, g) => words.knead(group, 0, group.length, g === output.length - 1));
      return { from, count: words.count - from };
    }),
  );
  if (work.flushAlone)
    words.marks.forEach((mark, i) => (words.marks[i] = mark & FLUSH ? FLUSH : mark & PASS));
  const loaded = new Array<number>(lanes).fill(0);
  const pe = make(config, words, {
    load(lane, table, at) {
      const window = windows[lane][loaded[lane]++];
      if (!window) throw new Error(`lane ${lane} took a window that was not offered`);
      for (let p = 0; p < KS; p++) {
        table[at + p] = window[p] ?? 0;
        table[at + KS + p] = -(window[p] ?? 0);
      }
      table[at + 2 * KS] = 0;
    },
  });
  const outputs = weights[0][0].length;
  pe.setLanes((l) => weights[0][l].some((groups) => groups.length > 0));
  pe.setUnits(weights.map(() => outputs));
  start.forEach((unit, n) => unit.forEach(({ from }, l) => (pe.wordPointer[n * lanes + l] = from)));
  const perUnit = <T>(make: () => T): T[] => Array.from({ length: weights.length }, make);
  const perLane = (): number[][] => Array.from({ length: lanes }, () => []);
  const run: PeRun = {
    pe,
    accepts: perUnit(perLane),
    flushes: perUnit(perLane),
    values: perUnit(() => []),
    leaves: perUnit(() => []),
    cycles: 0,
  };
  const offered = new Array<number>(units * lanes).fill(0);
  let left = outputs * weights.length;
  for (let cycle = 0; left > 0; cycle++) {
    if (cycle > 20_000) throw new Error(`deadlock: ${left} outputs have not left`);
    const pointers = pe.wordPointer.slice();
    const pushed = offered.slice();
    for (let n = 0; n < units; n++) {
      pe.outReady[n] = (ports.out?.(cycle, n) ?? true) ? 1 : 0;
      for (let l = 0; l < lanes; l++) {
        const i = n * lanes + l;
        const remaining = n < weights.length && offered[i] < start[n][l].count;
        pe.wordValid[i] = remaining && (ports.word?.(cycle, n, l) ?? true) ? 1 : 0;
        if (config.throttleWords > 0 && pe.wordValid[i] === 1 && pe.wordReady(n, l)) offered[i]++;
      }
    }
    for (let l = 0; l < lanes; l++)
      pe.windowValid[l] = loaded[l] < windows[l].length && (ports.window?.(cycle, l) ?? true) ? 1 : 0;
    const valid = pe.wordValid.slice();
    const held = weights.map((_, n) => (pe.outValid(n) ? pe.outValue(n) : null));
    const before = loaded.map((count, l) =>
      pe.windowValid[l] === 1 && pe.windowReady(l) ? count + 1 : count,
    );
    pe.cycle();
    if (loaded.join() !== before.join()) throw new Error(`cycle ${cycle}: a window port broke its protocol`);
    for (let e = 0; e < pe.emitted; e++) {
      const n = pe.emittedUnit[e];
      if (pe.outReady[n] === 0) throw new Error(`cycle ${cycle}: unit ${n} emitted while not ready`);
      if (held[n] !== pe.emittedValue[e])
        throw new Error(`cycle ${cycle}: unit ${n} emitted what it did not show`);
      run.values[n].push(pe.emittedValue[e]);
      run.leaves[n].push(cycle);
      left--;
    }
    held.forEach((value, n) => {
      if (value !== null && pe.outReady[n] === 0 && !(pe.outValid(n) && pe.outValue(n) === value))
        throw new Error(`cycle ${cycle}: unit ${n} did not hold its output`);
    });
    for (let n = 0; n < weights.length; n++)
      for (let l = 0; l < lanes; l++) {
        const i = n * lanes + l;
        if (pe.wordPointer[i] === pointers[i]) continue;
        run.accepts[n][l].push(cycle);
        if (words.marks[pointers[i]] & FLUSH) run.flushes[n][l].push(cycle);
        // Without a buffer a word goes straight through; else it was pushed in an earlier cycle.
        if (config.throttleWords === 0 && valid[i] === 1) pushed[i] = ++offered[i];
        if (run.accepts[n][l].length > pushed[i])
          throw new Error(`cycle ${cycle}: no such word was there to take`);
      }
    run.cycles = cycle + 1;
  }
  return run;
}

/** The sums that each unit must produce, by plain multiplication. */
export function plainSums({ weights, windows }: PeWork): number[][] {
  return weights.map((unit) =>
    unit[0].map((_, output) =>
      unit.reduce((sum, lane, l) => {
        const before = lane.slice(0, output).reduce((n, groups) => n + groups.length, 0);
        return lane[output].reduce(
          (s, group, g) => group.reduce((t, w, k) => t + w * windows[l][before + g][k], s),
          sum,
        );
      }, 0),
    ),
  );
}

/** A PE of one unit and lane: outputs of groups of weights, with windows of 1, 2, 3 ... */
export function lone(given: Partial<SacPeConfig>, outputs: number[][][]): PeWork {
  const config = peConfig(given);
  const groups = outputs.flat().length;
  const window = (g: number): number[] => Array.from({ length: config.kneadingStride }, (_, k) => g + k + 1);
  return { config, weights: [[outputs]], windows: [Array.from({ length: groups }, (_, g) => window(g))] };
}
