/**
 * The whole flow, in order: read a layer, quantise and prune it, let each machine time or execute each phase, check
 * values and conservation, put the numbers beside the dense denominators. One layer of one step is in memory at a time.
 */
import { createHash } from 'node:crypto';
import { machineArea } from './arch/area.js';
import { essentialBitUses } from './arch/bitUses.js';
import { chooseMachines, type Choice, type ChosenMachine } from './arch/choose.js';
import { conservationViolations } from './arch/conservation.js';
import type { Counters, Level, Machine, Phase, UnitKind } from './arch/machine.js';
import { machineKind } from './arch/registry.js';
import { areaByUnit } from './energy/areaByUnit.js';
import { DEFAULT_ENERGY_NODE } from './energy/node.js';
import { UserError } from './errors.js';
import { expectedOutput } from './expected.js';
import { DEFAULT_MEMORY, memoryOf, type MemoryConfig } from './memory/config.js';
import type { QuantizeOptions } from './quantize.js';
import { allVerified, type LayerReport, type Report } from './report/report.js';
import { layerRow, Totals, type LayerFacts, type Measured } from './report/row.js';
import type { SystemResult } from './report/system.js';
import { emptyReport } from './simulate/begin.js';
import { factsOf, loadLayer, workOf, type LoadedLayer } from './simulate/load.js';
import { separateSettings } from './simulate/memorySettings.js';
import { orderedPhases, pruneSettings, type RunOptions, type SimulateOptions } from './simulate/options.js';
import { GradientPruner } from './simulate/prune.js';
import { compareRecorded } from './simulate/recorded.js';
import { checkTensors, chooseLevel, phasesOfLayer, selectLayers } from './simulate/select.js';
import { figuresInUse, systemOf, type SystemOptions } from './simulate/system.js';
import { checkValues } from './simulate/verify.js';
import { forEachStep, type TraceSteps } from './trace/openSteps.js';
import type { Role, Trace, TraceLayer } from './trace/trace.js';

export type { RunObserver, RunOptions, SimulateOptions } from './simulate/options.js';
export { selectLayers } from './simulate/select.js';

interface Contender extends ChosenMachine {
  phases: Phase[];
  layers: LayerReport[];
  phaseTotals: Map<Phase, Totals>;
  totals: Totals;
}

/** What a machine was found to do with one layer and phase. */
interface MeasuredPhase extends Measured {
  violations: string[];
}

/**
 * Forward phases of runs that differ in nothing but pruning, and machines: what is the same work is done once. By step,
 * layer, precision, level, machine and configuration.
 */
export type KnownForward = Map<string, MeasuredPhase>;

/** A machine that others are compared with, on one layer and phase. */
interface Denominator {
  counters: Counters;
  system: SystemResult;
}

/** What stays the same from layer to layer. */
interface Run {
  contenders: Contender[];
  options: RunOptions;
  phases: Phase[];
  quantization: QuantizeOptions;
  training: boolean;
  level: Level;
  system: SystemOptions;
  pruner: GradientPruner | null;
  report: Report;
  known: KnownForward | null;
  done: number;
  total: number;
}

/**
 * Runs a trace, or a run of training steps, through machines.
 * @param known forward phases of runs of the same source with the same options, but pruning; takes those of this one
 * @throws UserError on unknown machines, parameters or layers, missing tensors, or codes that do not fit
 */
export function simulate(
  source: Trace | TraceSteps,
  options: SimulateOptions,
  known: KnownForward | null = null,
): Report {
  const { machines, budget, precision } = options;
  const { settings, memory } = separateSettings(options.settings ?? []);
  const choice = chooseMachines(machines, settings, budget, precision);
  return runMachines(source, choice, { ...options, memory: options.memory ?? memory }, known);
}

/** As `simulate`, for machines that were configured already; one kind may come several times. */
export function runMachines(
  source: Trace | TraceSteps,
  choice: Choice,
  options: RunOptions,
  known: KnownForward | null = null,
): Report {
  let run: Run | null = null;
  const hashes: string[] = [];
  const visit = (trace: Trace, step: number): void => {
    run ??= begin(trace, 'files' in source ? source.files.length : 1, choice, options, known);
    hashes.push(trace.hash);
    run.report.steps.push({ step, file: trace.file, hash: trace.hash });
    runStep(run, trace, step);
  };
  if ('files' in source) forEachStep(source, visit);
  else visit(source, 0);
  const { report } = run!;
  report.trace.file = source.file;
  report.traceHash =
    hashes.length === 1 ? hashes[0] : createHash('sha256').update(hashes.join('')).digest('hex');
  return finish(run!);
}

/** Refuses what `runMachines` would refuse before its first layer, without running anything. */
export const checkRun = (trace: Trace, steps: number, choice: Choice, options: RunOptions): void =>
  void begin(trace, steps, choice, options, null);

/** Everything that can be refused is refused here, before anything runs. */
function begin(
  trace: Trace,
  steps: number,
  choice: Choice,
  options: RunOptions,
  known: KnownForward | null,
): Run {
  const phases = orderedPhases(options.phases);
  const precision = options.precision ?? 'int16';
  const memory = options.memory ?? memoryOf(DEFAULT_MEMORY);
  const contenders = choice.machines.map((chosen) => enter(chosen, phases, memory.config));
  const layers = selectLayers(trace, options.layer);
  const backward = phases.some((phase) => phase !== 'forward');
  checkTensors(trace, layers, phases, options);
  const level = chooseLevel(trace, layers, contenders, options.level);
  for (const { machine } of contenders) machine.check?.(level, precision);
  const pruning = backward ? pruneSettings(options, choice.machines, steps) : null;
  const runs = layers.flatMap((layer) =>
    contenders.flatMap((c) => phasesOfLayer(c.phases, trace, layer, options)),
  );
  if (runs.length === 0)
    throw new UserError(
      'nothing-to-run',
      `${trace.file}: layer ${layers[0].name} is the first of the network and has no gradInput; use ` +
        '--first-grad-input, or choose other layers or phases',
    );
  const report = emptyReport(trace, options, { level, phases, pruning, size: choice.size, memory });
  for (const { kind, phases: own } of contenders) {
    const left = phases.filter((phase) => !own.includes(phase));
    if (left.length > 0) report.notes.push(`${kind.name} does not run ${left.join(' and ')}: left out there`);
  }
  return {
    contenders,
    options,
    phases,
    quantization: { ...options, precision },
    training: options.training ?? backward,
    level,
    system: { memory: memory.config, energyNode: options.energyNode ?? DEFAULT_ENERGY_NODE },
    pruner: pruning && new GradientPruner(pruning),
    report,
    known,
    done: 0,
    total: runs.length * steps,
  };
}

/** @throws UserError for a machine that runs none of the phases */
function enter(chosen: ChosenMachine, phases: readonly Phase[], memory: MemoryConfig): Contender {
  const { kind } = chosen;
  const own = phases.filter((phase) => kind.phases.includes(phase));
  if (own.length === 0)
    throw new UserError(
      'no-phase',
      `machine ${kind.name} does not run ${phases.join(' or ')}; it runs ${kind.phases.join(', ')}`,
    );
  const totals = new Totals(chosen.machine, memory);
  return { ...chosen, phases: own, layers: [], phaseTotals: new Map(), totals };
}

function runStep(run: Run, trace: Trace, step: number): void {
  const { contenders, options, phases, report, training, pruner } = run;
  for (const traced of selectLayers(trace, options.layer)) {
    const layer = loadLayer(trace.file, traced, step, { ...run.quantization, training, pruner });
    report.formats.push(layer.formats);
    if (layer.pruning) report.pruning.push(layer.pruning);
    options.observer?.operands?.(layer);
    for (const phase of phases) {
      const able = contenders.filter((c) => phasesOfLayer(c.phases, trace, traced, options).includes(phase));
      if (able.length > 0) runPhase(run, able, layer, phase, traced);
    }
  }
}

function runPhase(
  run: Run,
  contenders: Contender[],
  layer: LoadedLayer,
  phase: Phase,
  traced: TraceLayer,
): void {
  const { report, options } = run;
  const work = workOf(layer, phase, run.quantization);
  const facts = factsOf(layer, phase);
  const stepped = run.level === 'step';
  const expected = once((masked: boolean) => expectedOutput(work, masked));
  if (stepped && phase !== 'forward' && layer.pruning?.tau === 0) {
    const role: Role = phase === 'gradInput' ? 'grad_input' : 'grad_weight';
    if (traced.tensors[role])
      report.recorded.push(compareRecorded(layer, phase, expected(false), traced.read(role)));
  }
  const essentialBits = once((units: UnitKind) => essentialBitUses(units, work));
  const denominator = onceByConfig((machine: Machine): Denominator => {
    const counters = machine.count(work);
    return {
      counters,
      system: systemOf(machineKind(machine.name), machine, work, counters, 'count', run.system),
    };
  });
  const several = run.phases.length > 1 ? `, ${phase}` : '';
  const measure = (contender: Contender): MeasuredPhase => {
    const { kind, machine, dense, twin } = contender;
    const masked = Boolean(kind.masksGradInput && work.inputMask);
    const result = stepped ? machine.step(work, options.probe) : null;
    const counters = result?.counters ?? machine.count(work);
    const bits = essentialBits(kind.units(phase));
    const own = systemOf(kind, machine, work, counters, run.level, run.system);
    const against = denominator(dense);
    // The twin keeps to where training is: its rows need both operands.
    const twins = twin && run.training && work.activations ? denominator(twin) : null;
    const violations = [
      ...conservationViolations(kind, machine, work, counters, bits),
      ...own.memory.violations,
    ];
    let float32Error: number | null = null;
    if (result) {
      const checked = checkValues(machine, work, result.output, expected(masked));
      violations.unshift(...checked.violations);
      float32Error = checked.float32Error;
      if (contender === run.contenders[0]) options.observer?.output?.(layer, phase, result.output);
    }
    return {
      violations,
      counters,
      portCycles: run.training ? (machine.portCycles?.(work, counters.cycles) ?? null) : null,
      dense: against.counters,
      twin: twins && twins.counters,
      system: { own, dense: against.system, twin: twins && twins.system },
      essentialBits: bits,
      verified: violations.length > 0 ? false : result ? true : null,
      outputsChecked: result ? result.output.length : 0,
      float32Error,
    };
  };
  // Pruning does not reach the forward phase. An observer has to see every output.
  const known = phase === 'forward' && !options.observer ? run.known : null;
  for (const contender of contenders) {
    const { kind, machine } = contender;
    options.progress?.(run.done++, run.total, `${layer.name} on ${kind.name}${several}`);
    const key = `${layer.step} ${layer.name} ${work.precision} ${run.level} ${keyOf(machine)}`;
    const measured = known?.get(key) ?? measure(contender);
    known?.set(key, measured);
    report.violations.push(...measured.violations);
    record(contender, facts, measured, run.system.memory);
  }
}

function record(contender: Contender, facts: LayerFacts, measured: Measured, memory: MemoryConfig): void {
  const { machine, layers, phaseTotals, totals } = contender;
  const phase = facts.phase as Phase;
  const laneSlots = machine.laneSlots(phase);
  layers.push(layerRow(facts, machine, laneSlots, measured, memory));
  if (!phaseTotals.has(phase)) phaseTotals.set(phase, new Totals(machine, memory));
  phaseTotals.get(phase)!.add(facts, laneSlots, measured);
  totals.add(facts, laneSlots, measured);
}

/** Remembers results for as long as a layer and phase is in hand. */
function once<K, V>(make: (key: K) => V): (key: K) => V {
  const known = new Map<K, V>();
  return (key) => {
    if (!known.has(key)) known.set(key, make(key));
    return known.get(key)!;
  };
}

const keyOf = (machine: Machine): string => `${machine.name} ${JSON.stringify(machine.config)}`;

/** Denominators of many machines are few: those of one configuration are counted once. */
function onceByConfig<T>(count: (machine: Machine) => T): (machine: Machine) => T {
  const known = new Map<string, T>();
  return (machine) => {
    const key = keyOf(machine);
    let found = known.get(key);
    if (!found) known.set(key, (found = count(machine)));
    return found;
  };
}

function finish({ contenders, options, report, total, quantization, system }: Run): Report {
  options.progress?.(total, total, 'done');
  for (const { kind, machine, phases, layers, phaseTotals, totals } of contenders)
    report.machines.push({
      name: kind.name,
      config: machine.config,
      laneSlots: machine.laneSlots(phases[0]),
      area: machineArea(kind, machine.config, quantization.precision),
      areaByUnit: areaByUnit(kind, machine.config, quantization.precision),
      energyFigures: figuresInUse(kind, machine, phases, quantization.precision, system),
      phases,
      layers,
      phaseTotals: phases.flatMap((phase) => phaseTotals.get(phase)?.report(phase) ?? []),
      total: totals.report('all'),
    });
  for (const { name, total: whole } of report.machines)
    if (whole.float32Error !== null)
      report.notes.push(
        `${name} sums in float32: largest relative error ${whole.float32Error.toExponential(1)} against float64`,
      );
  for (const { name, phase, step, outside, elements } of report.recorded)
    if (outside > 0)
      report.notes.push(
        `layer ${name}, ${phase}, step ${step}: ${outside} of ${elements} values differ from the recorded ones by more ` +
          'than quantisation can explain; check what the trace recorded there',
      );
  report.verified = allVerified(report.machines.map((m) => m.total.verified));
  return report;
}
