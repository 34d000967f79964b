/**
 * What a machine is to the rest of the program: one interface for all, one file per machine in this folder,
 * one line in `registry.ts`. A machine times a layer (`count`), or executes it clock by clock (`step`); the two
 * share no timing code, and must agree in every counter.
 */
import { UserError } from '../errors.js';
import { TILE_BYS } from '../lower/blocks.js';
import type { LaneArray } from '../lower/lowering.js';
import { PHASES, type Phase } from '../lower/phase.js';
import { LOWERINGS } from '../lower/terms.js';
import type { Codes, Precision } from '../quantize.js';
import type { Probe } from '../sim/probe.js';
import type { ConvShape } from '../tensor.js';

export { PHASES, type Phase };

/** count: timing only, by closed forms and recurrences. step: clocked, with values. */
export const LEVELS = ['count', 'step'] as const;
export type Level = (typeof LEVELS)[number];

/** Why a unit that has work did not issue in a cycle. One cause per unit and cycle, in this priority. */
export const STALL_CAUSES = ['output', 'flush', 'window', 'weights', 'ppu', 'imbalance'] as const;
export type StallCause = (typeof STALL_CAUSES)[number];
/** Why a unit has no work: no channel for its lane, no filter for its unit, no position for its tile. */
export const IDLE_CAUSES = ['absentLane', 'absentUnit', 'empty'] as const;
export type IdleCause = (typeof IDLE_CAUSES)[number];

/**
 * mac: dense terms. sac: kneaded bits of the streamed operand. maskedSac: of its bits, those that meet a non-zero
 * window value. serial: bits of the activations. row: compressed rows. denseRow: rows with compression off.
 */
export type UnitKind = 'mac' | 'sac' | 'maskedSac' | 'serial' | 'row' | 'denseRow';

/** One layer and phase, quantised. */
export interface LayerWork {
  name: string;
  phase: Phase;
  shape: ConvShape;
  weights: Codes;
  /** Input of the layer (N, C, H, W); null where the trace holds weights only. */
  activations: Codes | null;
  /** Gradient by the output (N, F, Ho, Wo), pruned, then quantised; null in the forward phase. */
  gradOutput: Codes | null;
  /** 1 where the ReLU before this layer let its input through (N, C, H, W); null without a ReLU. */
  inputMask: Uint8Array | null;
  precision: Precision;
}

/** Integers, for one layer and phase. Lane-cycles are counted over `laneSlots` lanes in every cycle. */
export interface Counters {
  /** From the first to the last accepted item, inclusive. */
  cycles: number;
  /** Fill and drain, once per layer. */
  pipelineCycles: number;
  /** Per block the largest word count of any (unit, lane), summed over blocks. */
  boundCycles: number;
  /** Lane-cycles that would be needed if nothing were shared. */
  singleStreamLaneCycles: number;
  /** Terms (items) issued. */
  terms: number;
  /** Essential bits consumed by bit-serial hardware; 0 for machines that do not look at bits. */
  essentialBits: number;
  /**
   * Kneaded rows, and the codes in them; 0 for machines without kneading. Kneaded off-line: one pass over the
   * distinct streams. Kneaded on-line: every group of every output.
   */
  kneadedRows: number;
  kneadedWeights: number;
  /** Raw bits that on-line kneaders read: KS (B + 1) per group, again for every output. */
  kneaderBits: number;
  /** Non-zero operands that row PEs consumed, each once per row operation in which it takes part. */
  operands: number;
  /** One-dimensional row operations that row PEs ran. */
  rowOperations: number;
  /** Lane-cycles in which an item or word was issued. */
  busy: number;
  stall: Record<StallCause, number>;
  idle: Record<IdleCause, number>;
  /**
   * Cycle in which each piece of work starts, never falling; what the memory system moves data for. Pieces are blocks
   * on lanes; on row PEs planes of rows: (example, filter), (example, channel), or in gradWeight filters.
   */
  starts: number[];
}

/** Groups of row PEs, as far as data is concerned. */
export interface RowGroups {
  groups: number;
  taps: number;
}

/** Units are those that take a filter each: physical units times int8 streams. */
export type MachineArray = { lanes: LaneArray; rows: null } | { lanes: null; rows: RowGroups };

/** Cycles of gradWeight on row PEs that load or multiply (one port), and that do both in a cycle (two). */
export interface PortCycles {
  one: number;
  two: number;
}

export interface StepResult {
  counters: Counters;
  /**
   * Integer sums, exact in double, in the order of the phase's output: (N, F, Ho, Wo) forward, (N, C, H, W) gradInput,
   * (F, C/groups, R, S) gradWeight. Of gradInput before the ReLU mask, unless the machine applies it.
   */
  output: Float64Array;
}

export type ParameterValue = number | string;
export type MachineConfig = Readonly<Record<string, ParameterValue>>;

/** A named parameter with its default: what `--set`, `list` and the fuzzer know of a machine. */
export interface Parameter {
  name: string;
  default: ParameterValue;
  /** Allowed values of an enumeration, or the range of a whole number. */
  values?: readonly string[];
  min?: number;
  max?: number;
  /** What it means, with units. */
  doc: string;
}

export interface Machine {
  readonly name: string;
  readonly config: MachineConfig;
  /** Lanes whose every cycle is accounted for in a phase: issued + stalled + idle = laneSlots x cycles. */
  laneSlots(phase: Phase): number;
  /** The array that runs a phase, as it deals out work. */
  arrayOf(phase: Phase): MachineArray;
  /** Lanes of this machine that stand for one lane of the dense machine (bit-serial columns). */
  readonly lanesPerDenseLane: number;
  /** Whether sums are rounded to float32: outputs then equal the reference within a rounding bound. */
  readonly float32?: boolean;
  /** @throws UserError if the configuration has no hardware at this level and precision; asked before any run */
  check?(level: Level, precision: Precision): void;
  /**
   * Cycles with one operand port and with two, where row PEs have a choice (gradWeight), else null.
   * @param cycles of the phase as configured
   */
  portCycles?(work: LayerWork, cycles: number): PortCycles | null;
  /** Timing only. */
  count(work: LayerWork): Counters;
  /**
   * Clock by clock, with values through the timed datapath. Needs activations.
   * @param probe looks at the registers of what it asks for, in every cycle; counters and outputs stay the same
   */
  step(work: LayerWork, probe?: Probe | null): StepResult;
}

export interface MachineKind {
  name: string;
  summary: string;
  /** Publication that the model follows. */
  source: string;
  parameters: readonly Parameter[];
  /** Whether timing itself depends on activations, so that even `count` needs them. */
  needsActivations: boolean;
  /** Phases that it runs, in order. */
  phases: readonly Phase[];
  /** Whether gradInput leaves targets out that the ReLU mask zeroes: its output is the masked gradient. */
  masksGradInput?: boolean;
  /** What executes a phase; it decides which conservation laws bind. */
  units(phase: Phase): UnitKind;
  /** @throws UserError on a combination that no such hardware has. */
  configure(config: MachineConfig): Machine;
}

/** The array parameters that all machines share. */
export const ARRAY_PARAMETERS: readonly Parameter[] = [
  { name: 'tiles', default: 16, min: 1, max: 65536, doc: 'tiles (PEs)' },
  { name: 'units', default: 16, min: 1, max: 1024, doc: 'units per tile, one filter each' },
  { name: 'lanes', default: 16, min: 1, max: 1024, doc: 'lanes per unit' },
  {
    name: 'tileBy',
    default: 'positions',
    values: TILE_BYS,
    doc: 'what tiles beyond the filter chunks take: further positions, or nothing (published)',
  },
];

export const LOWERING_PARAMETER: Parameter = {
  name: 'lowering',
  default: 'channelBlock',
  values: LOWERINGS,
  doc: 'how terms are dealt to lanes: by channel (published), or in turn',
};

/** Defaults overridden by `settings`, every value checked against its parameter. */
export function resolveConfig(kind: MachineKind, settings: Readonly<Record<string, string>>): MachineConfig {
  const config: Record<string, ParameterValue> = {};
  for (const parameter of kind.parameters) config[parameter.name] = parameter.default;
  for (const [name, text] of Object.entries(settings)) {
    const parameter = kind.parameters.find((p) => p.name === name);
    if (!parameter)
      throw new UserError(
        'unknown-parameter',
        `machine ${kind.name} has no parameter ${name}; it has ${kind.parameters.map((p) => p.name).join(', ')}`,
      );
    config[name] = parseValue(kind.name, parameter, text);
  }
  return Object.freeze(config);
}

function parseValue(machine: string, p: Parameter, text: string): ParameterValue {
  const fail = (expected: string): never => {
    throw new UserError('bad-parameter', `${machine}.${p.name}: found "${text}", expected ${expected}`);
  };
  if (p.values) return p.values.includes(text) ? text : fail(p.values.join(' or '));
  const value = Number(text);
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = p;
  if (text.trim() === '' || !Number.isInteger(value) || value < min || value > max)
    fail(`a whole number from ${min} to ${max}`);
  return value;
}

export function zeroCounters(): Counters {
  return {
    cycles: 0,
    pipelineCycles: 0,
    boundCycles: 0,
    singleStreamLaneCycles: 0,
    terms: 0,
    essentialBits: 0,
    kneadedRows: 0,
    kneadedWeights: 0,
    kneaderBits: 0,
    operands: 0,
    rowOperations: 0,
    busy: 0,
    stall: { output: 0, flush: 0, window: 0, weights: 0, ppu: 0, imbalance: 0 },
    idle: { absentLane: 0, absentUnit: 0, empty: 0 },
    starts: [],
  };
}

/** Adds `b` to `a`, counter by counter, and returns `a`; where its pieces of work start is not kept. */
export function addCounters(a: Counters, b: Counters): Counters {
  a.cycles += b.cycles;
  a.pipelineCycles += b.pipelineCycles;
  a.boundCycles += b.boundCycles;
  a.singleStreamLaneCycles += b.singleStreamLaneCycles;
  a.terms += b.terms;
  a.essentialBits += b.essentialBits;
  a.kneadedRows += b.kneadedRows;
  a.kneadedWeights += b.kneadedWeights;
  a.kneaderBits += b.kneaderBits;
  a.operands += b.operands;
  a.rowOperations += b.rowOperations;
  a.busy += b.busy;
  for (const cause of STALL_CAUSES) a.stall[cause] += b.stall[cause];
  for (const cause of IDLE_CAUSES) a.idle[cause] += b.idle[cause];
  return a;
}
