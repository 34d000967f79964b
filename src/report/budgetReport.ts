/** Iso-lane and iso-area side by side: what each machine reaches under either budget, of all that was run. */
import { multipliersOf } from '../arch/budget.js';
import type { Bound } from '../memory/bottleneck.js';
import type { MachineReport, Report } from './report.js';

/** A machine scaled to a budget. */
export interface BudgetSide {
  /** um2 at 45 nm; null without coefficients. */
  um2: number | null;
  multipliers: number;
  cycles: number;
  speedup: number | null;
  systemSpeedup: number | null;
  boundBy: Bound | null;
  efficiencyVsDense: number | null;
}

export interface BudgetRow {
  machine: string;
  lanes: BudgetSide;
  /** null where there are no coefficients for the machine's area. */
  area: BudgetSide | null;
}

export interface CompareReport extends Report {
  budgets: BudgetRow[];
}

export function budgetRows(lanes: Report, area: Report): BudgetRow[] {
  return lanes.machines.map((machine) => {
    const other = area.machines.find(({ name }) => name === machine.name);
    return { machine: machine.name, lanes: sideOf(machine), area: other ? sideOf(other) : null };
  });
}

function sideOf({ area, config, total }: MachineReport): BudgetSide {
  return {
    um2: area && area.um2,
    multipliers: multipliersOf(config),
    cycles: total.cycles,
    speedup: total.speedupVsDense,
    systemSpeedup: total.memory.systemSpeedup,
    boundBy: total.memory.boundBy,
    efficiencyVsDense: total.energy.efficiencyVsDense,
  };
}
