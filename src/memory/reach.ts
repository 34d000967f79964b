/**
 * Along one axis of a convolution: which values of an operand the results need (SPEC section 3), rows or columns alike. In
 * forward, results are outputs and the operand the input; in gradInput, results are inputs and the operand the gradient.
 */
import { outputSize, type ConvShape } from '../tensor.js';

export type ReachPhase = 'forward' | 'gradInput';

export class Reach {
  /** Results and values of the operand along the axis, in an example. */
  readonly results: number;
  readonly operands: number;

  private constructor(
    private readonly phase: ReachPhase,
    private readonly inputs: number,
    private readonly outputs: number,
    private readonly kernel: number,
    private readonly stride: number,
    private readonly dilation: number,
    private readonly pad: number,
  ) {
    [this.results, this.operands] = phase === 'forward' ? [outputs, inputs] : [inputs, outputs];
  }

  static rows(phase: ReachPhase, s: ConvShape): Reach {
    const { outHeight } = outputSize(s);
    return new Reach(phase, s.height, outHeight, s.kernelHeight, s.strideY, s.dilationY, s.padTop);
  }

  static columns(phase: ReachPhase, s: ConvShape): Reach {
    const { outWidth } = outputSize(s);
    return new Reach(phase, s.width, outWidth, s.kernelWidth, s.strideX, s.dilationX, s.padLeft);
  }

  /** Taps of a result that meet a value, and neither padding nor a stride hole. */
  taps(result: number): number {
    const { phase, inputs, outputs, kernel, stride, dilation, pad } = this;
    let taps = 0;
    for (let k = 0; k < kernel; k++) {
      const forward = result * stride + k * dilation - pad;
      const back = result + pad - k * dilation;
      const meets =
        phase === 'forward'
          ? forward >= 0 && forward < inputs
          : back % stride === 0 && back >= 0 && back / stride < outputs;
      if (meets) taps++;
    }
    return taps;
  }

  /**
   * Values, over examples one after another, that results from..to need; fresh: beyond those of the results before. What
   * no result needs goes with the next that one needs, and with the last.
   */
  under(from: number, to: number, fresh: boolean): number {
    const { results, operands } = this;
    let values = 0;
    for (let result = from; result < to;) {
      const y = result % results;
      const last = Math.min(y + to - result, results);
      const begin = y === 0 ? 0 : fresh ? this.until(y) : Math.min(this.first(y), this.until(y));
      values += Math.max(0, (last === results ? operands : this.until(last)) - begin);
      result += last - y;
    }
    return values;
  }

  /** First value that result y needs. */
  private first(y: number): number {
    const { phase, kernel, stride, dilation, pad } = this;
    return this.inside(
      phase === 'forward' ? y * stride - pad : Math.ceil((y + pad - (kernel - 1) * dilation) / stride),
    );
  }

  /** One past the last value that results below y need. */
  private until(y: number): number {
    const { phase, kernel, stride, dilation, pad } = this;
    return this.inside(
      phase === 'forward'
        ? (y - 1) * stride - pad + (kernel - 1) * dilation + 1
        : Math.floor((y - 1 + pad) / stride) + 1,
    );
  }

  private inside(value: number): number {
    return Math.min(Math.max(value, 0), this.operands);
  }
}
