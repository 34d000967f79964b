/**
 * The report that `replay`, `compare` and `train` print and write: plain data, stable names, everything needed to run
 * it again. Definitions in SPEC sections 3, 5 and 10; units in `UNITS`.
 */
import type { MachineArea } from '../arch/area.js';
import type { Budget, BudgetSize } from '../arch/budget.js';
import type { IdleCause, Level, MachineConfig, Phase, PortCycles, StallCause } from '../arch/machine.js';
import type { UnitArea } from '../energy/areaByUnit.js';
import type { EnergyFigure } from '../energy/figure.js';
import type { EnergyNode } from '../energy/node.js';
import type { MemoryParameterName } from '../memory/config.js';
import type { Codes, Precision } from '../quantize.js';
import { SYSTEM_UNITS, type EnergyRow, type MemoryReport } from './system.js';

/** Shares of non-zero codes; null where an operand was not recorded or is not used. */
export interface Density {
  input: number | null;
  weight: number | null;
  gradOutput: number | null;
}

/** One layer and phase on one machine; the row of a total has the same fields. */
export interface LayerReport {
  name: string;
  phase: Phase | 'all';
  /** Index of the training step in a run of several; null in totals over more than one. */
  step: number | null;
  macs: number;
  terms: number;
  cycles: number;
  pipelineCycles: number;
  boundCycles: number;
  singleStreamBound: number | null;
  denseCycles: number;
  speedupVsDense: number | null;
  occupancySpeedup: number | null;
  /** The same three factors over the dense twin of the row machine; null where it was not asked for. */
  twinCycles: number | null;
  singleStreamBoundVsTwin: number | null;
  speedupVsTwin: number | null;
  occupancySpeedupVsTwin: number | null;
  utilization: number | null;
  /** Lanes of this phase; null in totals over several phases. */
  laneSlots: number | null;
  essentialBits: number;
  zeroBitFraction: number | null;
  zeroValueFraction: number | null;
  activationZeroBitFraction: number | null;
  activationZeroValueFraction: number | null;
  density: Density;
  kneadedRatio: number | null;
  kneaderBits: number;
  operands: number;
  rowOperations: number;
  busy: number;
  stall: Record<StallCause, number>;
  idle: Record<IdleCause, number>;
  verified: boolean | null;
  /** Outputs compared with the dense reference; 0 where nothing was stepped. */
  outputsChecked: number;
  /** Largest |output - reference| / |reference|, where sums are rounded to float32; null where they are exact. */
  float32Error: number | null;
  /** Cycles of gradWeight with one operand port and with two; null where no row PE ran it. */
  portCycles: PortCycles | null;
  memory: MemoryReport;
  energy: EnergyRow;
}

export interface MachineReport {
  name: string;
  config: MachineConfig;
  /** Lanes whose every cycle is accounted for in busy, stall and idle; those of the first phase that was run. */
  laneSlots: number;
  /** Logic of the array; null where there is no coefficient for its PEs. */
  area: MachineArea | null;
  areaByUnit: UnitArea[] | null;
  /** Every figure of energy in use, with node and source. */
  energyFigures: EnergyFigure[];
  phases: Phase[];
  layers: LayerReport[];
  /** One total per phase. */
  phaseTotals: LayerReport[];
  total: LayerReport;
}

/** How an operand was stored in the trace and how it was computed with. */
export interface OperandFormat {
  stored: string;
  magnitudeBits: number;
  storageBits: number;
  /** One scale for the tensor, or how many there are. */
  scale: number | string;
  /** Integer codes without a sign-magnitude form that were saturated. */
  saturated: number;
}

export interface LayerFormats {
  name: string;
  step: number;
  weight: OperandFormat;
  input: OperandFormat | null;
  gradOutput: OperandFormat | null;
}

/** What pruning and quantisation did to the gradients of one layer in one step (SPEC section 5). */
export interface PruningReport {
  name: string;
  step: number;
  elements: number;
  target: number;
  threshold: Threshold;
  /** Threshold from this step's own gradients, the one that the FIFO predicted, and the one used. */
  tauExact: number;
  tauPredicted: number | null;
  tau: number;
  /** Shares of non-zero gradients: as recorded, pruned, and in codes. */
  density: { recorded: number; pruned: number; quantized: number };
  /** Where the zeros in the codes come from, in elements. */
  zeros: { recorded: number; pruning: number; quantization: number };
  measuredBias: number;
  biasStandardError: number;
  addedVariance: number;
  expectedAddedVariance: number;
}

export const THRESHOLDS = ['exact', 'predicted'] as const;
export type Threshold = (typeof THRESHOLDS)[number];

/** Reference outputs of a phase, dequantised, against the tensor that the trace recorded of it. */
export interface RecordedReport {
  name: string;
  phase: Phase;
  step: number;
  elements: number;
  /** Elements that differ by more than quantisation and float32 sums can explain. */
  outside: number;
  largestDifference: number;
  /** largestDifference / largest recorded magnitude; null where all recorded values are zero. */
  relativeDifference: number | null;
  /** Largest difference / bound of any element. */
  largestShareOfBound: number;
}

export interface RunConfig {
  level: Level;
  precision: Precision;
  scale: string;
  per: string;
  minCode: string;
  layer: string | null;
  budget: Budget;
  phases: Phase[];
  /** Target p of gradient pruning; null where no gradients are used. */
  prune: number | null;
  threshold: Threshold | null;
  thresholdFifo: number | null;
  firstGradInput: boolean;
  memory: { preset: string } & Record<MemoryParameterName, number | string>;
  energyNode: EnergyNode;
}

export interface Report {
  tool: 'kneadsim';
  version: string;
  versions: Record<string, string>;
  config: RunConfig;
  seed: number;
  trace: { file: string; network: string; source: string; licence: string };
  traceHash: string;
  /** Files of a run, in step order. */
  steps: { step: number; file: string; hash: string }[];
  units: Record<string, string>;
  /** What the machines are scaled to; null where they have their published sizes. */
  budget: BudgetSize | null;
  formats: LayerFormats[];
  pruning: PruningReport[];
  recorded: RecordedReport[];
  /** All layers of all machines; null where nothing was stepped. */
  verified: boolean | null;
  /** What did not hold, one line each; empty in every good run. */
  violations: string[];
  /** What a reader should know, one line each. */
  notes: string[];
  machines: MachineReport[];
}

export const UNITS: Record<string, string> = {
  macs: 'multiply-accumulates, zero padding included',
  terms: 'items issued',
  cycles: 'cycles from the first to the last accepted item, inclusive',
  pipelineCycles: 'cycles of fill and drain, once per layer',
  boundCycles: 'cycles if only the slowest unit and lane of each block counted',
  singleStreamBound: 'speedup over dense lane-items if nothing were shared',
  denseCycles: "cycles of dadiannao with the budget's array; without budget, with the machine's own",
  speedupVsDense: 'denseCycles / cycles',
  occupancySpeedup: 'dense lane-items / lane-cycles issued and stalled, in dense lanes',
  twinCycles: 'cycles of sparsetrain-dense of the same budget; without budget, with the same row array',
  singleStreamBoundVsTwin: 'lane-cycles that the twin needs if nothing were shared / those of this machine',
  speedupVsTwin: 'twinCycles / cycles',
  occupancySpeedupVsTwin: 'lane-cycles issued by the twin / lane-cycles issued and stalled',
  utilization: 'busy / lane-cycles, which are laneSlots x cycles of each phase',
  laneSlots: 'lanes (row machines: multipliers, taps of all PEs)',
  essentialBits:
    "ones in the magnitudes of the machine's bit-serial operand (else the weights), times their uses",
  zeroBitFraction: 'zero magnitude bits of the weights / all magnitude bits',
  zeroValueFraction: 'weights that are zero / all weights',
  activationZeroBitFraction: 'zero magnitude bits of the activations / all magnitude bits',
  activationZeroValueFraction: 'activations that are zero / all activations',
  density: 'codes that are not zero / all codes of the operand',
  kneadedRatio: 'kneaded rows / codes kneaded (T_KS / T_base), absent channels not counted',
  kneaderBits: 'raw bits read by on-line kneaders',
  operands: 'non-zero operands consumed by row PEs, once per row operation in which they take part',
  rowOperations: 'one-dimensional row operations of row PEs',
  busy: 'lane-cycles that issued',
  stall: 'lane-cycles with work that did not issue, by cause',
  idle: 'lane-cycles without work, by cause',
  outputsChecked: 'outputs compared with the dense reference',
  portCycles: 'cycles of gradWeight on row PEs with one operand port and with two',
  float32Error: 'largest relative error of sums in float32 against float64; null where sums are exact',
  area: 'um2 at 45 nm typical, logic only, without SRAM and PPUs',
  tau: 'pruning threshold, in the unit of the gradients',
  measuredBias: 'mean(pruned - recorded gradient), with its standard error under the pruning rule',
  addedVariance: 'mean((pruned - recorded gradient)^2), and its expectation under the pruning rule',
  recorded: 'reference outputs, dequantised, against the recorded tensor of the phase',
  ...SYSTEM_UNITS,
};

/** false if any is false, null if none was checked. */
export function allVerified(parts: readonly (boolean | null)[]): boolean | null {
  if (parts.includes(false)) return false;
  return parts.includes(true) ? true : null;
}

export function operandFormat(stored: string, codes: Codes): OperandFormat {
  return {
    stored,
    magnitudeBits: codes.magnitudeBits,
    storageBits: codes.storageBits,
    scale: codes.scales.length === 1 ? codes.scales[0] : `${codes.scales.length} scales, one per channel`,
    saturated: codes.saturated,
  };
}
