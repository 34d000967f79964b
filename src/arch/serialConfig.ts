/** The parameters of a bit-serial array as its timing code reads them. */
import type { TileBy } from '../lower/blocks.js';
import type { Lowering } from '../lower/terms.js';

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

/** Fill and drain: the dense machine's three stages, since only the multipliers differ. */
export const SERIAL_PIPELINE_CYCLES = 3;
