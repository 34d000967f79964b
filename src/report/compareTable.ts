/**
 * What `compare` prints: one table with the machines side by side, per layer and in total. Machines that do not
 * fit into the width are folded below the others.
 */
import { budgetLine, configLine, factorLegend, heading, notes, verdict } from './heading.js';
import { factor, short, whole } from './number.js';
import type { LayerReport, MachineReport, Report } from './report.js';
import { PAGE_WIDTH, tableWidth, textTable, type Column } from './textTable.js';

/** The report as text, without a line end at its end. */
export function compareText(report: Report): string {
  return [
    [heading(report), ...budgetLine(report)].join('\n'),
    report.machines.map((machine) => configLine(machine, report.budget)).join('\n'),
    ...fold(report.machines).map((columns) => textTable(columns)),
    [verdict(report), ...notes(report), ...factorLegend(report)].join('\n'),
  ].join('\n\n');
}

/** As many machines beside each other as fit, at least one; rather without the MACs than in two tables. */
function fold(machines: readonly MachineReport[]): Column[][] {
  const tables: Column[][] = [];
  for (let from = 0; from < machines.length;) {
    let count = machines.length - from;
    let columns = layOut(machines.slice(from, from + count));
    while (!columns && count > 1) columns = layOut(machines.slice(from, from + --count));
    tables.push(columns ?? [...layerColumns(machines[from]), ...machineGroup(machines[from], 2)]);
    from += count;
  }
  return tables;
}

/** Columns for these machines, as airy as the width allows; null if they do not fit at all. */
function layOut(machines: readonly MachineReport[]): Column[] | null {
  const [layer, macs] = layerColumns(machines[0]);
  const groups = (gap: number) => machines.flatMap((machine) => machineGroup(machine, gap));
  const airy = [layer, macs, ...groups(3)];
  const narrow = [layer, macs, ...groups(2)];
  const bare = [layer, ...groups(2)];
  for (const names of ['full', 'cut'] as const)
    for (const columns of [airy, narrow, bare]) if (tableWidth(columns, names) <= PAGE_WIDTH) return columns;
  return null;
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
