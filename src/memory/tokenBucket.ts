/**
 * A port as a token bucket, in closed form (SPEC section 8): integer credits come in each cycle and wait up to a burst.
 * Transfers pass one after another; at a cycle's boundary all credits that are there may be spent at once.
 */
import type { PortConfig } from '../sim/movePlan.js';

export class TokenBucket {
  private tokens: number;
  /** Boundary of cycles up to which `tokens` is known. */
  private now = 0;

  constructor(private readonly port: PortConfig) {
    this.tokens = port.burstBytes;
  }

  /** Moves `bytes` from boundary `ready` on, behind all earlier transfers. Returns the boundary at which all have moved. */
  pass(bytes: number, ready: number): number {
    const { bytesPerCycle, burstBytes } = this.port;
    if (ready > this.now) {
      // Not one product where both are infinite: nothing times infinity is no number.
      if (bytesPerCycle < Infinity)
        this.tokens = Math.min(burstBytes, this.tokens + (ready - this.now) * bytesPerCycle);
      this.now = ready;
    }
    if (bytes <= this.tokens) {
      if (bytesPerCycle < Infinity) this.tokens -= bytes;
      return this.now;
    }
    const wait = Math.ceil((bytes - this.tokens) / bytesPerCycle);
    this.tokens += wait * bytesPerCycle - bytes;
    this.now += wait;
    return this.now;
  }
}
