/** What a SAC PE is told of the outputs that it sums, and what it counts (SPEC section 3). The PE is sim/sacPe.ts. */

/** What happened, in lane-cycles unless said otherwise. One cause per lane and cycle, in this priority. */
export interface SacCounters {
  busy: number;
  output: number;
  flush: number;
  window: number;
  weights: number;
  /** Lane-cycles of units that have finished their share. */
  finished: number;
  /** Valid slots consumed. */
  essentialBits: number;
}

/** What the outputs of a PE's share of work are made of, where they are not all alike. */
export interface OutputPlan {
  /** Kind of the share's o-th output: kindOf[first + o step]. */
  kindOf: Int32Array;
  first: number;
  step: number;
  /** Per kind: lanes with items, the first ones; and terms of an output. */
  lanes: Int32Array;
  terms: Int32Array;
  /** First word of [unit][kind][lane]; null where words simply go on. */
  streams: Int32Array | null;
}

/**
 * First word of lane l of unit n in the next output in which the lane takes part, -1 if there is none in the share.
 * @param begun outputs of the share that the unit has begun, where they are of several kinds
 * @param left outputs after those
 */
export function laterStream(
  { kindOf, first, step, lanes, streams }: OutputPlan,
  begun: number,
  left: number,
  n: number,
  l: number,
  lanesOfUnit: number,
): number {
  const kinds = lanes.length;
  for (let k = 0; k < left; k++) {
    const kind = kinds === 1 ? 0 : kindOf[first + (begun + k) * step];
    if (lanes[kind] > l) return streams![(n * kinds + kind) * lanesOfUnit + l];
  }
  return -1;
}
