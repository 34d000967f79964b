/**
 * Writes a canonical trace. The header is made from what is known of the tensors without reading them; then each
 * tensor is read, written and forgotten, so that memory holds one at a time.
 */
import { VerificationError } from '../errors.js';
import { atomicWriteAsync, writeFully } from '../files.js';
import { DTYPE_BYTES, elementCount, type ConvShape, type Tensor } from '../tensor.js';
import { checkFinite, encodeElements } from './elements.js';
import { FORMAT_VERSION, METADATA_KEY, layerMetadata, type TraceMetadata } from './metadata.js';
import { encodeSafetensorsHeader, type TensorEntry } from './safetensorsHeader.js';
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

/** @throws UserError if the path cannot be written, or a tensor holds NaN or an infinity; nothing is left then. */
export async function writeTrace(
  path: string,
  trace: WritableTrace,
  progress: (done: number, total: number) => void = () => {},
): Promise<void> {
  const items = itemsOf(trace);
  const { bytes: header, entries } = encodeSafetensorsHeader(items, metadataOf(trace));
  const tensors = new Map(items.map(({ name, tensor }) => [name, tensor]));
  const sizeOf = ({ dtype, shape }: TensorEntry): number => elementCount(shape) * DTYPE_BYTES[dtype];
  const total = [...entries.values()].reduce((sum, entry) => sum + sizeOf(entry), 0);
  await atomicWriteAsync(path, async (fd) => {
    writeFully(fd, header);
    let done = 0;
    for (const [name, entry] of entries) {
      const tensor = tensors.get(name)!;
      const bytes = sizeOf(entry);
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

interface Item extends Omit<TensorEntry, 'offset'> {
  tensor: WritableTensor;
}

const itemsOf = ({ layers }: WritableTrace): Item[] =>
  layers.flatMap((layer) =>
    ROLES.flatMap((role): Item[] => {
      const tensor = layer.tensors[role];
      if (!tensor) return [];
      return [{ name: `${layer.name}/${role}`, dtype: tensor.dtype, shape: tensor.shape, tensor }];
    }),
  );

function metadataOf(trace: WritableTrace): Record<string, string> {
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
  return { [METADATA_KEY]: JSON.stringify(metadata) };
}
