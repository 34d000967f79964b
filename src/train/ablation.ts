/**
 * The ablation (SPEC section 7): machines x phases x pruning x precision on recorded training steps, each with bound,
 * raw and equal-occupancy speedup, against the dense MAC array and against the dense twin of the row machine.
 */
import type { Phase } from '../arch/machine.js';
import { MACHINES } from '../arch/registry.js';
import { PRECISIONS, type Precision } from '../quantize.js';
import type { AblationReport, AblationRow } from '../report/ablationReport.js';
import { allVerified, type LayerReport, type Report } from '../report/report.js';
import { laneShares } from '../report/row.js';
import { simulate, type KnownForward, type RunOptions } from '../simulate.js';
import { checkTarget } from '../simulate/options.js';
import type { TraceSteps } from '../trace/openSteps.js';

/** In the order of the table: from dense to both kinds of sparsity. */
const CONTENDERS = ['dadiannao', 'tetris', 'sparsetrain-dense', 'sparsetrain', 'hybrid', 'masked'];

/** Machines of the ablation, as far as the registry has them. */
export const ablationMachines = (): string[] =>
  CONTENDERS.filter((name) => MACHINES.some((kind) => kind.name === name));

export interface AblationOptions extends RunOptions {
  /** Default: all of the ablation. */
  machines?: readonly string[];
  settings?: readonly string[];
  /** Without it, both int8 and int16. */
  precision?: Precision;
}

/** Runs every condition. The report is that of the last one: the precision asked for (else int16), pruned. */
export function ablation(source: TraceSteps, options: AblationOptions): AblationReport {
  const target = checkTarget(options.prune ?? 0);
  const precisions = options.precision ? [options.precision] : PRECISIONS;
  const targets = target === 0 ? [0] : [0, target];
  const conditions = precisions.flatMap((precision) => targets.map((prune) => ({ precision, prune })));
  const machines = options.machines ?? ablationMachines();
  const known: KnownForward = new Map();
  const reports = conditions.map(({ precision, prune }, i) => {
    const progress = (done: number, total: number, label: string): void =>
      options.progress?.(
        i * total + done,
        conditions.length * total,
        `${label} (${precision}, p = ${prune})`,
      );
    return simulate(source, { ...options, machines, precision, prune, progress }, known);
  });
  const main = reports[reports.length - 1];
  return {
    ...main,
    verified: allVerified(reports.map(({ verified }) => verified)),
    violations: reports.flatMap(({ violations, config }) =>
      violations.map((violation) => `${config.precision}, p = ${config.prune}: ${violation}`),
    ),
    notes: [...new Set(reports.flatMap(({ notes }) => notes))],
    ablation: reports.flatMap(rowsOf),
    otherRuns: reports.slice(0, -1),
  };
}

const rowsOf = ({ config, machines }: Report): AblationRow[] =>
  machines.flatMap(({ name, phaseTotals, total }) =>
    [...phaseTotals, total].map((row) => ablationRow(name, config.precision, config.prune ?? 0, row)),
  );

function ablationRow(machine: string, precision: Precision, prune: number, row: LayerReport): AblationRow {
  return {
    precision,
    prune,
    machine,
    phase: row.phase as Phase | 'all',
    cycles: row.cycles,
    vsDense: {
      cycles: row.denseCycles,
      raw: row.speedupVsDense,
      occupancy: row.occupancySpeedup,
      bound: row.singleStreamBound,
    },
    vsTwin: {
      cycles: row.twinCycles,
      raw: row.speedupVsTwin,
      occupancy: row.occupancySpeedupVsTwin,
      bound: row.singleStreamBoundVsTwin,
    },
    shares: laneShares(row),
    systemCycles: row.memory.systemCycles,
    systemSpeedupVsDense: row.memory.systemSpeedup,
    systemSpeedupVsTwin: row.memory.systemSpeedupVsTwin,
    boundBy: row.memory.boundBy,
    boundShare: row.memory.boundShare,
    dramBytes: row.memory.dramBytes,
    energy: row.energy.total,
    efficiencyVsDense: row.energy.efficiencyVsDense,
    efficiencyVsTwin: row.energy.efficiencyVsTwin,
    verified: row.verified,
    outputsChecked: row.outputsChecked,
    portCycles: row.portCycles,
  };
}
