/**
 * The clocked dense MAC PE of DaDianNao (SPEC section 4): in each cycle N units multiply the same L activations by
 * their own L weights. Three registered stages under one enable: products, sum over the lanes, accumulators. A
 * brick accepted at t with the last mark gives its outputs at t + 3.
 */
import { members, named, RegisterFile } from './registers.js';

export class MacPe {
  readonly registers: RegisterFile;
  /** Cycles from accepting the last brick of an output to the output. */
  static readonly latency = 3;
  private readonly product: Float64Array;
  private readonly sum: Float64Array;
  private readonly accumulator: Float64Array;
  /** {valid, last} of the product and sum stages, and the valid flag of the output. */
  private readonly stage: Int32Array;
  /** Units with a filter: of the coming brick, and of those in the product and sum stages. */
  private running: number;
  private multiplying = 0;
  private summing = 0;

  constructor(
    readonly units: number,
    readonly lanes: number,
  ) {
    const wide = { bits: 53, signed: true };
    const unit = members('unit', units);
    const stages = named('ProductValid', 'ProductLast', 'SumValid', 'SumLast', 'OutValid');
    this.registers = new RegisterFile([
      { name: 'product', ...wide, count: units * lanes, dimensions: [unit, members('lane', lanes)] },
      { name: 'sum', ...wide, count: units, dimensions: [unit] },
      { name: 'accumulator', ...wide, count: units, dimensions: [unit] },
      { name: 'stage', bits: 1, signed: false, count: stages.count, dimensions: [stages] },
    ]);
    this.product = this.registers.doubles('product');
    this.sum = this.registers.doubles('sum');
    this.accumulator = this.registers.doubles('accumulator');
    this.stage = this.registers.ints('stage');
    this.running = units;
  }

  /** From the coming brick on the first `count` units have a filter; the others keep still. */
  setUnits(count: number): void {
    this.running = count;
  }

  /** Whether the accumulators hold finished outputs in the coming cycle. */
  get outValid(): boolean {
    return this.stage[4] !== 0;
  }

  outValue(unit: number): number {
    return this.accumulator[unit];
  }

  /**
   * One enabled clock cycle.
   * @param weights [unit][lane] of this brick from `weightsAt`, or null for a bubble
   * @param activations L of them, zero where a lane has no item
   * @param last whether the brick is the last of its outputs
   */
  cycle(weights: Int32Array | null, weightsAt: number, activations: Int32Array, last: boolean): void {
    const { product, sum, accumulator, stage, lanes } = this;
    // Stages read what the stage before held at the edge, so they move from the last to the first.
    if (stage[4] !== 0) accumulator.fill(0);
    if (stage[2] !== 0) for (let n = 0, N = this.summing; n < N; n++) accumulator[n] += sum[n];
    stage[4] = stage[2] & stage[3];
    if (stage[0] !== 0) {
      const N = (this.summing = this.multiplying);
      for (let n = 0, i = 0; n < N; n++) {
        let total = 0;
        for (let l = 0; l < lanes; l++, i++) total += product[i];
        sum[n] = total;
      }
    }
    stage[2] = stage[0];
    stage[3] = stage[1];
    stage[0] = weights ? 1 : 0;
    stage[1] = last ? 1 : 0;
    if (!weights) return;
    const N = (this.multiplying = this.running);
    for (let n = 0, i = 0; n < N; n++)
      for (let l = 0; l < lanes; l++, i++) product[i] = weights[weightsAt + i] * activations[l];
  }
}
