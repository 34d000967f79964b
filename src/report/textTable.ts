/** Columns of text under headings of one or more lines, fitted into a width, with a rule above the last row. */
import { fit } from './number.js';

/** Every table and line that a person reads fits in this. */
export const PAGE_WIDTH = 100;

export interface Column {
  /** Lines of the heading; units stand below names. */
  head: readonly string[];
  cells: readonly string[];
  /** Text is left-aligned and may be shortened; numbers are right-aligned and never are. */
  text?: boolean;
  /** Blank places before the column; default: what the table has room for. */
  gap?: number;
  /** Places to take even if the cells need fewer, so that tables below each other line up. */
  least?: number;
  /** Heading that neighbours share; it stands above all of them. */
  group?: string;
}

/** Shortest width that a text column may be cut down to. */
const SHORTEST_NAME = 12;

const widthOf = ({ head, cells, least = 0 }: Column): number =>
  [...head, ...cells].reduce((longest, text) => Math.max(longest, text.length), least);

const total = (columns: readonly Column[], widths: readonly number[], gap: number): number =>
  columns.reduce((sum, column, i) => sum + widths[i] + (i > 0 ? (column.gap ?? gap) : 0), 0);

/** Places that a table takes with all names in full, or with names cut as short as they may be. */
export function tableWidth(columns: readonly Column[], names: 'full' | 'cut', gap = 1): number {
  const widths = columns.map((column) =>
    column.text && names === 'cut' ? Math.min(SHORTEST_NAME, widthOf(column)) : widthOf(column),
  );
  return total(columns, widths, gap);
}

/** @param rule whether a line is drawn above the last row, which then holds the total */
export function textTable(columns: readonly Column[], rule = true, width = PAGE_WIDTH): string {
  const gap = tableWidth(columns, 'full', 2) <= width ? 2 : 1;
  const over = Math.max(0, tableWidth(columns, 'full', gap) - width);
  const widths = columns.map((column) => {
    const full = widthOf(column);
    return column.text ? Math.max(Math.min(SHORTEST_NAME, full), full - over) : full;
  });
  const line = (texts: readonly string[]): string =>
    columns
      .map((column, i) => {
        const blank = ' '.repeat(i > 0 ? (column.gap ?? gap) : 0);
        return (
          blank + (column.text ? fit(texts[i], widths[i]).padEnd(widths[i]) : texts[i].padStart(widths[i]))
        );
      })
      .join('')
      .trimEnd();
  const headLines = Math.max(...columns.map(({ head }) => head.length));
  const lines = columns.some(({ group }) => group) ? [groupLine(columns, widths, gap)] : [];
  for (let h = headLines; h > 0; h--)
    // Headings stand on the first row, whatever their number of lines.
    lines.push(line(columns.map(({ head }) => head[head.length - h] ?? '')));
  for (let r = 0; r < columns[0].cells.length; r++) lines.push(line(columns.map(({ cells }) => cells[r])));
  if (rule && columns[0].cells.length > 1) lines.splice(-1, 0, '─'.repeat(total(columns, widths, gap)));
  return lines.join('\n');
}

/** Shared headings, each in the middle of a line over its columns. */
function groupLine(columns: readonly Column[], widths: readonly number[], gap: number): string {
  let text = '';
  for (let i = 0; i < columns.length;) {
    const { group } = columns[i];
    text += ' '.repeat(i > 0 ? (columns[i].gap ?? gap) : 0);
    let end = i + 1;
    while (end < columns.length && group && columns[end].group === group) end++;
    const span = total(columns.slice(i, end), widths.slice(i, end), gap);
    const rest = Math.max(0, span - (group ? group.length + 2 : span));
    const left = '─'.repeat(Math.floor(rest / 2));
    const right = '─'.repeat(rest - left.length);
    // Without room for a line on both sides, the heading stands above the right edge, as numbers do.
    text += !group ? ' '.repeat(span) : rest < 2 ? group.padStart(span) : `${left} ${group} ${right}`;
    i = end;
  }
  return text.trimEnd();
}

/** Fills lines of `width` with parts that stay whole; lines after the first are indented. */
export function wrap(parts: readonly string[], separator: string, indent = 4, width = PAGE_WIDTH): string {
  const lines: string[] = [];
  let current = '';
  for (const part of parts) {
    const longer = current === '' ? part : current + separator + part;
    if (current !== '' && longer.length > width - separator.length) {
      lines.push(current + separator.trimEnd());
      current = ' '.repeat(indent) + part;
    } else current = longer;
  }
  return [...lines, current].join('\n');
}
