/**
 * The operands of a phase as row PEs take them: compressed rows of what is streamed, in gradWeight of the gradients
 * beside it, in gradInput the ReLU mask. Both levels start from here. The dense twin keeps zeros and has no mask.
 */
import { toRows } from '../lower/rowOperations.js';
import type { Codes } from '../quantize.js';
import { compressRows, type CompressedRows } from '../sparse/rows.js';
import { inputShape, outputShape } from '../tensor.js';
import type { LayerWork } from './machine.js';

export interface RowOperands {
  /** Input rows; in gradInput rows of the gradient by the output. */
  streamed: CompressedRows;
  /** Rows of the gradient by the output, in gradWeight. */
  gradient: CompressedRows | null;
  /** One byte per value of the gradient by the input, in gradInput behind a ReLU: 0 where it is zeroed. */
  mask: Uint8Array | null;
}

/** @param dense compression and mask off; then inputs that the trace does not hold count like any */
export function rowOperands(work: LayerWork, dense: boolean): RowOperands {
  const { shape, phase, activations, gradOutput, inputMask } = work;
  const compress = (codes: Codes | null, [examples, planes, height, width]: number[]): CompressedRows => {
    const values = codes ? toRows(shape, codes.codes) : new Int32Array(examples * planes * height * width);
    const rowWidth = shape.op === 'linear' ? examples : width;
    return compressRows(values, values.length / rowWidth, rowWidth, dense);
  };
  const gradients = (): CompressedRows => compress(gradOutput, outputShape(shape));
  return {
    streamed: phase === 'gradInput' ? gradients() : compress(activations, inputShape(shape)),
    gradient: phase === 'gradWeight' ? gradients() : null,
    mask: phase === 'gradInput' && inputMask && !dense ? toRows(shape, inputMask) : null,
  };
}
