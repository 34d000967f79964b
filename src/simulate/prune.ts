/**
 * Gradients of a run of steps, pruned in order: one threshold FIFO per layer carries over from step to step, and
 * every machine gets the same gradients (SPEC section 5).
 */
import { badInput } from '../errors.js';
import { bitStatistics, quantize, realsOf, type Codes, type QuantizeOptions } from '../quantize.js';
import type { PruningReport, Threshold } from '../report/report.js';
import { hashDraws } from '../sparse/draws.js';
import { prune } from '../sparse/prune.js';
import { exactThreshold, ThresholdFifo } from '../sparse/threshold.js';
import { isIntegerDtype, type NumericArray, type Tensor } from '../tensor.js';

export interface PruneSettings {
  /** Target p, at least 0 and below 1. */
  target: number;
  threshold: Threshold;
  /** N_F: steps that a predicted threshold is the mean of. */
  fifo: number;
  seed: number;
}

export interface PrunedGradients {
  /** After pruning, before quantisation. */
  reals: NumericArray;
  codes: Codes;
  report: PruningReport;
}

export class GradientPruner {
  private readonly fifos = new Map<string, ThresholdFifo>();

  constructor(private readonly settings: PruneSettings) {}

  /** Prunes and quantises the gradients of one layer; steps of a layer must be asked for in order. */
  prune(
    layer: string,
    step: number,
    recorded: Tensor,
    options: QuantizeOptions,
    what: { file: string; place: string },
  ): PrunedGradients {
    const { target, threshold, fifo: size, seed } = this.settings;
    let fifo = this.fifos.get(layer);
    if (!fifo) this.fifos.set(layer, (fifo = new ThresholdFifo(size)));
    if (target > 0 && isIntegerDtype(recorded.dtype) && !recorded.affine)
      throw badInput('pruned-codes', {
        ...what,
        found: `${recorded.dtype} codes without a scale`,
        expected: 'real gradients, which pruning at p > 0 moves to the threshold',
        remedy: 'use --prune 0, or record the gradients as floats or with a scale',
      });
    const values = toFloats(realsOf(recorded));
    const tauExact = exactThreshold(values, target);
    const tauPredicted = fifo.predicted;
    fifo.push(tauExact);
    const tau = threshold === 'exact' ? tauExact : (tauPredicted ?? 0);
    const { values: pruned, statistics } = prune(values, tau, hashDraws(seed, step, layer), target);
    // Recorded codes without a scale stay codes.
    const asRecorded = isIntegerDtype(recorded.dtype) && !recorded.affine;
    const tensor: Tensor = asRecorded ? recorded : { shape: recorded.shape, dtype: 'float64', data: pruned };
    const codes = quantize(tensor, options, what);
    const { elements, recordedNonZero, prunedNonZero } = statistics;
    const quantizedNonZero = elements - bitStatistics(codes).zeroValues;
    const share = (count: number): number => (elements === 0 ? 0 : count / elements);
    return {
      reals: tensor.data,
      codes,
      report: {
        name: layer,
        step,
        elements,
        target,
        threshold,
        tauExact,
        tauPredicted,
        tau,
        density: {
          recorded: share(recordedNonZero),
          pruned: share(prunedNonZero),
          quantized: share(quantizedNonZero),
        },
        zeros: {
          recorded: elements - recordedNonZero,
          pruning: recordedNonZero - prunedNonZero,
          quantization: prunedNonZero - quantizedNonZero,
        },
        measuredBias: statistics.measuredBias,
        biasStandardError: statistics.biasStandardError,
        addedVariance: statistics.addedVariance,
        expectedAddedVariance: statistics.expectedAddedVariance,
      },
    };
  }
}

const toFloats = (values: NumericArray): Float32Array | Float64Array =>
  values instanceof Float32Array || values instanceof Float64Array ? values : Float64Array.from(values);
