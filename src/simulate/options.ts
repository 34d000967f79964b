/** What a run may be told, with its defaults, and the checks that need no trace. */
import type { ChosenMachine } from '../arch/choose.js';
import type { Budget } from '../arch/budget.js';
import { PHASES, type Level, type Phase } from '../arch/machine.js';
import type { EnergyNode } from '../energy/node.js';
import { UserError } from '../errors.js';
import type { Memory } from '../memory/config.js';
import type { MinCodeRule, Precision, ScaleGrain, ScaleRule } from '../quantize.js';
import type { Threshold } from '../report/report.js';
import type { Probe } from '../sim/probe.js';
import { THRESHOLD_FIFO_SIZE } from '../sparse/threshold.js';
import type { LoadedLayer } from './load.js';
import type { PruneSettings } from './prune.js';

/** What a run does with any machine. */
export interface RunOptions {
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
  /** Default: forward. */
  phases?: readonly Phase[];
  /** Whether all operands are signed codes, as in training. Default: whether a backward phase is chosen. */
  training?: boolean;
  /** Target p of gradient pruning. Default: 0. */
  prune?: number;
  /** Default: exact for one step, predicted for several. */
  threshold?: Threshold;
  /** N_F: steps that a predicted threshold is the mean of. Default: 4. */
  thresholdFifo?: number;
  /** Whether the first layer of the network has a gradient by its input. Default: no. */
  firstGradInput?: boolean;
  /** Default: none. */
  budget?: Budget;
  /** Default: `DEFAULT_MEMORY`. */
  memory?: Memory;
  /** Node of the figures of energy. Default: 45 nm. */
  energyNode?: EnergyNode;
  /** Called before each (step, layer, phase, machine), and once at the end with done = total. */
  progress?: (done: number, total: number, label: string) => void;
  observer?: RunObserver;
  /** Looks at the registers of whatever is stepped. Meant for runs of one machine, layer and phase. */
  probe?: Probe;
}

export interface SimulateOptions extends RunOptions {
  /** Machine names, in the order of the report. */
  machines: readonly string[];
  /**
   * `[machine.]parameter=value`; without a machine it goes to every chosen one that has the parameter. `memory.` settings
   * change the default preset, unless `memory` is given.
   */
  settings?: readonly string[];
}

/** Sees what is otherwise forgotten layer by layer. */
export interface RunObserver {
  operands?(layer: LoadedLayer): void;
  /** Integer outputs of the first machine, at level step. */
  output?(layer: LoadedLayer, phase: Phase, output: Float64Array): void;
}

/** Chosen phases in the order of a training step. @throws UserError if there are none */
export function orderedPhases(chosen: readonly Phase[] = ['forward']): Phase[] {
  const phases = PHASES.filter((phase) => chosen.includes(phase));
  const unknown = chosen.find((phase) => !PHASES.includes(phase));
  if (phases.length === 0 || unknown !== undefined)
    throw new UserError(
      'bad-phase',
      `--phase: found ${unknown ?? 'nothing'}, expected ${PHASES.join(', ')}, or several of them separated by commas`,
    );
  return phases;
}

/** @throws UserError if p is no target that pruning can have */
export function checkTarget(p: number): number {
  if (p >= 0 && p < 1) return p;
  throw new UserError(
    'bad-prune',
    `--prune: found ${p}, expected a target of at least 0 (no pruning) and below 1, such as 0.9`,
  );
}

/**
 * How the gradients of a run are pruned. All machines get the same ones, so that a threshold set for one machine by
 * name holds for the run. @throws UserError where two of them want different ones
 */
export function pruneSettings(
  o: RunOptions,
  machines: readonly ChosenMachine[],
  steps: number,
): PruneSettings {
  const usual: Threshold = steps > 1 ? 'predicted' : 'exact';
  const fifo = agreed('thresholdFifo', machines, o.thresholdFifo) ?? THRESHOLD_FIFO_SIZE;
  if (!Number.isSafeInteger(fifo) || (fifo as number) < 1)
    throw new UserError(
      'bad-parameter',
      `thresholdFifo: found ${fifo}, expected a whole number of at least 1`,
    );
  return {
    target: checkTarget(o.prune ?? 0),
    threshold: (agreed('threshold', machines, o.threshold) ?? usual) as Threshold,
    fifo: fifo as number,
    seed: o.seed ?? 1,
  };
}

/** The one value that the run and its machines ask for, where they ask for any. */
function agreed(
  name: 'threshold' | 'thresholdFifo',
  machines: readonly ChosenMachine[],
  own: number | string | undefined,
): number | string | undefined {
  const asked = new Set<number | string>(own === undefined ? [] : [own]);
  for (const { kind, machine } of machines) {
    const value = machine.config[name];
    if (value !== undefined && value !== kind.parameters.find((p) => p.name === name)?.default)
      asked.add(value);
  }
  if (asked.size > 1)
    throw new UserError(
      'thresholds-differ',
      `${name}: found ${[...asked].join(' and ')}, expected one for the run, since all machines get the same ` +
        'gradients; set it once',
    );
  return [...asked][0];
}
