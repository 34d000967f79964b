/**
 * The layer metadata of a canonical trace: one JSON string under the key `kneadsim` of `__metadata__`. The format
 * is described in traces/README.md; a change of meaning raises FORMAT_VERSION.
 */
import { z } from 'zod';
import { badInput } from '../errors.js';
import { DTYPES, checkShape, inputShape, outputShape, weightShape, type ConvShape } from '../tensor.js';
import { ROLES, type Role } from './trace.js';

export const METADATA_KEY = 'kneadsim';
export const FORMAT_VERSION = 1;

const count = z.int().min(1);
const pair = z.tuple([count, count]);
const side = z.int().min(0);

const TensorFormat = z.strictObject({
  dtype: z.enum(DTYPES),
  scale: z.number().positive().optional(),
  zeroPoint: z.number().optional(),
  min: z.number().optional(),
});
export type TensorFormat = z.infer<typeof TensorFormat>;

const Layer = z.strictObject({
  name: z.string().min(1),
  op: z.enum(['conv', 'linear']),
  rank: z.union([z.literal(1), z.literal(2)]),
  shape: z.strictObject({
    batch: count,
    channels: count,
    height: count,
    width: count,
    filters: count,
    kernelHeight: count,
    kernelWidth: count,
  }),
  stride: pair,
  padding: z.strictObject({ top: side, bottom: side, left: side, right: side }),
  dilation: pair,
  groups: count,
  postRelu: z.boolean(),
  tensors: z.partialRecord(z.enum(ROLES), TensorFormat),
});
export type LayerMetadata = z.infer<typeof Layer>;

const Metadata = z.strictObject({
  formatVersion: z.literal(FORMAT_VERSION),
  network: z.string(),
  source: z.string(),
  licence: z.string(),
  origin: z.strictObject({ name: z.string(), sha256: z.string() }).nullable(),
  provenance: z.record(z.string(), z.json()),
  layers: z.array(Layer).min(1),
});
export type TraceMetadata = z.infer<typeof Metadata>;

/** @throws UserError naming the field that does not fit. */
export function parseMetadata(file: string, text: string | undefined): TraceMetadata {
  const fault = (place: string, found: string, expected: string, remedy: string) =>
    badInput('bad-metadata', { file, place, found, expected, remedy });
  const again = 'import the source again with "kneadsim trace import"';
  if (text === undefined)
    throw fault(
      '__metadata__',
      `no key "${METADATA_KEY}"`,
      'a canonical trace',
      `make one: ${again.slice(7)}`,
    );
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw fault(`__metadata__.${METADATA_KEY}`, 'text that is not JSON', 'layer metadata', again);
  }
  const version = (value as { formatVersion?: unknown } | null)?.formatVersion;
  if (version !== FORMAT_VERSION)
    throw fault('formatVersion', JSON.stringify(version) ?? 'none', String(FORMAT_VERSION), again);
  const parsed = Metadata.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw fault(`metadata ${issue.path.join('.')}`, 'a bad value', issue.message, again);
  }
  const names = new Set<string>();
  for (const { name, tensors } of parsed.data.layers) {
    if (names.has(name)) throw fault(`layer "${name}"`, 'the name twice', 'unique layer names', again);
    if (!tensors.weight) throw fault(`layer "${name}"`, 'no weight', 'a weight in every layer', again);
    names.add(name);
  }
  return parsed.data;
}

/** The geometry that the metadata states, checked. */
export function shapeOf(file: string, layer: LayerMetadata): ConvShape {
  const [strideY, strideX] = layer.stride;
  const [dilationY, dilationX] = layer.dilation;
  const { top: padTop, bottom: padBottom, left: padLeft, right: padRight } = layer.padding;
  return checkShape(`${file}: layer "${layer.name}"`, {
    op: layer.op,
    rank: layer.rank,
    ...layer.shape,
    strideY,
    strideX,
    padTop,
    padBottom,
    padLeft,
    padRight,
    dilationY,
    dilationX,
    groups: layer.groups,
  });
}

/** The inverse of shapeOf: a layer's metadata without its tensors. */
export function layerMetadata(name: string, s: ConvShape, postRelu: boolean): LayerMetadata {
  const { batch, channels, height, width, filters, kernelHeight, kernelWidth } = s;
  return {
    name,
    op: s.op,
    rank: s.rank,
    shape: { batch, channels, height, width, filters, kernelHeight, kernelWidth },
    stride: [s.strideY, s.strideX],
    padding: { top: s.padTop, bottom: s.padBottom, left: s.padLeft, right: s.padRight },
    dilation: [s.dilationY, s.dilationX],
    groups: s.groups,
    postRelu,
    tensors: {},
  };
}

/** The shape that a tensor of this role has in a layer of this geometry. */
export function roleShape(role: Role, s: ConvShape): number[] {
  switch (role) {
    case 'weight':
    case 'grad_weight':
      return weightShape(s);
    case 'input':
    case 'grad_input':
    case 'input_mask':
      return inputShape(s);
    case 'grad_output':
      return outputShape(s);
    case 'bias':
      return [s.filters];
  }
}
