/**
 * `meta.json` of a recorded .npz: what it says of the source, of layers (training traces) and of single tensors
 * (weights). Unknown fields are kept as provenance where they are plain values, and otherwise ignored.
 */
import { z } from 'zod';
import { badInput } from '../../errors.js';
import type { Affine } from '../../tensor.js';
import { LAYOUTS, type LayerFacts, type LayerKind, type Layout } from './source.js';

const sizes = z.union([z.int(), z.array(z.int()).min(1).max(4)]);
const LayerMeta = z.looseObject({
  name: z.string(),
  kind: z.string().optional(),
  op: z.string().optional(),
  stride: sizes.nullish(),
  padding: sizes.nullish(),
  dilation: sizes.nullish(),
  groups: z.int().nullish(),
  input_shape: z.array(z.int()).nullish(),
  input_is_post_relu: z.boolean().nullish(),
  external_padding: z.array(z.int()).nullish(),
  layout: z.string().nullish(),
});
const Quant = z.looseObject({
  scale: z.number().positive(),
  min: z.number().nullish(),
  zero_point: z.number().nullish(),
  zeroPoint: z.number().nullish(),
});
const TensorMeta = z.looseObject({
  quant: Quant.nullish(),
  op: z.string().nullish(),
  kind: z.string().nullish(),
  layout: z.string().nullish(),
});
const Meta = z.looseObject({
  network: z.string().nullish(),
  source: z.string().nullish(),
  dataset: z.string().nullish(),
  licence: z.string().nullish(),
  license: z.string().nullish(),
  layout: z.string().nullish(),
  layers: z.array(LayerMeta).nullish(),
  tensors: z.record(z.string(), TensorMeta).nullish(),
});
export type SourceMeta = z.infer<typeof Meta>;

/** @throws UserError naming the field that does not fit. */
export function parseMeta(file: string, text: string): SourceMeta {
  const fault = (place: string, found: string, expected: string) =>
    badInput('bad-meta', {
      file,
      place,
      found,
      expected,
      remedy: 'correct meta.json, or leave it out and give --layers and --layout',
    });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw fault('meta.json', `text that is not JSON (${(error as Error).message})`, 'a JSON object');
  }
  const parsed = Meta.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw fault(`meta.json ${issue.path.join('.')}`, 'a bad value', issue.message);
}

/** Plain values only: numbers, texts and small objects of them, such as the step and the loss. */
export function provenanceOf(meta: SourceMeta): Record<string, unknown> {
  const known = new Set(['network', 'source', 'licence', 'license', 'layers', 'tensors', 'layout']);
  return Object.fromEntries(
    Object.entries(meta).filter(([key, value]) => !known.has(key) && value !== null && value !== ''),
  );
}

/** conv2d, DEPTHWISE_CONV_2D, fc and the like; undefined where the word means none of our layers. */
export function kindOf(word: string): LayerKind | undefined {
  const text = word.toLowerCase();
  if (/transpose|deconv|3d/.test(text)) return undefined;
  if (/depthwise|^dw/.test(text)) return 'depthwise';
  if (/conv|pointwise/.test(text)) return 'conv';
  if (/linear|dense|fully.?connected|^fc|matmul|gemm/.test(text)) return 'linear';
  return undefined;
}

function checkedKind(file: string, place: string, word: string | null | undefined): LayerKind | undefined {
  if (!word) return undefined;
  const kind = kindOf(word);
  if (!kind)
    throw badInput('bad-meta', {
      file,
      place: `meta.json, ${place}`,
      found: `kind "${word}"`,
      expected: 'a convolution, depthwise convolution or linear layer',
      remedy: 'leave the layer out of the file, or correct its kind',
    });
  return kind;
}

export function layoutOf(file: string, place: string, word: string | null | undefined): Layout | undefined {
  if (!word) return undefined;
  // OIK and its kin are the one-dimensional names.
  const text = word
    .toLowerCase()
    .replace(/^oik$|^oiw$/, 'oihw')
    .replace(/^kio$|^wio$/, 'hwio')
    .replace(/^oki$|^owi$/, 'ohwi');
  const layout = LAYOUTS.find((name) => name === text);
  if (!layout)
    throw badInput('bad-meta', {
      file,
      place,
      found: `layout "${word}"`,
      expected: LAYOUTS.join(', '),
      remedy: 'correct it or give --layout',
    });
  return layout;
}

export function affineOf(meta: SourceMeta, name: string): Affine | undefined {
  const quant = meta.tensors?.[name]?.quant;
  if (!quant) return undefined;
  const { scale, min } = quant;
  if (min !== null && min !== undefined) return { scale, zeroPoint: min === 0 ? 0 : -min / scale, min };
  return { scale, zeroPoint: quant.zero_point ?? quant.zeroPoint ?? 0 };
}

export function tensorFacts(file: string, meta: SourceMeta, name: string): LayerFacts {
  const tensor = meta.tensors?.[name];
  const facts: LayerFacts = {};
  const kind = checkedKind(file, `tensor "${name}"`, tensor?.op ?? tensor?.kind);
  const layout = layoutOf(file, `meta.json, tensor "${name}"`, tensor?.layout);
  if (kind) facts.kind = kind;
  if (layout) facts.layout = layout;
  return facts;
}

const isGiven = <T>(value: T | null | undefined): value is T => value !== null && value !== undefined;

/** What the metadata's list says of a layer; sizes are (y, x), or (x) for one-dimensional layers. */
export function layerFacts(file: string, layer: z.infer<typeof LayerMeta>): LayerFacts {
  const place = `layer "${layer.name}"`;
  const facts: LayerFacts = {};
  const word = layer.kind ?? layer.op;
  const kind = checkedKind(file, place, word);
  const flat = /1d/i.test(word ?? '') || layer.input_shape?.length === 2;
  const fault = (what: string, value: unknown, expected: string) =>
    badInput('bad-meta', {
      file,
      place: `meta.json, ${place}`,
      found: `${what} ${JSON.stringify(value)}`,
      expected,
      remedy: 'correct meta.json or give the layer in --layers',
    });
  const pairOf = (what: string, value: number | number[], rest: number): [number, number] => {
    const list = typeof value === 'number' ? [value] : value;
    if (flat && list.length === 1) return [rest, list[0]];
    if (!flat && list.length === 1) return [list[0], list[0]];
    if (list.length === 2 && !flat) return [list[0], list[1]];
    throw fault(what, value, flat ? 'one number' : 'one or two numbers');
  };
  if (kind) facts.kind = kind;
  if (isGiven(layer.stride)) facts.stride = pairOf('stride', layer.stride, 1);
  if (isGiven(layer.dilation)) facts.dilation = pairOf('dilation', layer.dilation, 1);
  if (isGiven(layer.padding)) {
    const p = layer.padding;
    if (Array.isArray(p) && p.length === 4 && !flat) facts.padding = [p[0], p[1], p[2], p[3]];
    else if (Array.isArray(p) && p.length === 2 && flat) facts.padding = [0, 0, p[0], p[1]];
    else {
      const [y, x] = pairOf('padding', p, 0);
      facts.padding = [y, y, x, x];
    }
  }
  if (isGiven(layer.groups)) facts.groups = layer.groups;
  if (isGiven(layer.input_is_post_relu)) facts.postRelu = layer.input_is_post_relu;
  if (layer.external_padding) {
    const e = layer.external_padding;
    if (!flat || e.length !== 2 || e[0] < 0 || e[1] < 0)
      throw fault('external_padding', e, 'left and right of a one-dimensional layer');
    facts.externalPadding = [e[0], e[1]];
  }
  const layout = layoutOf(file, `meta.json, ${place}`, layer.layout);
  if (layout) facts.layout = layout;
  return facts;
}
