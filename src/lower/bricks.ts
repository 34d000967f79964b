/**
 * The terms of an output as bricks: what a machine that walks its lanes in lock-step takes per step. A brick is
 * one item of each lane, at one kernel position and channel block (or one turn of the flattened lowering).
 */
import type { LaneTerms } from './forward.js';

export interface Bricks {
  steps: number;
  lanes: number;
  /** [step][lane]: weight offset within a filter, -1 where the lane has no item. */
  weightOffset: Int32Array;
  /** [step][lane]: activation offset from the position's base; meaningless where the lane has no item. */
  inputOffset: Int32Array;
  /** Lanes that have an item in each step. They are the first ones. */
  items: Int32Array;
  /** Lanes that have an item in any step. */
  activeLanes: number;
}

export function bricksOf(terms: LaneTerms): Bricks {
  const { lanes, steps } = terms;
  const weightOffset = new Int32Array(steps * lanes).fill(-1);
  const inputOffset = new Int32Array(steps * lanes);
  const items = new Int32Array(steps);
  for (let l = 0; l < lanes; l++)
    for (let i = 0; i < terms.items[l]; i++) {
      const from = l * terms.stride + i;
      const step = terms.stepOfItem[from];
      weightOffset[step * lanes + l] = terms.weightOffset[from];
      inputOffset[step * lanes + l] = terms.inputOffset[from];
      items[step]++;
    }
  return { steps, lanes, weightOffset, inputOffset, items, activeLanes: terms.activeLanes };
}

/** Weights of a chunk of filters, [step][unit][lane], zero where a lane has no item. */
export function brickWeights(
  bricks: Bricks,
  codes: Int32Array,
  perFilter: number,
  firstFilter: number,
  filters: number,
): Int32Array {
  const { steps, lanes, weightOffset } = bricks;
  const result = new Int32Array(steps * filters * lanes);
  let at = 0;
  for (let s = 0; s < steps; s++)
    for (let n = 0; n < filters; n++)
      for (let l = 0; l < lanes; l++, at++) {
        const offset = weightOffset[s * lanes + l];
        if (offset >= 0) result[at] = codes[(firstFilter + n) * perFilter + offset];
      }
  return result;
}
