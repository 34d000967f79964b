/**
 * Draws groups before and after kneading, in the same columns: an essential bit sinks straight down within its
 * column. With colours, each weight keeps its own, so that one sees where its bits went.
 */
import pc from 'picocolors';
import type { KneadedGroup } from './knead.js';

interface Setting {
  kneadingStride: number;
  bits: number;
}

/** Places of a column: a sign, a pointer of up to three digits, a gap. */
const CELL = 5;

export function drawGroups(groups: readonly KneadedGroup[], setting: Setting, colour: boolean): string {
  const weights = groups.reduce((sum, group) => sum + group.weights.length, 0);
  const rows = groups.reduce((sum, group) => sum + group.length, 0);
  return (
    [
      `${plural(weights, 'weight')}, KS = ${setting.kneadingStride}, ${setting.bits} magnitude bits`,
      ...groups.map((group, g) => drawGroup(group, g, groups.length, setting, colour)),
      `${plural(weights, 'weight')} -> ${plural(rows, 'row')}, kneaded ratio ${(rows / weights).toFixed(3)}`,
      '+ and - are essential bits with the sign of their weight. The number after kneading is the pointer\n' +
        'of that weight within its group. A group takes as many rows as its fullest column has ones.',
    ].join('\n\n') + '\n'
  );
}

function drawGroup(
  { weights, length, rows }: KneadedGroup,
  g: number,
  groups: number,
  { bits }: Setting,
  colour: boolean,
): string {
  const { createColors } = pc;
  const { bold, dim, red, green, yellow, blue, magenta, cyan } = createColors(colour);
  const shades = [cyan, yellow, magenta, green, blue, red];
  const shade = (pointer: number) => shades[pointer % shades.length];
  const columns = Array.from({ length: bits }, (_, i) => bits - 1 - i);
  const stub = Math.max('ones in column'.length, ...weights.map((w, k) => `${k}: ${w}`.length)) + 1;
  const line = (label: string, cells: string[]): string => label.padEnd(stub) + cells.join('');
  const cell = (text: string, paint: (text: string) => string): string =>
    ' '.repeat(CELL - text.length) + paint(text);

  const header = columns.map((b) => cell(`b${b}`, bold));
  const before = weights.map((weight, k) => {
    const label = `${String(k).padStart(3)}: ${String(weight)}`;
    return line(
      label,
      columns.map((b) =>
        (Math.abs(weight) >>> b) & 1 ? cell(weight < 0 ? '-' : '+', shade(k)) : cell('.', dim),
      ),
    );
  });
  const ones = columns.map((b) => weights.filter((w) => (Math.abs(w) >>> b) & 1).length);
  const longest = Math.max(...ones);
  const after = rows.map((row, t) =>
    line(
      `${String(t).padStart(3)}${t === length - 1 ? ' (pass)' : ''}`,
      columns.map((b) => {
        const slot = row[b];
        return slot ? cell(`${slot[1] < 0 ? '-' : '+'}${slot[0]}`, shade(slot[0])) : cell('.', dim);
      }),
    ),
  );
  const title = groups > 1 ? `group ${g}: ` : '';
  const note = longest === 0 ? ', all zero: one null row carries the pass mark' : '';
  return [
    bold(`${title}before, ${plural(weights.length, 'weight')}`),
    line('  k: weight', header),
    ...before,
    line(
      'ones in column',
      ones.map((n) => cell(String(n), n === longest && n > 0 ? bold : dim)),
    ),
    '',
    bold(`${title}after, ${plural(length, 'row')}, ratio ${(length / weights.length).toFixed(3)}${note}`),
    line('row', header),
    ...after,
  ].join('\n');
}

const plural = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;
