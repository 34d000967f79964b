/**
 * A layer and phase as sums of products on an array of lanes (SPEC section 3, "Order of work"): what SAC and MAC
 * machines execute, in all three phases, without a word about time.
 *
 *   phase       outputs of a unit          stream (the unit's own)  window (shared by a tile's units)
 *   forward     one filter                 weights                  activations, padding included
 *   gradInput   one input channel          weights, turned round    gradients by the output
 *   gradWeight  one weight of one filter   activations              gradients of that filter
 */
import type { Block, TileBy } from './blocks.js';
import type { LaneTerms, Lowering } from './terms.js';

/** The part of a machine that decides where work goes. */
export interface LaneArray {
  tiles: number;
  units: number;
  lanes: number;
  tileBy: TileBy;
  lowering: Lowering;
}

/** Where the outputs of a layer and phase lie, and the terms that make them. */
export interface LaneLowering {
  /** Kinds of output positions: those of a kind have the same terms. One, but in gradInput. */
  kinds: LaneTerms[];
  blocks: Block[];
  /** Positions with terms, of each block, in the order of work. */
  positions: number;
  /** Kind of each position; empty where there is but one kind. */
  kindOf: Int32Array;
  /** Where the window values of a position begin, from where those of the tile begin. */
  positionWindow(position: number): number;
  /** Where the outputs of a position lie, from where those of the unit begin. */
  positionOutput(position: number): number;
  /** Where a unit's stream and outputs begin, and the window values of the tile it belongs to. */
  unitStream(unit: number): number;
  unitOutput(unit: number): number;
  unitWindow(unit: number): number;
  /** Outputs of the phase, NaN where a unit has still to write them (it equals no reference value). */
  blankOutput(): Float64Array;
}

export const kindAt = ({ kinds, kindOf }: LaneLowering, position: number): number =>
  kinds.length === 1 ? 0 : kindOf[position];

/** Most lanes that any output uses. */
export const activeLanesOf = ({ kinds }: LaneLowering): number =>
  kinds.reduce((most, { activeLanes }) => Math.max(most, activeLanes), 0);
