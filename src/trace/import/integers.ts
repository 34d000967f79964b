/**
 * `--integers`: integral floats, and integers wider than 16 bits, taken as codes. Weights are signed; activations
 * are unsigned unless one is negative. One width for all weights and one for all activations: 8 bits if every
 * code of that kind fits, else 16, or what --code-bits says. A float tensor with fractions is no code: it stays as
 * it is, with a note, so that recorded codes can stand beside real weights.
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

/** Replaces the weights and inputs of all layers that are whole numbers; `notes` gets a line for each other one. */
export async function takeIntegers(
  file: string,
  layers: SourceLayer[],
  notes: string[],
  bits?: CodeBits,
): Promise<void> {
  const fractions: Fraction[] = [];
  let taken = 0;
  for (const role of CODED) {
    const range: Range = { min: 0, max: 0 };
    const coded: SourceLayer[] = [];
    for (const layer of layers) {
      const tensor = layer.tensors[role];
      if (!tensor || !needsCoding(tensor, bits)) continue;
      const fraction = await extend(range, file, tensor, bits);
      if (fraction) fractions.push(fraction);
      else coded.push(layer);
    }
    const dtype = chooseType(range, role === 'weight', bits);
    for (const layer of coded) layer.tensors[role] = asCodes(file, layer.tensors[role]!, dtype, bits);
    taken += coded.length;
  }
  if (taken === 0 && fractions.length > 0) {
    const [{ tensor, index, value }] = fractions;
    throw fault(file, tensor, index, value, 'whole numbers in some tensor', 'leave out --integers');
  }
  for (const { tensor, index, value } of fractions)
    notes.push(`${tensor.place}: element ${index} is ${value}, so its values stay reals`);
}

/** The first element of a tensor that is no whole number. */
interface Fraction {
  tensor: SourceTensor;
  index: number;
  value: number;
}

/** Narrow integers are codes already; only a width that was asked for changes them. Affine ones stand for reals. */
const needsCoding = (tensor: SourceTensor, bits?: CodeBits): boolean =>
  !tensor.affine && (tensor.dtype.includes('float') || tensor.wide !== undefined || bits !== undefined);

/** Widens the range by a tensor of whole numbers, or returns the fraction that it holds. */
async function extend(
  range: Range,
  file: string,
  tensor: SourceTensor,
  bits?: CodeBits,
): Promise<Fraction | null> {
  const data = await tensor.read();
  let { min, max } = range;
  for (let i = 0; i < data.length; i++) {
    const value = data[i];
    if (!Number.isFinite(value)) throw fault(file, tensor, i, value, 'whole numbers', 'record it again');
    if (!Number.isInteger(value)) return { tensor, index: i, value };
    if (value < min) min = value;
    if (value > max) max = value;
  }
  // Wider than the widest format, whatever the sign of the others turns out to be.
  const wide = data.findIndex((value: number) => value > 65535 || value < -32768);
  if (wide >= 0) throw tooWide(file, tensor, wide, data[wide], bits);
  range.min = min;
  range.max = max;
  return null;
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
