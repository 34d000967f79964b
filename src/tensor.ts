/**
 * Tensors and layer shapes: the only types that every layer of the code shares, the dense reference included.
 * Row-major data; weights are (filters, channels / groups, kernelHeight, kernelWidth), activations are
 * (examples, channels, height, width). One-dimensional layers have height = kernelHeight = 1; a linear layer
 * is a 1x1 convolution on a 1x1 image.
 */
import { UserError } from './errors.js';

/** Element types as stored. float16 and bfloat16 are decoded into Float32Array. */
export const DTYPES = [
  'float64',
  'float32',
  'float16',
  'bfloat16',
  'int8',
  'int16',
  'uint8',
  'uint16',
] as const;
export type DType = (typeof DTYPES)[number];

export const DTYPE_BYTES: Record<DType, number> = {
  float64: 8,
  float32: 4,
  float16: 2,
  bfloat16: 2,
  int8: 1,
  int16: 2,
  uint8: 1,
  uint16: 2,
};

export type NumericArray = Float64Array | Float32Array | Int8Array | Int16Array | Uint8Array | Uint16Array;

/**
 * Affine format of stored codes: value = (code - zeroPoint) * scale. Where the source gave a `min` instead of a
 * zero point, value = code * scale + min: it rounds differently, and quantising again meets ties.
 */
export interface Affine {
  scale: number;
  zeroPoint: number;
  min?: number;
}

export interface Tensor {
  shape: readonly number[];
  /** As stored in the file; decides whether the values are codes (integers) or reals. */
  dtype: DType;
  /** Present when integer codes stand for reals; absent integer codes are used as they are. */
  affine?: Affine;
  data: NumericArray;
}

export const isIntegerDtype = (dtype: DType): boolean => dtype.startsWith('int') || dtype.startsWith('uint');

export const elementCount = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1);

/** Everything about a layer's geometry. Sizes are elements; padding is per side. */
export interface ConvShape {
  op: 'conv' | 'linear';
  /** Spatial dimensions as the user sees them; 1-D layers live on the width axis. Linear layers say 2. */
  rank: 1 | 2;
  batch: number;
  channels: number;
  height: number;
  width: number;
  filters: number;
  kernelHeight: number;
  kernelWidth: number;
  strideY: number;
  strideX: number;
  padTop: number;
  padBottom: number;
  padLeft: number;
  padRight: number;
  dilationY: number;
  dilationX: number;
  groups: number;
}

/** Output height and width of a convolution (floor division, as every framework does). */
export function outputSize(s: ConvShape): { outHeight: number; outWidth: number } {
  const spanY = (s.kernelHeight - 1) * s.dilationY + 1;
  const spanX = (s.kernelWidth - 1) * s.dilationX + 1;
  return {
    outHeight: Math.floor((s.height + s.padTop + s.padBottom - spanY) / s.strideY) + 1,
    outWidth: Math.floor((s.width + s.padLeft + s.padRight - spanX) / s.strideX) + 1,
  };
}

/** MACs of a layer, zero padding included: F * C/groups * R * S * Ho * Wo * N (SPEC section 3). */
export function macCount(s: ConvShape): number {
  const { outHeight, outWidth } = outputSize(s);
  return (
    s.filters * (s.channels / s.groups) * s.kernelHeight * s.kernelWidth * outHeight * outWidth * s.batch
  );
}

const POSITIVE: (keyof ConvShape)[] = [
  'batch',
  'channels',
  'height',
  'width',
  'filters',
  'kernelHeight',
  'kernelWidth',
  'strideY',
  'strideX',
  'dilationY',
  'dilationX',
  'groups',
];
const NON_NEGATIVE: (keyof ConvShape)[] = ['padTop', 'padBottom', 'padLeft', 'padRight'];

/** Throws a UserError that names `what` if the shape cannot be a layer. Returns the shape otherwise. */
export function checkShape(what: string, s: ConvShape): ConvShape {
  const fail = (text: string): never => {
    throw new UserError('bad-shape', `${what}: ${text}`);
  };
  for (const key of POSITIVE)
    if (!Number.isSafeInteger(s[key]) || (s[key] as number) < 1)
      fail(`${key} is ${s[key]}, expected a whole number of at least 1`);
  for (const key of NON_NEGATIVE)
    if (!Number.isSafeInteger(s[key]) || (s[key] as number) < 0)
      fail(`${key} is ${s[key]}, expected a whole number of at least 0`);
  if (s.channels % s.groups !== 0 || s.filters % s.groups !== 0)
    fail(`${s.channels} channels and ${s.filters} filters cannot be cut into ${s.groups} groups`);
  const { outHeight, outWidth } = outputSize(s);
  if (outHeight < 1 || outWidth < 1)
    fail(
      `the kernel ${s.kernelHeight}x${s.kernelWidth} (dilation ${s.dilationY}x${s.dilationX}) does not fit ` +
        `the padded input ${s.height + s.padTop + s.padBottom}x${s.width + s.padLeft + s.padRight}`,
    );
  return s;
}

export const weightShape = (s: ConvShape): number[] => [
  s.filters,
  s.channels / s.groups,
  s.kernelHeight,
  s.kernelWidth,
];
/** Weights of one filter: C/groups * R * S. */
export const weightsPerFilter = (s: ConvShape): number =>
  (s.channels / s.groups) * s.kernelHeight * s.kernelWidth;

export const inputShape = (s: ConvShape): number[] => [s.batch, s.channels, s.height, s.width];
export function outputShape(s: ConvShape): number[] {
  const { outHeight, outWidth } = outputSize(s);
  return [s.batch, s.filters, outHeight, outWidth];
}
