/**
 * Tetris (ICCAD 2018, arXiv:1811.06841; SPEC sections 2, 3 and 7): kneaded weights, split-and-accumulate PEs. In
 * training, forward and gradInput knead the weights off-line; gradWeight, which has no weights to knead, runs dense
 * on the same lanes.
 */
import { UserError } from '../errors.js';
import { lowerPhase } from '../lower/phases.js';
import type { Precision } from '../quantize.js';
import type { Probe } from '../sim/probe.js';
import { requireOperands } from './activations.js';
import { countDense } from './denseCount.js';
import { stepDense } from './denseStep.js';
import {
  PHASES,
  type Counters,
  type LayerWork,
  type Level,
  type Machine,
  type MachineArray,
  type MachineConfig,
  type MachineKind,
  type StepResult,
} from './machine.js';
import { OfflineKneading } from './offlineKneading.js';
import { SAC_PARAMETERS, type SacConfig } from './sacConfig.js';
import { countSac } from './sacCount.js';
import { stepTetris } from './tetrisStep.js';

export const tetris: MachineKind = {
  name: 'tetris',
  summary: 'kneaded weights in split-and-accumulate units; only essential weight bits cost cycles',
  source: 'Tetris, ICCAD 2018, arXiv:1811.06841',
  parameters: [
    ...SAC_PARAMETERS,
    {
      name: 'emptyGroupCycles',
      default: 1,
      min: 0,
      max: 1,
      doc: 'cycles of an all-zero group; 0 is a bound, at level count only',
    },
    {
      name: 'int8Streams',
      default: 1,
      min: 1,
      max: 2,
      doc: 'int8 filters that one unit serves (2: both halves of a 16-bit splitter)',
    },
  ],
  phases: PHASES,
  needsActivations: false,
  units: (phase) => (phase === 'gradWeight' ? 'mac' : 'sac'),
  configure: (config) => new Tetris(config),
};

class Tetris implements Machine {
  readonly name = 'tetris';
  readonly lanesPerDenseLane = 1;
  private readonly array: Omit<SacConfig, 'magnitudeBits'>;

  constructor(readonly config: MachineConfig) {
    const streams = config.int8Streams as number;
    this.array = { ...(config as unknown as SacConfig), units: (config.units as number) * streams };
  }

  arrayOf(): MachineArray {
    return { lanes: this.array, rows: null };
  }

  laneSlots(): number {
    return this.array.tiles * this.array.units * this.array.lanes;
  }

  check(level: Level, precision: Precision): void {
    if (this.config.int8Streams !== 1 && precision !== 'int8')
      throw new UserError(
        'bad-parameter',
        `tetris.int8Streams is ${this.config.int8Streams} at --precision ${precision}; ` +
          'use --precision int8, or int8Streams=1',
      );
    if (level === 'step' && this.array.emptyGroupCycles === 0)
      throw new UserError(
        'bad-parameter',
        'tetris.emptyGroupCycles is 0, which no clocked PE can do (no word would carry the pass mark); ' +
          'use --level count for the bound, or emptyGroupCycles=1',
      );
  }

  count(work: LayerWork): Counters {
    this.check('count', work.precision);
    if (work.phase === 'gradWeight') return countDense(this.array, work);
    const config = { ...this.array, magnitudeBits: work.weights.magnitudeBits };
    const lowering = lowerPhase(work.phase, work.shape, config);
    return countSac(config, lowering, new OfflineKneading(config, lowering, work.weights.codes));
  }

  step(work: LayerWork, probe?: Probe | null): StepResult {
    this.check('step', work.precision);
    const operands = requireOperands(this.name, work);
    if (work.phase === 'gradWeight') return stepDense(this.array, work, operands, probe);
    const config = { ...this.array, magnitudeBits: work.weights.magnitudeBits };
    return stepTetris(config, work, operands, probe);
  }
}
