/**
 * The import as a whole: look at what the source is, read its layers, settle each layer's geometry, write the
 * canonical trace. One tensor is in memory at a time.
 */
import { basename, resolve } from 'node:path';
import { UserError, badInput } from '../../errors.js';
import { DTYPES, DTYPE_BYTES, elementCount } from '../../tensor.js';
import type { TraceMetadata } from '../metadata.js';
import { openTrace } from '../open.js';
import { SafetensorsFile, TENSOR_LIMIT } from '../safetensors.js';
import { ROLES } from '../trace.js';
import { writeTrace, type WritableLayer, type WritableTrace } from '../write.js';
import { hashOfSource, kindOfSource, type SourceKind } from './detect.js';
import { openDnnsim } from './dnnsim.js';
import { openForeign } from './foreign.js';
import { globMatcher } from '../../glob.js';
import { takeIntegers, type CodeBits } from './integers.js';
import { LayerTable, inputSize } from './layerTable.js';
import { npyTensor } from './npyFile.js';
import { openNpz } from './npz.js';
import type { ResolveOptions } from './geometry.js';
import { resolveLayer } from './resolve.js';
import type { Layout, SourceNetwork } from './source.js';
import { openTopology } from './topology.js';

export interface ImportOptions {
  /** Default: what the source's metadata say, else oihw. */
  layout?: Layout;
  /** `HxW`, or `W` for one-dimensional layers. */
  input?: string;
  /** Path of a CSV table of layers. */
  layers?: string;
  depthwise?: string;
  conv?: string;
  integers?: boolean;
  codeBits?: CodeBits;
  network?: string;
  source?: string;
  licence?: string;
  /** Of synthetic values; default 1. */
  seed?: number;
  progress?: (done: number, total: number) => void;
}

export interface ImportResult {
  layers: number;
  tensors: number;
  /** What was left out, one line each. */
  notes: string[];
}

/** @throws UserError for every fault of the source or the options; nothing is written then. */
export async function importTrace(
  source: string,
  out: string,
  options: ImportOptions = {},
): Promise<ImportResult> {
  if (isSameFile(source, out))
    throw new UserError('same-file', `${out}: is the source itself; choose another path for --out`);
  const kind = kindOfSource(source);
  if (kind === 'canonical') return rewrite(source, out, options);
  const resolveOptions = parseOptions(options);
  const network = await openSource(kind, source, options, resolveOptions);
  try {
    if (network.layers.length === 0)
      throw badInput('no-layers', {
        file: source,
        found: 'no layer weights',
        expected: 'at least one tensor of two axes or more',
        remedy: 'name tensors <layer>/weight, or check that this is the right file',
      });
    if (options.integers) await takeIntegers(source, network.layers, network.notes, options.codeBits);
    refuseWide(network);
    const layers = network.layers.map((layer) => resolveLayer(source, layer, resolveOptions));
    refuseSynthesisTooLarge(source, layers);
    network.notes.push(...doubtfulKernels(network, layers, options.layout));
    resolveOptions.table?.checkUsed(network.layers.flatMap(({ name, weightName }) => [name, weightName]));
    await writeTrace(
      out,
      {
        network: options.network ?? network.network ?? basename(resolve(source)).replace(/\.\w+$/, ''),
        source: options.source ?? network.source ?? basename(resolve(source)),
        licence: options.licence ?? network.licence ?? 'unknown',
        origin: { name: basename(resolve(source)), sha256: hashOfSource(source) },
        provenance: network.provenance as TraceMetadata['provenance'],
        layers,
      },
      options.progress,
    );
    return summary(layers, network.notes);
  } finally {
    network.close();
  }
}

async function openSource(
  kind: SourceKind,
  source: string,
  options: ImportOptions,
  resolved: ResolveOptions,
): Promise<SourceNetwork> {
  switch (kind) {
    case 'npz':
      return openNpz(source);
    case 'dnnsim':
      return openDnnsim(source);
    case 'topology':
      return openTopology(source, {
        seed: options.seed ?? 1,
        ...(resolved.depthwise ? { depthwise: resolved.depthwise } : {}),
      });
    case 'npy': {
      const name = basename(source).replace(/\.npy$/i, '');
      const layers = [{ name, weightName: name, tensors: { weight: npyTensor(source) }, facts: {} }];
      return { file: source, provenance: {}, layers, notes: [], close: () => {} };
    }
    default:
      return openForeign(SafetensorsFile.open(source));
  }
}

function parseOptions(options: ImportOptions): ResolveOptions {
  const resolved: ResolveOptions = {};
  if (options.layout) resolved.layout = options.layout;
  if (options.input !== undefined) {
    const size = inputSize(options.input);
    if (!size)
      throw new UserError(
        'bad-option',
        `--input: found "${options.input}", expected HxW such as 32x32 (or W)`,
      );
    resolved.input = size;
  }
  if (options.layers !== undefined) resolved.table = LayerTable.read(options.layers);
  if (options.depthwise !== undefined) resolved.depthwise = globMatcher(options.depthwise);
  if (options.conv !== undefined) resolved.conv = globMatcher(options.conv);
  return resolved;
}

/** Integers wider than any code, and types that are no numbers of ours, survive only if --integers took them. */
function refuseWide(network: SourceNetwork): void {
  for (const layer of network.layers)
    for (const tensor of Object.values(layer.tensors))
      if (tensor.wide)
        throw badInput('bad-dtype', {
          file: network.file,
          place: tensor.place,
          found: `dtype ${tensor.wide}`,
          expected: DTYPES.join(', '),
          remedy: /^u?int/.test(tensor.wide)
            ? 'use --integers if the values are codes of at most 16 bits, or convert the array'
            : 'convert the tensor before importing it',
        });
}

/** Weights of another layout often pass as huge kernels; nothing in the file can tell. */
function doubtfulKernels(network: SourceNetwork, layers: WritableLayer[], layout?: Layout): string[] {
  if (layout || network.layers.some(({ facts }) => facts.layout)) return [];
  return layers
    .filter(({ shape }) => shape.rank === 2 && Math.max(shape.kernelHeight, shape.kernelWidth) > 15)
    .map(
      ({ name, shape }) => `${name}: a kernel of ${shape.kernelHeight}x${shape.kernelWidth}, check --layout`,
    );
}

/** Sizes in a text are only claims: no memory for a tensor that could not be written. */
function refuseSynthesisTooLarge(file: string, layers: WritableLayer[]): void {
  for (const { name, tensors } of layers)
    for (const [role, tensor] of Object.entries(tensors))
      if (elementCount(tensor.shape) * DTYPE_BYTES[tensor.dtype] > TENSOR_LIMIT)
        throw badInput('too-large', {
          file,
          place: `layer "${name}", ${role}`,
          found: `shape [${tensor.shape.join(', ')}]`,
          expected: `at most ${TENSOR_LIMIT} bytes in one tensor`,
          remedy: 'check the sizes, or split the layer',
        });
}

function isSameFile(source: string, out: string): boolean {
  return resolve(source) === resolve(out);
}

/** A canonical source is copied; only its description may change. */
async function rewrite(source: string, out: string, options: ImportOptions): Promise<ImportResult> {
  const trace = openTrace(source);
  try {
    const copy: WritableTrace = {
      network: options.network ?? trace.network,
      source: options.source ?? trace.source,
      licence: options.licence ?? trace.licence,
      origin: trace.origin,
      provenance: trace.provenance as TraceMetadata['provenance'],
      layers: trace.layers.map((layer) => {
        const tensors: WritableLayer['tensors'] = {};
        for (const role of ROLES) {
          const info = layer.tensors[role];
          if (info) tensors[role] = { ...info, read: () => layer.read(role) };
        }
        return { name: layer.name, shape: layer.shape, postRelu: layer.postRelu, tensors };
      }),
    };
    await writeTrace(out, copy, options.progress);
    return summary(copy.layers, []);
  } finally {
    trace.close();
  }
}

function summary(layers: WritableLayer[], notes: string[]): ImportResult {
  return {
    layers: layers.length,
    tensors: layers.reduce((n, layer) => n + Object.keys(layer.tensors).length, 0),
    notes,
  };
}
