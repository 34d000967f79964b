/** What `replay` prints: per machine one table, a row per layer and the total, all of it within 100 columns. */
import { budgetLine, configLine, factorLegend, heading, lossLine, notes, verdict } from './heading.js';
import { factor, percent, ratio, short, whole, yesNo } from './number.js';
import type { LayerReport, Report } from './report.js';
import { laneCycles, quotient, sumOf } from './row.js';
import { memoryLine, systemLine } from './systemTable.js';
import { textTable, type Column } from './textTable.js';

/** The report as text, without a line end at its end. */
export function replayText(report: Report): string {
  const rows = report.machines.map(({ layers, total }) => [...layers, total]);
  const tables = alignedTables([LAYER], FIELDS, rows);
  return [
    [heading(report), ...budgetLine(report), memoryLine(report)].join('\n'),
    ...report.machines.map((machine, m) =>
      [configLine(machine, report.budget), textTable(tables[m]), lossLine(machine), systemLine(machine)]
        .filter(Boolean)
        .join('\n'),
    ),
    [verdict(report), ...notes(report), legend(report)].join('\n'),
  ].join('\n\n');
}

/** A column of a table of rows. */
export interface Field {
  head: readonly string[];
  of: (row: LayerReport) => string;
  /** What must be known in some row for the column to be drawn at all. */
  known?: (row: LayerReport) => unknown;
  text?: boolean;
}

export const LAYER: Field = { head: ['layer'], of: (row) => row.name, text: true };

const FIELDS: readonly Field[] = [
  { head: ['MACs'], of: (row) => short(row.macs) },
  { head: ['cycles'], of: (row) => whole(row.cycles) },
  { head: ['speedup', 'x dense'], of: (row) => factor(row.speedupVsDense) },
  { head: ['bound', 'x dense'], of: (row) => factor(row.singleStreamBound) },
  { head: ['equal', 'occup.', 'x dense'], of: (row) => factor(row.occupancySpeedup) },
  { head: ['util.', '%'], of: (row) => percent(row.utilization) },
  { head: ['stall', '%'], of: (row) => percent(quotient(sumOf(row.stall), laneCycles(row))) },
  { head: ['idle', '%'], of: (row) => percent(quotient(sumOf(row.idle), laneCycles(row))) },
  { head: ['zero', 'weight', 'bits %'], of: (row) => percent(row.zeroBitFraction) },
  {
    head: ['zero', 'activ.', 'bits %'],
    of: (row) => percent(row.activationZeroBitFraction),
    known: (row) => row.activationZeroBitFraction,
  },
  {
    head: ['kneaded', 'ratio'],
    of: (row) => ratio(row.kneadedRatio),
    known: (row) => row.kneadedRatio,
  },
  { head: ['veri-', 'fied'], of: (row) => yesNo(row.verified), known: (row) => row.verified },
];

/** The same columns in the same widths for every machine, so that the tables can be read across. */
export function alignedTables(
  lead: readonly Field[],
  fields: readonly Field[],
  rows: readonly (readonly LayerReport[])[],
): Column[][] {
  const shown = fields.filter(({ known }) => !known || rows.flat().some((row) => known(row) !== null));
  const tables = rows.map((own) =>
    [...lead, ...shown].map(({ head, of, text = false }) => ({
      head,
      cells: own.map((row) => of(row)),
      text,
    })),
  );
  return tables.map((columns) =>
    columns.map((column, i) => ({
      ...column,
      least: Math.max(...tables.flatMap((table) => table[i].cells.map((text) => text.length))),
    })),
  );
}

function legend(report: Report): string {
  const kneaded = report.machines.some(({ total }) => total.kneadedRatio !== null);
  return [
    ...factorLegend(report),
    'equal occup.   dense lane-items / lane-cycles issued or stalled: idle lanes do not count',
    'util. %        lane-cycles that issued; stall: had work and waited; idle: had no work',
    'zero bits %    zero bits among the magnitude bits of the codes',
    ...(kneaded ? ['kneaded ratio  kneaded rows / weights'] : []),
    'system         cycles with memory, over the dense machine\'s; by layer in "kneadsim compare"',
  ].join('\n');
}
