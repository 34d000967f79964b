/**
 * Hybrid of Tetris and SparseTrain (SPEC section 7), ours: forward on split-and-accumulate PEs with kneaded weights,
 * gradInput and gradWeight on row PEs with pruned gradients. Phases run in turn, each on the array that it suits. Both
 * arrays are the machines of that name, with their parameters.
 */
import {
  PHASES,
  type Counters,
  type LayerWork,
  type Level,
  type Machine,
  type MachineArray,
  type MachineConfig,
  type MachineKind,
  type ParameterValue,
  type Phase,
  type PortCycles,
  type StepResult,
} from './machine.js';
import type { Precision } from '../quantize.js';
import type { Probe } from '../sim/probe.js';
import { sparsetrain } from './sparsetrain.js';
import { tetris } from './tetris.js';

export const hybrid: MachineKind = {
  name: 'hybrid',
  summary: 'forward on kneaded weights as tetris, backward on pruned gradients as sparsetrain, in turn',
  source: 'ours, of Tetris (arXiv:1811.06841) and SparseTrain (arXiv:2007.13595)',
  parameters: [
    ...tetris.parameters,
    // Sums of codes are exact in both arrays.
    ...sparsetrain.parameters.filter(({ name }) => name !== 'arithmetic'),
    {
      name: 'split',
      default: 0,
      min: 0,
      max: 99,
      doc: 'percent of the tiles that the SAC array keeps, row PEs keep the rest of their groups; 0: both have all',
    },
  ],
  phases: PHASES,
  masksGradInput: true,
  // Forward is timed on weights alone; gradWeight asks for its inputs itself.
  needsActivations: false,
  units: (phase) => (phase === 'forward' ? 'sac' : 'row'),
  configure: (config) => new Hybrid(config),
};

/** At least one of what is shared out. */
const share = (whole: ParameterValue, percent: number): number =>
  Math.max(1, Math.floor(((whole as number) * percent) / 100));

/** What a kind has of a configuration that has more. */
const partOf = (kind: MachineKind, config: MachineConfig): MachineConfig =>
  Object.fromEntries(kind.parameters.map((p) => [p.name, config[p.name] ?? p.default]));

class Hybrid implements Machine {
  readonly name = 'hybrid';
  readonly lanesPerDenseLane = 1;
  private readonly sac: Machine;
  private readonly rows: Machine;

  constructor(readonly config: MachineConfig) {
    const split = config.split as number;
    const shares =
      split === 0 ? {} : { tiles: share(config.tiles, split), groups: share(config.groups, 100 - split) };
    const shared = { ...config, ...shares };
    this.sac = tetris.configure(partOf(tetris, shared));
    this.rows = sparsetrain.configure(partOf(sparsetrain, shared));
  }

  private machineOf(phase: Phase): Machine {
    return phase === 'forward' ? this.sac : this.rows;
  }

  arrayOf(phase: Phase): MachineArray {
    return this.machineOf(phase).arrayOf(phase);
  }

  laneSlots(phase: Phase): number {
    return this.machineOf(phase).laneSlots(phase);
  }

  check(level: Level, precision: Precision): void {
    this.sac.check?.(level, precision);
    this.rows.check?.(level, precision);
  }

  portCycles(work: LayerWork, cycles: number): PortCycles | null {
    return this.machineOf(work.phase).portCycles?.(work, cycles) ?? null;
  }

  count(work: LayerWork): Counters {
    return this.machineOf(work.phase).count(work);
  }

  step(work: LayerWork, probe?: Probe | null): StepResult {
    return this.machineOf(work.phase).step(work, probe);
  }
}
