/**
 * OSRC in the row PE (SPEC section 6): inputs and gradients of two compressed rows meet at K stationary sums, one
 * per tap. Gradients are loaded into a window, a queue of {position j * stride, value}; an input at position
 * p = i + padLeft is multiplied by every gradient of the window that lies k * dilation left of p. The rule of the
 * ports stands in sim/rowPe.ts.
 */
import type { RowAccumulators } from './rowAccumulators.js';
import type { RegisterFile, RegisterView } from './registers.js';
import type { RowCounters, RowOperation } from './rowPeConfig.js';
import type { RowGeometry } from '../sparse/rowOperation.js';

/** Position of the input port when the row of inputs has ended: beyond the reach of every gradient. */
const ENDED = 2 ** 31 - 1;

export class RowGather {
  private readonly gradientAt: Int32Array;
  private readonly gradientValue: RegisterView;
  private readonly head: Int32Array;
  private readonly count: Int32Array;
  private readonly ring: number;
  private geometry: RowGeometry | null = null;
  /** Slots that this geometry uses, and the distance from the first tap to the last. */
  private slots = 0;
  private reach = 0;
  // Streams.
  private inputs: Int32Array | Float32Array = new Int32Array(0);
  private inputColumns: Int32Array = new Int32Array(0);
  private input = 0;
  private inputTo = 0;
  private gradients: Int32Array | Float32Array = new Int32Array(0);
  private gradientColumns: Int32Array = new Int32Array(0);
  private gradient = 0;
  private gradientTo = 0;
  private target: Float64Array = new Float64Array(0);
  private targetAt = 0;
  private first = true;

  constructor(
    registers: RegisterFile,
    private readonly accumulators: RowAccumulators,
    private readonly counters: RowCounters,
    private readonly ports: 1 | 2,
    private readonly float32: boolean,
  ) {
    this.gradientAt = registers.ints('gradientAt');
    this.gradientValue = registers.view('gradientValue');
    this.head = registers.ints('windowHead');
    this.count = registers.ints('windowCount');
    this.ring = this.gradientAt.length;
  }

  begin(op: RowOperation): void {
    const g = op.geometry;
    const gradients = op.gradients!;
    this.geometry = g;
    this.reach = (g.taps - 1) * g.dilation;
    this.slots = Math.floor(this.reach / g.stride) + 2;
    this.inputs = op.operands.values;
    this.inputColumns = op.operands.columns;
    this.input = op.operands.start[op.row];
    this.inputTo = op.operands.start[op.row + 1];
    this.gradients = gradients.values;
    this.gradientColumns = gradients.columns;
    this.gradient = gradients.start[op.gradientRow];
    this.gradientTo = gradients.start[op.gradientRow + 1];
    this.target = op.target;
    this.targetAt = op.targetAt;
    this.first = true;
  }

  /** Places in their streams of the input and of the gradient that are taken next. */
  get nextInput(): number {
    return this.input;
  }
  get nextGradient(): number {
    return this.gradient;
  }

  /** One cycle. Returns whether it was the end cycle. */
  cycle(): boolean {
    const { accumulators, head, count, ring, gradientAt } = this;
    const { taps, stride, padLeft } = this.geometry!;
    if (this.first) {
      accumulators.open(taps - 1, taps, this.target, this.targetAt);
      this.first = false;
    }
    const inputLeft = this.input < this.inputTo;
    const gradientLeft = this.gradient < this.gradientTo;
    if (!inputLeft && !gradientLeft) {
      accumulators.retireAll();
      count[0] = 0;
      return true;
    }
    const position = inputLeft ? this.inputColumns[this.input] + padLeft : ENDED;
    let oldest = head[0];
    let held = count[0];
    while (held > 0 && gradientAt[oldest] < position - this.reach) {
      if (++oldest === ring) oldest = 0;
      held--;
    }
    const offered = gradientLeft ? this.gradientColumns[this.gradient] * stride : ENDED;
    const multiply = inputLeft && (!gradientLeft || offered > position);
    const load = gradientLeft && (this.ports === 2 ? held < this.slots : !multiply);
    if (multiply) this.multiply(position, oldest, held);
    if (load) {
      let slot = oldest + held;
      if (slot >= ring) slot -= ring;
      gradientAt[slot] = offered;
      this.gradientValue[slot] = this.gradients[this.gradient++];
      held++;
      this.counters.operands++;
    }
    head[0] = oldest;
    count[0] = held;
    return false;
  }

  /**
   * One cycle in which a source is late. Of what it has nothing is known, so nothing is multiplied and nothing ends; what
   * the other source offers still empties or fills the window. Apart from `cycle`, which is for speed.
   */
  cycleLate(inputOffered: boolean, gradientOffered: boolean): void {
    const { accumulators, head, count, ring, gradientAt } = this;
    const { taps, stride, padLeft } = this.geometry!;
    if (this.first) {
      accumulators.open(taps - 1, taps, this.target, this.targetAt);
      this.first = false;
    }
    if (inputOffered) {
      const position = this.input < this.inputTo ? this.inputColumns[this.input] + padLeft : ENDED;
      for (; count[0] > 0 && gradientAt[head[0]] < position - this.reach; count[0]--)
        head[0] = (head[0] + 1) % ring;
    } else if (gradientOffered && this.gradient < this.gradientTo && count[0] < this.slots) {
      const slot = (head[0] + count[0]++) % ring;
      gradientAt[slot] = this.gradientColumns[this.gradient] * stride;
      this.gradientValue[slot] = this.gradients[this.gradient++];
      this.counters.operands++;
    }
  }

  /** Taps and gradients both go to the left from position p; a tap adds where they meet. */
  private multiply(position: number, oldest: number, held: number): void {
    const { gradientAt, gradientValue, ring, float32 } = this;
    const { value, touched } = this.accumulators;
    const { taps, dilation } = this.geometry!;
    const input = this.inputs[this.input++];
    let products = 0;
    for (let e = held - 1, k = 0, offset = 0; e >= 0 && k < taps;) {
      let slot = oldest + e;
      if (slot >= ring) slot -= ring;
      const distance = position - gradientAt[slot];
      if (distance > offset) {
        k++;
        offset += dilation;
        continue;
      }
      e--;
      if (distance < offset) continue;
      const product = gradientValue[slot] * input;
      value[k] = float32 ? Math.fround(value[k] + Math.fround(product)) : value[k] + product;
      touched[k] = 1;
      products++;
    }
    this.counters.operands++;
    this.counters.products += products;
  }
}
