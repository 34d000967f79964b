/**
 * DaDianNao-like dense MAC array (MICRO 2014; SPEC section 4): the denominator. Each cycle a tile multiplies L
 * activations by N x L weights.
 */
import type { LaneArray } from '../lower/lowering.js';
import type { Probe } from '../sim/probe.js';
import { requireOperands } from './activations.js';
import { countDense } from './denseCount.js';
import { stepDense } from './denseStep.js';
import {
  ARRAY_PARAMETERS,
  LOWERING_PARAMETER,
  PHASES,
  type Counters,
  type LayerWork,
  type Machine,
  type MachineArray,
  type MachineConfig,
  type MachineKind,
  type StepResult,
} from './machine.js';

export const dadiannao: MachineKind = {
  name: 'dadiannao',
  summary: 'dense MAC array, every term costs a lane one cycle; the denominator of all speedups',
  source: 'DaDianNao, MICRO 2014 (array of 16 tiles x 16 filters x 16 lanes)',
  parameters: [...ARRAY_PARAMETERS, LOWERING_PARAMETER],
  phases: PHASES,
  needsActivations: false,
  units: () => 'mac',
  configure: (config) => new DaDianNao(config),
};

class DaDianNao implements Machine {
  readonly name = 'dadiannao';
  readonly lanesPerDenseLane = 1;
  private readonly array: LaneArray;

  constructor(readonly config: MachineConfig) {
    this.array = config as unknown as LaneArray;
  }

  arrayOf(): MachineArray {
    return { lanes: this.array, rows: null };
  }

  laneSlots(): number {
    return this.array.tiles * this.array.units * this.array.lanes;
  }

  count(work: LayerWork): Counters {
    return countDense(this.array, work);
  }

  step(work: LayerWork, probe?: Probe | null): StepResult {
    return stepDense(this.array, work, requireOperands(this.name, work), probe);
  }
}
