/** Plans the way of each tensor of a layer from its source to the canonical layout, checked against the geometry. */
import type { ConvShape, NumericArray } from '../../tensor.js';
import { checkFinite } from '../elements.js';
import { roleShape } from '../metadata.js';
import type { Role } from '../trace.js';
import type { WritableLayer, WritableTensor } from '../write.js';
import { LayerGeometry, layerFault, type ResolveOptions } from './geometry.js';
import {
  arrangeActivations,
  arrangeWeights,
  cropWidth,
  flattenActivations,
  type ActivationOrder,
  type Arrangement,
} from './layout.js';
import { refuseEmpty, type SourceLayer, type SourceTensor } from './source.js';

const ACTIVATIONS: readonly Role[] = ['input', 'grad_output', 'grad_input', 'input_mask'];
const PADDED: readonly Role[] = ['input', 'grad_input', 'input_mask'];

/** @throws UserError if the tensors contradict one another or the options, or the input size is missing. */
export function resolveLayer(file: string, layer: SourceLayer, options: ResolveOptions): WritableLayer {
  for (const tensor of Object.values(layer.tensors)) refuseEmpty(file, tensor);
  return new LayerPlan(file, layer, new LayerGeometry(file, layer, options)).plan();
}

class LayerPlan {
  private readonly shape: ConvShape;
  private readonly order: ActivationOrder;

  constructor(
    private readonly file: string,
    private readonly layer: SourceLayer,
    private readonly geometry: LayerGeometry,
  ) {
    this.shape = geometry.shape();
    this.order = geometry.activationOrder(this.shape);
  }

  plan(): WritableLayer {
    const { name, tensors } = this.layer;
    const planned: WritableLayer = {
      name,
      shape: this.shape,
      postRelu: this.geometry.facts.postRelu ?? tensors.input_mask !== undefined,
      tensors: {},
    };
    for (const role of Object.keys(tensors) as Role[]) planned.tensors[role] = this.tensorPlan(role);
    return planned;
  }

  private tensorPlan(role: Role): WritableTensor {
    const tensor = this.layer.tensors[role]!;
    const expected = roleShape(role, this.shape);
    const arrangement = this.arrangementOf(role, tensor);
    const [left, right] = this.geometry.facts.externalPadding ?? [0, 0];
    const crop = PADDED.includes(role) && left + right > 0 && this.shape.op === 'conv';
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

  private arrangementOf(role: Role, tensor: SourceTensor): Arrangement | null {
    const { layout, kind } = this.geometry;
    if (role === 'weight' || role === 'grad_weight') return arrangeWeights(tensor.shape, layout, kind);
    if (ACTIVATIONS.includes(role))
      return this.shape.op === 'linear'
        ? flattenActivations(tensor.shape)
        : arrangeActivations(tensor.shape, this.shape.rank, this.order);
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

  private fail(place: string, found: string, expected: string, remedy: string): never {
    throw layerFault(this.file, this.layer, place, found, expected, remedy);
  }
}
