/** What `train --machine` prints: per machine a row per layer and phase, totals per phase and over the step. */
import {
  budgetLine,
  configLine,
  factorLegend,
  heading,
  lossLine,
  notes,
  portsLine,
  verdict,
} from './heading.js';
import { factor, percent, whole } from './number.js';
import { pruningTable, recordedLine } from './pruningTable.js';
import type { MachineReport, Report } from './report.js';
import { laneCycles, quotient, sumOf } from './row.js';
import { memoryLine, systemLine } from './systemTable.js';
import { alignedTables, LAYER, type Field } from './table.js';
import { textTable } from './textTable.js';

/** The report as text, without a line end at its end. */
export function trainText(report: Report): string {
  const several = report.steps.length > 1;
  const rowsOf = ({ layers, phases, phaseTotals, total }: MachineReport) => [
    ...(several ? [] : layers),
    ...(phases.length > 1 ? phaseTotals : []),
    total,
  ];
  const tables = alignedTables([LAYER, PHASE], FIELDS, report.machines.map(rowsOf));
  return [
    [heading(report), ...budgetLine(report), memoryLine(report)].join('\n'),
    ...pruningTable(report),
    ...report.machines.map((machine, m) =>
      [
        configLine(machine, report.budget),
        textTable(tables[m]),
        lossLine(machine),
        systemLine(machine),
        ...portsOf(machine),
      ]
        .filter(Boolean)
        .join('\n'),
    ),
    [
      verdict(report),
      ...recordedLine(report),
      ...notes(report),
      ...(several ? ['rows per step and layer are in --json and --csv'] : []),
      ...factorLegend(report),
      ...TRAIN_LEGEND,
    ].join('\n'),
  ].join('\n\n');
}

const portsOf = ({ name, total }: MachineReport): string[] =>
  portsLine([{ machine: name, portCycles: total.portCycles }]);

/** What the tables of `train` mean beyond those of `replay`. */
export const TRAIN_LEGEND = [
  'dense, twin    denominators: dense MAC (dadiannao), and the row machine with compression off',
  'equal occ.     lane-items of the denominator / lane-cycles issued or stalled; idle lanes aside',
  'not timed      weight update, batch norm and optimiser',
];

const PHASE: Field = { head: ['phase'], of: (row) => row.phase, text: true };

const FIELDS: readonly Field[] = [
  { head: ['cycles'], of: (row) => whole(row.cycles) },
  { head: ['speed-', 'up x', 'dense'], of: (row) => factor(row.speedupVsDense) },
  {
    head: ['speed-', 'up x', 'twin'],
    of: (row) => factor(row.speedupVsTwin),
    known: (row) => row.speedupVsTwin,
  },
  { head: ['equal', 'occ. x', 'dense'], of: (row) => factor(row.occupancySpeedup) },
  { head: ['bound', 'x', 'dense'], of: (row) => factor(row.singleStreamBound) },
  { head: ['util.', '%'], of: (row) => percent(row.utilization) },
  { head: ['stall', '%'], of: (row) => percent(quotient(sumOf(row.stall), laneCycles(row))) },
  { head: ['idle', '%'], of: (row) => percent(quotient(sumOf(row.idle), laneCycles(row))) },
  {
    head: ['non-', 'zero', 'in %'],
    of: (row) => percent(row.density.input),
    known: (row) => row.density.input,
  },
  { head: ['non-', 'zero', 'wt. %'], of: (row) => percent(row.density.weight) },
  {
    head: ['non-', 'zero', 'grad %'],
    of: (row) => percent(row.density.gradOutput),
    known: (row) => row.density.gradOutput,
  },
];
