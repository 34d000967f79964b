/**
 * The geometry of a layer from everything known of it, strongest first: the user's table and options, the source's
 * metadata, the shapes of its tensors, defaults.
 */
import { KneadsimError, UserError, badInput } from '../../errors.js';
import { checkShape, type ConvShape } from '../../tensor.js';
import {
  arrangeActivations,
  arrangeWeights,
  looksDepthwise,
  type ActivationOrder,
  type Arrangement,
} from './layout.js';
import type { LayerTable } from './layerTable.js';
import type { LayerFacts, LayerKind, Layout, SourceLayer, SourceTensor } from './source.js';

export interface ResolveOptions {
  layout?: Layout;
  /** Input size of every convolution whose input was not recorded. */
  input?: [number, number];
  table?: LayerTable;
  depthwise?: (name: string) => boolean;
  conv?: (name: string) => boolean;
}

export class LayerGeometry {
  readonly facts: LayerFacts;
  readonly layout: Layout;
  readonly kind: LayerKind;
  private readonly weight: SourceTensor;
  private readonly weights: Arrangement;

  constructor(
    private readonly file: string,
    private readonly layer: SourceLayer,
    private readonly options: ResolveOptions,
  ) {
    this.weight = layer.tensors.weight!;
    const table = options.table?.find(layer.name, layer.weightName) ?? {};
    // Without a recorded input, --input speaks for the layer; the table goes before both.
    const given: LayerFacts = options.input && !layer.tensors.input ? { input: options.input } : {};
    this.facts = { ...layer.facts, ...given, ...table };
    this.layout = options.layout ?? layer.facts.layout ?? 'oihw';
    this.kind = table.kind ?? this.globKind() ?? layer.facts.kind ?? this.kindByShape();
    this.weights =
      arrangeWeights(this.weight.shape, this.layout, this.kind) ??
      this.fail(
        this.weight.place,
        `shape [${this.weight.shape.join(', ')}]`,
        `weights of a ${this.kind} layer in layout ${this.layout}`,
        'set --layout, or --depthwise, --conv or --layers for this layer',
      );
  }

  /** @throws UserError if the parts contradict one another, or the size of the input is not known. */
  shape(): ConvShape {
    return this.kind === 'linear'
      ? this.linearShape()
      : this.convShape(this.weight.shape.length === 3 ? 1 : 2);
  }

  /** The input decides the order of axes; the other activations of the layer follow it. */
  activationOrder(shape: ConvShape): ActivationOrder {
    const usual: ActivationOrder = this.layout === 'oihw' ? 'channelsFirst' : 'channelsLast';
    const { input } = this.layer.tensors;
    if (!input || shape.op === 'linear') return usual;
    const dims = this.arrangedInput(input, shape.channels / shape.groups, shape.rank).dims;
    const usualDims = arrangeActivations(input.shape, shape.rank, usual)?.dims;
    if (usualDims?.join() === dims.join()) return usual;
    return usual === 'channelsFirst' ? 'channelsLast' : 'channelsFirst';
  }

  private globKind(): LayerKind | undefined {
    const names = [this.layer.name, this.layer.weightName];
    const depthwise = names.some((name) => this.options.depthwise?.(name));
    const conv = names.some((name) => this.options.conv?.(name));
    if (depthwise && conv)
      this.fail('', 'a name that fits --depthwise and --conv', 'one of the two', 'narrow one of the globs');
    return depthwise ? 'depthwise' : conv ? 'conv' : undefined;
  }

  private kindByShape(): LayerKind {
    if (this.weight.shape.length === 2) return 'linear';
    if (!looksDepthwise(this.weight.shape, this.layout)) return 'conv';
    // Under oihw one channel per filter is a matter of groups, which the input settles; elsewhere the axes differ.
    if (this.facts.groups !== undefined)
      return this.layout === 'oihw' || this.facts.groups === 1 ? 'conv' : 'depthwise';
    return this.layout === 'oihw' && this.layer.tensors.input ? 'conv' : 'depthwise';
  }

  private linearShape(): ConvShape {
    const [filters, channels] = this.weights.dims;
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

  private convShape(rank: 1 | 2): ConvShape {
    const [filters, perGroup, kernelHeight, kernelWidth] = this.weights.dims;
    const { batch, channels, height, width } = this.inputDims(perGroup, rank);
    const [left, right] = this.facts.externalPadding ?? [0, 0];
    const [strideY, strideX] = this.facts.stride ?? [1, 1];
    const [dilationY, dilationX] = this.facts.dilation ?? [1, 1];
    const halfY = Math.floor((kernelHeight - 1) / 2);
    const halfX = Math.floor((kernelWidth - 1) / 2);
    const [top, bottom, padLeft, padRight] = this.facts.padding ?? [halfY, halfY, halfX, halfX];
    // The input knows its channels best, unless the weights themselves are arranged by channel.
    const byInput = channels === null ? (this.kind === 'depthwise' ? filters : 1) : channels / perGroup;
    const groups = this.facts.groups ?? this.weights.groups ?? byInput;
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
      return this.facts.groups ? groups === this.facts.groups : this.weights.dims[0] % groups === 0;
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
    throw layerFault(this.file, this.layer, place, found, expected, remedy);
  }
}

export const layerFault = (
  file: string,
  { name }: SourceLayer,
  place: string,
  found: string,
  expected: string,
  remedy: string,
): UserError =>
  badInput('bad-layer', {
    file,
    place: `layer "${name}"${place ? `, ${place}` : ''}`,
    found,
    expected,
    remedy,
  });
