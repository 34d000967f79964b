/** `kneadsim train`: recorded training steps through machines; without machines named, the ablation. */
import { resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { PHASES, type Phase } from '../arch/machine.js';
import { machineKind } from '../arch/registry.js';
import { UserError } from '../errors.js';
import { atomicWrite } from '../files.js';
import { ablationText } from '../report/ablationTable.js';
import { csvOf, csvText } from '../report/csv.js';
import { THRESHOLDS, type Threshold } from '../report/report.js';
import { shapeSearchText } from '../report/shapeTable.js';
import { trainText } from '../report/trainTable.js';
import { simulate, type RunOptions } from '../simulate.js';
import { separateSettings } from '../simulate/memorySettings.js';
import { orderedPhases } from '../simulate/options.js';
import { phasesOfLayer, selectLayers } from '../simulate/select.js';
import { macCount } from '../tensor.js';
import { ablation, ablationMachines } from '../train/ablation.js';
import { shapeSearch } from '../train/shapeSearch.js';
import { openTrace } from '../trace/open.js';
import { openSteps, type TraceSteps } from '../trace/openSteps.js';
import type { Io } from './io.js';
import { LayerOutputs, type PlannedLayer } from './layerOutputs.js';
import { addSimulationOptions, names, type SimulationFlags } from './options.js';
import { deliverAs, rehearseWrite } from './output.js';
import { LateBar } from './progress.js';
import { bundledTrace, LONG_STEP } from './simulation.js';

interface TrainFlags extends SimulationFlags {
  phase?: string[];
  prune: number;
  threshold?: Threshold;
  firstGradInput?: true;
  outputs?: string;
  shapeSearch?: true;
}

export function trainCommand(io: Io): Command {
  return addSimulationOptions(new Command('train'), {
    trace: 'recorded training step, or a folder of steps in the order of their names (default: a ResNet-8)',
    machines: 'the ablation',
    precision: 'int16; both for the ablation',
    budget: 'lanes',
    seed: 'seed of the draws of stochastic pruning (default: 1)',
  })
    .description(
      'replay recorded training: forward, gradInput and gradWeight, with pruned gradients, through machines',
    )
    .option('--phase <phases>', `of ${PHASES.join(', ')}, separated by commas (default: all)`, names)
    .option('--prune <p>', 'target p of stochastic gradient pruning; 0 prunes nothing', target, 0.9)
    .addOption(
      new Option(
        '--threshold <kind>',
        'of pruning: exact, or predicted from earlier steps (default: exact for one step, predicted for several)',
      ).choices(THRESHOLDS),
    )
    .option('--first-grad-input', 'let the first layer of the network have a gradInput too')
    .option(
      '--outputs <file>',
      'write outputs of the first machine, and all codes, as safetensors (level step, one precision)',
    )
    .option('--shape-search', 'try array shapes of equal lane budget, and show what keeps most of the bound')
    .addHelpText(
      'after',
      `
With --shape-search, array parameters given to all machines make the budget: --set tiles=4 is 1,024 multipliers.
Without --machine: the ablation of all machines, p 0 and p, int8 and int16, over dense MAC and the dense twin.
With --machine: a row per layer and phase. A folder is one run: predicted thresholds carry over from step to step.

Try:
  kneadsim train
  kneadsim train traces/tcn-seqfmnist-late-s00600.safetensors --machine tetris --machine masked --prune 0.9
  kneadsim train traces/lenet5-fmnist-late-s01500.safetensors --precision int8 --phase gradInput,gradWeight
  kneadsim train --machine masked --prune 0 --outputs outputs.safetensors --json --out masked.json
  kneadsim train --shape-search --precision int8`,
    )
    .action((file: string | undefined, flags: TrainFlags) => runTrain(file, flags, io));
}

/** A parser of pruning targets. */
export function target(text: string): number {
  const p = text.trim() === '' ? NaN : Number(text);
  if (!(p >= 0 && p < 1))
    throw new InvalidArgumentError('expected a target of at least 0 (no pruning) and below 1, such as 0.9.');
  return p;
}

function runTrain(file: string | undefined, flags: TrainFlags, io: Io): void {
  if (flags.out && flags.outputs && resolve(flags.out) === resolve(flags.outputs))
    throw new UserError(
      'same-file',
      `${flags.out}: found in --out and in --outputs, expected a file for each; rename one`,
    );
  rehearseWrite(flags.out);
  rehearseWrite(flags.outputs);
  const { machine, set = [], memory: preset, phase, firstGradInput = false, ...others } = flags;
  const { settings, memory } = separateSettings(set, preset);
  const phases = orderedPhases(phase === undefined ? PHASES : (phase as Phase[]));
  const source = openSteps(file ?? bundledTrace());
  const bar = new LateBar(io, isLong(source, flags, phases.length));
  const options: RunOptions & { settings: string[] } = {
    ...others,
    phases,
    firstGradInput,
    settings,
    memory,
    training: true,
    progress: (done, total, label) => bar.update(done, total, label),
  };
  if (flags.outputs !== undefined && (flags.shapeSearch || flags.level === 'count'))
    throw new UserError(
      'no-outputs',
      '--outputs: only level step computes outputs; leave out --level and --shape-search',
    );
  try {
    if (flags.shapeSearch) {
      const result = shapeSearch(source, { ...options, ...(machine ? { machines: machine } : {}) });
      bar.stop();
      deliverAs(result, flags, { text: shapeSearchText, csv: (r) => csvOf(r.shapes) }, io);
    } else if (machine || flags.outputs !== undefined) {
      const machines = machine ?? ablationMachines();
      const report = withOutputs(flags.outputs, source, machines[0], options, (observer) =>
        simulate(source, { ...options, machines, ...observer }),
      );
      bar.stop();
      deliverAs(report, flags, { text: trainText, csv: csvText }, io);
    } else {
      const report = ablation(source, options);
      bar.stop();
      deliverAs(report, flags, { text: ablationText, csv: (r) => csvOf(r.ablation) }, io);
    }
  } finally {
    bar.stop();
  }
}

/** Runs with the outputs written beside, where that was asked for; the file appears when all of it is there. */
function withOutputs<T>(
  path: string | undefined,
  source: TraceSteps,
  machine: string,
  options: RunOptions,
  run: (observer: Pick<RunOptions, 'observer'>) => T,
): T {
  if (path === undefined) return run({});
  const { plan, metadata } = planOutputs(source, machine, options);
  let result: T;
  atomicWrite(path, (fd) => {
    result = run({ observer: new LayerOutputs(fd, plan, metadata, source.files.length > 1) });
  });
  return result!;
}

function planOutputs(
  source: TraceSteps,
  machine: string,
  options: RunOptions,
): { plan: PlannedLayer[]; metadata: Record<string, string> } {
  const trace = openTrace(source.files[0]);
  try {
    const own = machineKind(machine).phases.filter((phase) => options.phases!.includes(phase));
    const layers = selectLayers(trace, options.layer);
    const plan = source.files.flatMap((_, step) =>
      layers.map((layer) => ({
        name: layer.name,
        step,
        shape: layer.shape,
        phases: phasesOfLayer(own, trace, layer, options),
        weightScales: options.per === 'channel' && isReal(layer.tensors.weight) ? layer.shape.filters : 1,
        hasGradients: options.phases!.some((phase) => phase !== 'forward'),
      })),
    );
    return { plan, metadata: { tool: 'kneadsim', machine, network: trace.network } };
  } finally {
    trace.close();
  }
}

const isReal = (info?: { dtype: string; affine?: unknown }): boolean =>
  info !== undefined && (info.affine !== undefined || !/^u?int/.test(info.dtype));

/** Whether stepping surely takes over a second. */
function isLong(source: TraceSteps, { level, machine, precision }: TrainFlags, phases: number): boolean {
  if (level === 'count') return false;
  const trace = openTrace(source.files[0]);
  const macs = trace.layers.reduce((sum, { shape }) => sum + macCount(shape), 0);
  trace.close();
  const runs = machine ? machine.length : ablationMachines().length * 2 * (precision ? 1 : 2);
  return macs * phases * runs * source.files.length > LONG_STEP;
}
