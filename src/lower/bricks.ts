/**
 * The terms of an output as bricks: what a machine that walks its lanes in lock-step takes per step. A brick is
 * one item of each lane, at one kernel position and channel block (or one turn of the flattened lowering).
 */
import type { LaneTerms } from './terms.js';

export interface Bricks {
  steps: number;
  lanes: number;
  /** [step][lane]: weight offset within a filter, -1 where the lane has no item. */
  streamOffset: Int32Array;
  /** [step][lane]: activation offset from the position's base; meaningless where the lane has no item. */
  windowOffset: Int32Array;
  /** Lanes that have an item in each step. They are the first ones. */
  items: Int32Array;
  /** Lanes that have an item in any step. */
  activeLanes: number;
}

export function bricksOf(terms: LaneTerms): Bricks {
  const { lanes, steps } = terms;
  const streamOffset = new Int32Array(steps * lanes).fill(-1);
  const windowOffset = new Int32Array(steps * lanes);
  const items = new Int32Array(steps);
  for (let l = 0; l < lanes; l++)
    for (let i = 0; i < terms.items[l]; i++) {
      const from = l * terms.stride + i;
      const step = terms.stepOfItem[from];
      streamOffset[step * lanes + l] = terms.streamOffset[from];
      windowOffset[step * lanes + l] = terms.windowOffset[from];
      items[step]++;
    }
  return { steps, lanes, streamOffset, windowOffset, items, activeLanes: terms.activeLanes };
}

/** Streams of a chunk of units, [step][unit][lane], zero where a lane has no item. */
export function brickStreams(
  bricks: Bricks,
  codes: Int32Array,
  units: number,
  streamAt: (unit: number) => number,
): Int32Array {
  const { steps, lanes, streamOffset } = bricks;
  const result = new Int32Array(steps * units * lanes);
  for (let n = 0; n < units; n++) {
    const base = streamAt(n);
    for (let s = 0; s < steps; s++)
      for (let l = 0, at = (s * units + n) * lanes; l < lanes; l++, at++) {
        const offset = streamOffset[s * lanes + l];
        if (offset >= 0) result[at] = codes[base + offset];
      }
  }
  return result;
}
