/**
 * What the bit-serial peers share (SPEC section 4): pallets of windows, the configuration that their timing code
 * reads, and the machine around it.
 */
import type { TileBy } from '../lower/blocks.js';
import type { Lowering } from '../lower/forward.js';
import { outputSize, type ConvShape } from '../tensor.js';
import { requireActivations } from './activations.js';
import {
  ARRAY_PARAMETERS,
  LOWERING_PARAMETER,
  type LayerWork,
  type Machine,
  type MachineConfig,
  type Parameter,
} from './machine.js';
import { countSerial } from './serialCount.js';
import { stepSerial } from './serialStep.js';

export interface SerialConfig {
  tiles: number;
  units: number;
  lanes: number;
  tileBy: TileBy;
  lowering: Lowering;
  /** Windows of a pallet, processed side by side. */
  columns: number;
  columnRegisters: number;
  /** null: every bit of the storage width is fed (Stripes). */
  firstStageBits: number | null;
}

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

/** Fill and drain: the dense machine's three stages, since only the multipliers differ. */
export const SERIAL_PIPELINE_CYCLES = 3;

/** Pallets of a layer: consecutive output positions of one example, across row ends; the last may be partial. */
export interface Pallets {
  count: number;
  /** First position of each pallet in the order of work, and its number of windows. */
  first: Int32Array;
  windows: Int32Array;
  example: Int32Array;
}

export function palletsOf(shape: ConvShape, columns: number): Pallets {
  const { outHeight, outWidth } = outputSize(shape);
  const plane = outHeight * outWidth;
  const perExample = Math.ceil(plane / columns);
  const count = perExample * shape.batch;
  const first = new Int32Array(count);
  const windows = new Int32Array(count);
  const example = new Int32Array(count);
  for (let k = 0; k < count; k++) {
    const within = (k % perExample) * columns;
    example[k] = Math.floor(k / perExample);
    first[k] = example[k] * plane + within;
    windows[k] = Math.min(columns, plane - within);
  }
  return { count, first, windows, example };
}

export class SerialMachine implements Machine {
  readonly laneSlots: number;
  readonly lanesPerDenseLane: number;

  constructor(
    readonly name: string,
    readonly config: MachineConfig,
    private readonly timing: SerialConfig,
  ) {
    this.laneSlots = timing.tiles * timing.units * timing.columns * timing.lanes;
    this.lanesPerDenseLane = timing.columns;
  }

  count(work: LayerWork) {
    return countSerial(this.timing, work, requireActivations(this.name, work));
  }

  step(work: LayerWork) {
    return stepSerial(this.timing, work, requireActivations(this.name, work));
  }
}
