/** Steps `sim/sacPe.ts` alone through a stimulus, one line per cycle, sampled before the clock edge. */
import { emptySlot, FLUSH, KneadedWords, PASS } from '../../../bit/knead.js';
import { SacPe } from '../../../sim/sacPe.js';
import type { SacPeConfig } from '../../../sim/sacRegisters.js';
import type { UserError } from '../../../errors.js';
import { hex64, mask, stuck } from '../../stimulus.js';
import { activeOf, isWide, outputsOf, type SacStimulus } from './form.js';

/** More outputs than a stimulus can hold: a PE alone sums whatever comes. */
const ENDLESS = 2 ** 31 - 1;

export const peConfigOf = (s: SacStimulus): SacPeConfig => ({
  units: s.units,
  lanes: s.lanes,
  magnitudeBits: s.magnitudeBits,
  kneadingStride: s.kneadingStride,
  windowSlots: s.windowSlots,
  throttleWords: s.throttleWords,
  barrier: s.sync === 'barrier',
  windowLoadCycles: s.windowLoadCycles,
  wideSegments: isWide(s),
});

/** A PE with its words in memory, and what its ports have taken so far. */
class Bench {
  readonly pe: SacPe;
  readonly streams: number;
  readonly takenWords: Int32Array;
  readonly takenWindows: Int32Array;
  private readonly firedWords: Uint8Array;
  private readonly firedWindows: Uint8Array;

  constructor(private readonly s: SacStimulus) {
    const { units, lanes, magnitudeBits, kneadingStride: KS } = s;
    this.streams = units * lanes;
    this.takenWords = new Int32Array(this.streams);
    this.takenWindows = new Int32Array(lanes);
    this.firedWords = new Uint8Array(this.streams);
    this.firedWindows = new Uint8Array(lanes);
    const words = new KneadedWords(magnitudeBits, KS, 1);
    const first = s.words.map((stream) => {
      const from = words.count;
      for (const { pass, flush, columns } of stream)
        words.append(
          columns.map((c) => (c === null ? emptySlot(KS) : c[1] < 0 ? KS + c[0] : c[0])),
          (flush ? FLUSH : 0) | (pass ? PASS : 0),
        );
      return from;
    });
    const { activeUnits, activeLanes } = activeOf(s);
    const { takenWindows } = this;
    this.pe = new SacPe(peConfigOf(s), words, {
      load(lane, table, at) {
        s.windows[lane][takenWindows[lane]].forEach((a, p) => {
          table[at + p] = a;
          table[at + KS + p] = -a;
        });
      },
    });
    this.pe.setLanes((l) => activeLanes[l]);
    this.pe.setUnits(activeUnits.map((active) => (active ? ENDLESS : 0)));
    this.pe.wordPointer.set(first);
  }

  /** Drives the ports for the coming cycle. Returns the masks of outputs that are valid and that leave. */
  drive(cycle: number): { valid: boolean[]; fired: boolean[] } {
    const { pe, s, streams } = this;
    const { units, lanes, words, windows } = s;
    const row = s.ready[cycle] ?? null;
    const ready = (port: number): boolean => row === null || row[port] === 1;
    for (let i = 0; i < streams; i++)
      pe.wordValid[i] = ready(i) && this.takenWords[i] < words[i].length ? 1 : 0;
    for (let l = 0; l < lanes; l++)
      pe.windowValid[l] = ready(streams + l) && this.takenWindows[l] < windows[l].length ? 1 : 0;
    const valid = Array.from({ length: units }, (_, n) => pe.outValid(n));
    const fired = valid.map((isValid, n) => isValid && ready(streams + lanes + n));
    for (let n = 0; n < units; n++) pe.outReady[n] = ready(streams + lanes + n) ? 1 : 0;
    return { valid, fired };
  }

  /** One clock edge. Returns the masks of accepted words and windows, and whether any lane consumed a word. */
  clock(): { words: string; windows: string; consumed: boolean } {
    const { pe, streams, firedWords, firedWindows } = this;
    const { lanes, throttleWords } = this.s;
    for (let i = 0; i < streams; i++) {
      const room = throttleWords > 0 && pe.wordReady(Math.floor(i / lanes), i % lanes);
      firedWords[i] = pe.wordValid[i] === 1 && room ? 1 : 0;
    }
    for (let l = 0; l < lanes; l++) firedWindows[l] = pe.windowValid[l] === 1 && pe.windowReady(l) ? 1 : 0;
    const before = pe.wordPointer.slice();
    pe.cycle();
    let consumed = false;
    for (let i = 0; i < streams; i++) {
      if (pe.wordPointer[i] === before[i]) continue;
      consumed = true;
      // Without a buffer the lane itself takes what is on offer.
      if (throttleWords === 0) firedWords[i] = 1;
    }
    for (let i = 0; i < streams; i++) this.takenWords[i] += firedWords[i];
    for (let l = 0; l < lanes; l++) this.takenWindows[l] += firedWindows[l];
    return { words: mask(firedWords), windows: mask(firedWindows), consumed };
  }
}

/** @throws UserError if a lane waits for a window or a word that the stimulus does not have */
export function traceSac(s: SacStimulus, registers: boolean): string[] {
  const bench = new Bench(s);
  const { pe } = bench;
  const lines: string[] = [];
  const outputs = outputsOf(s);
  let left = outputs.reduce((a, b) => a + b, 0);
  for (let cycle = 0, quiet = 0; left > 0; cycle++) {
    const { valid, fired } = bench.drive(cycle);
    const values = fired.flatMap((leaves, n) => (leaves ? [hex64(pe.outValue(n))] : []));
    const view = registers ? ` | ${registersOf(pe)}` : '';
    const { words, windows, consumed } = bench.clock();
    const shown = [cycle, words, windows, mask(valid), mask(fired), ...values];
    lines.push(`${shown.join(' ')}${view}`);
    left -= values.length;
    const moved = consumed || words !== '0' || windows !== '0' || values.length > 0;
    quiet = moved || cycle < s.ready.length ? 0 : quiet + 1;
    if (quiet > pe.latency + s.windowLoadCycles + 2) throw ended(s, bench, left, cycle);
  }
  return lines;
}

function ended(s: SacStimulus, { takenWords, takenWindows }: Bench, left: number, cycle: number): UserError {
  const sizes = (streams: { length: number }[]): string => streams.map(({ length }) => length).join(', ');
  return stuck(
    cycle,
    `${left} outputs have not left; words taken by stream: ${takenWords.join(', ')} of ${sizes(s.words)}; windows by ` +
      `lane: ${takenWindows.join(', ')} of ${sizes(s.windows)}; give every unit a pass for each window, and a window ` +
      'for each pass',
  );
}

/** Segments, flushed lanes and pending of unit 0; per lane its throttle count, the window count and its lead. */
function registersOf({ registers, config }: SacPe): string {
  const { lanes, magnitudeBits, throttleWords } = config;
  const own = (name: string, count: number): number[] => [...registers.view(name).subarray(0, count)];
  const throttle = throttleWords === 0 ? new Array<number>(lanes).fill(0) : own('throttleCount', lanes);
  const windows = own('windowCount', lanes);
  const lead = own('lead', lanes);
  return [
    ...own('segment', magnitudeBits).map(hex64),
    mask(own('flushed', lanes)),
    ...own('pending', 1).map(hex64),
    ...throttle.flatMap((count, l) => [count, windows[l], lead[l]].map(hex64)),
  ].join(' ');
}
