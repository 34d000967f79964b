/** `kneadsim knead`: shows how the essential bits of weights sink into the rows that a machine would execute. */
import { Command } from 'commander';
import { kneadedRows, type SlotView } from '../bit/knead.js';
import { UserError } from '../errors.js';
import type { Io } from './io.js';
import { drawGroups } from './kneadDrawing.js';
import { wholeNumber } from './options.js';

interface KneadFlags {
  weights: string;
  kneadingStride: number;
  bits: number;
  json?: true;
}

export interface KneadedGroup {
  weights: number[];
  /** Kneaded rows; an all-zero group is one null row. */
  length: number;
  /** Per row, per bit column from the least significant: null or [pointer, sign]. */
  rows: SlotView[][];
}

export function kneadCommand(io: Io): Command {
  return new Command('knead')
    .description('show weights before and after kneading, bit by bit')
    .requiredOption('--weights <list>', 'sign-magnitude integer weights, separated by commas')
    .option('--kneading-stride <n>', 'weights per group (KS)', wholeNumber(1, 256), 16)
    .option('--bits <n>', 'magnitude bits: 7 for int8, 15 for int16', wholeNumber(1, 15), 7)
    .option(
      '--json',
      'groups and rows as JSON; per bit column from the least significant, null or [pointer, sign]',
    )
    .addHelpText(
      'after',
      `
Try:
  kneadsim knead --weights "3,-5,0,9,18,-2,64,1"
  kneadsim knead --weights=-3,5,127,-64 --kneading-stride 2
  kneadsim knead --weights "300,-4097,12" --bits 15 --json`,
    )
    .action((flags: KneadFlags) => runKnead(flags, io));
}

function runKnead({ weights: list, kneadingStride, bits, json }: KneadFlags, io: Io): void {
  const weights = parseWeights(list, bits);
  const groups: KneadedGroup[] = [];
  for (let from = 0; from < weights.length; from += kneadingStride) {
    const part = weights.slice(from, from + kneadingStride);
    const rows = kneadedRows(part, bits, kneadingStride);
    groups.push({ weights: part, length: rows.length, rows });
  }
  if (!json) return io.out(drawGroups(groups, { kneadingStride, bits }, io.colour));
  const rows = groups.flatMap((group) => group.rows);
  const ratio = rows.length / weights.length;
  io.out(readableJson({ kneadingStride, bits, length: rows.length, ratio, rows, groups }));
}

function parseWeights(list: string, bits: number): number[] {
  if (list.trim() === '')
    throw new UserError('no-weights', '--weights is empty; give integers such as "3,-5,0"');
  const largest = 2 ** bits - 1;
  return list.split(',').map((text, i) => {
    const weight = Number(text);
    if (!/^\s*[+-]?\d+\s*$/.test(text))
      throw new UserError(
        'bad-weight',
        `--weights: weight ${i}: found "${text.trim()}", expected an integer`,
      );
    if (Math.abs(weight) > largest)
      throw new UserError(
        'bad-weight',
        `--weights: weight ${i}: found ${weight}, expected at most ${largest} in magnitude with --bits ${bits}`,
      );
    // "-0" is zero.
    return weight === 0 ? 0 : weight;
  });
}

/** JSON with one kneaded row or group per line: spread over a line per number, nobody could read it. */
function readableJson(value: Record<string, unknown>): string {
  const members = Object.entries(value).map(([key, member]) => {
    const text = Array.isArray(member)
      ? `[\n${member.map((item) => `    ${JSON.stringify(item)}`).join(',\n')}\n  ]`
      : JSON.stringify(member);
    return `  ${JSON.stringify(key)}: ${text}`;
  });
  return `{\n${members.join(',\n')}\n}\n`;
}
