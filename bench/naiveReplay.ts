/**
 * A layer through kneaded weights as one would first write it, values alone: for every output all words of all
 * lanes, slot by slot, from nested arrays of [pointer, sign] pairs. It times nothing. For layers
 * without groups and dilation.
 */
import type { LayerWork } from '../src/arch/machine.js';
import { kneadedRows, type SlotView } from '../src/bit/knead.js';
import { outputSize } from '../src/tensor.js';

const LANES = 16;

interface Group {
  /** [channel, row, column] of each weight. */
  taps: [number, number, number][];
  rows: SlotView[][];
}

export function naiveReplay({ shape, weights, activations }: LayerWork, stride: number): Float64Array {
  const { outHeight, outWidth } = outputSize(shape);
  const plane = outHeight * outWidth;
  const output = new Float64Array(shape.batch * shape.filters * plane);
  for (let f = 0; f < shape.filters; f++) {
    const groups = groupsOf(shape, weights.codes, f, weights.magnitudeBits, stride);
    for (let n = 0; n < shape.batch; n++)
      for (let y = 0; y < outHeight; y++)
        for (let x = 0; x < outWidth; x++) {
          let sum = 0;
          for (const { taps, rows } of groups) {
            const window = taps.map(([c, r, s]) => {
              const row = y * shape.strideY + r - shape.padTop;
              const column = x * shape.strideX + s - shape.padLeft;
              if (row < 0 || row >= shape.height || column < 0 || column >= shape.width) return 0;
              return activations!.codes[
                ((n * shape.channels + c) * shape.height + row) * shape.width + column
              ];
            });
            for (const slots of rows)
              slots.forEach((slot, b) => {
                if (slot !== null) sum += slot[1] * window[slot[0]] * 2 ** b;
              });
          }
          output[(n * shape.filters + f) * plane + y * outWidth + x] = sum;
        }
  }
  return output;
}

function groupsOf(
  shape: LayerWork['shape'],
  codes: Int32Array,
  f: number,
  magnitudeBits: number,
  stride: number,
): Group[] {
  const groups: Group[] = [];
  for (let lane = 0; lane < Math.min(LANES, shape.channels); lane++) {
    const taps: Group['taps'] = [];
    for (let r = 0; r < shape.kernelHeight; r++)
      for (let s = 0; s < shape.kernelWidth; s++)
        for (let c = lane; c < shape.channels; c += LANES) taps.push([c, r, s]);
    for (let from = 0; from < taps.length; from += stride) {
      const part = taps.slice(from, from + stride);
      const group = part.map(
        ([c, r, s]) => codes[((f * shape.channels + c) * shape.kernelHeight + r) * shape.kernelWidth + s],
      );
      groups.push({ taps: part, rows: kneadedRows(group, magnitudeBits, stride) });
    }
  }
  return groups;
}
