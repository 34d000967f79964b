/**
 * Tetris (ICCAD 2018, arXiv:1811.06841; SPEC sections 2 and 3): kneaded weights, split-and-accumulate PEs.
 */
import { UserError } from '../errors.js';
import type { TileBy } from '../lower/blocks.js';
import type { Lowering } from '../lower/forward.js';
import type { Precision } from '../quantize.js';
import { requireActivations } from './activations.js';
import {
  ARRAY_PARAMETERS,
  LOWERING_PARAMETER,
  type LayerWork,
  type Level,
  type Machine,
  type MachineConfig,
  type MachineKind,
} from './machine.js';
import { countTetris } from './tetrisCount.js';
import { stepTetris } from './tetrisStep.js';

/** The parameters as the timing code reads them. */
export interface TetrisConfig {
  tiles: number;
  /** Filters per tile: physical units times int8 streams. */
  units: number;
  lanes: number;
  tileBy: TileBy;
  lowering: Lowering;
  kneadingStride: number;
  windowSlots: number;
  throttleWords: number;
  sync: 'barrier' | 'skew';
  windowLoadCycles: number;
  emptyGroupCycles: number;
}

export const tetris: MachineKind = {
  name: 'tetris',
  summary: 'kneaded weights in split-and-accumulate units; only essential weight bits cost cycles',
  source: 'Tetris, ICCAD 2018, arXiv:1811.06841',
  parameters: [
    ...ARRAY_PARAMETERS,
    LOWERING_PARAMETER,
    { name: 'kneadingStride', default: 16, min: 1, max: 256, doc: 'weights per kneaded group (KS)' },
    { name: 'windowSlots', default: 2, min: 1, max: 64, doc: 'activation windows buffered per lane (D)' },
    {
      name: 'throttleWords',
      default: 4,
      min: 0,
      max: 64,
      doc: 'kneaded words buffered per unit and lane (TD)',
    },
    {
      name: 'sync',
      default: 'skew',
      values: ['skew', 'barrier'],
      doc: 'whether units of a tile may run ahead within the buffered windows, or wait for each other',
    },
    {
      name: 'windowLoadCycles',
      default: 1,
      min: 1,
      max: 64,
      doc: 'cycles that a lane port takes per window',
    },
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
  phases: ['forward'],
  needsActivations: false,
  units: () => 'sac',
  configure: (config) => new Tetris(config),
};

class Tetris implements Machine {
  readonly name = 'tetris';
  readonly lanesPerDenseLane = 1;
  private readonly timing: TetrisConfig;

  constructor(readonly config: MachineConfig) {
    const streams = config.int8Streams as number;
    this.timing = { ...(config as unknown as TetrisConfig), units: (config.units as number) * streams };
  }

  laneSlots(): number {
    return this.timing.tiles * this.timing.units * this.timing.lanes;
  }

  check(level: Level, precision: Precision): void {
    if (this.config.int8Streams !== 1 && precision !== 'int8')
      throw new UserError(
        'bad-parameter',
        `tetris.int8Streams is ${this.config.int8Streams} at --precision ${precision}; ` +
          'use --precision int8, or int8Streams=1',
      );
    if (level === 'step' && this.timing.emptyGroupCycles === 0)
      throw new UserError(
        'bad-parameter',
        'tetris.emptyGroupCycles is 0, which no clocked PE can do (no word would carry the pass mark); ' +
          'use --level count for the bound, or emptyGroupCycles=1',
      );
  }

  count(work: LayerWork) {
    this.check('count', work.precision);
    return countTetris(this.timing, work);
  }

  step(work: LayerWork) {
    this.check('step', work.precision);
    return stepTetris(this.timing, work, requireActivations(this.name, work));
  }
}
