/**
 * What the bit-serial peers share (SPEC section 4): their parameters and the machine around their timing code.
 */
import type { Probe } from '../sim/probe.js';
import { requireActivations } from './activations.js';
import {
  ARRAY_PARAMETERS,
  LOWERING_PARAMETER,
  type LayerWork,
  type Machine,
  type MachineArray,
  type MachineConfig,
  type Parameter,
} from './machine.js';
import type { SerialConfig } from './serialConfig.js';
import { countSerial } from './serialCount.js';
import { stepSerial } from './serialStep.js';

export const SERIAL_PARAMETERS: readonly Parameter[] = [
  ...ARRAY_PARAMETERS,
  LOWERING_PARAMETER,
  {
    name: 'columns',
    default: 16,
    min: 1,
    max: 256,
    doc: 'windows (output positions) of a pallet, side by side',
  },
];

export class SerialMachine implements Machine {
  readonly lanesPerDenseLane: number;

  constructor(
    readonly name: string,
    readonly config: MachineConfig,
    private readonly timing: SerialConfig,
  ) {
    this.lanesPerDenseLane = timing.columns;
  }

  arrayOf(): MachineArray {
    return { lanes: this.timing, rows: null };
  }

  laneSlots(): number {
    const { tiles, units, columns, lanes } = this.timing;
    return tiles * units * columns * lanes;
  }

  count(work: LayerWork) {
    return countSerial(this.timing, work, requireActivations(this.name, work));
  }

  step(work: LayerWork, probe?: Probe | null) {
    return stepSerial(this.timing, work, requireActivations(this.name, work), probe);
  }
}
