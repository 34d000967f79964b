/** Laws of a PE with ready/valid ports, and PEs that are broken on purpose. Same form as laws.ts. */
import fc from 'fast-check';
import { codeArbitrary } from '../../src/fuzz.js';
import { Random } from '../../src/random.js';
import { SacPe } from '../../src/sim/sacPe.js';
import { range } from './layers.js';
import { peConfig, plainSums, runPe, soundPe, type PeFactory, type PePorts, type PeWork } from './pe.js';
import { runs } from './runs.js';

/** Hardware widths from 1 to 4; absent lanes and units; groups of any length up to KS, many of them empty. */
export const peWork: fc.Arbitrary<PeWork> = fc
  .record({
    units: fc.integer({ min: 1, max: 4 }),
    absentUnits: fc.integer({ min: 0, max: 2 }),
    lanes: fc.integer({ min: 1, max: 4 }),
    absentLane: fc.integer({ min: -3, max: 3 }),
    magnitudeBits: fc.constantFrom(1, 4, 7, 15),
    kneadingStride: fc.integer({ min: 1, max: 6 }),
    windowSlots: fc.integer({ min: 1, max: 4 }),
    throttleWords: fc.integer({ min: 0, max: 4 }),
    windowLoadCycles: fc.integer({ min: 1, max: 3 }),
    barrier: fc.boolean(),
    wideSegments: fc.boolean(),
    outputs: fc.integer({ min: 1, max: 12 }),
    flushAlone: fc.boolean(),
    salt: fc.nat(),
  })
  .chain(({ absentUnits, absentLane, outputs, flushAlone, salt, ...hardware }) =>
    fc
      .array(codeArbitrary(hardware.magnitudeBits, true), { minLength: 1, maxLength: 40, size: 'max' })
      .map((pool) => {
        const random = new Random(salt);
        const draw = (n: number): number[] => range(n).map(() => pool[random.int(pool.length)]);
        const { lanes, kneadingStride: KS } = hardware;
        const present = Math.max(1, hardware.units - absentUnits);
        // Sizes of the groups of a lane are the same for all units: they share its windows.
        const sizes = range(lanes).map((l) =>
          range(outputs).map(() =>
            l === absentLane && lanes > 1 ? [] : range(1 + random.int(3)).map(() => 1 + random.int(KS)),
          ),
        );
        const weights = range(present).map(() => sizes.map((lane) => lane.map((groups) => groups.map(draw))));
        const windows = sizes.map((lane) =>
          lane.flat().map(() => range(KS).map(() => random.int(65_536) - 32_768)),
        );
        return { config: peConfig(hardware), weights, windows, flushAlone };
      }),
  );

/** Random ports: each offers, or takes, with its own probability in each cycle. */
export function randomPorts(seed: number, density: number): PePorts {
  const random = new Random(seed);
  const chance = (): boolean => random.uniform() < density;
  return { word: chance, window: chance, out: chance };
}

export type PeLaw = (make: PeFactory, options?: fc.Parameters<unknown>) => void;

/**
 * Random back-pressure on every ready/valid port changes cycles, never values; it never makes an output earlier;
 * and each lane of each present unit is accounted for in every cycle.
 */
export const backPressureChangesNoValue: PeLaw = (make, options = {}) => {
  const property = fc.property(peWork, fc.nat(), fc.integer({ min: 1, max: 10 }), (work, seed, tenths) => {
    const expected = JSON.stringify(plainSums(work));
    const free = runPe(work, {}, make);
    const pressed = runPe(work, randomPorts(seed, tenths / 10), make);
    for (const run of [free, pressed]) {
      if (JSON.stringify(run.values) !== expected)
        throw new Error(`outputs ${JSON.stringify(run.values)}, expected ${expected}`);
      const { essentialBits, ...laneCycles } = run.pe.counters;
      const lanes = work.weights[0].filter((lane) => lane.flat().length > 0).length;
      const accounted = Object.values(laneCycles).reduce((a, b) => a + b, 0);
      if (accounted !== run.cycles * lanes * work.weights.length)
        throw new Error(`${accounted} lane-cycles in ${run.cycles} cycles`);
      if (essentialBits !== onesOf(work))
        throw new Error(`${essentialBits} essential bits, not ${onesOf(work)}`);
    }
    if (free.pe.counters.output > 0) throw new Error('stalled by an output port that was always ready');
    free.leaves.forEach((unit, n) =>
      unit.forEach((cycle, o) => {
        if (pressed.leaves[n][o] < cycle)
          throw new Error(`output ${o} of unit ${n} left earlier under pressure`);
      }),
    );
  });
  fc.assert(property, { numRuns: runs(300), ...(options as object) });
};

const onesOf = ({ weights }: PeWork): number =>
  weights.flat(4).reduce((n, w) => n + Math.abs(w).toString(2).replaceAll('0', '').length, 0);

/** PEs with a fault of flow control each. */
export const BROKEN_PES: Record<string, PeFactory> = {
  'drops an output that is not taken': (...args) =>
    new (class extends SacPe {
      override cycle(): void {
        const ready = this.outReady.slice();
        this.outReady.fill(1);
        super.cycle();
        this.outReady.set(ready);
        this.emitted = this.emittedUnit.subarray(0, this.emitted).every((n) => ready[n] === 1)
          ? this.emitted
          : 0;
      }
    })(...args),
  'takes a window that is not offered': (...args) =>
    new (class extends SacPe {
      override cycle(): void {
        this.windowValid.fill(1);
        super.cycle();
      }
    })(...args),
  'takes words that are not offered': (...args) =>
    new (class extends SacPe {
      override cycle(): void {
        this.wordValid.fill(1);
        super.cycle();
      }
    })(...args),
  'skips a word after a stall at the output': (...args) =>
    new (class extends SacPe {
      override cycle(): void {
        const stalled = this.counters.output;
        super.cycle();
        if (this.counters.output > stalled) this.wordPointer[0]++;
      }
    })(...args),
  'swaps two windows when the port has been idle': (config, words, source) => {
    let idle = false;
    const pe: SacPe = soundPe(config, words, {
      load(lane, table, at) {
        source.load(lane, table, at);
        if (idle) table[at] = -table[at];
        idle = false;
      },
    });
    const cycle = pe.cycle.bind(pe);
    pe.cycle = () => {
      idle ||= pe.windowValid[0] === 0;
      cycle();
    };
    return pe;
  },
  'counts a stall twice': (...args) =>
    new (class extends SacPe {
      override cycle(): void {
        const stalled = this.counters.window;
        super.cycle();
        if (this.counters.window > stalled + 1) this.counters.window++;
      }
    })(...args),
};
