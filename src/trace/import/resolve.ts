/**
 * Settles the geometry of a layer from everything known of it, strongest first: the user's table and options, the
 * source's metadata, the shapes of its tensors, defaults. Then plans each tensor's way to the canonical layout.
 */
import { KneadsimError, UserError, badInput } from '../../errors.js';
import { checkShape, type ConvShape, type NumericArray } from '../../tensor.js';
import { checkFinite } from '../elements.js';
import { roleShape } from '../metadata.js';
import type { Role } from '../trace.js';
import type { WritableLayer, WritableTensor } from '../write.js';
import {
  arrangeActivations,
  arrangeWeights,
  cropWidth,
  flattenActivations,
  looksDepthwise,
  type ActivationOrder,
  type Arrangement,
} from './layout.js';
import type { LayerTable } from './layerTable.js';
import {
  refuseEmpty,
  type LayerFacts,
  type LayerKind,
  type Layout,
  type SourceLayer,
  type SourceTensor,
} from './source.js';

export interface ResolveOptions {
  layout?: Layout;
  /** Input size of every convolution whose input was not recorded. */
  input?: [number, number];
  table?: LayerTable;
  depthwise?: (name: string) => boolean;
  conv?: (name: string) => boolean;
}

const ACTIVATIONS: readonly Role[] = ['input', 'grad_output', 'grad_input', 'input_mask'];
const PADDED: readonly Role[] = ['input', 'grad_input', 'input_mask'];

/** @throws UserError if the tensors contradict one another or the options, or the input size is missing. */
export function resolveLayer(file: string, layer: SourceLayer, options: ResolveOptions): WritableLayer {
  return new Resolver(file, layer, options).plan();
}

class Resolver {
  private readonly facts: LayerFacts;
  private readonly weight: SourceTensor;
  private readonly layout: Layout;

  constructor(
    private readonly file: string,
    private readonly layer: SourceLayer,
    private readonly options: ResolveOptions,
  ) {
    for (const tensor of Object.values(layer.tensors)) refuseEmpty(file, tensor);
    this.weight = layer.tensors.weight!;
    const table = options.table?.find(layer.name, layer.weightName) ?? {};
    // Without a recorded input, --input speaks for the layer; the table goes before both.
    const given: LayerFacts = options.input && !layer.tensors.input ? { input: options.input } : {};
    this.facts = { ...layer.facts, ...given, ...table };
    this.layout = options.layout ?? layer.facts.layout ?? 'oihw';
    const kind = table.kind ?? this.globKind() ?? layer.facts.kind;
    if (kind) this.facts.kind = kind;
  }

  plan(): WritableLayer {
    const kind = this.kind();
    const weights =
      arrangeWeights(this.weight.shape, this.layout, kind) ??
      this.fail(
        this.weight.place,
        `shape [${this.weight.shape.join(', ')}]`,
        `weights of a ${kind} layer in layout ${this.layout}`,
        'set --layout, or --depthwise, --conv or --layers for this layer',
      );
    const rank = this.weight.shape.length === 3 ? 1 : 2;
    const shape = kind === 'linear' ? this.linearShape(weights) : this.convShape(weights, kind, rank);
    const planned: WritableLayer = {
      name: this.layer.name,
      shape,
      postRelu: this.facts.postRelu ?? this.layer.tensors.input_mask !== undefined,
      tensors: {},
    };
    const order = this.activationOrder(shape);
    for (const role of Object.keys(this.layer.tensors) as Role[])
      planned.tensors[role] = this.tensorPlan(role, shape, kind, order);
    return planned;
  }

  private globKind(): LayerKind | undefined {
    const names = [this.layer.name, this.layer.weightName];
    const depthwise = names.some((name) => this.options.depthwise?.(name));
    const conv = names.some((name) => this.options.conv?.(name));
    if (depthwise && conv)
      this.fail('', 'a name that fits --depthwise and --conv', 'one of the two', 'narrow one of the globs');
    return depthwise ? 'depthwise' : conv ? 'conv' : undefined;
  }

  private kind(): LayerKind {
    if (this.facts.kind) return this.facts.kind;
    if (this.weight.shape.length === 2) return 'linear';
    if (!looksDepthwise(this.weight.shape, this.layout)) return 'conv';
    // Under oihw one channel per filter is a matter of groups, which the input settles; elsewhere the axes differ.
    if (this.facts.groups !== undefined)
      return this.layout === 'oihw' || this.facts.groups === 1 ? 'conv' : 'depthwise';
    return this.layout === 'oihw' && this.layer.tensors.input ? 'conv' : 'depthwise';
  }

  private linearShape(weights: Arrangement): ConvShape {
    const [filters, channels] = weights.dims;
    const sample = this.layer.tensors.input ?? this.layer.tensors.grad_output;
    const one = { height: 1, width: 1, kernelHeight: 1, kernelWidth: 1, strideY: 1, strideX: 1 };
    const plain = { padTop: 0, padBottom: 0, padLeft: 0, padRight: 0, dilationY: 1, dilationX: 1, groups: 1 };
    return this.checked({
      op: 'linear',
      rank: 2,
      batch: sample?.shape[0] ?? 1,
      channels,
      filters,
      ...one,
      ...plain,
    });
  }

  private convShape(weights: Arrangement, kind: LayerKind, rank: 1 | 2): ConvShape {
    const [filters, perGroup, kernelHeight, kernelWidth] = weights.dims;
    const { batch, channels, height, width } = this.inputDims(perGroup, rank);
    const [left, right] = this.facts.externalPadding ?? [0, 0];
    const [strideY, strideX] = this.facts.stride ?? [1, 1];
    const [dilationY, dilationX] = this.facts.dilation ?? [1, 1];
    const halfY = Math.floor((kernelHeight - 1) / 2);
    const halfX = Math.floor((kernelWidth - 1) / 2);
    const [top, bottom, padLeft, padRight] = this.facts.padding ?? [halfY, halfY, halfX, halfX];
    const implied = weights.groups ?? (kind === 'depthwise' ? filters : 1);
    const groups = this.facts.groups ?? (channels === null ? implied : channels / perGroup);
    // One-dimensional layers have nothing to stride over, pad or dilate in height.
    const flat = rank === 1;
    return this.checked(
      {
        op: 'conv',
        rank,
        batch,
        channels: channels ?? perGroup * groups,
        height,
        width: width - left - right,
        filters,
        kernelHeight,
        kernelWidth,
        strideY: flat ? 1 : strideY,
        strideX,
        padTop: flat ? 0 : top,
        padBottom: flat ? 0 : bottom,
        padLeft: padLeft + left,
        padRight: padRight + right,
        dilationY: flat ? 1 : dilationY,
        dilationX,
        groups,
      },
      perGroup,
    );
  }

  /** Sizes as recorded, any stored padding included; `channels` is null where no input was recorded. */
  private inputDims(perGroup: number, rank: 1 | 2) {
    const { input } = this.layer.tensors;
    if (input) {
      const [batch, channels, height, width] = this.arrangedInput(input, perGroup, rank).dims;
      const [left, right] = this.facts.externalPadding ?? [0, 0];
      const wanted = this.facts.input;
      if (wanted && (wanted[0] !== height || wanted[1] !== width - left - right))
        this.fail(
          input.place,
          `an input of ${height}x${width - left - right}`,
          `${wanted.join('x')} as given`,
          'leave the size of this layer to the recording',
        );
      return { batch, channels, height, width };
    }
    const size = this.facts.input;
    if (!size)
      throw badInput('missing-input-size', {
        file: this.file,
        place: `layer "${this.layer.name}"`,
        found: 'weights of a convolution without a recorded input',
        expected: 'the size of its input',
        remedy: `give --input ${rank === 1 ? 'W' : 'HxW'}, or the layer in a --layers table`,
      });
    if (rank === 1 && size[0] !== 1)
      this.fail(
        '',
        `input ${size.join('x')}`,
        'W or 1xW for a one-dimensional layer',
        'give the layer in --layers',
      );
    const [left, right] = this.facts.externalPadding ?? [0, 0];
    return { batch: 1, channels: null, height: size[0], width: size[1] + left + right };
  }

  private arrangedInput(input: SourceTensor, perGroup: number, rank: 1 | 2): Arrangement {
    const orders: ActivationOrder[] =
      this.layout === 'oihw' ? ['channelsFirst', 'channelsLast'] : ['channelsLast', 'channelsFirst'];
    const fits = (a: Arrangement | null): a is Arrangement => {
      if (!a || a.dims[1] % perGroup !== 0) return false;
      const groups = a.dims[1] / perGroup;
      return this.facts.groups ? groups === this.facts.groups : this.filters() % groups === 0;
    };
    const found = orders.map((order) => arrangeActivations(input.shape, rank, order)).find(fits);
    return (
      found ??
      this.fail(
        input.place,
        `shape [${input.shape.join(', ')}]`,
        `${rank + 2} axes with a multiple of ${perGroup} channels, as the weights [${this.weight.shape.join(', ')}] want`,
        'check --layout, the groups and the recording',
      )
    );
  }

  private filters(): number {
    return arrangeWeights(this.weight.shape, this.layout, this.facts.kind ?? 'conv')?.dims[0] ?? 1;
  }

  /** The input decides the order of axes; the other activations of the layer follow it. */
  private activationOrder(shape: ConvShape): ActivationOrder {
    const usual: ActivationOrder = this.layout === 'oihw' ? 'channelsFirst' : 'channelsLast';
    const { input } = this.layer.tensors;
    if (!input || shape.op === 'linear') return usual;
    const dims = this.arrangedInput(input, shape.channels / shape.groups, shape.rank).dims;
    const usualDims = arrangeActivations(input.shape, shape.rank, usual)?.dims;
    if (usualDims?.join() === dims.join()) return usual;
    return usual === 'channelsFirst' ? 'channelsLast' : 'channelsFirst';
  }

  private tensorPlan(role: Role, shape: ConvShape, kind: LayerKind, order: ActivationOrder): WritableTensor {
    const tensor = this.layer.tensors[role]!;
    const expected = roleShape(role, shape);
    const arrangement = this.arrangementOf(role, tensor, shape, kind, order);
    const [left, right] = this.facts.externalPadding ?? [0, 0];
    const crop = PADDED.includes(role) && left + right > 0 && shape.op === 'conv';
    const dims = arrangement ? [...arrangement.dims] : null;
    if (dims && crop) dims[3] -= left + right;
    const got = role === 'bias' && dims ? dims.slice(0, 1) : dims;
    if (!arrangement || got?.join() !== expected.join())
      this.fail(
        tensor.place,
        `${role} of shape [${tensor.shape.join(', ')}]`,
        `[${expected.join(', ')}] in canonical order for this layer`,
        'check the stride, padding, dilation, groups and layout of the layer (--layers, --layout)',
      );
    const info = {
      dtype: tensor.dtype,
      shape: expected,
      ...(tensor.affine ? { affine: tensor.affine } : {}),
    };
    return {
      ...info,
      read: async () => {
        const width = arrangement!.dims[3];
        let data = arrangement!.apply(await tensor.read());
        if (crop) {
          if (role === 'input') this.checkStrippedZeros(data, width, left, right, tensor);
          data = cropWidth(data, width, left, right);
        }
        return checkFinite({ ...info, data }, this.file, `layer "${this.layer.name}", ${tensor.place}`);
      },
    };
  }

  private arrangementOf(
    role: Role,
    tensor: SourceTensor,
    shape: ConvShape,
    kind: LayerKind,
    order: ActivationOrder,
  ): Arrangement | null {
    if (role === 'weight' || role === 'grad_weight') return arrangeWeights(tensor.shape, this.layout, kind);
    if (ACTIVATIONS.includes(role))
      return shape.op === 'linear'
        ? flattenActivations(tensor.shape)
        : arrangeActivations(tensor.shape, shape.rank, order);
    const dims: Arrangement['dims'] = [tensor.shape.reduce((n, d) => n * d, 1), 1, 1, 1];
    return { dims, apply: (data) => data };
  }

  /** Stripping may only take away what padding put there. */
  private checkStrippedZeros(
    data: NumericArray,
    width: number,
    left: number,
    right: number,
    tensor: SourceTensor,
  ): void {
    for (let i = 0; i < data.length; i++) {
      const x = i % width;
      if ((x < left || x >= width - right) && data[i] !== 0)
        this.fail(
          tensor.place,
          `${data[i]} in the padding (element ${i}, x = ${x})`,
          `zeros in the ${left} left and ${right} right of each row, by external_padding`,
          'correct external_padding in meta.json',
        );
    }
  }

  private checked(shape: ConvShape, perGroup?: number): ConvShape {
    if (perGroup !== undefined && shape.channels !== perGroup * shape.groups)
      this.fail(
        this.weight.place,
        `${shape.channels} channels, ${perGroup} per filter and ${shape.groups} groups`,
        'channels = groups x channels per filter',
        'check --layout and the groups of the layer',
      );
    try {
      return checkShape(`${this.file}: layer "${this.layer.name}"`, shape);
    } catch (error) {
      if (!(error instanceof KneadsimError)) throw error;
      throw new UserError(
        error.code,
        `${error.message}; give its input, stride and padding in a --layers table`,
      );
    }
  }

  private fail(place: string, found: string, expected: string, remedy: string): never {
    throw badInput('bad-layer', {
      file: this.file,
      place: `layer "${this.layer.name}"${place ? `, ${place}` : ''}`,
      found,
      expected,
      remedy,
    });
  }
}
