/**
 * What a trace is to the rest of the program: a list of layers whose tensors are read one at a time, so that a
 * trace larger than memory works. Files are read in `trace/` only.
 */
import type { Affine, ConvShape, DType, Tensor } from '../tensor.js';

/** The tensors a layer may carry. `weight` is always there. */
export const ROLES = [
  'weight',
  'input',
  'grad_output',
  'grad_input',
  'grad_weight',
  'bias',
  'input_mask',
] as const;
export type Role = (typeof ROLES)[number];

/** What is known of a tensor without reading it. Its affine format, where it has one, is also on the read tensor. */
export interface TensorInfo {
  dtype: DType;
  shape: readonly number[];
  affine?: Affine;
}

export interface TraceLayer {
  name: string;
  /** `batch` is the number of recorded examples, 1 where only weights were recorded. */
  shape: ConvShape;
  /** True when the input comes out of a ReLU, so that its zeros are structural. */
  postRelu: boolean;
  tensors: Partial<Record<Role, TensorInfo>>;
  /**
   * Reads one tensor from the file, in canonical layout (OIHW, NCHW).
   * @throws UserError if it is absent, truncated, or holds NaN or an infinity.
   */
  read(role: Role): Tensor;
}

export interface Trace {
  /** Path as the user wrote it. */
  file: string;
  /** SHA-256 of the file, hex. */
  hash: string;
  network: string;
  source: string;
  licence: string;
  layers: TraceLayer[];
  /** Closes the file; `read` must not be called afterwards. */
  close(): void;
}
