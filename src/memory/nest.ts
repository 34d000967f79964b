/**
 * A layer and phase as the memory system sees it: two nested loops over data. Each outer tile has operands that stay
 * while its steps pass (`stationary`), each step sweeps over others, and outer tiles may sweep over the same again.
 *
 *   array   phase       outer tile                stationary   steps               swept
 *   lanes   forward     block of filters          weights      output rows         inputs
 *   lanes   gradInput   block of channels         weights      input rows          gradients
 *   lanes   gradWeight  block of weights          nothing      output rows         inputs and gradients
 *   rows    forward     example (and conv group)  inputs       filters             weights
 *   rows    gradInput   example (and conv group)  gradients    channels            weights, masks
 *   rows    gradWeight  filter                    gradients    channels            inputs
 */
import { noBits, type Bits } from './traffic.js';

export interface Nest {
  readonly outers: number;
  steps(outer: number): number;
  /** PE cycle in which a step begins; that after the last one is where the next outer tile begins. */
  startOf(outer: number, step: number): number;
  stationary(outer: number): Bits;
  /**
   * What steps from..to need of the swept operands.
   * @param fresh leaves out what an earlier outer tile of the same epoch has swept over already
   */
  swept(outer: number, from: number, to: number, fresh: boolean): Bits;
  /** The swept operands if all of them stay, most of any epoch; without what is loaded for one step only. */
  readonly kept: Bits;
  /** Outer tiles that sweep over the same operands have the same number; it never falls. */
  epoch(outer: number): number;
  /** Bits of `swept` that no other step wants, so that they are never kept. */
  once(outer: number, from: number, to: number): number;
  /** Bits of finished outputs. */
  outputs(outer: number, from: number, to: number): number;
  readonly local: LocalNest;
}

/** What goes into local buffers: one per tile, or per group of row PEs. */
export interface LocalNest {
  /** Local buffers that have work. */
  buffers(outer: number): number;
  /** Stationary operands that a local buffer may keep too: bits sent, and buffers that each goes into. */
  stationary(outer: number): Bits;
  stationaryCopies(outer: number): number;
  /** Most bits of them in one local buffer, over all outer tiles. */
  readonly largest: number;
  /** How often they are sent again in these steps if local buffers do not keep them: once per turn of outputs. */
  turns(outer: number, from: number, to: number): number;
  /** Operands value by value, as PEs take them: bits sent, and bits written into all the buffers that each goes into. */
  streamed(outer: number, from: number, to: number): Bits;
  written(outer: number, from: number, to: number): Bits;
  /**
   * Or by whole rows, from which PEs then take what they need: each row once per outer tile, into all buffers. null
   * where local buffers take values only. Steps need `swept` in the buffer at once.
   */
  rows: ((outer: number, from: number, to: number) => Bits) | null;
}

/** Of local buffers that keep nothing. */
export const NOTHING_STATIONARY = {
  stationary: noBits,
  stationaryCopies: () => 1,
  largest: 0,
  turns: () => 0,
};
