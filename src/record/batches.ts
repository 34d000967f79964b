/** Which examples a training step sees: a function of (seed, step) and nothing else, so that any step can be resumed. */
import { Random, hash32 } from '../random.js';

const SHUFFLE = 0x62617463;

export class Batches {
  private epoch = -1;
  private readonly order: Uint32Array;
  private readonly perEpoch: number;

  /** @param examples at least `batch` of them; what a last, smaller batch would hold sits out the epoch */
  constructor(
    examples: number,
    private readonly batch: number,
    private readonly seed: number,
  ) {
    this.order = new Uint32Array(examples);
    this.perEpoch = Math.floor(examples / batch);
  }

  /** Indices of the examples of a step, counted from 1. */
  indices(step: number): Uint32Array {
    const epoch = Math.floor((step - 1) / this.perEpoch);
    if (epoch !== this.epoch) this.shuffle(epoch);
    const start = ((step - 1) % this.perEpoch) * this.batch;
    return this.order.slice(start, start + this.batch);
  }

  /** Fisher and Yates, from the identity, so that the order of an epoch does not depend on those before it. */
  private shuffle(epoch: number): void {
    const { order, seed } = this;
    const random = new Random(hash32(SHUFFLE, seed, Math.floor(seed / 2 ** 32), epoch));
    for (let i = 0; i < order.length; i++) order[i] = i;
    for (let i = order.length - 1; i > 0; i--) {
      const j = random.int(i + 1);
      const swapped = order[i];
      order[i] = order[j];
      order[j] = swapped;
    }
    this.epoch = epoch;
  }
}
