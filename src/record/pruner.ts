/**
 * Stochastic pruning inside the training loop (SPEC section 5). What is pruned is the gradient by a convolution's
 * output, after everything behind that convolution has gone backward: in Conv-ReLU the next layer's dI after pooling
 * and the ReLU mask, in Conv-BN-ReLU the dO after the batch norm. Draws are numbered by the element's place in
 * (example, y, x, filter).
 */
import type { Threshold } from '../report/report.js';
import { hashDraws } from '../sparse/draws.js';
import { prune } from '../sparse/prune.js';
import { exactThreshold, ThresholdFifo } from '../sparse/threshold.js';

/** Elements are summed over steps. */
export interface LayerDensity {
  elements: number;
  /** Not zero before pruning. */
  before: number;
  /** Not zero after pruning. */
  after: number;
}

export interface Pruned {
  values: Float32Array;
  /** Threshold applied; 0: nothing was pruned. */
  tau: number;
  density: LayerDensity;
}

/** All that a checkpoint must keep. */
export interface PrunerState {
  fifos: Record<string, number[]>;
  totals: Record<string, LayerDensity>;
}

export class Pruner {
  private readonly fifos = new Map<string, ThresholdFifo>();
  private readonly totals = new Map<string, LayerDensity>();

  constructor(
    private readonly p: number,
    private readonly rule: Threshold,
    private readonly seed: number,
    state?: PrunerState,
  ) {
    if (!state) return;
    for (const [layer, taus] of Object.entries(state.fifos))
      this.fifos.set(layer, new ThresholdFifo(undefined, taus));
    for (const [layer, total] of Object.entries(state.totals)) this.totals.set(layer, { ...total });
  }

  /** Once per step and layer, in any order of layers. With p = 0 the gradient is only counted. */
  apply(step: number, layer: string, gradient: Float32Array): Pruned {
    const tau = this.threshold(layer, gradient);
    const values =
      tau === 0
        ? gradient
        : Float32Array.from(prune(gradient, tau, hashDraws(this.seed, step, layer), this.p).values);
    const before = nonZero(gradient);
    const density = {
      elements: gradient.length,
      before,
      after: values === gradient ? before : nonZero(values),
    };
    const total = this.totals.get(layer) ?? { elements: 0, before: 0, after: 0 };
    this.totals.set(layer, addDensity(total, density));
    return { values, tau, density };
  }

  private threshold(layer: string, gradient: Float32Array): number {
    if (this.p === 0) return 0;
    const exact = exactThreshold(gradient, this.p);
    if (this.rule === 'exact') return exact;
    let fifo = this.fifos.get(layer);
    if (!fifo) this.fifos.set(layer, (fifo = new ThresholdFifo()));
    // This step's own threshold is known only when the whole gradient has streamed by.
    const predicted = fifo.predicted;
    fifo.push(exact);
    return predicted ?? 0;
  }

  state(): PrunerState {
    return {
      fifos: Object.fromEntries([...this.fifos].map(([layer, fifo]) => [layer, fifo.values()])),
      totals: Object.fromEntries([...this.totals].map(([layer, total]) => [layer, { ...total }])),
    };
  }
}

export const addDensity = (a: LayerDensity, b: LayerDensity): LayerDensity => ({
  elements: a.elements + b.elements,
  before: a.before + b.before,
  after: a.after + b.after,
});

function nonZero(values: Float32Array): number {
  let count = 0;
  for (let i = 0; i < values.length; i++) if (values[i] !== 0) count++;
  return count;
}
