/**
 * Named tensors to layers. `<layer>/weight`, `<layer>/input` and so on belong together, as do `layer.weight` and
 * `layer.bias`; any other tensor of two axes or more is the weights of a layer of its own name.
 */
import { badInput } from '../../errors.js';
import { ROLES, type Role } from '../trace.js';
import type { NamedTensor, SourceLayer } from './source.js';

const SLASH = new RegExp(`^(.+)/(${ROLES.join('|')})$`, 's');
const DOT = /^(.+)\.(weight|bias)$/s;

function split(name: string): { layer: string; role: Role } | null {
  const match = SLASH.exec(name) ?? DOT.exec(name);
  return match ? { layer: match[1], role: match[2] as Role } : null;
}

/** Layers in the order of their first tensor; what is left out is said in `notes`. */
export function groupTensors(file: string, tensors: NamedTensor[], notes: string[]): SourceLayer[] {
  const layers = new Map<string, SourceLayer>();
  const bare: NamedTensor[] = [];
  const add = (layerName: string, role: Role, { name, tensor }: NamedTensor): void => {
    const layer = layers.get(layerName) ?? { name: layerName, weightName: '', tensors: {}, facts: {} };
    if (layer.tensors[role])
      throw badInput('duplicate-layer', {
        file,
        place: tensor.place,
        found: `a second ${role} of layer "${layerName}"`,
        expected: 'one tensor per role',
        remedy: 'rename one of the tensors',
      });
    layer.tensors[role] = tensor;
    if (role === 'weight') layer.weightName = name;
    layers.set(layerName, layer);
  };

  for (const named of tensors) {
    const parts = split(named.name);
    if (parts) add(parts.layer, parts.role, named);
    else bare.push(named);
  }
  const isLayer = (layer: SourceLayer): boolean =>
    (layer.tensors.weight?.shape.length ?? 0) >= 2 || layer.tensors.input !== undefined;

  for (const named of bare) {
    const owner = layers.get(named.name.slice(0, Math.max(0, named.name.lastIndexOf('/'))));
    if (owner && isLayer(owner)) notes.push(`${named.name}: no role of a layer, left out`);
    else if (named.tensor.shape.length < 2)
      notes.push(`${named.name}: not weights (fewer than two axes), left out`);
    else add(named.name, 'weight', named);
  }

  const found: SourceLayer[] = [];
  for (const layer of layers.values()) {
    const roles = Object.keys(layer.tensors);
    if (isLayer(layer)) {
      if (!layer.tensors.weight)
        throw badInput('missing-weight', {
          file,
          place: `layer "${layer.name}"`,
          found: `${roles.join(', ')} but no weight`,
          expected: `a tensor "${layer.name}/weight"`,
          remedy: 'add the weights or leave the layer out',
        });
      found.push(layer);
    } else notes.push(`${layer.name}: only ${roles.join(' and ')} of one axis, left out`);
  }
  return inFileOrder(found, tensors);
}

function inFileOrder(layers: SourceLayer[], tensors: NamedTensor[]): SourceLayer[] {
  const order = new Map(tensors.map(({ name }, index) => [name, index]));
  return layers.sort((a, b) => order.get(a.weightName)! - order.get(b.weightName)!);
}
