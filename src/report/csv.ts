/** The report as CSV: one row per machine, step, layer and phase, then the machine's totals; quoted as RFC 4180 says. */
import type { Report } from './report.js';

/** Header and rows, each with a line end. Line ends are bare newlines, which line tools and parsers both take. */
export const csvText = (report: Report): string => csvOf(csvRecords(report));

/** Columns of `portCycles`, which is null in rows without row PEs: all rows have the same columns. */
const NO_PORT_CYCLES = { one: null, two: null };

/** The rows of a report, each with its machine in front. */
export const csvRecords = (report: Report): object[] =>
  report.machines.flatMap(({ name, phases, layers, phaseTotals, total }) =>
    [...layers, ...(phases.length > 1 ? phaseTotals : []), total].map((row) => ({
      machine: name,
      ...row,
      portCycles: row.portCycles ?? NO_PORT_CYCLES,
    })),
  );

/** Records as CSV. */
export function csvOf(records: readonly object[]): string {
  const { header, rows } = tableOf(records);
  return [header, ...rows].map((cells) => `${cells.map(cell).join(',')}\n`).join('');
}

/** Records as columns: all that any record has, in the order in which they come up. */
export function tableOf(records: readonly object[]): { header: string[]; rows: unknown[][] } {
  const flattened = records.map((record) => flat(record));
  const names = new Set<string>();
  for (const row of flattened) for (const key of Object.keys(row)) names.add(key);
  const header = [...names];
  return { header, rows: flattened.map((row) => header.map((key) => row[key] ?? null)) };
}

/** What has parts becomes columns of their own: stall.window, memory.traffic.dram.reads.weights. */
function flat(row: object, prefix = '', fields: Record<string, unknown> = {}): Record<string, unknown> {
  for (const [key, value] of Object.entries(row) as [string, unknown][])
    if (typeof value === 'object' && value !== null) flat(value, `${prefix}${key}.`, fields);
    else fields[prefix + key] = value;
  return fields;
}

/** null is an empty cell. */
function cell(value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
}
