/**
 * Pallets of bit-serial machines (SPEC section 4): consecutive output positions of one example, across row ends,
 * processed side by side; the last of an example may be partial.
 */
import { outputSize, type ConvShape } from '../tensor.js';

export interface Pallets {
  count: number;
  /** First position of each pallet in the order of work, and its number of windows. */
  first: Int32Array;
  windows: Int32Array;
  example: Int32Array;
}

export function palletsOf(shape: ConvShape, columns: number): Pallets {
  const { outHeight, outWidth } = outputSize(shape);
  const plane = outHeight * outWidth;
  const perExample = Math.ceil(plane / columns);
  const count = perExample * shape.batch;
  const first = new Int32Array(count);
  const windows = new Int32Array(count);
  const example = new Int32Array(count);
  for (let k = 0; k < count; k++) {
    const within = (k % perExample) * columns;
    example[k] = Math.floor(k / perExample);
    first[k] = example[k] * plane + within;
    windows[k] = Math.min(columns, plane - within);
  }
  return { count, first, windows, example };
}
