/** The report as CSV: one row per machine, step, layer and phase, then the machine's totals; quoted as RFC 4180 says. */
import type { Report } from './report.js';

/** Header and rows, each with a line end. Line ends are bare newlines, which line tools and parsers both take. */
export function csvText(report: Report): string {
  const rows = report.machines.flatMap(({ name, phases, layers, phaseTotals, total }) =>
    [...layers, ...(phases.length > 1 ? phaseTotals : []), total].map((row) => ({
      machine: name,
      ...row,
    })),
  );
  return csvOf(rows);
}

/** Records with the same fields as CSV. */
export function csvOf(records: readonly object[]): string {
  const rows = records.map(flat);
  const header = Object.keys(rows[0] ?? {});
  return [header, ...rows.map((row) => Object.values(row))]
    .map((cells) => `${cells.map(cell).join(',')}\n`)
    .join('');
}

/** Counts by cause and shares by operand become columns of their own: stall.window, density.input. */
function flat(row: object): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(row) as [string, unknown][])
    if (typeof value === 'object' && value !== null)
      for (const [part, number] of Object.entries(value)) fields[`${key}.${part}`] = number;
    else fields[key] = value;
  return fields;
}

/** null is an empty cell. */
function cell(value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
}
