/**
 * Outputs of the backward phases against the tensors that the trace recorded of them: without pruning they must agree
 * within what quantisation and sums in float32 can make of them. The bound is rigorous and made element by element.
 */
import type { Phase } from '../arch/machine.js';
import type { RecordedReport } from '../report/report.js';
import { referenceGradInput, referenceGradWeight } from '../reference.js';
import { outputSize, type ConvShape, type DType, type Tensor } from '../tensor.js';
import { realsOf } from '../quantize.js';
import type { LoadedLayer, Operand } from './load.js';

/** Relative rounding of a float32 operation; wider types were computed at least as well. */
const FLOAT32_ROUNDING = 2 ** -24;

/** Relative rounding when a result was stored narrower than it was computed. */
const STORE_ROUNDING: Partial<Record<DType, number>> = { float16: 2 ** -11, bfloat16: 2 ** -8 };

type BackwardPhase = Exclude<Phase, 'forward'>;

/** @param expected integer outputs of the phase, before any ReLU mask */
export function compareRecorded(
  layer: LoadedLayer,
  phase: BackwardPhase,
  expected: Float64Array,
  recorded: Tensor,
): RecordedReport {
  const { shape } = layer;
  const factor = phase === 'gradInput' ? layer.weight : layer.input!;
  const gradient = layer.gradOutput!;
  const combine = phase === 'gradInput' ? referenceGradInput : referenceGradWeight;
  const x = magnitudes(factor);
  const g = magnitudes(gradient);
  // |(w+dw)(g+dg) - w g| <= (|w|+|dw|)(|g|+|dg|) - |w||g|, summed over the terms of each element.
  const product = combine(shape, x.reals, g.reals);
  const widest = combine(shape, x.widest, g.widest);
  const scale = factor.codes.scales[0] * gradient.codes.scales[0];
  const rounding = (termsOf(shape, phase) + 2) * FLOAT32_ROUNDING;
  const stored = STORE_ROUNDING[recorded.dtype] ?? 0;
  const values = realsOf(recorded);
  let outside = 0;
  let largest = 0;
  let magnitude = 0;
  let share = 0;
  for (let i = 0; i < values.length; i++) {
    const difference = Math.abs(expected[i] * scale - values[i]);
    const bound = widest[i] - product[i] + rounding * widest[i] + stored * Math.abs(values[i]);
    if (difference > bound) outside++;
    if (difference > largest) largest = difference;
    if (Math.abs(values[i]) > magnitude) magnitude = Math.abs(values[i]);
    if (difference > share * bound) share = bound === 0 ? Infinity : difference / bound;
  }
  return {
    name: layer.name,
    phase,
    step: layer.step,
    elements: values.length,
    outside,
    largestDifference: largest,
    relativeDifference: magnitude === 0 ? null : largest / magnitude,
    // JSON has no infinity.
    largestShareOfBound: Math.min(share, Number.MAX_VALUE),
  };
}

/** |x|, and |x| + |dx| where dx is what quantisation did to x. */
function magnitudes({ reals, codes }: Operand): { reals: Float64Array; widest: Float64Array } {
  const size = reals.length / codes.scales.length;
  const plain = new Float64Array(reals.length);
  const widest = new Float64Array(reals.length);
  for (let i = 0; i < reals.length; i++) {
    const error = Math.abs(codes.codes[i] * codes.scales[Math.floor(i / size)] - reals[i]);
    plain[i] = Math.abs(reals[i]);
    widest[i] = plain[i] + error;
  }
  return { reals: plain, widest };
}

/** Most terms that one output sums. */
function termsOf(s: ConvShape, phase: BackwardPhase): number {
  const { outHeight, outWidth } = outputSize(s);
  return phase === 'gradInput'
    ? (s.filters / s.groups) * s.kernelHeight * s.kernelWidth
    : s.batch * outHeight * outWidth;
}
