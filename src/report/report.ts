/**
 * The report that `replay` and `compare` print and write: plain data, stable names, everything needed to run it
 * again. Definitions in SPEC sections 3 and 10; units in `UNITS`.
 */
import {
  addCounters,
  zeroCounters,
  type Counters,
  type IdleCause,
  type Machine,
  type MachineConfig,
  type Phase,
  type StallCause,
} from '../arch/machine.js';
import type { BitStatistics, Codes } from '../quantize.js';

/** One layer and phase on one machine; the row of a total has the same fields. */
export interface LayerReport {
  name: string;
  phase: Phase | 'all';
  macs: number;
  terms: number;
  cycles: number;
  pipelineCycles: number;
  boundCycles: number;
  singleStreamBound: number | null;
  denseCycles: number;
  speedupVsDense: number | null;
  occupancySpeedup: number | null;
  utilization: number | null;
  essentialBits: number;
  zeroBitFraction: number | null;
  zeroValueFraction: number | null;
  activationZeroBitFraction: number | null;
  activationZeroValueFraction: number | null;
  kneadedRatio: number | null;
  busy: number;
  stall: Record<StallCause, number>;
  idle: Record<IdleCause, number>;
  verified: boolean | null;
  /** Outputs compared with the dense reference; 0 where nothing was stepped. */
  outputsChecked: number;
}

export interface MachineReport {
  name: string;
  config: MachineConfig;
  /** Lanes whose every cycle is accounted for in busy, stall and idle. */
  laneSlots: number;
  layers: LayerReport[];
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

export interface Report {
  tool: 'kneadsim';
  version: string;
  versions: Record<string, string>;
  config: Record<string, string | null>;
  seed: number;
  trace: { file: string; network: string; source: string; licence: string };
  traceHash: string;
  units: Record<string, string>;
  formats: { name: string; weight: OperandFormat; input: OperandFormat | null }[];
  /** All layers of all machines; null where nothing was stepped. */
  verified: boolean | null;
  /** What did not hold, one line each; empty in every good run. */
  violations: string[];
  machines: MachineReport[];
}

export const UNITS: Record<string, string> = {
  macs: 'multiply-accumulates, zero padding included',
  terms: 'items issued',
  cycles: 'cycles from the first to the last accepted item, inclusive',
  pipelineCycles: 'cycles of fill and drain, once per layer',
  boundCycles: 'cycles if only the slowest unit and lane of each block counted',
  singleStreamBound: 'speedup over dense lane-items if nothing were shared',
  denseCycles: 'cycles of dadiannao with the same tiles, units, lanes and tileBy',
  speedupVsDense: 'denseCycles / cycles',
  occupancySpeedup: 'dense lane-items / lane-cycles issued and stalled, in dense lanes',
  utilization: 'busy / (laneSlots x cycles)',
  essentialBits:
    "ones in the magnitudes of the machine's bit-serial operand (else the weights), times their uses",
  zeroBitFraction: 'zero magnitude bits of the weights / all magnitude bits',
  zeroValueFraction: 'weights that are zero / all weights',
  activationZeroBitFraction: 'zero magnitude bits of the activations / all magnitude bits',
  activationZeroValueFraction: 'activations that are zero / all activations',
  kneadedRatio: 'kneaded rows / weights (T_KS / T_base), absent channels not counted',
  busy: 'lane-cycles that issued',
  stall: 'lane-cycles with work that did not issue, by cause',
  idle: 'lane-cycles without work, by cause',
  outputsChecked: 'outputs compared with the dense reference',
};

/** Facts of a layer that do not depend on the machine. */
export interface LayerFacts {
  name: string;
  phase: Phase;
  macs: number;
  weights: BitStatistics;
  activations: BitStatistics | null;
}

/** One row, from a machine's counters and those of its dense denominator. */
export function layerReport(
  facts: LayerFacts,
  machine: Machine,
  counters: Counters,
  dense: Counters,
  essentialBits: number,
  verified: boolean | null,
  outputsChecked: number,
): LayerReport {
  const { weights, activations } = facts;
  const stalled = Object.values(counters.stall).reduce((a, b) => a + b, 0);
  const share = machine.lanesPerDenseLane;
  return {
    name: facts.name,
    phase: facts.phase,
    macs: facts.macs,
    terms: counters.terms,
    cycles: counters.cycles,
    pipelineCycles: counters.pipelineCycles,
    boundCycles: counters.boundCycles,
    singleStreamBound: ratio(dense.busy * share, counters.singleStreamLaneCycles),
    denseCycles: dense.cycles,
    speedupVsDense: ratio(dense.cycles, counters.cycles),
    occupancySpeedup: ratio(dense.busy * share, counters.busy + stalled),
    utilization: ratio(counters.busy, machine.laneSlots('forward') * counters.cycles),
    essentialBits,
    zeroBitFraction: ratio(weights.zeroBits, weights.bits),
    zeroValueFraction: ratio(weights.zeroValues, weights.values),
    activationZeroBitFraction: activations && ratio(activations.zeroBits, activations.bits),
    activationZeroValueFraction: activations && ratio(activations.zeroValues, activations.values),
    kneadedRatio: ratio(counters.kneadedRows, counters.kneadedWeights),
    busy: counters.busy,
    stall: counters.stall,
    idle: counters.idle,
    verified,
    outputsChecked,
  };
}

/** Sums rows as they come; the total is then formed like any row. */
export class Totals {
  private readonly counters = zeroCounters();
  private readonly dense = zeroCounters();
  private readonly facts: LayerFacts = {
    name: 'total',
    phase: 'forward',
    macs: 0,
    weights: { values: 0, zeroValues: 0, bits: 0, zeroBits: 0, histogram: [] },
    activations: null,
  };
  private essentialBits = 0;
  private verified: boolean | null = null;
  private outputsChecked = 0;
  private complete = true;

  add(facts: LayerFacts, row: LayerReport, counters: Counters, dense: Counters): void {
    addCounters(this.counters, counters);
    addCounters(this.dense, dense);
    this.facts.macs += facts.macs;
    this.facts.weights = addStatistics(this.facts.weights, facts.weights);
    if (!facts.activations) this.complete = false;
    else
      this.facts.activations = this.facts.activations
        ? addStatistics(this.facts.activations, facts.activations)
        : facts.activations;
    this.essentialBits += row.essentialBits;
    this.verified = allVerified([this.verified, row.verified]);
    this.outputsChecked += row.outputsChecked;
  }

  report(machine: Machine): LayerReport {
    const facts = { ...this.facts, activations: this.complete ? this.facts.activations : null };
    const row = layerReport(
      facts,
      machine,
      this.counters,
      this.dense,
      this.essentialBits,
      this.verified,
      this.outputsChecked,
    );
    return { ...row, phase: 'all' };
  }
}

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

/** null where the denominator is zero: JSON has no infinity, and a report shows a dash. */
const ratio = (a: number, b: number): number | null => (b === 0 ? null : a / b);

function addStatistics(a: BitStatistics, b: BitStatistics): BitStatistics {
  const histogram: number[] = [];
  for (let i = 0; i < Math.max(a.histogram.length, b.histogram.length); i++)
    histogram.push((a.histogram[i] ?? 0) + (b.histogram[i] ?? 0));
  return {
    values: a.values + b.values,
    zeroValues: a.zeroValues + b.zeroValues,
    bits: a.bits + b.bits,
    zeroBits: a.zeroBits + b.zeroBits,
    histogram,
  };
}
