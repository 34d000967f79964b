/**
 * What moves, and when it may (SPEC section 8): a layer and phase as a list of moves. Each move is a stretch of the PEs'
 * cycles, with what it needs in the buffers and what it leaves there. All arrays are by move; bytes are whole.
 *
 * Transfers pass the DRAM port in this order, each when its side is free:
 *
 *   own(0) next(0) own(1) next(1), then for each move j: own(j+2) next(j+2) drain(j)
 *
 *   own(j)    what move j needs, weights first. Starts when fill(j-2) is done: that half of the global buffer is free.
 *   next(j)   a part of what the next outer tile keeps. Starts when fill(j-1) is done: the outer tile before is through.
 *   drain(j)  outputs. Starts when the PEs have finished move j.
 *   fill(j)   into local buffers, over the global port, in order. Starts when own(j) and all next() before it are done,
 *             and when the PEs have finished move j-2: that local half is free.
 *   PEs       start move j when they have finished move j-1, fill(j) is done, and drain(j-2) is done.
 *
 * What has no bytes is no transfer: it passes no port, waits behind nobody, and is done as soon as it could start.
 *
 * The layer ends when PEs and drains have. The array waits as one, so what PEs compute does not depend on any of this.
 */

export interface MovePlan {
  moves: number;
  ownWeights: Float64Array;
  ownActivations: Float64Array;
  nextWeights: Float64Array;
  nextActivations: Float64Array;
  /** Bytes from the global buffer into each local one. */
  fill: Float64Array;
  outputs: Float64Array;
  /** Cycles of the PEs, stretched to what their local buffers can deliver. */
  cycles: Float64Array;
}

/** A token bucket: `bytesPerCycle` credits come in each cycle, at most `burstBytes` of them wait. It starts full. */
export interface PortConfig {
  bytesPerCycle: number;
  burstBytes: number;
}

/** Why PEs wait for memory, one cause per cycle in this priority. */
export const MEMORY_CAUSES = ['weights', 'activations', 'refill', 'output', 'local'] as const;
export type MemoryCause = (typeof MEMORY_CAUSES)[number];

export interface MoveTiming {
  /** Until PEs and drains have finished. */
  cycles: number;
  /** Cycles of waiting: weights or activations not yet in the global buffer, local buffers not yet filled, outputs not yet drained. */
  stall: Record<Exclude<MemoryCause, 'local'>, number>;
}
