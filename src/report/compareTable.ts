/**
 * What `compare` prints: one table with the machines side by side, per layer and in total. Machines that do not
 * fit into the width are folded below the others.
 */
import type { CompareReport } from './budgetReport.js';
import { budgetLine, configLine, factorLegend, heading, notes, verdict } from './heading.js';
import { factor, short, whole } from './number.js';
import type { LayerReport, MachineReport } from './report.js';
import { budgetTable, memoryLine, summaryTable, systemGroup, SYSTEM_LEGEND } from './systemTable.js';
import { PAGE_WIDTH, tableWidth, textTable, type Column } from './textTable.js';

/** The report as text, without a line end at its end. */
export function compareText(report: CompareReport): string {
  return [
    [heading(report), ...budgetLine(report)].join('\n'),
    report.machines.map((machine) => configLine(machine, report.budget)).join('\n'),
    ...fold(report.machines, machineGroup).map((columns) => textTable(columns)),
    memoryLine(report),
    ...fold(report.machines, systemGroup).map((columns) => textTable(columns)),
    summaryTable(report),
    ...budgetTable(report),
    [verdict(report), ...notes(report), ...factorLegend(report), ...SYSTEM_LEGEND].join('\n'),
  ].join('\n\n');
}

/** Columns of one machine, behind so many blanks. */
type Group = (machine: MachineReport, gap: number) => Column[];

/** As many machines beside each other as fit, at least one; rather without the MACs than in two tables. */
function fold(machines: readonly MachineReport[], group: Group): Column[][] {
  const tables: Column[][] = [];
  for (let from = 0; from < machines.length;) {
    const rest = machines.slice(from);
    const { count, columns } =
      widest(rest, 'full', group) ?? widest(rest, 'cut', group) ?? alone(rest[0], group);
    tables.push(columns);
    from += count;
  }
  return tables;
}

interface Fitting {
  count: number;
  columns: Column[];
}

/** Most of the first machines that fit; whole names of layers are worth a table more, unless each had its own. */
function widest(machines: readonly MachineReport[], names: 'full' | 'cut', group: Group): Fitting | null {
  const least = names === 'full' ? Math.min(2, machines.length) : 1;
  for (let count = machines.length; count >= least; count--) {
    const columns = layOut(machines.slice(0, count), names, group);
    if (columns) return { count, columns };
  }
  return null;
}

const alone = (machine: MachineReport, group: Group): Fitting => ({
  count: 1,
  columns: [...layerColumns(machine), ...group(machine, 2)],
});

/** Columns for these machines, as airy as the width allows; null if they do not fit at all. */
function layOut(machines: readonly MachineReport[], names: 'full' | 'cut', group: Group): Column[] | null {
  const [layer, macs] = layerColumns(machines[0]);
  const groups = (gap: number) => machines.flatMap((machine) => group(machine, gap));
  const tables = [
    [layer, macs, ...groups(3)],
    [layer, macs, ...groups(2)],
    [layer, ...groups(2)],
  ];
  return tables.find((columns) => tableWidth(columns, names) <= PAGE_WIDTH) ?? null;
}

const rowsOf = ({ layers, total }: MachineReport): LayerReport[] => [...layers, total];

const layerColumns = (machine: MachineReport): Column[] => [
  { head: ['layer'], cells: rowsOf(machine).map((row) => row.name), text: true },
  { head: ['MACs'], cells: rowsOf(machine).map((row) => short(row.macs)) },
];

function machineGroup(machine: MachineReport, gap: number): Column[] {
  const rows = rowsOf(machine);
  const group = machine.name;
  const cycles = { head: ['cycles'], cells: rows.map((row) => whole(row.cycles)), gap, group };
  const speedups = rows.map((row) => factor(row.speedupVsDense));
  const bounds = rows.map((row) => factor(row.singleStreamBound));
  // The dense machine against itself: two columns of 1.00 say nothing.
  if (machine.name === 'dadiannao' && [...speedups, ...bounds].every((x) => x === '1.00' || x === '-'))
    return [{ ...cycles, least: group.length }];
  return [
    cycles,
    { head: ['speedup'], cells: speedups, gap: 1, group },
    { head: ['bound'], cells: bounds, gap: 1, group },
  ];
}
