/**
 * Timing of a network on machines from their counters alone, without the memory and energy that a report has around
 * them: most claims need no more. Ratios are formed here anew; --check-commands compares them with those of the report.
 */
import { addCounters, PHASES, zeroCounters, type Counters, type Phase } from '../../src/arch/machine.js';
import { chooseMachines, type ChosenMachine } from '../../src/arch/choose.js';
import { bitStatistics } from '../../src/quantize.js';
import type { PruningReport } from '../../src/report/report.js';
import { loadLayer, workOf, type LoadedLayer } from '../../src/simulate/load.js';
import { GradientPruner } from '../../src/simulate/prune.js';
import { phasesOfLayer, selectLayers } from '../../src/simulate/select.js';
import { macCount } from '../../src/tensor.js';
import type { Trace } from '../../src/trace/trace.js';
import { budgetOf, type Setup } from './setup.js';

/** Sums over layers, and phases if not said otherwise. */
export interface Counted {
  name: string;
  counters: Counters;
  dense: Counters;
  /** Of the dense twin, for sparsetrain alone. */
  twin: Counters;
  /** Lane-cycles that were busy in gradWeight. */
  busyInGradWeight: number;
  /** Lanes that stand for one dense lane. */
  share: number;
  macs: number;
  bits: number;
  zeroBits: number;
}

export interface Counts {
  machines: Counted[];
  pruning: PruningReport[];
}

/** Numbers that claims use, by the name that they have in a total of the report. */
export const FIELDS = {
  cycles: ({ counters }: Counted) => counters.cycles,
  macs: ({ macs }: Counted) => macs,
  kneadedRatio: ({ counters }: Counted) => counters.kneadedRows / counters.kneadedWeights,
  speedupVsDense: ({ counters, dense }: Counted) => dense.cycles / counters.cycles,
  speedupVsTwin: ({ counters, twin }: Counted) => twin.cycles / counters.cycles,
  singleStreamBound: ({ counters, dense, share }: Counted) =>
    (dense.busy * share) / counters.singleStreamLaneCycles,
  zeroBitFraction: ({ bits, zeroBits }: Counted) => zeroBits / bits,
} as const;
export type Field = keyof typeof FIELDS;

const fresh = ({ machine }: ChosenMachine): Counted => ({
  name: machine.name,
  ...{ counters: zeroCounters(), dense: zeroCounters(), twin: zeroCounters() },
  ...{ busyInGradWeight: 0, share: machine.lanesPerDenseLane, macs: 0, bits: 0, zeroBits: 0 },
});

/** @param see is shown each layer's operands */
export function countNetwork(
  trace: Trace,
  setup: Setup,
  see: (layer: LoadedLayer) => void = () => {},
): Counts {
  const { command, machine, settings = [], precision, prune = 0, seed = 1 } = setup;
  const training = command === 'train';
  const { machines } = chooseMachines(machine.split(','), settings, budgetOf(setup), precision);
  const pruner = training ? new GradientPruner({ target: prune, threshold: 'exact', fifo: 1, seed }) : null;
  const sums = machines.map(fresh);
  const reports: PruningReport[] = [];
  for (const traced of selectLayers(trace, setup.layer)) {
    const scale = setup.scale ? { scale: setup.scale } : {};
    const layer = loadLayer(trace.file, traced, 0, { precision, ...scale, training, pruner });
    see(layer);
    if (layer.pruning) reports.push(layer.pruning);
    const { bits, zeroBits } = bitStatistics(layer.weight.codes);
    const phases = phasesOfLayer(training ? PHASES : ['forward'], trace, traced, {
      firstGradInput: setup.firstGradInput ?? false,
    });
    for (const phase of phases)
      machines.forEach((chosen, m) => {
        addPhase(sums[m], chosen, layer, phase, setup);
        sums[m].bits += bits;
        sums[m].zeroBits += zeroBits;
      });
  }
  return { machines: sums, pruning: reports };
}

function addPhase(
  sum: Counted,
  { kind, machine, dense, twin }: ChosenMachine,
  layer: LoadedLayer,
  phase: Phase,
  { command, machine: asked, precision }: Setup,
): void {
  if (!kind.phases.includes(phase)) return;
  const work = workOf(layer, phase, { precision });
  const counters = machine.count(work);
  addCounters(sum.counters, counters);
  addCounters(sum.dense, dense.count(work));
  // Dear, and of interest to one machine.
  if (twin && command === 'train' && asked === 'sparsetrain') addCounters(sum.twin, twin.count(work));
  if (phase === 'gradWeight') sum.busyInGradWeight += counters.busy;
  sum.macs += macCount(layer.shape);
}
