/**
 * Elements as they lie in files: bytes to typed arrays and back, for every element type that a trace may hold.
 * Files are little-endian, and so is every machine that Node 20 runs on.
 */
import { badInput } from '../errors.js';
import type { DType, NumericArray, Tensor } from '../tensor.js';

const word = new DataView(new ArrayBuffer(4));

/** IEEE binary16 to number. Exact; subnormals, infinities and NaN included. */
export function decodeFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** Number to IEEE binary16, rounded to nearest, ties to even. */
export function encodeFloat16(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  if (magnitude >= 65520) return sign | 0x7c00;
  if (magnitude < 2 ** -14) return sign | roundHalfEven(magnitude * 2 ** 24);
  // Math.log2 may be one off next to a power of two.
  let exponent = Math.floor(Math.log2(magnitude));
  if (2 ** exponent > magnitude) exponent--;
  if (2 ** (exponent + 1) <= magnitude) exponent++;
  // A carry out of the fraction moves into the exponent by itself.
  return sign | (((exponent + 14) << 10) + roundHalfEven(magnitude * 2 ** (10 - exponent)));
}

function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}

/** bfloat16 is the upper half of a binary32. */
export function decodeBfloat16(bits: number): number {
  word.setUint32(0, bits << 16);
  return word.getFloat32(0);
}

/** Number to bfloat16, rounded to nearest, ties to even. */
export function encodeBfloat16(value: number): number {
  if (Number.isNaN(value)) return 0x7fc0;
  word.setFloat32(0, value);
  const bits = word.getUint32(0);
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

/** A table of all 65,536 values: decoding is then one load per element. */
function tableOf(decode: (bits: number) => number): () => Float32Array {
  let table: Float32Array | null = null;
  return () => (table ??= Float32Array.from({ length: 65536 }, (_, bits) => decode(bits)));
}
const float16Table = tableOf(decodeFloat16);
const bfloat16Table = tableOf(decodeBfloat16);

/** Typed array over the bytes of a tensor; 2-byte floats are widened to Float32Array. The bytes may be reused. */
export function decodeElements(bytes: Uint8Array, dtype: DType): NumericArray {
  // Typed arrays need aligned starts; a fresh copy has one.
  const source = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice();
  const { buffer, byteOffset, byteLength } = source;
  switch (dtype) {
    case 'float64':
      return new Float64Array(buffer, byteOffset, byteLength / 8);
    case 'float32':
      return new Float32Array(buffer, byteOffset, byteLength / 4);
    case 'int8':
      return new Int8Array(buffer, byteOffset, byteLength);
    case 'uint8':
      return new Uint8Array(buffer, byteOffset, byteLength);
    case 'int16':
      return new Int16Array(buffer, byteOffset, byteLength / 2);
    case 'uint16':
      return new Uint16Array(buffer, byteOffset, byteLength / 2);
    case 'float16':
    case 'bfloat16': {
      const codes = new Uint16Array(buffer, byteOffset, byteLength / 2);
      const table = dtype === 'float16' ? float16Table() : bfloat16Table();
      const values = new Float32Array(codes.length);
      for (let i = 0; i < codes.length; i++) values[i] = table[codes[i]];
      return values;
    }
  }
}

const isArrayOf: Record<DType, (data: NumericArray) => boolean> = {
  float64: (data) => data instanceof Float64Array,
  float32: (data) => data instanceof Float32Array,
  float16: (data) => data instanceof Float32Array,
  bfloat16: (data) => data instanceof Float32Array,
  int8: (data) => data instanceof Int8Array,
  int16: (data) => data instanceof Int16Array,
  uint8: (data) => data instanceof Uint8Array,
  uint16: (data) => data instanceof Uint16Array,
};

/** The bytes of a tensor as its dtype stores them. */
export function encodeElements(data: NumericArray, dtype: DType): Uint8Array {
  if (!isArrayOf[dtype](data))
    throw new TypeError(`${data.constructor.name} cannot hold elements of type ${dtype}`);
  if (dtype !== 'float16' && dtype !== 'bfloat16')
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const encode = dtype === 'float16' ? encodeFloat16 : encodeBfloat16;
  const codes = new Uint16Array(data.length);
  for (let i = 0; i < data.length; i++) codes[i] = encode(data[i]);
  return new Uint8Array(codes.buffer);
}

/** @throws UserError naming the first NaN or infinity. */
export function checkFinite(tensor: Tensor, file: string, place: string): Tensor {
  const { data, shape } = tensor;
  if (data instanceof Float32Array || data instanceof Float64Array)
    for (let i = 0; i < data.length; i++)
      if (!Number.isFinite(data[i]))
        throw badInput('not-finite', {
          file,
          place: `${place} at [${indexOf(i, shape).join(',')}] (element ${i})`,
          found: String(data[i]),
          expected: 'finite values only',
          remedy: 'replace NaN and infinities before the trace is written',
        });
  return tensor;
}

function indexOf(flat: number, shape: readonly number[]): number[] {
  const index: number[] = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index.unshift(flat % shape[axis]);
    flat = Math.floor(flat / shape[axis]);
  }
  return index;
}
