/**
 * The whole flow, in order: read a layer, quantise it, let each machine time or execute it, check values and
 * conservation, put the numbers beside the dense denominator. One layer is in memory at a time.
 */
import { noActivations } from './arch/activations.js';
import { chooseMachines, type ChosenMachine } from './arch/choose.js';
import { essentialBitUses } from './arch/bitUses.js';
import { conservationViolations } from './arch/conservation.js';
import { resolveConfig, type Counters, type LayerWork, type Machine, type Level } from './arch/machine.js';
import { dadiannao } from './arch/registry.js';
import { UserError } from './errors.js';
import {
  bitStatistics,
  defaultScaleRule,
  quantize,
  type MinCodeRule,
  type Precision,
  type QuantizeOptions,
  type ScaleGrain,
  type ScaleRule,
} from './quantize.js';
import { referenceForward } from './reference.js';
import {
  allVerified,
  layerReport,
  operandFormat,
  Totals,
  UNITS,
  type LayerFacts,
  type LayerReport,
  type Report,
} from './report/report.js';
import { macCount } from './tensor.js';
import { globMatcher } from './glob.js';
import type { Trace, TraceLayer } from './trace/trace.js';
import { VERSION } from './version.js';

export interface SimulateOptions {
  /** Machine names, in the order of the report. */
  machines: readonly string[];
  /** `[machine.]parameter=value`; without a machine it goes to every chosen one that has the parameter. */
  settings?: readonly string[];
  /** Default: step where every selected layer has activations, else count. */
  level?: Level;
  /** Default: int16. */
  precision?: Precision;
  scale?: ScaleRule;
  per?: ScaleGrain;
  minCode?: MinCodeRule;
  /** Glob over layer names; `*` crosses `/`. */
  layer?: string;
  seed?: number;
  /** Called before each (layer, machine), and once at the end with done = total. */
  progress?: (done: number, total: number, label: string) => void;
}

interface Contender extends ChosenMachine {
  /** The denominator of its speedups. */
  dense: Machine;
  layers: LayerReport[];
  totals: Totals;
}

/**
 * Runs a trace through machines.
 * @throws UserError on unknown machines, parameters or layers, missing activations, or codes that do not fit
 */
export function simulate(trace: Trace, options: SimulateOptions): Report {
  const precision = options.precision ?? 'int16';
  const contenders = chooseMachines(options.machines, options.settings ?? []).map(enter);
  const layers = selectLayers(trace, options.layer);
  const level = chooseLevel(trace, layers, contenders, options.level);
  for (const { machine } of contenders) machine.check?.(level, precision);
  const report = emptyReport(trace, options, level, precision);
  const total = layers.length * contenders.length;
  let done = 0;
  for (const layer of layers) {
    const { work, facts } = loadLayer(trace, layer, { ...options, precision }, report);
    const expected =
      level === 'step' && work.activations
        ? referenceForward(work.shape, work.weights.codes, work.activations.codes)
        : null;
    for (const contender of contenders) {
      options.progress?.(done++, total, `${layer.name} on ${contender.kind.name}`);
      runLayer(contender, work, facts, expected, report);
    }
  }
  options.progress?.(total, total, 'done');
  for (const { kind, machine, layers: rows, totals } of contenders)
    report.machines.push({
      name: kind.name,
      config: machine.config,
      laneSlots: machine.laneSlots('forward'),
      layers: rows,
      total: totals.report(machine),
    });
  report.verified = allVerified(report.machines.map((m) => m.total.verified));
  return report;
}

/** Times or executes one layer on one machine and adds the row to its report. */
function runLayer(
  contender: Contender,
  work: LayerWork,
  facts: LayerFacts,
  expected: Float64Array | null,
  report: Report,
): void {
  const { kind, machine, dense } = contender;
  let counters: Counters;
  let verified: boolean | null = null;
  const violations: string[] = [];
  if (expected) {
    const result = machine.step(work);
    counters = result.counters;
    violations.push(...valueViolations(kind.name, work.name, result.output, expected));
    verified = true;
  } else counters = machine.count(work);
  const essentialBits = essentialBitUses(kind.units(work.phase), work);
  violations.push(...conservationViolations(kind, machine, work, counters, essentialBits));
  if (violations.length > 0) verified = false;
  report.violations.push(...violations);
  const denseCounters = dense.count(work);
  const checked = expected?.length ?? 0;
  const row = layerReport(facts, machine, counters, denseCounters, essentialBits, verified, checked);
  contender.layers.push(row);
  contender.totals.add(facts, row, counters, denseCounters);
}

/** Every output must equal the dense reference, exactly. */
function valueViolations(
  machine: string,
  layer: string,
  output: Float64Array,
  expected: Float64Array,
): string[] {
  if (output.length !== expected.length)
    return [`${machine}, layer ${layer}: found ${output.length} outputs, expected ${expected.length}`];
  let wrong = 0;
  let first = -1;
  // The comparison is by value: a missing output is NaN, which equals nothing; 0 and -0 are the same sum.
  for (let i = 0; i < output.length; i++)
    if (output[i] !== expected[i]) {
      if (wrong++ === 0) first = i;
    }
  if (wrong === 0) return [];
  return [
    `${machine}, layer ${layer}: ${wrong} of ${output.length} outputs differ from the dense reference, the first ` +
      `at index ${first}: found ${output[first]}, expected ${expected[first]}`,
  ];
}

function loadLayer(
  trace: Trace,
  layer: TraceLayer,
  options: QuantizeOptions,
  report: Report,
): { work: LayerWork; facts: LayerFacts } {
  const weight = layer.read('weight');
  const weights = quantize(weight, options, { file: trace.file, place: `layer ${layer.name}, weight` });
  const input = layer.tensors.input ? layer.read('input') : null;
  // Scales per channel are for weights: a sum over input channels cannot mix scales.
  const activations =
    input &&
    quantize(
      input,
      { ...options, per: 'tensor', unsignedAllowed: true },
      { file: trace.file, place: `layer ${layer.name}, input` },
    );
  report.formats.push({
    name: layer.name,
    weight: operandFormat(weight.dtype, weights),
    input: input && activations && operandFormat(input.dtype, activations),
  });
  return {
    work: {
      name: layer.name,
      phase: 'forward',
      shape: layer.shape,
      weights,
      activations,
      gradOutput: null,
      inputMask: null,
      precision: options.precision,
    },
    facts: {
      name: layer.name,
      phase: 'forward',
      macs: macCount(layer.shape),
      weights: bitStatistics(weights),
      activations: activations && bitStatistics(activations),
    },
  };
}

/** A machine with its denominator: dadiannao with the same tiles, units, lanes and tileBy. */
function enter({ kind, machine }: ChosenMachine): Contender {
  const shared = Object.fromEntries(
    ['tiles', 'units', 'lanes', 'tileBy'].map((name) => [name, String(machine.config[name])]),
  );
  const dense = dadiannao.configure(resolveConfig(dadiannao, shared));
  return { kind, machine, dense, layers: [], totals: new Totals() };
}

/** Layers whose names match. @throws UserError if none does */
export function selectLayers(trace: Trace, glob: string | undefined): TraceLayer[] {
  const layers = glob === undefined ? trace.layers : trace.layers.filter((l) => globMatcher(glob)(l.name));
  if (layers.length === 0)
    throw new UserError(
      'no-layer',
      `${trace.file}: no layer matches ${glob ?? '*'}; it has ${trace.layers.map((l) => l.name).join(', ')}`,
    );
  return layers;
}

/** Step where all activations are there, unless told otherwise. Missing ones are found before anything runs. */
function chooseLevel(
  trace: Trace,
  layers: TraceLayer[],
  contenders: Contender[],
  level: Level | undefined,
): Level {
  const bare = layers.find((l) => !l.tensors.input);
  const chosen = level ?? (bare ? 'count' : 'step');
  const needs = contenders.find(({ kind }) => chosen === 'step' || kind.needsActivations);
  if (bare && needs)
    throw noActivations(`${trace.file}: layer ${bare.name}`, bare.name, needs.kind.name, `level ${chosen}`);
  return chosen;
}

function emptyReport(trace: Trace, o: SimulateOptions, level: Level, precision: Precision): Report {
  return {
    tool: 'kneadsim',
    version: VERSION,
    versions: { kneadsim: VERSION, node: process.version },
    config: {
      level,
      precision,
      scale: o.scale ?? defaultScaleRule(precision),
      per: o.per ?? 'tensor',
      minCode: o.minCode ?? 'saturate',
      layer: o.layer ?? null,
    },
    seed: o.seed ?? 1,
    trace: { file: trace.file, network: trace.network, source: trace.source, licence: trace.licence },
    traceHash: trace.hash,
    units: UNITS,
    formats: [],
    verified: null,
    violations: [],
    machines: [],
  };
}
