/**
 * Terms of an output, dealt to the L lanes of a unit (SPEC section 3, "Order of work"). A term pairs an item of the
 * unit's own stream with a value of the window that the units of a tile share; the table holds where both lie,
 * as offsets from bases that move with the unit and with the output.
 */

export const LOWERINGS = ['channelBlock', 'flattened'] as const;
/** channelBlock: lane l takes channel L * block + l (published). flattened: (row, column, channel) in turn. */
export type Lowering = (typeof LOWERINGS)[number];

export interface LaneTerms {
  lanes: number;
  /** Items of each lane in one output; 0 for an absent lane. Never rises with the lane index. */
  items: Int32Array;
  /** Row-major [lane][item], `stride` items apart: offset from where the unit's stream begins. */
  streamOffset: Int32Array;
  /** Same layout: offset from where the output's window values begin. */
  windowOffset: Int32Array;
  /** Same layout: the step at which a machine that walks all lanes in lock-step takes the item. */
  stepOfItem: Int32Array;
  stride: number;
  /** Items of the longest lane: steps of a lock-step machine. */
  steps: number;
  /** Terms of one output, over all lanes. */
  terms: number;
  /** Lanes that have items. They are the first ones. */
  activeLanes: number;
}

/** Offsets of the terms' two operands: over taps, and within a tap over channels (or filters), evenly spaced. */
export interface TermGrid {
  tapStream: ArrayLike<number>;
  tapWindow: ArrayLike<number>;
  channels: number;
  channelStream: number;
  channelWindow: number;
}

/** Deals taps, outermost, and channels to lanes. */
export function dealTerms(grid: TermGrid, lanes: number, lowering: Lowering): LaneTerms {
  const { channels, tapStream, tapWindow } = grid;
  const taps = tapStream.length;
  const terms = channels * taps;
  const blocks = Math.ceil(channels / lanes);
  const stride = lowering === 'flattened' ? Math.ceil(terms / lanes) : taps * blocks;
  const items = new Int32Array(lanes);
  const streamOffset = new Int32Array(lanes * stride);
  const windowOffset = new Int32Array(lanes * stride);
  const stepOfItem = new Int32Array(lanes * stride);
  let turn = 0;
  for (let tap = 0; tap < taps; tap++)
    for (let c = 0; c < channels; c++, turn++) {
      const lane = lowering === 'flattened' ? turn % lanes : c % lanes;
      const at = lane * stride + items[lane]++;
      stepOfItem[at] =
        lowering === 'flattened' ? Math.floor(turn / lanes) : tap * blocks + Math.floor(c / lanes);
      streamOffset[at] = tapStream[tap] + c * grid.channelStream;
      windowOffset[at] = tapWindow[tap] + c * grid.channelWindow;
    }
  const steps = items.reduce((a, b) => Math.max(a, b), 0);
  const activeLanes = items.reduce((n, count) => n + (count > 0 ? 1 : 0), 0);
  return { lanes, items, streamOffset, windowOffset, stepOfItem, stride, steps, terms, activeLanes };
}
