/**
 * What every importer makes of its source: named layers with tensors that can be read one at a time, still in the
 * source's own layout, and whatever the source said about them.
 */
import { badInput } from '../../errors.js';
import type { Affine, DType, NumericArray } from '../../tensor.js';
import type { Role } from '../trace.js';

/** Order of the axes of a convolution's weights: output and input channels, height, width. */
export const LAYOUTS = ['oihw', 'hwio', 'ohwi'] as const;
export type Layout = (typeof LAYOUTS)[number];

/** What the user or the source says a layer is; shapes decide where nobody says. */
export type LayerKind = 'conv' | 'depthwise' | 'linear';

export interface SourceTensor {
  /** As the source calls it, for messages: `member "conv1/weight.npy"`. */
  place: string;
  /** Element type after decoding. Integers wider than 16 bits are decoded to float64 and marked. */
  dtype: DType;
  /** Name of an integer type that is wider than any code; only --integers takes such tensors. */
  wide?: string;
  shape: readonly number[];
  affine?: Affine;
  read(): Promise<NumericArray>;
}

/** What a source may say about a layer. Absent fields are unknown. */
export interface LayerFacts {
  kind?: LayerKind;
  /** Height and width of the input, without padding. */
  input?: [number, number];
  stride?: [number, number];
  /** Top, bottom, left, right. */
  padding?: [number, number, number, number];
  dilation?: [number, number];
  groups?: number;
  postRelu?: boolean;
  /** Left and right zeros that the stored input already holds. */
  externalPadding?: [number, number];
  layout?: Layout;
}

export interface SourceLayer {
  name: string;
  /** Name of the weight tensor in the source; globs may match it as well. */
  weightName: string;
  tensors: Partial<Record<Role, SourceTensor>>;
  facts: LayerFacts;
}

export interface SourceNetwork {
  file: string;
  network?: string;
  source?: string;
  licence?: string;
  provenance: Record<string, unknown>;
  layers: SourceLayer[];
  /** What was left out and why, one line each, for the user to see. */
  notes: string[];
  close(): void;
}

/** A tensor by its name in the source, before roles are settled. */
export interface NamedTensor {
  name: string;
  tensor: SourceTensor;
}

/** @throws UserError if a dimension is zero: a layer without elements is always a mistake. */
export function refuseEmpty(file: string, tensor: SourceTensor): void {
  if (tensor.shape.includes(0))
    throw badInput('empty-tensor', {
      file,
      place: tensor.place,
      found: `an empty tensor of shape [${tensor.shape.join(', ')}]`,
      expected: 'at least one element',
      remedy: 'leave the tensor out or record it again',
    });
}
