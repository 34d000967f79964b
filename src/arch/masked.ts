/**
 * Masked kneading (ours; SPEC sections 2 and 7): SAC PEs behind on-line kneaders, which knead under the mask of the
 * window's non-zero values and so join bit sparsity and value sparsity. Forward and gradInput knead weights under
 * activations and pruned gradients; gradWeight kneads activations under gradients.
 */
import type { LaneArray } from '../lower/lowering.js';
import { lowerPhase } from '../lower/phases.js';
import type { Probe } from '../sim/probe.js';
import { requireOperands, type PhaseOperands } from './activations.js';
import {
  PHASES,
  type Counters,
  type LayerWork,
  type Machine,
  type MachineArray,
  type MachineConfig,
  type MachineKind,
  type StepResult,
} from './machine.js';
import { MaskedKneading } from './maskedKneading.js';
import { stepMasked } from './maskedStep.js';
import { SAC_PARAMETERS, type SacConfig } from './sacConfig.js';
import { countSac } from './sacCount.js';

export const masked: MachineKind = {
  name: 'masked',
  summary: 'on-line kneading under the mask of non-zero activations or gradients, in all phases of training',
  source: 'composition of Tetris (arXiv:1811.06841) and SparseTrain (arXiv:2007.13595), ours',
  parameters: SAC_PARAMETERS,
  phases: PHASES,
  needsActivations: true,
  units: () => 'maskedSac',
  configure: (config) => new Masked(config),
};

class Masked implements Machine {
  readonly name = 'masked';
  readonly lanesPerDenseLane = 1;

  constructor(readonly config: MachineConfig) {}

  arrayOf(): MachineArray {
    return { lanes: this.config as unknown as LaneArray, rows: null };
  }

  laneSlots(): number {
    const { tiles, units, lanes } = this.config as unknown as SacConfig;
    return tiles * units * lanes;
  }

  count(work: LayerWork): Counters {
    const operands = requireOperands(this.name, work);
    const config = this.sac(operands);
    const lowering = lowerPhase(work.phase, work.shape, config);
    return countSac(config, lowering, new MaskedKneading(config, lowering, operands));
  }

  step(work: LayerWork, probe?: Probe | null): StepResult {
    const operands = requireOperands(this.name, work);
    return stepMasked(this.sac(operands), work, operands, probe);
  }

  /** The array, for the operand that is kneaded in this phase. */
  private sac({ streamBits }: PhaseOperands): SacConfig {
    return {
      ...(this.config as unknown as SacConfig),
      emptyGroupCycles: 1,
      magnitudeBits: streamBits,
    };
  }
}
