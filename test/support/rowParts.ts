/** Parts of a layer by filters and examples in any phase, with what puts or adds their outputs into the whole. */
import type { LayerWork } from '../../src/arch/machine.js';
import type { Codes } from '../../src/quantize.js';
import { inputShape, outputShape, weightShape } from '../../src/tensor.js';

export interface Part {
  filters: number[];
  examples: number[];
}

/** The places of (examples x planes x size) values that a part has of all planes. */
function places(examples: number[], planes: number[], all: number, size: number): number[] {
  return examples.flatMap((n) =>
    planes.flatMap((p) => Array.from({ length: size }, (_, i) => (n * all + p) * size + i)),
  );
}

const pick = (codes: Codes, shape: number[], from: number[]): Codes => ({
  ...codes,
  shape,
  codes: Int32Array.from(from, (i) => codes.codes[i]),
});

export function partOf(
  work: LayerWork,
  { filters, examples }: Part,
): { work: LayerWork; put(part: Float64Array, whole: Float64Array): void } {
  const s = { ...work.shape, filters: filters.length, batch: examples.length };
  const channels = Array.from({ length: s.channels }, (_, c) => c);
  const [, , outHeight, outWidth] = outputShape(s);
  const inputs = places(examples, channels, s.channels, s.height * s.width);
  const outputs = places(examples, filters, work.shape.filters, outHeight * outWidth);
  const perFilter = weightShape(s)
    .slice(1)
    .reduce((a, b) => a * b);
  const weights = places([0], filters, work.shape.filters, perFilter);
  const { activations, gradOutput, inputMask } = work;
  const into = { forward: outputs, gradInput: inputs, gradWeight: weights }[work.phase];
  return {
    work: {
      ...work,
      shape: s,
      weights: pick(work.weights, weightShape(s), weights),
      activations: activations && pick(activations, inputShape(s), inputs),
      gradOutput: gradOutput && pick(gradOutput, outputShape(s), outputs),
      inputMask: inputMask && Uint8Array.from(inputs, (i) => inputMask[i]),
    },
    put: (part, whole) => part.forEach((value, i) => (whole[into[i]] += value)),
  };
}
