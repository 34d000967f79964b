/** The ablation as data: the report of the main condition, one row per condition, machine and phase, other reports. */
import type { Phase, PortCycles } from '../arch/machine.js';
import type { Bound } from '../memory/bottleneck.js';
import type { Precision } from '../quantize.js';
import type { Report } from './report.js';

/** Factors over a denominator; null where it does not run, or has nothing to do. */
export interface Factors {
  cycles: number | null;
  raw: number | null;
  /** At equal lane occupancy. */
  occupancy: number | null;
  /** If nothing were shared. */
  bound: number | null;
}

export interface AblationRow {
  precision: Precision;
  prune: number;
  machine: string;
  /** `all` is the whole step. */
  phase: Phase | 'all';
  cycles: number;
  vsDense: Factors;
  vsTwin: Factors;
  /** Shares of all lane-cycles: busy, stall.CAUSE, idle.CAUSE. */
  shares: Record<string, number>;
  /** With memory: cycles, speedups over the denominators with the same memory, what limits, traffic. */
  systemCycles: number;
  systemSpeedupVsDense: number | null;
  systemSpeedupVsTwin: number | null;
  boundBy: Bound | null;
  boundShare: number | null;
  dramBytes: number;
  /** pJ, and energy of the denominators over it; null where there is no figure. */
  energy: number | null;
  efficiencyVsDense: number | null;
  efficiencyVsTwin: number | null;
  verified: boolean | null;
  outputsChecked: number;
  portCycles: PortCycles | null;
}

export interface AblationReport extends Report {
  ablation: AblationRow[];
  /** Full reports of the other conditions. */
  otherRuns: Report[];
}
