/**
 * Walks the groups of KS items that a tile's lanes take, in the order of work: block after block, position after
 * position, group after group. Window ports walk once per lane, on-line kneaders once per unit and lane; a walker
 * passes over blocks without its unit and over outputs that leave its lane absent.
 */
import { itemsOf } from '../lower/blocks.js';
import { kindAt, type LaneLowering } from '../lower/lowering.js';

export class GroupWalk {
  /** Whether each walker stands at a group. */
  readonly more: Uint8Array;
  /** Kind of the output each walker is in, and the first item of its group. */
  readonly kind: Int32Array;
  readonly item: Int32Array;
  /** Where the walker's stream begins, and the window values of the output it is in. */
  readonly streamBase: Int32Array;
  readonly windowBase: Int32Array;
  private readonly block: Int32Array;
  private readonly position: Int32Array;
  /** Items of the output from `item` on. */
  private readonly left: Int32Array;

  /** @param units walkers per lane: walker n lanes + l belongs to unit n of the tile */
  constructor(
    private readonly lowering: LaneLowering,
    private readonly tile: number,
    private readonly lanes: number,
    units: number,
    private readonly stride: number,
  ) {
    const walkers = units * lanes;
    this.more = new Uint8Array(walkers);
    this.kind = new Int32Array(walkers);
    this.item = new Int32Array(walkers);
    this.streamBase = new Int32Array(walkers);
    this.windowBase = new Int32Array(walkers);
    this.block = new Int32Array(walkers).fill(-1);
    this.position = new Int32Array(walkers);
    this.left = new Int32Array(walkers);
    for (let i = 0; i < walkers; i++) this.enterBlock(i);
  }

  /** Items of the group that a walker stands at, at most KS. */
  items(i: number): number {
    return this.left[i] < this.stride ? this.left[i] : this.stride;
  }

  /** Whether the group is the last of its output. */
  isLast(i: number): boolean {
    return this.left[i] <= this.stride;
  }

  /** On to the next group. */
  next(i: number): void {
    const { stride, left } = this;
    if (left[i] > stride) {
      this.item[i] += stride;
      left[i] -= stride;
      return;
    }
    const { step } = this.lowering.blocks[this.block[i]].tiles[this.tile];
    if (!this.enterPosition(i, this.position[i] + step, step)) this.enterBlock(i);
  }

  /** The first position from `position` on in which the lane has items. */
  private enterPosition(i: number, position: number, step: number): boolean {
    const { lowering } = this;
    const { positions, kinds, blocks } = lowering;
    const lane = i % this.lanes;
    while (position < positions && kinds[kindAt(lowering, position)].items[lane] === 0) position += step;
    if (position >= positions) return false;
    const { firstUnit } = blocks[this.block[i]].tiles[this.tile];
    this.position[i] = position;
    this.kind[i] = kindAt(lowering, position);
    this.item[i] = 0;
    this.left[i] = kinds[this.kind[i]].items[lane];
    this.windowBase[i] = lowering.unitWindow(firstUnit) + lowering.positionWindow(position);
    return true;
  }

  private enterBlock(i: number): void {
    const { blocks, positions, unitStream } = this.lowering;
    const unit = Math.floor(i / this.lanes);
    this.more[i] = 0;
    for (let b = this.block[i] + 1; b < blocks.length; b++) {
      const work = blocks[b].tiles[this.tile];
      if (work.units <= unit || itemsOf(work, positions) === 0) continue;
      this.block[i] = b;
      if (!this.enterPosition(i, work.first, work.step)) continue;
      this.streamBase[i] = unitStream(work.firstUnit + unit);
      this.more[i] = 1;
      return;
    }
    this.block[i] = blocks.length;
  }
}
