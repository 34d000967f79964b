/**
 * Timing of one bit-serial tile in one block, from activations alone. The cost of a brick is
 *   Stripes       the storage width
 *   Pragmatic     b = 0: bit positions that any lane has set; 2^b at least the width: most bits of any lane;
 *                 else iterate: lanes drop their lowest bit within 2^b of the least remaining; at least 1
 * and columns follow a recurrence:
 *   convolutions  start[c,q] = max(end[c,q-1], max over columns of end[., q-1-R]); all meet between examples
 *   linear        step s of an example goes to column s mod C: start = max(end of that column, start[s-1] + 1)
 */
import { popcount32 } from '../bit/planes.js';
import type { TileWork } from '../lower/blocks.js';
import type { Bricks } from '../lower/bricks.js';
import type { PaddedInput } from '../lower/forward.js';
import type { Pallets } from '../lower/pallets.js';
import type { SerialConfig } from './serialConfig.js';

export class TileTiming {
  /** Cycles until the last column is done, before waiting for other tiles. */
  cycles = 0;
  windows = 0;
  /** Column-lane-cycles of one unit. */
  busy = 0;
  imbalance = 0;
  absentLane = 0;
  empty = 0;
  /** Essential bits fed to one unit. */
  ones = 0;
  /** Sum over, and maximum of, the cycles that each (column, lane) would need alone. */
  need = 0;
  longestNeed = 0;
  /** Per column: whether its latest pallet gave it work, and the end of its last step. */
  readonly present: Uint8Array;
  readonly end: Float64Array;
  private readonly laneNeed: Float64Array;
  private readonly magnitudes: Int32Array;

  constructor(
    private readonly config: SerialConfig,
    private readonly bricks: Bricks,
    private readonly input: PaddedInput,
    private readonly storageBits: number,
  ) {
    const { columns, lanes } = config;
    this.present = new Uint8Array(columns);
    this.end = new Float64Array(columns);
    this.laneNeed = new Float64Array(columns * lanes);
    this.magnitudes = new Int32Array(lanes);
  }

  /** A convolution: column c walks through the steps of window c of each pallet. */
  walk(pallets: Pallets, group: number, tile: TileWork): void {
    const { columns, columnRegisters } = this.config;
    const { present, end, bricks } = this;
    const bases = new Int32Array(columns);
    // When all columns have completed a step and all before it, for the last R + 1 steps.
    const ends = new Float64Array(columnRegisters + 1);
    let turn = 0;
    let example = -1;
    let latest = 0;
    for (let k = tile.first; k < pallets.count; k += tile.step) {
      const width = pallets.windows[k];
      this.windows += width;
      // Columns without a window have nothing to do here, and nobody waits for them.
      for (let c = width; c < columns; c++) present[c] = 0;
      for (let c = 0; c < width; c++) bases[c] = this.input.base(group, pallets.first[k] + c);
      for (let s = 0; s < bricks.steps; s++) {
        // Examples do not overlap: columns meet before the first step of the next one.
        const gate = s === 0 && pallets.example[k] !== example ? latest : ends[turn];
        example = pallets.example[k];
        for (let c = 0; c < width; c++) {
          this.brick(c, bases[c], s, Math.max(end[c], gate));
          if (end[c] > latest) latest = end[c];
        }
        ends[turn] = latest;
        turn = turn === columnRegisters ? 0 : turn + 1;
      }
    }
    this.close();
  }

  /** A linear layer: columns take the steps of each example in turn. */
  rotate(pallets: Pallets, group: number, tile: TileWork): void {
    const { columns } = this.config;
    const { end, bricks } = this;
    let latest = 0;
    this.present.fill(1, 0, Math.min(columns, bricks.steps));
    for (let k = tile.first; k < pallets.count; k += tile.step) {
      this.windows += pallets.windows[k];
      const base = this.input.base(group, pallets.first[k]);
      let issue = latest;
      for (let s = 0; s < bricks.steps; s++) {
        const c = s % columns;
        const start = Math.max(end[c], issue);
        this.brick(c, base, s, start);
        issue = start + 1;
        if (end[c] > latest) latest = end[c];
      }
    }
    this.close();
  }

  /** Column c waits until `start` and then takes step s of the window at `base`. */
  private brick(c: number, base: number, s: number, start: number): void {
    const { lanes, firstStageBits } = this.config;
    const { bricks, magnitudes, storageBits, laneNeed } = this;
    const { data } = this.input;
    const wait = start - this.end[c];
    if (wait > 0) {
      if (this.present[c] === 0) this.empty += lanes * wait;
      else {
        this.imbalance += bricks.activeLanes * wait;
        this.absentLane += (lanes - bricks.activeLanes) * wait;
      }
    }
    this.present[c] = 1;
    const count = bricks.items[s];
    let bits = 0;
    for (let l = 0; l < count; l++) {
      const m = Math.abs(data[base + bricks.windowOffset[s * lanes + l]]);
      const pop = popcount32(m);
      magnitudes[l] = m;
      bits += pop;
      laneNeed[c * lanes + l] += firstStageBits === null ? storageBits : Math.max(1, pop);
    }
    const cost = firstStageBits === null ? storageBits : brickCost(magnitudes, count, firstStageBits);
    const issued = firstStageBits === null ? cost * count : bits;
    this.ones += bits;
    this.busy += issued;
    this.imbalance += cost * count - issued;
    this.absentLane += cost * (lanes - count);
    this.end[c] = start + cost;
  }

  private close(): void {
    this.cycles = this.end.reduce((a, b) => Math.max(a, b), 0);
    this.need = this.laneNeed.reduce((a, b) => a + b, 0);
    this.longestNeed = this.laneNeed.reduce((a, b) => Math.max(a, b), 0);
  }
}

/** Cycles of one Pragmatic brick. */
export function brickCost(magnitudes: Int32Array, count: number, firstStageBits: number): number {
  let any = 0;
  let most = 0;
  for (let l = 0; l < count; l++) {
    any |= magnitudes[l];
    most = Math.max(most, popcount32(magnitudes[l]));
  }
  if (firstStageBits === 0) return Math.max(1, popcount32(any));
  const reach = 2 ** firstStageBits;
  // All lanes always drop a bit if the first stage spans every position.
  if (reach >= 16) return Math.max(1, most);
  let cost = 0;
  const left = magnitudes.slice(0, count);
  while (any !== 0) {
    // Bits in [m, m + 2^b - 1], m the least position left.
    const within = ((any & -any) * 2 ** reach - (any & -any)) | 0;
    any = 0;
    for (let l = 0; l < count; l++) {
      const droppable = left[l] & within;
      left[l] ^= droppable & -droppable;
      any |= left[l];
    }
    cost++;
  }
  return Math.max(1, cost);
}
