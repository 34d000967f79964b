/**
 * Running accumulators of the row PE (SPEC section 6): a window of consecutive columns of the output row, which
 * moves to the right as the row advances. What falls out on the left, and everything at the end of a row, is
 * retired in one cycle: the port is as wide as the window, which is K columns where the row is not dilated.
 *
 * Retired sums are added to the row buffer of the operation's target. Accumulators without a product retire nothing.
 */
import { VerificationError } from '../errors.js';
import type { RegisterFile } from './registers.js';

export class RowAccumulators {
  /** What left in this cycle. */
  readonly retiredColumn: Int32Array;
  readonly retiredValue: Float64Array;
  retired = 0;
  readonly value: Float64Array;
  /** Whether a product has been added since the accumulator was last retired. */
  readonly touched: Int32Array;
  /** Column of the rightmost accumulator, and where it is: accumulators lie in a ring. */
  private readonly newest: Int32Array;
  readonly newestSlot: Int32Array;
  /** Set by the last operand of a row: all accumulators retire in the next cycle. */
  private readonly flush: Int32Array;
  /** Columns in the window, and the row buffer, of the operation that fills the accumulators. */
  private window = 0;
  private target: Float64Array = new Float64Array(0);
  private targetAt = 0;

  constructor(
    registers: RegisterFile,
    readonly span: number,
    private readonly float32: boolean,
  ) {
    this.value = registers.doubles('accumulator');
    this.touched = registers.ints('touched');
    this.newest = registers.ints('newest');
    this.newestSlot = registers.ints('newestSlot');
    this.flush = registers.ints('flush');
    this.retiredColumn = new Int32Array(span);
    this.retiredValue = new Float64Array(span);
  }

  get flushing(): boolean {
    return this.flush[0] !== 0;
  }

  /** Start of a cycle: a row that ended in the cycle before leaves. */
  beginCycle(): void {
    this.retired = 0;
    if (this.flush[0] === 0) return;
    this.flush[0] = 0;
    this.retireAll();
  }

  /** The first operand of an operation: the window lies where this operand needs it. */
  open(newest: number, window: number, target: Float64Array, targetAt: number): void {
    this.window = window;
    this.newest[0] = newest;
    this.newestSlot[0] = window - 1;
    this.target = target;
    this.targetAt = targetAt;
  }

  /** Moves the window until its rightmost column is `newest`. */
  advance(newest: number): void {
    const { window, span } = this;
    const by = newest - this.newest[0];
    if (by < 0) throw new VerificationError('row-order', `row PE: window moves back by ${-by} columns`);
    if (by === 0) return;
    if (by >= window) {
      this.retireAll();
    } else {
      let slot = this.newestSlot[0];
      let oldest = slot - window + 1;
      if (oldest < 0) oldest += span;
      const column = this.newest[0] - window + 1;
      for (let step = 0; step < by; step++) {
        if (this.touched[oldest] !== 0) this.retire(column + step, oldest);
        if (++oldest === span) oldest = 0;
        if (++slot === span) slot = 0;
      }
      this.newestSlot[0] = slot;
    }
    this.newest[0] = newest;
  }

  /** The last operand of a row was accepted in this cycle. */
  endRow(): void {
    this.flush[0] = 1;
  }

  /** From the left to the right. */
  retireAll(): void {
    const { window, span, touched } = this;
    let slot = this.newestSlot[0] - window + 1;
    if (slot < 0) slot += span;
    const column = this.newest[0] - window + 1;
    for (let step = 0; step < window; step++) {
      if (touched[slot] !== 0) this.retire(column + step, slot);
      if (++slot === span) slot = 0;
    }
  }

  private retire(column: number, slot: number): void {
    const { target, value } = this;
    const sum = value[slot];
    value[slot] = 0;
    this.touched[slot] = 0;
    this.retiredColumn[this.retired] = column;
    this.retiredValue[this.retired++] = sum;
    const at = this.targetAt + column;
    target[at] = this.float32 ? Math.fround(target[at] + sum) : target[at] + sum;
  }
}
