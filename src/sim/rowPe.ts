/**
 * The clocked row-convolution PE of SparseTrain (SPEC section 6; arXiv:2007.13595): T multipliers and a window of
 * running accumulators. One call of `cycle` is one clock edge; operations follow each other without a gap.
 *
 * | Element | Registers | Rule in each cycle (all read registered state) |
 * |---|---|---|
 * | Kernel row | weight[T] | set with the operation (SRC, MSRC); loads are double-buffered and free |
 * | Accumulators | accumulator, touched [span]; newest, newestSlot | a ring whose rightmost column is `newest`. An operand that reaches further right moves it there; what falls out on the left is retired in the same cycle. newestSlot moves along, but stays where the whole window falls out, and is window - 1 from the first operand of an operation (OSRC: from its first cycle). Window: ceil(((K-1) dilation + 1) / stride) columns in SRC, (K-1) dilation + 1 in MSRC, K in OSRC |
 * | Feeder (SRC, MSRC) | outside the PE | offers the next operand that has a live target, with `newest`, tap enables and `last`; a null operand with `last` if the row has none |
 * | SRC, MSRC | flush | takes one operand per cycle; enabled tap k adds weight[k] * operand to its accumulator. `last` sets flush |
 * | Flush | flush, target | if set, all touched accumulators retire and are cleared, before the operand of this cycle adds to them: the flush overlaps the next row's first operand |
 * | OSRC window | gradientAt, gradientValue [span + 1]; windowHead, windowCount | p = position of the input on offer, infinite after the last. held = gradients of the window with position >= p - (K-1) dilation; the others are dropped in this cycle |
 * | OSRC multiply | | fires if an input is on offer and no gradient, or one beyond p: all that p may meet are held then. Tap k adds input * gradient at p - k dilation. A gradient loaded at t is multiplied from t + 1 on |
 * | OSRC load | | ports = 1: fires if a gradient is on offer and multiply does not fire. ports = 2: if one is on offer and held < ceil(((K-1) dilation + 1) / stride) + 1, the taps' own gradients and one ahead; slots freed in this cycle count as free |
 * | OSRC end | | with neither on offer the K sums retire, in a cycle of their own, and the window is cleared |
 * | Late source | | in a cycle in which the operand port is offered nothing, SRC and MSRC only let a flush leave. OSRC then knows no p: nothing is dropped or multiplied, and a gradient is loaded if held < slots, as with two ports. An input does not multiply while the gradient port is offered nothing. Neither row ends before its end is seen |
 *
 * An OSRC load always fires if the gradient on offer holds the input up, so every cycle before the end loads or
 * multiplies: between max(nnz(g), nnz(x)) + 1 and nnz(g) + nnz(x) + 1 cycles with two ports, always the latter with
 * one. The sums of a row leave the PE one cycle after its last operand (SRC, MSRC), or in its last cycle (OSRC).
 */
import { VerificationError } from '../errors.js';
import { rowRegisters, type RowCounters, type RowOperation, type RowPeConfig } from './rowPeConfig.js';
import { RegisterFile, type RegisterView } from './registers.js';
import { RowAccumulators } from './rowAccumulators.js';
import { RowGather } from './rowGather.js';
import { RowScatter } from './rowScatter.js';

export class RowPe {
  readonly registers: RegisterFile;
  readonly counters: RowCounters = { cycles: 0, operands: 0, products: 0 };
  /** Sums that leave, in `retiredColumn` and `retiredValue`, `retired` of them in the last cycle. */
  readonly accumulators: RowAccumulators;
  private readonly weight: RegisterView;
  private readonly active: Int32Array;
  private readonly scatter: RowScatter;
  private readonly gather: RowGather;
  private gathers = false;

  constructor(readonly config: RowPeConfig) {
    const { taps, span, ports, float32 = false } = config;
    if (span < taps) throw new RangeError(`row PE: ${span} accumulators, expected at least ${taps} (taps)`);
    this.registers = new RegisterFile(rowRegisters(config));
    this.weight = this.registers.view('weight');
    this.active = this.registers.ints('active');
    this.accumulators = new RowAccumulators(this.registers, span, float32);
    this.scatter = new RowScatter(this.accumulators, this.weight, this.counters, taps, float32);
    this.gather = new RowGather(this.registers, this.accumulators, this.counters, ports, float32);
  }

  /** Whether an operation is running. The next may begin once it is not, without a cycle in between. */
  get busy(): boolean {
    return this.active[0] !== 0;
  }

  /** Whether the sums of the last row leave in the coming cycle. */
  get draining(): boolean {
    return this.accumulators.flushing;
  }

  /** The operation that the coming cycle starts. */
  begin(op: RowOperation): void {
    const { taps, dilation } = op.geometry;
    const span = (taps - 1) * dilation + 1;
    if (this.busy) throw new VerificationError('row-pe', 'row PE: an operation begins while another runs');
    if (taps > this.config.taps || span > this.config.span)
      throw new VerificationError(
        'row-pe',
        `row PE of ${this.config.taps} taps and ${this.config.span} accumulators: an operation needs ${taps} and ${span}`,
      );
    this.gathers = op.kind === 'osrc';
    if (this.gathers) this.gather.begin(op);
    else {
      for (let k = 0; k < taps; k++) this.weight[k] = op.weights[op.weightsAt + k];
      this.scatter.begin(op);
    }
    this.active[0] = 1;
  }

  /** One clock cycle. Without an operation it only lets the last row leave. */
  cycle(): void {
    this.accumulators.beginCycle();
    if (this.active[0] === 0) return;
    this.counters.cycles++;
    if (this.gathers ? this.gather.cycle() : this.scatter.cycle()) this.active[0] = 0;
  }

  /** The same where a source may be late: that of the operands, and that of the gradients of OSRC. */
  cycleLate(operandOffered: boolean, gradientOffered: boolean): void {
    // Without OSRC the gradient port has no say.
    if (operandOffered && (gradientOffered || !this.gathers)) return this.cycle();
    this.accumulators.beginCycle();
    if (this.active[0] === 0) return;
    this.counters.cycles++;
    if (this.gathers) this.gather.cycleLate(operandOffered, gradientOffered);
  }

  /** Places in their compressed rows of the operand and of the gradient that the operation takes next. */
  get nextOperand(): number {
    return this.gathers ? this.gather.nextInput : this.scatter.nextOperand;
  }
  get nextGradient(): number {
    return this.gather.nextGradient;
  }

  /** An operation from its first cycle to its last; the sums of a row may still have to leave. Returns its cycles. */
  run(op: RowOperation): number {
    const before = this.counters.cycles;
    this.begin(op);
    while (this.active[0] !== 0) this.cycle();
    return this.counters.cycles - before;
  }
}
