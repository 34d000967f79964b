/**
 * Opens a canonical trace. The header is read and checked at once; each tensor is read when it is asked for, so
 * that a trace may be larger than memory.
 */
import { createHash } from 'node:crypto';
import { badInput } from '../errors.js';
import { fileSize, readFully } from '../files.js';
import type { Affine, ConvShape, Tensor } from '../tensor.js';
import { checkFinite } from './elements.js';
import { METADATA_KEY, parseMetadata, roleShape, shapeOf, type LayerMetadata } from './metadata.js';
import { SafetensorsFile, type StoredTensor } from './safetensors.js';
import type { Role, TensorInfo, Trace, TraceLayer } from './trace.js';

/** @throws UserError if the file is missing, damaged, or no canonical trace. */
export function openTrace(path: string): OpenedTrace {
  const store = SafetensorsFile.open(path);
  try {
    return new OpenedTrace(store);
  } catch (error) {
    store.close();
    throw error;
  }
}

export class OpenedTrace implements Trace {
  readonly file: string;
  readonly network: string;
  readonly source: string;
  readonly licence: string;
  readonly origin: { name: string; sha256: string } | null;
  readonly provenance: Record<string, unknown>;
  readonly layers: TraceLayer[];
  private digest: string | null = null;

  constructor(private readonly store: SafetensorsFile) {
    const metadata = parseMetadata(store.file, store.metadata.get(METADATA_KEY));
    this.file = store.file;
    this.network = metadata.network;
    this.source = metadata.source;
    this.licence = metadata.licence;
    this.origin = metadata.origin;
    this.provenance = metadata.provenance;
    const unclaimed = new Set(store.tensors.keys());
    this.layers = metadata.layers.map((layer) => new OpenedLayer(store, layer, unclaimed));
    for (const name of unclaimed)
      throw badInput('bad-trace', {
        file: store.file,
        place: `tensor "${name}"`,
        found: 'a tensor of no layer',
        expected: 'only tensors that the metadata names',
        remedy: 'import the source again with "kneadsim trace import"',
      });
  }

  /** Computed when first asked for: a large file need not be read twice by those who do not want it. */
  get hash(): string {
    return (this.digest ??= hashOf(this.file, this.store.fd));
  }

  close(): void {
    this.store.close();
  }
}

/** SHA-256 of an open file, hex, in chunks. */
export function hashOf(path: string, fd: number): string {
  const hash = createHash('sha256');
  const chunk = new Uint8Array(1 << 20);
  const size = fileSize(fd);
  for (let position = 0; position < size;) {
    const count = readFully(path, fd, chunk, position);
    if (count === 0) break;
    hash.update(chunk.subarray(0, count));
    position += count;
  }
  return hash.digest('hex');
}

class OpenedLayer implements TraceLayer {
  readonly name: string;
  readonly shape: ConvShape;
  readonly postRelu: boolean;
  readonly tensors: Partial<Record<Role, TensorInfo>> = {};
  private readonly stored = new Map<Role, StoredTensor>();

  constructor(
    private readonly store: SafetensorsFile,
    layer: LayerMetadata,
    unclaimed: Set<string>,
  ) {
    this.name = layer.name;
    this.shape = shapeOf(store.file, layer);
    this.postRelu = layer.postRelu;
    for (const [role, format] of Object.entries(layer.tensors) as [Role, LayerMetadata['tensors'][Role]][]) {
      if (!format) continue;
      const expected = roleShape(role, this.shape);
      const tensor = store.tensors.get(`${this.name}/${role}`);
      const wanted = `${format.dtype} of shape [${expected.join(', ')}]`;
      if (!tensor) throw this.fault(role, 'no such tensor', wanted);
      if (tensor.dtype !== format.dtype || tensor.shape.join() !== expected.join())
        throw this.fault(
          role,
          `${tensor.dtype ?? tensor.code} of shape [${tensor.shape.join(', ')}]`,
          wanted,
        );
      unclaimed.delete(tensor.name);
      this.stored.set(role, tensor);
      const info: TensorInfo = { dtype: format.dtype, shape: expected };
      if (format.scale !== undefined) {
        const affine: Affine = { scale: format.scale, zeroPoint: format.zeroPoint ?? 0 };
        if (format.min !== undefined) affine.min = format.min;
        info.affine = affine;
      }
      this.tensors[role] = info;
    }
  }

  read(role: Role): Tensor {
    const info = this.tensors[role];
    const stored = this.stored.get(role);
    if (!info || !stored)
      throw badInput('missing-tensor', {
        file: this.store.file,
        place: `layer "${this.name}"`,
        found: `no ${role}`,
        expected: `a recorded ${role}`,
        remedy: `use a trace that holds it; this one has ${Object.keys(this.tensors).join(', ')}`,
      });
    const data = this.store.read(stored);
    return checkFinite({ ...info, data }, this.store.file, `layer "${this.name}", ${role}`);
  }

  private fault(role: Role, found: string, expected: string) {
    return badInput('bad-trace', {
      file: this.store.file,
      place: `layer "${this.name}", ${role}`,
      found,
      expected,
      remedy: 'import the source again with "kneadsim trace import"',
    });
  }
}
