/**
 * From a recorded layer to the work that machines are given: quantised weights, inputs and pruned gradients, the same
 * for all phases and machines (SPEC sections 1 and 5).
 */
import type { LayerWork, Phase } from '../arch/machine.js';
import { bitStatistics, quantize, realsOf, type Codes, type QuantizeOptions } from '../quantize.js';
import { operandFormat, type LayerFormats, type PruningReport } from '../report/report.js';
import type { LayerFacts } from '../report/row.js';
import { macCount, type ConvShape, type NumericArray } from '../tensor.js';
import type { Role, TraceLayer } from '../trace/trace.js';
import type { GradientPruner } from './prune.js';

/** An operand as reals and as the codes that stand for them. */
export interface Operand {
  reals: NumericArray;
  codes: Codes;
}

/** All that the phases of one layer in one step work on. */
export interface LoadedLayer {
  name: string;
  step: number;
  shape: ConvShape;
  weight: Operand;
  input: Operand | null;
  gradOutput: Operand | null;
  inputMask: Uint8Array | null;
  formats: LayerFormats;
  pruning: PruningReport | null;
}

export interface LoadOptions extends QuantizeOptions {
  /** Whether all operands must be signed codes, inputs too. */
  training: boolean;
  /** null where no phase needs gradients. */
  pruner: GradientPruner | null;
}

export function loadLayer(file: string, layer: TraceLayer, step: number, options: LoadOptions): LoadedLayer {
  const { name } = layer;
  const at = (role: Role) => ({ file, place: `layer ${name}, ${role}` });
  const stored = (role: Role): string => layer.tensors[role]!.dtype;
  const quantized = (role: Role, how: QuantizeOptions): Operand => {
    const tensor = layer.read(role);
    return { reals: realsOf(tensor), codes: quantize(tensor, how, at(role)) };
  };
  // Scales per channel are for weights: a sum over channels or positions cannot mix scales.
  const perTensor: QuantizeOptions = { ...options, per: 'tensor' };
  const weight = quantized('weight', options);
  const input = layer.tensors.input
    ? quantized('input', { ...perTensor, unsignedAllowed: !options.training })
    : null;
  const gradients = options.pruner?.prune(
    name,
    step,
    layer.read('grad_output'),
    perTensor,
    at('grad_output'),
  );
  const gradOutput = gradients ? { reals: gradients.reals, codes: gradients.codes } : null;
  return {
    name,
    step,
    shape: layer.shape,
    weight,
    input,
    gradOutput,
    inputMask: options.pruner && layer.tensors.input_mask ? maskOf(layer) : null,
    formats: {
      name,
      step,
      weight: operandFormat(stored('weight'), weight.codes),
      input: input && operandFormat(stored('input'), input.codes),
      gradOutput: gradOutput && operandFormat(stored('grad_output'), gradOutput.codes),
    },
    pruning: gradients?.report ?? null,
  };
}

const maskOf = (layer: TraceLayer): Uint8Array =>
  Uint8Array.from(layer.read('input_mask').data, (value) => (value === 0 ? 0 : 1));

export function workOf(layer: LoadedLayer, phase: Phase, { precision }: QuantizeOptions): LayerWork {
  return {
    name: layer.name,
    phase,
    shape: layer.shape,
    weights: layer.weight.codes,
    activations: layer.input && layer.input.codes,
    gradOutput: phase === 'forward' ? null : layer.gradOutput && layer.gradOutput.codes,
    inputMask: phase === 'gradInput' ? layer.inputMask : null,
    precision,
  };
}

export function factsOf(layer: LoadedLayer, phase: Phase): LayerFacts {
  return {
    name: layer.name,
    phase,
    step: layer.step,
    macs: macCount(layer.shape),
    weights: bitStatistics(layer.weight.codes),
    activations: layer.input && bitStatistics(layer.input.codes),
    gradOutput: layer.gradOutput && bitStatistics(layer.gradOutput.codes),
  };
}
