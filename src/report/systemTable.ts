/** The whole system in tables: cycles with memory and what limits them, bytes, energy and area (SPEC sections 8 and 9). */
import { ENERGY_PARTS } from '../energy/figure.js';
import type { Bound } from '../memory/bottleneck.js';
import type { BudgetSide, CompareReport } from './budgetReport.js';
import { LEAST_SHARE } from './heading.js';
import { factor, NOTHING, percent, short, whole } from './number.js';
import type { LayerReport, MachineReport, Report } from './report.js';
import { textTable, wrap, type Column } from './textTable.js';

/** Short words for what limits a layer. */
const LIMITS: Record<Bound, string> = {
  compute: 'comp',
  synchronisation: 'sync',
  weights: 'wgt',
  activations: 'act',
  output: 'out',
};

/** `wgt 62`: the largest part of the system cycles, and its share in percent. */
export const limitText = (bound: Bound | null, share: number | null): string =>
  bound === null ? NOTHING : `${LIMITS[bound]} ${String(Math.round(100 * share!)).padStart(3)}`;

const limitOf = ({ memory: { boundBy, boundShare } }: LayerReport): string => limitText(boundBy, boundShare);

/** System cycles, speedup and limit of one machine. */
export function systemGroup(machine: MachineReport, gap: number): Column[] {
  const rows = [...machine.layers, machine.total];
  const group = machine.name;
  const cycles = { head: ['cycles'], cells: rows.map((row) => whole(row.memory.systemCycles)), gap, group };
  const limits = { head: ['limit %'], cells: rows.map(limitOf), gap: 1, group };
  if (machine.name === 'dadiannao') return [cycles, limits];
  const speedups = rows.map((row) => factor(row.memory.systemSpeedup));
  return [cycles, { head: ['speedup'], cells: speedups, gap: 1, group }, limits];
}

/** The memory system in one line. */
export function memoryLine({ config: { memory } }: Report): string {
  const rate = (value: number | string): string =>
    value === 'infinite' ? 'no limit' : `${value} bytes/cycle`;
  const size = (value: number | string): string =>
    value === 'infinite' ? 'infinite' : `${Number(value) / 1024} KiB`;
  return wrap(
    [
      `memory ${memory.preset}: DRAM ${rate(memory.dramBytesPerCycle)}`,
      `global buffer ${size(memory.globalBytes)}`,
      `local buffers ${size(memory.localBytes)} each, filled with ${rate(memory.globalBytesPerCycle)}`,
      `on chip between layers: ${memory.onChip}`,
    ],
    ', ',
  );
}

/** pJ as uJ. */
export const microjoules = (pJ: number | null): string => (pJ === null ? NOTHING : (pJ / 1e6).toFixed(2));
const squareMillimetres = (um2: number | undefined): string =>
  um2 === undefined ? NOTHING : (um2 / 1e6).toFixed(2);

/** One row per machine: size, speed with and without memory, traffic and energy of all that was run. */
export function summaryTable({ machines }: Report): string {
  const cells = (of: (machine: MachineReport) => string): string[] => machines.map(of);
  return textTable(
    [
      { head: ['machine'], cells: cells(({ name }) => name), text: true },
      { head: ['logic', 'mm2'], cells: cells(({ area }) => squareMillimetres(area?.um2)) },
      { head: ['PEs', 'x dense'], cells: cells(({ total }) => factor(total.speedupVsDense)) },
      { head: ['system', 'x dense'], cells: cells(({ total }) => factor(total.memory.systemSpeedup)) },
      { head: ['limit %'], cells: cells(({ total }) => limitOf(total)) },
      { head: ['DRAM', 'bytes'], cells: cells(({ total }) => short(total.memory.dramBytes)) },
      { head: ['energy', 'uJ'], cells: cells(({ total }) => microjoules(total.energy.total)) },
      { head: ['of it', 'DRAM %'], cells: cells(({ total }) => dramShare(total)) },
      { head: ['pJ per', 'MAC'], cells: cells(({ total }) => factor(total.energy.perMac)) },
      { head: ['energy', 'x dense'], cells: cells(({ total }) => factor(total.energy.efficiencyVsDense)) },
      { head: ['EDP', 'x dense'], cells: cells(({ total }) => factor(edpRatio(total))) },
    ],
    false,
  );
}

const dramShare = ({ energy: { parts, total } }: LayerReport): string =>
  total === null || parts.dram === null || total === 0 ? NOTHING : percent(parts.dram / total);

/** How much smaller the energy-delay product is. */
function edpRatio({ memory, energy }: LayerReport): number | null {
  const { efficiencyVsDense } = energy;
  const { systemSpeedup } = memory;
  return efficiencyVsDense === null || systemSpeedup === null ? null : efficiencyVsDense * systemSpeedup;
}

export const SYSTEM_LEGEND = [
  'system         cycles with memory, over those of the dense machine with the same memory',
  'limit %        their largest part: compute, synchronisation of lanes, weights, activations, output',
  'energy         our synthesised logic and published memories (energyFigures in --json); no leakage',
];

/** Equal multipliers beside equal logic; nothing where no machine has an area. */
export function budgetTable({ budgets }: Pick<CompareReport, 'budgets'>): string[] {
  if (budgets.every(({ area }) => area === null)) return [];
  const columns = (side: 'lanes' | 'area', group: string): Column[] => {
    const cells = (of: (own: BudgetSide) => string): string[] =>
      budgets.map((row) => (row[side] ? of(row[side]) : NOTHING));
    return [
      { head: ['mult.'], cells: cells(({ multipliers }) => whole(multipliers)), gap: 3, group },
      { head: ['mm2'], cells: cells(({ um2 }) => squareMillimetres(um2 ?? undefined)), gap: 1, group },
      { head: ['PEs'], cells: cells(({ speedup }) => factor(speedup)), gap: 1, group },
      { head: ['system'], cells: cells(({ systemSpeedup }) => factor(systemSpeedup)), gap: 1, group },
      { head: ['energy'], cells: cells(({ efficiencyVsDense }) => factor(efficiencyVsDense)), gap: 1, group },
    ];
  };
  const table = textTable(
    [
      { head: ['machine'], cells: budgets.map(({ machine }) => machine), text: true },
      ...columns('lanes', 'equal multipliers'),
      ...columns('area', 'equal logic'),
    ],
    false,
  );
  return [
    `x dense MAC, in all, with as many multipliers as the dense array and with as much logic\n${table}`,
  ];
}

/** What a machine's system took in all, and where its energy went. */
export function systemLine({ total: { memory, energy, macs } }: Pick<MachineReport, 'total'>): string {
  const { systemCycles, systemSpeedup, boundBy, boundShare, dramBytes } = memory;
  const parts = [
    `system: ${whole(systemCycles)} cycles (x dense ${factor(systemSpeedup)})`,
    ...(boundBy === null ? [] : [`${percent(boundShare)} % ${boundBy}`]),
    `DRAM ${short(dramBytes)} bytes`,
  ];
  if (energy.total !== null && macs > 0) {
    const shares = ENERGY_PARTS.map((part): [string, number] => [
      part,
      (energy.parts[part] ?? 0) / energy.total!,
    ])
      .filter(([, share]) => share >= LEAST_SHARE)
      .sort(([, a], [, b]) => b - a)
      .map(([part, share]) => `${part} ${percent(share)}`);
    parts.push(`energy ${microjoules(energy.total)} uJ at ${energy.node}`, `of it %: ${shares.join(', ')}`);
  }
  return wrap(parts.join(', ').split(' '), ' ');
}
