/** The header of a safetensors file of tensors whose data follow: wide elements first, so that each starts aligned. */
import { DTYPE_BYTES, elementCount, type DType } from '../tensor.js';
import { CODE_OF_DTYPE } from './safetensors.js';

export interface TensorEntry {
  name: string;
  dtype: DType;
  shape: readonly number[];
  /** In bytes, from the end of the header. */
  offset: number;
}

/** The header with its length in front, padded to a multiple of 8 bytes, and where each tensor belongs. */
export function encodeSafetensorsHeader(
  tensors: readonly Omit<TensorEntry, 'offset'>[],
  metadata: Record<string, string>,
): { bytes: Uint8Array; entries: Map<string, TensorEntry> } {
  const entries = new Map<string, TensorEntry>();
  const header: Record<string, unknown> = { __metadata__: metadata };
  let offset = 0;
  for (const tensor of [...tensors].sort((a, b) => DTYPE_BYTES[b.dtype] - DTYPE_BYTES[a.dtype])) {
    if (entries.has(tensor.name)) throw new Error(`safetensors header: two tensors are named ${tensor.name}`);
    entries.set(tensor.name, { ...tensor, offset });
    const end = offset + elementCount(tensor.shape) * DTYPE_BYTES[tensor.dtype];
    header[tensor.name] = {
      dtype: CODE_OF_DTYPE[tensor.dtype],
      shape: tensor.shape,
      data_offsets: [offset, end],
    };
    offset = end;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array(8 + Math.ceil(text.length / 8) * 8).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(bytes.length - 8), true);
  bytes.set(text, 8);
  return { bytes, entries };
}
