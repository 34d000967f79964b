/**
 * Random stimuli of a SAC PE. A series of runs goes through units and lanes of 1 to 4, window slots of 1 to 4, throttle
 * buffers of 0 to 4 words and both policies; now and then comes the default of 16 x 16. Words are drawn, not kneaded: a PE
 * must take any.
 */
import type { Random } from '../../../random.js';
import { boundaryCode, randomReady } from '../../stimulus.js';
import type { Hardware } from '../../unit.js';
import type { SacStimulus, SacWord } from './form.js';

interface GridCell {
  units: number;
  lanes: number;
  windowSlots: number;
  throttleWords: number;
  sync: 'barrier' | 'skew';
}

/** Hardware in a series: all of these, in an order that mixes them. */
export const GRID = 4 * 4 * 4 * 5 * 2;
/** Shares no factor with GRID. */
const STRIDE = 257;
/** One run in so many is of the default size. */
const BIG_EVERY = 64;

const isBig = (run: number): boolean => run % BIG_EVERY === BIG_EVERY - 1;

export function gridHardware(run: number): GridCell {
  if (isBig(run)) return { units: 16, lanes: 16, windowSlots: 2, throttleWords: 4, sync: 'skew' };
  const bigOnes = Math.floor(run / BIG_EVERY);
  let cell = ((run - bigOnes) * STRIDE) % GRID;
  const digit = (base: number): number => {
    const value = cell % base;
    cell = (cell - value) / base;
    return value;
  };
  return {
    units: 1 + digit(4),
    lanes: 1 + digit(4),
    throttleWords: digit(5),
    windowSlots: 1 + digit(4),
    sync: digit(2) === 1 ? 'barrier' : 'skew',
  };
}

export function drawSac(random: Random, run: number, given: Hardware = {}): SacStimulus {
  const big = isBig(run);
  const magnitudeBits = big ? [7, 15][random.int(2)] : [1, 2, 3, 5, 7, 8, 15][random.int(7)];
  const hardware = {
    ...gridHardware(run),
    magnitudeBits,
    activationBits: big ? magnitudeBits : [1, 4, 7, 8, 15, 16][random.int(6)],
    kneadingStride: big ? 16 : [1, 2, 3, 4, 7, 16][random.int(6)],
    windowLoadCycles: random.int(4) === 0 ? 1 + random.int(3) : 1,
    ...given,
  };
  const { units, lanes, activationBits, kneadingStride } = hardware;
  const absentUnit = units > 1 && random.int(3) === 0 ? random.int(units) : -1;
  const absentLane = lanes > 1 && random.int(3) === 0 ? random.int(lanes) : -1;
  const outputs = big ? 3 : 1 + random.int(6);
  /** Groups of each output of a lane: the units share its windows. */
  const groups = range(lanes).map((l) =>
    l === absentLane ? [] : range(outputs).map(() => 1 + random.int(3)),
  );
  const density = [0, 0.2, 0.5, 1][random.int(4)];
  const word = (last: boolean, flush: boolean): SacWord => ({
    // Flush implies pass, so the pass mark may be missing there.
    pass: last && !(flush && random.int(2) === 0) ? 1 : 0,
    flush: flush ? 1 : 0,
    columns: range(hardware.magnitudeBits).map(() =>
      random.uniform() < density ? [random.int(kneadingStride), random.int(2) === 0 ? 1 : -1] : null,
    ),
  });
  const stream = (n: number, l: number): SacWord[] => {
    if (n === absentUnit) return [];
    return groups[l].flatMap((count) =>
      range(count).flatMap((g) => {
        const length = 1 + random.int(random.int(2) === 0 ? 1 : 4);
        return range(length).map((t) => word(t === length - 1, t === length - 1 && g === count - 1));
      }),
    );
  };
  const words = range(units).flatMap((n) => range(lanes).map((l) => stream(n, l)));
  // An absent lane may be offered windows all the same: nobody reads them.
  const windowsOf = (l: number): number =>
    l === absentLane ? random.int(4) : groups[l].reduce((a, b) => a + b, 0);
  const windows = range(lanes).map((l) =>
    range(windowsOf(l)).map(() => range(kneadingStride).map(() => boundaryCode(random, activationBits))),
  );
  const ports = units * lanes + lanes + units;
  const ready = random.int(4) === 0 ? [] : randomReady(random, 10 + random.int(60), ports);
  return { ...hardware, words, windows, ready };
}

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
