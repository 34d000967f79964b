/** The search over array shapes as data: all that was tried, and the best of each machine, executed and verified. */
import type { Level, MachineConfig } from '../arch/machine.js';
import type { Report } from './report.js';

/** One machine in one shape, over all chosen phases. */
export interface ShapeRow {
  machine: string;
  /** How it was measured. */
  level: Level;
  config: MachineConfig;
  cycles: number;
  speedupVsDense: number | null;
  occupancySpeedup: number | null;
  singleStreamBound: number | null;
  /** occupancySpeedup / singleStreamBound: what sharing leaves of the bound. */
  kept: number | null;
  /** Shares of all lane-cycles: busy, stall.CAUSE, idle.CAUSE. */
  shares: Record<string, number>;
  verified: boolean | null;
  outputsChecked: number;
}

export interface ShapeWinners {
  machine: string;
  /** Fewest cycles. */
  byCycles: ShapeRow;
  /** Largest speedup at equal occupancy. */
  byOccupancy: ShapeRow;
  /** Largest share of the bound kept at equal occupancy. */
  byKept: ShapeRow;
}

export interface ShapeReport extends Report {
  /** Every shape, per machine from the fewest cycles to the most. */
  shapes: ShapeRow[];
  /** Run again at level step. */
  winners: ShapeWinners[];
}
