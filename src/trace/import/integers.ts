/**
 * `--integers`: integral floats, and integers wider than 16 bits, taken as codes. Weights are signed; activations
 * are unsigned unless one is negative. One width for all weights and one for all activations: 8 bits if every
 * code of that kind fits, else 16, or what --code-bits says.
 */
import { badInput } from '../../errors.js';
import type { DType } from '../../tensor.js';
import type { Role } from '../trace.js';
import type { SourceLayer, SourceTensor } from './source.js';

export type CodeBits = 8 | 16;

interface Range {
  min: number;
  max: number;
}

const CODED: readonly Role[] = ['weight', 'input'];

/** Replaces the weights and inputs of all layers. */
export async function takeIntegers(file: string, layers: SourceLayer[], bits?: CodeBits): Promise<void> {
  for (const role of CODED) {
    const range: Range = { min: 0, max: 0 };
    const coded = layers.filter((layer) => needsCoding(layer.tensors[role], bits));
    for (const layer of coded) await extend(range, file, layer.tensors[role]!, bits);
    const dtype = chooseType(range, role === 'weight', bits);
    for (const layer of coded) layer.tensors[role] = asCodes(file, layer.tensors[role]!, dtype, bits);
  }
}

/** Narrow integers are codes already; only a width that was asked for changes them. Affine ones stand for reals. */
const needsCoding = (tensor: SourceTensor | undefined, bits?: CodeBits): boolean =>
  tensor !== undefined &&
  !tensor.affine &&
  (tensor.dtype.includes('float') || tensor.wide !== undefined || bits !== undefined);

async function extend(range: Range, file: string, tensor: SourceTensor, bits?: CodeBits): Promise<void> {
  const data = await tensor.read();
  for (let i = 0; i < data.length; i++) {
    const value = data[i];
    if (!Number.isInteger(value))
      throw fault(file, tensor, i, value, 'whole numbers', 'leave out --integers');
    if (value < range.min) range.min = value;
    if (value > range.max) range.max = value;
    // Wider than the widest format, whatever the sign of the others turns out to be.
    if (value > 65535 || value < -32768) throw tooWide(file, tensor, i, value, bits);
  }
}

function chooseType({ min, max }: Range, weights: boolean, bits?: CodeBits): DType {
  if (!weights && min >= 0) return (bits ?? (max <= 255 ? 8 : 16)) === 8 ? 'uint8' : 'uint16';
  return (bits ?? (min >= -128 && max <= 127 ? 8 : 16)) === 8 ? 'int8' : 'int16';
}

const LIMITS = { int8: [-128, 127], int16: [-32768, 32767], uint8: [0, 255], uint16: [0, 65535] } as const;
const ARRAYS = { int8: Int8Array, int16: Int16Array, uint8: Uint8Array, uint16: Uint16Array } as const;

function asCodes(file: string, tensor: SourceTensor, dtype: DType, bits?: CodeBits): SourceTensor {
  const type = dtype as keyof typeof LIMITS;
  const [least, most] = LIMITS[type];
  return {
    place: tensor.place,
    dtype,
    shape: tensor.shape,
    read: async () => {
      const data = await tensor.read();
      const codes = new ARRAYS[type](data.length);
      for (let i = 0; i < data.length; i++) {
        if (data[i] < least || data[i] > most) throw tooWide(file, tensor, i, data[i], bits, `${type} codes`);
        codes[i] = data[i];
      }
      return codes;
    },
  };
}

function tooWide(
  file: string,
  tensor: SourceTensor,
  i: number,
  value: number,
  bits?: CodeBits,
  what?: string,
) {
  const remedy = bits === 8 ? 'use --code-bits 16' : 'leave out --integers, so that the values are quantised';
  return fault(file, tensor, i, value, `${what ?? 'codes'} of at most ${bits ?? 16} bits`, remedy);
}

function fault(
  file: string,
  tensor: SourceTensor,
  i: number,
  value: number,
  expected: string,
  remedy: string,
) {
  return badInput('not-a-code', {
    file,
    place: `${tensor.place}, element ${i}`,
    found: String(value),
    expected,
    remedy,
  });
}
