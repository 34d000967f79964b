/**
 * When the moves of a plan happen, in closed form: a max-plus recurrence over moves, whose only other state are the two
 * token buckets. All orders are fixed, so that more bandwidth never makes anything later. See `sim/movePlan.ts`.
 */
import type { MovePlan, MoveTiming, PortConfig } from '../sim/movePlan.js';
import { TokenBucket } from './tokenBucket.js';

export function timeMoves(plan: MovePlan, dram: PortConfig, global: PortConfig): MoveTiming {
  return new Recurrence(plan, new TokenBucket(dram), new TokenBucket(global)).run();
}

class Recurrence {
  /** Boundaries, by move: weights and activations in the global buffer, local buffers filled, PEs done, outputs drained. */
  private readonly weights: Float64Array;
  private readonly activations: Float64Array;
  private readonly filled: Float64Array;
  private readonly end: Float64Array;
  private readonly drained: Float64Array;
  /** When the latest part of what the next outer tile keeps was there. */
  private nextWeights = 0;
  private nextActivations = 0;

  constructor(
    private readonly plan: MovePlan,
    private readonly dram: TokenBucket,
    private readonly global: TokenBucket,
  ) {
    const times = (): Float64Array => new Float64Array(plan.moves);
    this.weights = times();
    this.activations = times();
    this.filled = times();
    this.end = times();
    this.drained = times();
  }

  run(): MoveTiming {
    const { plan, weights, activations, filled, end, drained } = this;
    const { moves } = plan;
    const stall = { weights: 0, activations: 0, refill: 0, output: 0 };
    const last = (times: Float64Array, j: number): number => (j < 0 ? 0 : times[j]);
    for (let j = 0; j < Math.min(2, moves); j++) {
      this.own(j, 0);
      if (j === 0) this.fill(0);
      this.next(j, last(filled, j - 1));
    }
    for (let j = 0; j < moves; j++) {
      const free = last(end, j - 1);
      const untilWeights = Math.max(free, weights[j]);
      const untilActivations = Math.max(untilWeights, activations[j]);
      const untilFilled = Math.max(untilActivations, filled[j]);
      const start = Math.max(untilFilled, last(drained, j - 2));
      stall.weights += untilWeights - free;
      stall.activations += untilActivations - untilWeights;
      stall.refill += untilFilled - untilActivations;
      stall.output += start - untilFilled;
      end[j] = start + plan.cycles[j];
      if (j + 2 < moves) this.own(j + 2, filled[j]);
      if (j + 1 < moves) this.fill(j + 1);
      if (j + 2 < moves) this.next(j + 2, filled[j + 1]);
      drained[j] = plan.outputs[j] > 0 ? this.dram.pass(plan.outputs[j], end[j]) : end[j];
    }
    const done = last(end, moves - 1);
    const cycles = Math.max(done, last(drained, moves - 2), last(drained, moves - 1));
    stall.output += cycles - done;
    return { cycles, stall };
  }

  private own(j: number, ready: number): void {
    const { plan, weights, activations } = this;
    weights[j] = this.nextWeights;
    activations[j] = this.nextActivations;
    if (plan.ownWeights[j] > 0) weights[j] = this.dram.pass(plan.ownWeights[j], ready);
    if (plan.ownActivations[j] > 0) activations[j] = this.dram.pass(plan.ownActivations[j], ready);
  }

  private next(j: number, ready: number): void {
    const { plan } = this;
    if (plan.nextWeights[j] > 0) this.nextWeights = this.dram.pass(plan.nextWeights[j], ready);
    if (plan.nextActivations[j] > 0) this.nextActivations = this.dram.pass(plan.nextActivations[j], ready);
  }

  private fill(j: number): void {
    const { weights, activations, filled, end } = this;
    const free = j < 2 ? 0 : end[j - 2];
    const ready = Math.max(weights[j], activations[j], free, j === 0 ? 0 : filled[j - 1]);
    filled[j] = this.plan.fill[j] > 0 ? this.global.pass(this.plan.fill[j], ready) : ready;
  }
}
