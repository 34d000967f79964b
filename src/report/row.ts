/**
 * Rows of the report: one layer and phase from a machine's counters and those of its denominators, and the totals,
 * which are formed from summed counters in the same way (SPEC sections 3 and 10).
 */
import {
  addCounters,
  zeroCounters,
  type Counters,
  type Machine,
  type Phase,
  type PortCycles,
} from '../arch/machine.js';
import type { MemoryConfig } from '../memory/config.js';
import type { BitStatistics } from '../quantize.js';
import { allVerified, type LayerReport } from './report.js';
import { SystemTotals, type SystemMeasured } from './system.js';

/** Facts of a layer that do not depend on the machine. */
export interface LayerFacts {
  name: string;
  phase: Phase | 'all';
  step: number | null;
  macs: number;
  weights: BitStatistics;
  activations: BitStatistics | null;
  gradOutput: BitStatistics | null;
}

/** What a machine and its denominators counted. */
export interface Measured {
  counters: Counters;
  dense: Counters;
  twin: Counters | null;
  essentialBits: number;
  verified: boolean | null;
  outputsChecked: number;
  float32Error: number | null;
  portCycles: PortCycles | null;
  system: SystemMeasured;
}

export const sumOf = (parts: Record<string, number>): number =>
  Object.values(parts).reduce((a, b) => a + b, 0);

/** Lane-cycles of a row, or of a total over phases that have different numbers of lanes. */
export const laneCycles = ({ busy, stall, idle }: Pick<LayerReport, 'busy' | 'stall' | 'idle'>): number =>
  busy + sumOf(stall) + sumOf(idle);

/** Shares of all lane-cycles: busy, stall.CAUSE, idle.CAUSE; they add up to 1. */
export function laneShares(row: Pick<LayerReport, 'busy' | 'stall' | 'idle'>): Record<string, number> {
  const all = laneCycles(row);
  const shares: Record<string, number> = { busy: quotient(row.busy, all) ?? 0 };
  for (const [cause, cycles] of Object.entries(row.stall))
    shares[`stall.${cause}`] = quotient(cycles, all) ?? 0;
  for (const [cause, cycles] of Object.entries(row.idle))
    shares[`idle.${cause}`] = quotient(cycles, all) ?? 0;
  return shares;
}

type CountersMeasured = Omit<Measured, 'system'>;

/** The row of one layer and phase. */
export function layerRow(
  facts: LayerFacts,
  machine: Machine,
  laneSlots: number,
  measured: Measured,
  memory: MemoryConfig,
): LayerReport {
  const systems = new SystemTotals().add(facts.macs, measured.system, roofsOf(machine, laneSlots, memory));
  return layerReport(facts, machine, laneSlots, measured, systems);
}

/** MACs per cycle that the lanes allow, and bytes per cycle of the DRAM port. */
const roofsOf = (machine: Machine, laneSlots: number, { dramBytesPerCycle }: MemoryConfig) => ({
  macs: laneSlots / machine.lanesPerDenseLane,
  dramBytes: dramBytesPerCycle,
});

/** One row. `laneSlots` is null in totals over several phases. */
function layerReport(
  facts: LayerFacts,
  { lanesPerDenseLane: share }: Pick<Machine, 'lanesPerDenseLane'>,
  laneSlots: number | null,
  {
    counters,
    dense,
    twin,
    essentialBits,
    verified,
    outputsChecked,
    float32Error,
    portCycles,
  }: CountersMeasured,
  systems: SystemTotals,
): LayerReport {
  const { weights, activations, gradOutput } = facts;
  const occupied = counters.busy + sumOf(counters.stall);
  return {
    name: facts.name,
    phase: facts.phase,
    step: facts.step,
    macs: facts.macs,
    terms: counters.terms,
    cycles: counters.cycles,
    pipelineCycles: counters.pipelineCycles,
    boundCycles: counters.boundCycles,
    singleStreamBound: quotient(dense.busy * share, counters.singleStreamLaneCycles),
    denseCycles: dense.cycles,
    speedupVsDense: quotient(dense.cycles, counters.cycles),
    occupancySpeedup: quotient(dense.busy * share, occupied),
    twinCycles: twin && twin.cycles,
    singleStreamBoundVsTwin:
      twin && quotient(twin.singleStreamLaneCycles * share, counters.singleStreamLaneCycles),
    speedupVsTwin: twin && quotient(twin.cycles, counters.cycles),
    occupancySpeedupVsTwin: twin && quotient(twin.busy * share, occupied),
    utilization: quotient(counters.busy, laneCycles(counters)),
    laneSlots,
    essentialBits,
    zeroBitFraction: quotient(weights.zeroBits, weights.bits),
    zeroValueFraction: quotient(weights.zeroValues, weights.values),
    activationZeroBitFraction: activations && quotient(activations.zeroBits, activations.bits),
    activationZeroValueFraction: activations && quotient(activations.zeroValues, activations.values),
    density: { input: density(activations), weight: density(weights), gradOutput: density(gradOutput) },
    kneadedRatio: quotient(counters.kneadedRows, counters.kneadedWeights),
    kneaderBits: counters.kneaderBits,
    operands: counters.operands,
    rowOperations: counters.rowOperations,
    busy: counters.busy,
    stall: counters.stall,
    idle: counters.idle,
    verified,
    outputsChecked,
    float32Error,
    portCycles,
    memory: systems.memory(),
    energy: systems.energyRow(),
  };
}

/** Sums rows as they come; the total is then formed like any row. */
export class Totals {
  private readonly counters = zeroCounters();
  private readonly dense = zeroCounters();
  private twin: Counters | null = null;
  private macs = 0;
  private weights = EMPTY;
  /** null as soon as one row lacks the operand. */
  private activations: BitStatistics | null = EMPTY;
  private gradOutput: BitStatistics | null = EMPTY;
  private essentialBits = 0;
  private verified: boolean | null = null;
  private outputsChecked = 0;
  private float32Error: number | null = null;
  private portCycles: PortCycles | null = null;
  private readonly steps = new Set<number | null>();
  private readonly lanes = new Set<number>();
  private readonly systems = new SystemTotals();

  constructor(
    private readonly machine: Machine,
    private readonly memory: MemoryConfig,
  ) {}

  add(facts: LayerFacts, laneSlots: number, measured: Measured): void {
    this.systems.add(facts.macs, measured.system, roofsOf(this.machine, laneSlots, this.memory));
    addCounters(this.counters, measured.counters);
    addCounters(this.dense, measured.dense);
    if (measured.twin) this.twin = addCounters(this.twin ?? zeroCounters(), measured.twin);
    this.macs += facts.macs;
    this.weights = addStatistics(this.weights, facts.weights);
    this.activations = both(this.activations, facts.activations);
    this.gradOutput = both(this.gradOutput, facts.gradOutput);
    this.essentialBits += measured.essentialBits;
    this.verified = allVerified([this.verified, measured.verified]);
    this.outputsChecked += measured.outputsChecked;
    if (measured.portCycles) {
      const { one, two } = this.portCycles ?? { one: 0, two: 0 };
      this.portCycles = { one: one + measured.portCycles.one, two: two + measured.portCycles.two };
    }
    if (measured.float32Error !== null)
      this.float32Error = Math.max(this.float32Error ?? 0, measured.float32Error);
    this.steps.add(facts.step);
    this.lanes.add(laneSlots);
  }

  report(phase: Phase | 'all'): LayerReport {
    const facts: LayerFacts = {
      name: 'total',
      phase,
      step: only(this.steps),
      macs: this.macs,
      weights: this.weights,
      activations: this.activations,
      gradOutput: this.gradOutput,
    };
    const { counters, dense, twin, essentialBits, verified, outputsChecked, float32Error, portCycles } = this;
    const measured = {
      counters,
      dense,
      twin,
      essentialBits,
      verified,
      outputsChecked,
      float32Error,
      portCycles,
    };
    return layerReport(facts, this.machine, only(this.lanes), measured, this.systems);
  }
}

const EMPTY: BitStatistics = { values: 0, zeroValues: 0, bits: 0, zeroBits: 0, histogram: [] };

const only = <T>(values: ReadonlySet<T>): T | null => (values.size === 1 ? [...values][0] : null);

/** null where the denominator is zero: JSON has no infinity, and a report shows a dash. */
export const quotient = (a: number, b: number): number | null => (b === 0 ? null : a / b);

const density = (operand: BitStatistics | null): number | null =>
  operand && quotient(operand.values - operand.zeroValues, operand.values);

const both = (a: BitStatistics | null, b: BitStatistics | null): BitStatistics | null =>
  a && b && addStatistics(a, b);

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
