/**
 * The .npy format, versions 1 to 3: magic, version, header length, a Python dictionary in text, then the elements.
 * https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
import { badInput } from '../../errors.js';
import { DTYPE_BYTES, elementCount, type DType, type NumericArray } from '../../tensor.js';
import { decodeElements } from '../elements.js';
import { TENSOR_LIMIT } from '../safetensors.js';

export interface NpyHeader {
  dtype: DType;
  /** Set for integers wider than 16 bits, whose dtype is float64 after decoding. */
  wide?: string;
  shape: number[];
  /** Where the elements begin. */
  dataStart: number;
  dataBytes: number;
}

/** Enough for any header that is not an attack; numpy itself stops at 10,000 characters. */
export const NPY_HEADER_LIMIT = 65_536;

const KINDS: Record<string, DType> = {
  f8: 'float64',
  f4: 'float32',
  f2: 'float16',
  i1: 'int8',
  i2: 'int16',
  u1: 'uint8',
  u2: 'uint16',
  b1: 'uint8',
};
const WIDE: Record<string, string> = { i4: 'int32', i8: 'int64', u4: 'uint32', u8: 'uint64' };

/**
 * @param start the first bytes of the file, NPY_HEADER_LIMIT or all of them.
 * @param total length of the whole file, which the header must match exactly.
 */
export function parseNpyHeader(start: Uint8Array, total: number, file: string, place: string): NpyHeader {
  const fault = (found: string, expected: string, remedy: string) =>
    badInput('bad-npy', { file, place, found, expected, remedy });
  const damaged = 'the array is damaged or cut short; save it again with numpy.save';

  if (
    start.length < 10 ||
    start[0] !== 0x93 ||
    new TextDecoder('latin1').decode(start.subarray(1, 6)) !== 'NUMPY'
  )
    throw fault(
      start.length === 0 ? 'no bytes' : `bytes ${[...start.subarray(0, 6)].map(hex).join(' ')}`,
      'the magic 93 4e 55 4d 50 59 of an .npy array',
      'save the array with numpy.save',
    );
  const version = start[6];
  if (version < 1 || version > 3)
    throw fault(
      `.npy version ${version}.${start[7]}`,
      'version 1 to 3',
      'save the array with a current numpy',
    );
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength);
  const textStart = version === 1 ? 10 : 12;
  if (start.length < textStart) throw fault(`${total} bytes`, `at least ${textStart}`, damaged);
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  const dataStart = textStart + length;
  if (dataStart > Math.min(total, NPY_HEADER_LIMIT))
    throw fault(
      `a header of ${length} bytes`,
      `at most ${Math.max(0, Math.min(total, NPY_HEADER_LIMIT) - textStart)}`,
      damaged,
    );

  const text = new TextDecoder(version === 3 ? 'utf-8' : 'latin1').decode(
    start.subarray(textStart, dataStart),
  );
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(text)?.[1];
  const shapeText = /'shape'\s*:\s*\(([\s\dL,]*)\)/.exec(text)?.[1];
  if (!/'descr'\s*:/.test(text) || order === undefined || shapeText === undefined)
    throw fault(
      `header ${JSON.stringify(text.trim().slice(0, 60))}`,
      'descr, fortran_order and shape',
      damaged,
    );
  const descr = /'descr'\s*:\s*'([^']*)'/.exec(text)?.[1];
  const { dtype, wide, bytes } = elementType(descr, fault);
  if (order === 'True')
    throw fault(
      'Fortran order',
      'C order (row major)',
      'save numpy.ascontiguousarray(x), or x.copy(order="C")',
    );
  const shape = shapeText
    .split(',')
    .map((part) => part.replace('L', '').trim())
    .filter((part) => part !== '')
    .map(Number);
  const dataBytes = elementCount(shape) * bytes;
  if (dataBytes !== total - dataStart)
    throw fault(
      `${total - dataStart} bytes of elements`,
      `${dataBytes} for ${wide ?? dtype} of shape [${shape.join(', ')}]`,
      damaged,
    );
  if (Math.max(dataBytes, elementCount(shape) * DTYPE_BYTES[dtype]) > TENSOR_LIMIT)
    throw fault(
      `${dataBytes} bytes`,
      `at most ${TENSOR_LIMIT} in one array`,
      'split it into groups of filters',
    );
  return { dtype, ...(wide ? { wide } : {}), shape, dataStart, dataBytes };
}

type Fault = (found: string, expected: string, remedy: string) => Error;

function elementType(
  descr: string | undefined,
  fault: Fault,
): { dtype: DType; wide?: string; bytes: number } {
  const known = 'float64, float32, float16, int8, int16, uint8 or uint16';
  if (descr === undefined) throw fault('a structured dtype', known, 'save each field as an array of its own');
  const [, endian, code] = /^([<>|=]?)(\w+)$/.exec(descr) ?? [];
  const dtype = KINDS[code];
  const wide = WIDE[code];
  if (!dtype && !wide)
    throw fault(`dtype '${descr}'`, known, 'convert the array, for instance with .astype("<f4")');
  if (endian === '>' && !code.endsWith('1'))
    throw fault(
      `big-endian dtype '${descr}'`,
      'little-endian elements',
      `convert the array with .astype("<${code}")`,
    );
  return wide ? { dtype: 'float64', wide, bytes: Number(code[1]) } : { dtype, bytes: DTYPE_BYTES[dtype] };
}

const hex = (byte: number): string => byte.toString(16).padStart(2, '0');

/** The elements of an array; integers wider than 16 bits become doubles, exact up to 2^53. */
export function decodeNpy(bytes: Uint8Array, header: NpyHeader): NumericArray {
  if (!header.wide) return decodeElements(bytes, header.dtype);
  const { buffer, byteOffset, byteLength } = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice();
  switch (header.wide) {
    case 'int32':
      return Float64Array.from(new Int32Array(buffer, byteOffset, byteLength / 4));
    case 'uint32':
      return Float64Array.from(new Uint32Array(buffer, byteOffset, byteLength / 4));
    case 'int64':
      return Float64Array.from(new BigInt64Array(buffer, byteOffset, byteLength / 8), Number);
    default:
      return Float64Array.from(new BigUint64Array(buffer, byteOffset, byteLength / 8), Number);
  }
}
