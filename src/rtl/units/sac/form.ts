/** The stimulus of a SAC PE: its form as a JSON file, and the checks that a form cannot express. */
import { z } from 'zod';
import { wideSegments } from '../../../sim/sacRegisters.js';
import { checkForm, faultsOf } from '../../stimulus.js';

const bit = z.union([z.literal(0), z.literal(1)]);
const width = z.int().min(1).max(1024);
/** [pointer, sign]: which activation, and whether it is added (1) or subtracted (-1); or sign bits, 0 and 1. */
const sign = z.union([z.literal(1), z.literal(-1), z.literal(0)]);
const slot = z.tuple([z.int().min(0), sign]);

const word = z.strictObject({
  pass: z.union([bit, z.boolean()]),
  flush: z.union([bit, z.boolean()]),
  columns: z.array(slot.nullable()),
});

const schema = z.strictObject({
  units: width,
  lanes: width,
  magnitudeBits: z.int().min(1).max(24),
  activationBits: z.int().min(1).max(24),
  kneadingStride: z.int().min(1).max(256),
  windowSlots: z.int().min(1).max(64),
  throttleWords: z.int().min(0).max(256),
  sync: z.enum(['barrier', 'skew']),
  windowLoadCycles: z.int().min(1).max(1024).default(1),
  /** [unit * lanes + lane][word] */
  words: z.array(z.array(word)),
  /** [lane][window][activation] */
  windows: z.array(z.array(z.array(z.int()))),
  /** [cycle][streams, lanes, outputs]; a row that is missing means all ones. */
  ready: z.array(z.array(bit).nullable()).default([]),
});

export type SacStimulus = z.output<typeof schema>;
export type SacWord = SacStimulus['words'][number][number];

/** @throws UserError naming the file, the place, what was found and what was expected */
export function parseSac(json: unknown, file: string): SacStimulus {
  const s = checkForm(schema, json, file);
  const fault = faultsOf(file);
  const { units, lanes, kneadingStride, activationBits, magnitudeBits } = s;
  const streams = units * lanes;
  if (s.words.length !== streams)
    throw fault('words', `${s.words.length} streams`, `${streams}: units x lanes, unit by unit`);
  if (s.windows.length !== lanes) throw fault('windows', `${s.windows.length} lanes`, `${lanes}`);
  let minus = false;
  let zero = false;
  s.words.forEach((stream, i) =>
    stream.forEach(({ columns }, w) => {
      const place = `words[${i}][${w}].columns`;
      if (columns.length !== magnitudeBits)
        throw fault(place, `${columns.length} columns`, `${magnitudeBits}, one per magnitude bit`);
      columns.forEach((column, b) => {
        if (column === null) return;
        if (column[0] >= kneadingStride)
          throw fault(`${place}[${b}]`, `pointer ${column[0]}`, `0 to ${kneadingStride - 1}`);
        minus ||= column[1] === -1;
        zero ||= column[1] === 0;
        if (minus && zero)
          throw fault(
            `${place}[${b}]`,
            `sign ${column[1]}`,
            'one way of signs in a file: 1 and -1, or 0 and 1',
          );
      });
    }),
  );
  const most = 2 ** activationBits - 1;
  s.windows.forEach((lane, l) =>
    lane.forEach((window, g) => {
      if (window.length !== kneadingStride)
        throw fault(`windows[${l}][${g}]`, `${window.length} activations`, `${kneadingStride}`);
      window.forEach((a, p) => {
        if (Math.abs(a) > most) throw fault(`windows[${l}][${g}][${p}]`, `${a}`, `${-most} to ${most}`);
      });
    }),
  );
  const ports = streams + lanes + units;
  s.ready.forEach((row, cycle) => {
    if (row !== null && row.length !== ports)
      throw fault(
        `ready[${cycle}]`,
        `${row.length} bits`,
        `${ports}: ${streams} streams, ${lanes} lanes, ${units} outputs`,
      );
  });
  checkStreams(s, fault);
  // From here on a sign is 1 or -1.
  if (zero) signsFromBits(s);
  const terms = termsOf(s);
  if (terms * 2 ** (activationBits + magnitudeBits) > Number.MAX_SAFE_INTEGER)
    throw fault('words', `outputs of up to ${terms} words`, 'sums below 2^53; use fewer or narrower words');
  return s;
}

/** A unit with words has words in every lane that any unit has words in: the masks are of whole units and lanes. */
function checkStreams({ units, lanes, words }: SacStimulus, fault: ReturnType<typeof faultsOf>): void {
  const { activeUnits, activeLanes } = activeOf({ units, lanes, words });
  words.forEach((stream, i) => {
    if (stream.length > 0 || !activeUnits[Math.floor(i / lanes)] || !activeLanes[i % lanes]) return;
    throw fault(
      `words[${i}]`,
      'no words',
      `some, as unit ${Math.floor(i / lanes)} and lane ${i % lanes} have others: only whole units and whole lanes may be absent`,
    );
  });
}

/** A file with a 0 among its signs means sign bits: 1 is minus. */
function signsFromBits({ words }: SacStimulus): void {
  for (const stream of words)
    for (const { columns } of stream)
      for (const column of columns) if (column) column[1] = column[1] === 1 ? -1 : 1;
}

/** Which units and lanes have words at all. */
export function activeOf({ units, lanes, words }: Pick<SacStimulus, 'units' | 'lanes' | 'words'>): {
  activeUnits: boolean[];
  activeLanes: boolean[];
} {
  const has = (n: number, l: number): boolean => words[n * lanes + l].length > 0;
  const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
  return {
    activeUnits: range(units).map((n) => range(lanes).some((l) => has(n, l))),
    activeLanes: range(lanes).map((l) => range(units).some((n) => has(n, l))),
  };
}

/** Outputs that leave each unit: its lanes flush as often as the one that flushes least. */
export function outputsOf(s: SacStimulus): number[] {
  const { activeUnits, activeLanes } = activeOf(s);
  return activeUnits.map((active, n) => {
    if (!active) return 0;
    const flushes = activeLanes.flatMap((present, l) =>
      present ? [s.words[n * s.lanes + l].filter(({ flush }) => flush).length] : [],
    );
    return Math.min(...flushes);
  });
}

/** Most words that one output sums over all lanes: each adds at most one activation to a segment. */
function termsOf({ units, lanes, words }: SacStimulus): number {
  let most = 0;
  for (let n = 0; n < units; n++) {
    let all = 0;
    for (let l = 0; l < lanes; l++) {
      let longest = 0;
      let run = 0;
      for (const { flush } of words[n * lanes + l]) {
        run++;
        longest = Math.max(longest, run);
        if (flush) run = 0;
      }
      all += longest;
    }
    most = Math.max(most, all);
  }
  return most;
}

/** Whether segments need more than 32 bits. */
export const isWide = (s: SacStimulus): boolean => wideSegments(termsOf(s), s.activationBits);
