/** A .safetensors file that some other program wrote: a list of weights, with names such as `layer1.0.conv1.weight`. */
import type { SafetensorsFile, StoredTensor } from '../safetensors.js';
import { groupTensors } from './group.js';
import type { SourceNetwork, SourceTensor } from './source.js';

const WIDE: Record<string, string> = { I32: 'int32', U32: 'uint32', I64: 'int64', U64: 'uint64' };

export function openForeign(store: SafetensorsFile): SourceNetwork {
  const notes: string[] = [];
  // In the order of the data, which is that of the writer; header keys may be sorted.
  const stored = [...store.tensors.values()];
  const tensors = stored.map((tensor) => ({ name: tensor.name, tensor: sourceTensor(store, tensor) }));
  return {
    file: store.file,
    provenance: Object.fromEntries(store.metadata),
    layers: groupTensors(store.file, tensors, notes),
    notes,
    close: () => store.close(),
  };
}

function sourceTensor(store: SafetensorsFile, tensor: StoredTensor): SourceTensor {
  const wide = tensor.dtype === null ? (WIDE[tensor.code] ?? tensor.code) : undefined;
  return {
    place: `tensor "${tensor.name}"`,
    dtype: tensor.dtype ?? 'float64',
    ...(wide ? { wide } : {}),
    shape: tensor.shape,
    read: async () => store.read(tensor),
  };
}
