/**
 * The search for the array that keeps most of the bound (SPEC section 7): a grid of shapes of equal budget, counted;
 * then windows and strides of the best; then the winners of each machine, executed with values.
 */
import {
  budgetArray,
  budgetSize,
  denominators,
  fitsBudget,
  scaleToBudget,
  type Budget,
  type BudgetSize,
} from '../arch/budget.js';
import { givenSettings, type ChosenMachine } from '../arch/choose.js';
import { resolveConfig, type MachineConfig, type MachineKind, type ParameterValue } from '../arch/machine.js';
import { MACHINES } from '../arch/registry.js';
import type { Precision } from '../quantize.js';
import { allVerified, type Report } from '../report/report.js';
import { laneShares, quotient } from '../report/row.js';
import type { ShapeReport, ShapeRow, ShapeWinners } from '../report/shapeReport.js';
import { runMachines, type RunOptions } from '../simulate.js';
import type { TraceSteps } from '../trace/openSteps.js';

const CONTENDERS = ['masked', 'tetris', 'dadiannao', 'sparsetrain'];

/** Values that are tried, where a machine has the parameter and the user did not set it. */
const ARRAYS: Record<string, readonly ParameterValue[]> = {
  // Wide tiles have few others to wait for at the end of a block; see what they pay in absent units.
  units: [1, 2, 4, 8, 16, 64, 256, 1024],
  lanes: [1, 2, 4, 8, 16],
  lowering: ['channelBlock', 'flattened'],
  pesPerGroup: [1, 2, 3, 6],
  taps: [1, 2, 3, 5],
};
/** Tried on the best arrays only: they change little of the order. */
const DETAILS: Record<string, readonly ParameterValue[]> = {
  windowSlots: [2, 4, 8],
  kneadingStride: [8, 16, 32],
};
/** Arrays per machine and criterion whose details are tried. */
const FINALISTS = 2;

export interface ShapeSearchOptions extends RunOptions {
  machines?: readonly string[];
  settings?: readonly string[];
}

interface Search {
  options: ShapeSearchOptions;
  budget: Budget;
  precision: Precision;
  size: BudgetSize;
  common: Record<string, string>;
  source: TraceSteps;
}

export function shapeSearch(source: TraceSteps, options: ShapeSearchOptions): ShapeReport {
  const machines =
    options.machines ?? CONTENDERS.filter((name) => MACHINES.some((kind) => kind.name === name));
  const { chosen, common } = givenSettings(machines, options.settings ?? []);
  const precision = options.precision ?? 'int16';
  // Shapes of different size would compare nothing.
  const budget = options.budget === 'area' ? 'area' : 'lanes';
  const size = budgetSize(budgetArray(common), precision);
  const search: Search = {
    options: { ...options, budget, precision },
    budget,
    precision,
    size,
    common,
    source,
  };
  const level = options.level ?? 'count';
  const first = measure(
    search,
    chosen.flatMap(({ kind, values }) => shapesOf(search, kind, values, ARRAYS)),
    level,
  );
  const finalists = chosen.flatMap(({ kind, values }) =>
    best(first.rows, kind.name, FINALISTS).flatMap(({ config }) =>
      variants(config, kind, values, DETAILS).map((variant) => chosenOf(search, kind, variant)),
    ),
  );
  const second = measure(search, finalists, level);
  const shapes = distinct([...first.rows, ...second.rows]).sort(
    (a, b) => machines.indexOf(a.machine) - machines.indexOf(b.machine) || a.cycles - b.cycles,
  );
  const winners = machines.map((name) => best(shapes, name, 1));
  const executed = measure(
    search,
    winners.flat().map(({ machine, config }) =>
      chosenOf(
        search,
        MACHINES.find((k) => k.name === machine)!,
        config,
      ),
    ),
    'step',
  );
  const runs = [first, second, executed].map(({ report }) => report);
  return {
    ...executed.report,
    verified: allVerified(runs.map(({ verified }) => verified)),
    violations: runs.flatMap(({ violations }) => violations),
    notes: [...new Set(runs.flatMap(({ notes }) => notes))],
    shapes,
    winners: machines.map((name) => winnersOf(executed.rows, name)),
  };
}

/** All shapes of a machine. */
function shapesOf(
  search: Search,
  kind: MachineKind,
  values: Readonly<Record<string, string>>,
  grid: Record<string, readonly ParameterValue[]>,
): ChosenMachine[] {
  const { budget, size, precision, common } = search;
  // Tiles given to all machines make the budget; only a machine's own stay as they are.
  const kept = new Set(
    Object.keys(values).filter((name) => name !== 'tiles' || common.tiles !== values.tiles),
  );
  return (
    variants(resolveConfig(kind, values), kind, values, grid)
      .filter((config) => fitsBudget(kind, config, budget, size, precision))
      // With one lane there is nothing to deal.
      .filter(({ lanes, lowering }) => lanes !== 1 || lowering !== 'flattened' || 'lowering' in values)
      .map((config) => scaleToBudget(kind, config, kept, budget, size, precision))
      .map((config) => chosenOf(search, kind, config))
  );
}

/** A configuration with every combination of the grid's values for parameters that are not given. */
function variants(
  base: MachineConfig,
  kind: MachineKind,
  given: Readonly<Record<string, string>>,
  grid: Record<string, readonly ParameterValue[]>,
): MachineConfig[] {
  let configs = [base];
  for (const [name, values] of Object.entries(grid))
    if (kind.parameters.some((p) => p.name === name) && !(name in given))
      configs = configs.flatMap((config) => values.map((value) => ({ ...config, [name]: value })));
  return configs;
}

function chosenOf(
  { common, budget, precision }: Search,
  kind: MachineKind,
  config: MachineConfig,
): ChosenMachine {
  const machine = kind.configure(Object.freeze({ ...config }));
  return { kind, machine, ...denominators(machine, common, budget, precision) };
}

function measure(
  { source, options, size }: Search,
  machines: ChosenMachine[],
  level: 'count' | 'step',
): { report: Report; rows: ShapeRow[] } {
  const report = runMachines(source, { machines, size }, { ...options, level });
  const rows = report.machines.map(({ name, config, total }): ShapeRow => {
    const { cycles, speedupVsDense, occupancySpeedup, singleStreamBound, verified, outputsChecked } = total;
    return {
      machine: name,
      level,
      config,
      cycles,
      speedupVsDense,
      occupancySpeedup,
      singleStreamBound,
      kept: quotient(occupancySpeedup ?? 0, singleStreamBound ?? 0),
      shares: laneShares(total),
      verified,
      outputsChecked,
    };
  });
  return { report, rows };
}

const byCycles = (a: ShapeRow, b: ShapeRow): number => a.cycles - b.cycles;
const byKept = (a: ShapeRow, b: ShapeRow): number => (b.kept ?? 0) - (a.kept ?? 0) || byCycles(a, b);
const byOccupancy = (a: ShapeRow, b: ShapeRow): number =>
  (b.occupancySpeedup ?? 0) - (a.occupancySpeedup ?? 0) || byCycles(a, b);
const CRITERIA = { byCycles, byOccupancy, byKept };

/** The first `count` of a machine by each criterion, each shape once. */
function best(rows: readonly ShapeRow[], machine: string, count: number): ShapeRow[] {
  const own = rows.filter((row) => row.machine === machine);
  return distinct(Object.values(CRITERIA).flatMap((order) => [...own].sort(order).slice(0, count)));
}

/** Of those that were executed. */
function winnersOf(rows: readonly ShapeRow[], machine: string): ShapeWinners {
  const own = rows.filter((row) => row.machine === machine);
  const first = (order: (a: ShapeRow, b: ShapeRow) => number): ShapeRow => [...own].sort(order)[0];
  return {
    machine,
    byCycles: first(byCycles),
    byOccupancy: first(byOccupancy),
    byKept: first(byKept),
  };
}

function distinct(rows: readonly ShapeRow[]): ShapeRow[] {
  const seen = new Map<string, ShapeRow>();
  for (const row of rows) {
    const key = `${row.machine} ${JSON.stringify(row.config)}`;
    if (!seen.has(key)) seen.set(key, row);
  }
  return [...seen.values()];
}
