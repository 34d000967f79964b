/** The header of a safetensors file of tensors whose data follow: wide elements first, so that each starts aligned. */
import { VerificationError } from '../errors.js';
import { DTYPE_BYTES, elementCount, type DType } from '../tensor.js';
import { CODE_OF_DTYPE } from './safetensors.js';

export interface TensorEntry {
  name: string;
  dtype: DType;
  shape: readonly number[];
  /** In bytes, from the end of the header. */
  offset: number;
}

/**
 * The header with its length in front, padded by spaces to a multiple of 8 bytes, and the tensors in the order of
 * their data.
 */
export function encodeSafetensorsHeader(
  tensors: readonly Omit<TensorEntry, 'offset'>[],
  metadata: Record<string, string>,
): { bytes: Uint8Array; entries: Map<string, TensorEntry> } {
  const entries = new Map<string, TensorEntry>();
  const header = new Map<string, unknown>([['__metadata__', metadata]]);
  let offset = 0;
  for (const tensor of [...tensors].sort((a, b) => DTYPE_BYTES[b.dtype] - DTYPE_BYTES[a.dtype])) {
    if (header.has(tensor.name))
      throw new VerificationError('trace-names', `two tensors are named "${tensor.name}"`);
    entries.set(tensor.name, { ...tensor, offset });
    const end = offset + elementCount(tensor.shape) * DTYPE_BYTES[tensor.dtype];
    header.set(tensor.name, {
      dtype: CODE_OF_DTYPE[tensor.dtype],
      shape: tensor.shape,
      data_offsets: [offset, end],
    });
    offset = end;
  }
  const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const bytes = new Uint8Array(8 + Math.ceil(text.length / 8) * 8).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(bytes.length - 8), true);
  bytes.set(text, 8);
  return { bytes, entries };
}
