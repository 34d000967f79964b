/** Area and energy of hardware units (SPEC section 9): what `coefficients.ts`, which is generated, holds. */
import type { Precision } from '../quantize.js';

export interface Coefficient {
  unit: 'macUnit' | 'macPe' | 'sacUnit' | 'sacPe' | 'rowPe' | 'kneader' | 'ppu';
  precision: Precision;
  units: number;
  /** Lanes of a unit; taps of a row PE. */
  lanes: number;
  um2: number;
  /** By module of the first level, all instances together; 'top' is what is left. */
  um2Parts?: Readonly<Record<string, number>>;
  /** Slowest path; nothing where it was not found. */
  ns?: number;
  /**
   * All that switches in a run, per operation, by the run's name: cycle, word, src, msrc, osrc, value; of SAC PEs also
   * shortOutput (a word, every group being an output) and rawWord, of PPUs longValue (with twice the additions).
   */
  pJ: Readonly<Record<string, number>>;
  /** Likewise, by module of the first level. */
  pJParts?: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /**
   * By cause, then by module of the first two levels ('top' and 'sac_unit' are what is left of these): `clock` is what
   * clock pins take in a cycle, the others are all else for each word, output, rawWord, value, add, or for each cycle at
   * work of a MAC unit (cycle) or row PE (src, msrc, osrc).
   */
  pJSplit?: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

export interface CoefficientSet {
  node: string;
  source: string;
  /** What throttle buffers and windows add to a SAC unit of 16 lanes, over the unit. */
  sacBufferShare: Readonly<Record<Precision, number>>;
  units: readonly Coefficient[];
}
