/**
 * SRC and MSRC in the row PE (SPEC section 6): each operand of a row is multiplied by all of its live taps and the
 * products are scattered into the running accumulators.
 *
 * The feeder stands before the PE and looks ahead without cost: it drops operands that no tap carries into the row
 * (MSRC: to a column whose mask is 1), and offers each of the others with the column that its leftmost reach
 * needs, its tap enables, and whether it is the last. A row without such an operand is offered as one null operand.
 */
import type { RowAccumulators } from './rowAccumulators.js';
import type { RegisterView } from './registers.js';
import type { RowCounters, RowOperation } from './rowPeConfig.js';
import type { RowGeometry } from '../sparse/rowOperation.js';

export class RowScatter {
  // Of the geometry: accumulators in use, and where tap k adds: `behind` columns left of the newest, for operands at
  // the position of residue `residue` modulo the stride (SRC).
  private geometry: RowGeometry | null = null;
  private masked = false;
  private window = 0;
  private readonly behind: Int32Array;
  private readonly residue: Int32Array;
  // The feeder's stream.
  private values: Int32Array | Float32Array = new Int32Array(0);
  private columns: Int32Array = new Int32Array(0);
  private mask: Uint8Array | null = null;
  private maskAt = 0;
  private to = 0;
  private target: Float64Array = new Float64Array(0);
  private targetAt = 0;
  private first = true;
  // What the feeder offers: the operand's place in the stream, the newest column that it reaches, its live taps.
  private operand = 0;
  private newest = 0;
  private live = 0;
  private readonly liveTap: Int32Array;
  private readonly liveBehind: Int32Array;

  constructor(
    private readonly accumulators: RowAccumulators,
    private readonly weight: RegisterView,
    private readonly counters: RowCounters,
    taps: number,
    private readonly float32: boolean,
  ) {
    this.behind = new Int32Array(taps);
    this.residue = new Int32Array(taps);
    this.liveTap = new Int32Array(taps);
    this.liveBehind = new Int32Array(taps);
  }

  begin(op: RowOperation): void {
    const masked = op.kind === 'msrc';
    if (op.geometry !== this.geometry || masked !== this.masked) this.setGeometry(op.geometry, masked);
    this.values = op.operands.values;
    this.columns = op.operands.columns;
    this.operand = op.operands.start[op.row];
    this.to = op.operands.start[op.row + 1];
    this.mask = op.mask;
    this.maskAt = op.maskAt;
    this.target = op.target;
    this.targetAt = op.targetAt;
    this.first = true;
    this.offer();
  }

  /** Place in the stream of the operand that is taken next. */
  get nextOperand(): number {
    return this.operand;
  }

  /** One cycle: takes the operand on offer. Returns whether it was the last of the row. */
  cycle(): boolean {
    const { accumulators, live } = this;
    if (live > 0) {
      if (this.first) accumulators.open(this.newest, this.window, this.target, this.targetAt);
      else accumulators.advance(this.newest);
      this.first = false;
      this.multiply();
      this.counters.operands++;
      this.counters.products += live;
      this.operand++;
      this.offer();
      if (this.live > 0) return false;
    }
    accumulators.endRow();
    return true;
  }

  private multiply(): void {
    const { liveTap, liveBehind, weight, live, float32 } = this;
    const { value, touched, span, newestSlot } = this.accumulators;
    const operand = this.values[this.operand];
    const newest = newestSlot[0];
    for (let n = 0; n < live; n++) {
      let slot = newest - liveBehind[n];
      if (slot < 0) slot += span;
      const product = weight[liveTap[n]] * operand;
      value[slot] = float32 ? Math.fround(value[slot] + Math.fround(product)) : value[slot] + product;
      touched[slot] = 1;
    }
  }

  private setGeometry(g: RowGeometry, masked: boolean): void {
    this.geometry = g;
    this.masked = masked;
    const reach = (g.taps - 1) * g.dilation;
    this.window = masked ? reach + 1 : Math.ceil((reach + 1) / g.stride);
    for (let k = 0; k < g.taps; k++) {
      const offset = k * g.dilation;
      this.behind[k] = masked ? reach - offset : Math.floor(offset / g.stride);
      this.residue[k] = masked ? 0 : offset % g.stride;
    }
  }

  /** The feeder goes to the next operand with a live tap; `live` is 0 if there is none. */
  private offer(): void {
    const g = this.geometry!;
    const { columns, to, behind, residue, mask, maskAt, liveTap, liveBehind, masked } = this;
    const { taps, stride, padLeft } = g;
    const reach = (taps - 1) * g.dilation;
    const width = masked ? g.inputWidth : g.outputWidth;
    let live = 0;
    let n = this.operand;
    for (; n < to; n++) {
      let newest: number;
      let rest = 0;
      if (masked) newest = columns[n] * stride - padLeft + reach;
      else {
        const position = columns[n] + padLeft;
        // Left of everything that a later piece of the kernel row reaches.
        if (position < 0) continue;
        newest = stride === 1 ? position : (position / stride) | 0;
        rest = position - newest * stride;
      }
      for (let k = 0; k < taps; k++) {
        if (residue[k] !== rest) continue;
        const column = newest - behind[k];
        if (column < 0 || column >= width || (mask !== null && mask[maskAt + column] === 0)) continue;
        liveTap[live] = k;
        liveBehind[live++] = behind[k];
      }
      this.newest = newest;
      if (live > 0) break;
    }
    this.operand = n;
    this.live = live;
  }
}
