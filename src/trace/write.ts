/**
 * Writes a canonical trace. The header is made from what is known of the tensors without reading them; then each
 * tensor is read, written and forgotten, so that memory holds one at a time.
 */
import { VerificationError } from '../errors.js';
import { atomicWriteAsync, writeFully } from '../files.js';
import { DTYPE_BYTES, elementCount, type ConvShape, type Tensor } from '../tensor.js';
import { checkFinite, encodeElements } from './elements.js';
import { FORMAT_VERSION, METADATA_KEY, layerMetadata, type TraceMetadata } from './metadata.js';
import { CODE_OF_DTYPE } from './safetensors.js';
import { ROLES, type Role, type TensorInfo } from './trace.js';

export interface WritableTensor extends TensorInfo {
  /** In canonical layout, of the stated shape and dtype. Called once. */
  read(): Tensor | Promise<Tensor>;
}

export interface WritableLayer {
  name: string;
  shape: ConvShape;
  postRelu: boolean;
  tensors: Partial<Record<Role, WritableTensor>>;
}

export interface WritableTrace {
  network: string;
  source: string;
  licence: string;
  origin: { name: string; sha256: string } | null;
  provenance: TraceMetadata['provenance'];
  layers: WritableLayer[];
}

interface Item {
  name: string;
  tensor: WritableTensor;
  bytes: number;
}

/** @throws UserError if the path cannot be written, or a tensor holds NaN or an infinity; nothing is left then. */
export async function writeTrace(
  path: string,
  trace: WritableTrace,
  progress: (done: number, total: number) => void = () => {},
): Promise<void> {
  const items = itemsOf(trace);
  const total = items.reduce((sum, item) => sum + item.bytes, 0);
  const header = headerOf(trace, items);
  await atomicWriteAsync(path, async (fd) => {
    writeFully(fd, header);
    let done = 0;
    for (const { name, tensor, bytes } of items) {
      const read = checkFinite(await tensor.read(), path, `tensor "${name}"`);
      const encoded = encodeElements(read.data, tensor.dtype);
      // The header is already written: a source that changed its mind would make a file that lies.
      if (encoded.length !== bytes)
        throw new VerificationError(
          'trace-size',
          `${path}: "${name}" has ${encoded.length} bytes, not ${bytes}`,
        );
      writeFully(fd, encoded);
      progress((done += bytes), total);
    }
  });
}

/** Wide elements first, as the format's own writer does, so that every tensor starts aligned. */
function itemsOf(trace: WritableTrace): Item[] {
  const items: Item[] = [];
  for (const layer of trace.layers)
    for (const role of ROLES) {
      const tensor = layer.tensors[role];
      if (tensor)
        items.push({
          name: `${layer.name}/${role}`,
          tensor,
          bytes: elementCount(tensor.shape) * DTYPE_BYTES[tensor.dtype],
        });
    }
  return items.sort((a, b) => DTYPE_BYTES[b.tensor.dtype] - DTYPE_BYTES[a.tensor.dtype]);
}

function headerOf(trace: WritableTrace, items: Item[]): Uint8Array {
  const { network, source, licence, origin, provenance } = trace;
  const layers = trace.layers.map((layer) => {
    const metadata = layerMetadata(layer.name, layer.shape, layer.postRelu);
    for (const role of ROLES) {
      const tensor = layer.tensors[role];
      if (tensor) metadata.tensors[role] = { dtype: tensor.dtype, ...tensor.affine };
    }
    return metadata;
  });
  const metadata: TraceMetadata = {
    formatVersion: FORMAT_VERSION,
    network,
    source,
    licence,
    origin,
    provenance,
    layers,
  };
  const header = new Map<string, unknown>([['__metadata__', { [METADATA_KEY]: JSON.stringify(metadata) }]]);
  let offset = 0;
  for (const { name, tensor, bytes } of items) {
    if (header.has(name)) throw new VerificationError('trace-names', `two tensors are named "${name}"`);
    header.set(name, {
      dtype: CODE_OF_DTYPE[tensor.dtype],
      shape: tensor.shape,
      data_offsets: [offset, (offset += bytes)],
    });
  }
  // Spaces up to a multiple of 8, so that the data start aligned.
  const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const padded = new Uint8Array(8 + Math.ceil(text.length / 8) * 8).fill(0x20);
  new DataView(padded.buffer).setBigUint64(0, BigInt(padded.length - 8), true);
  padded.set(text, 8);
  return padded;
}
