/** A figure of energy: what one operation of one unit costs at one node, with everything that says where it is from. */

/**
 * Where energy goes. pe: MAC lanes, row PEs, and what of SAC PEs has no name below. peBuffers: throttle buffers and
 * activation windows.
 */
export const ENERGY_PARTS = [
  'pe',
  'splitter',
  'segmentAdder',
  'rearTree',
  'kneader',
  'ppu',
  'peBuffers',
  'localBuffer',
  'globalBuffer',
  'dram',
] as const;
export type EnergyPart = (typeof ENERGY_PARTS)[number];

export interface EnergyFigure {
  part: EnergyPart;
  unit: string;
  /** What is done once for this pJ. */
  operation: string;
  pJ: number;
  /** Of it, what clock pins of registers take; 0 where that is not known apart. */
  clockPJ: number;
  /** Of the evaluation: `45 nm`. */
  node: string;
  /** Where it was measured or published. */
  measuredAt: string;
  source: string;
  /** `measured`, `published`, or what was done to it: `scaled from 180 nm by 0.08044, ...`. */
  how: string;
}

/** What was done to a figure, in words. */
export const inWords = (...steps: string[]): string => steps.filter((step) => step !== '').join('; ');
