/**
 * Lowers gradInput, dI = dO * rotated W, to lanes (SPEC section 3, "Order of work"). Outputs are input positions and
 * channels; terms run over kernel row, kernel column, filter. A tap whose gradient lies outside the output or in a
 * stride hole is no term, so positions fall into kinds by the taps that they have; a position without any is zero
 * and takes no time.
 */
import { elementCount, inputShape, outputSize, type ConvShape } from '../tensor.js';
import { workBlocks } from './blocks.js';
import type { LaneArray, LaneLowering } from './lowering.js';
import { dealTerms, type LaneTerms } from './terms.js';

/** The taps that one row (or column) of the input has, and where their gradients lie from `base`. */
interface AxisKind {
  taps: number[];
  /** Row (column) of the gradient of each tap, from that of tap 0 rounded down. */
  offsets: number[];
}

interface Axis {
  kinds: AxisKind[];
  /** Kind of each row (column) of the input, and the gradient row that tap 0 rounds down to. */
  kindOf: Int32Array;
  base: Int32Array;
}

export function gradInputLowering(shape: ConvShape, array: LaneArray): LaneLowering {
  const { outHeight, outWidth } = outputSize(shape);
  const { batch, channels, height, width, filters, kernelHeight, kernelWidth } = shape;
  const rows = axisOf(height, kernelHeight, shape.strideY, shape.dilationY, shape.padTop, outHeight);
  const columns = axisOf(width, kernelWidth, shape.strideX, shape.dilationX, shape.padLeft, outWidth);
  const { kinds, kindOfPair } = outputKinds(shape, array, rows.kinds, columns.kinds);
  const groupChannels = channels / shape.groups;
  const groupFilters = filters / shape.groups;
  const kindOf: number[] = [];
  const windowBase: number[] = [];
  const outputOffset: number[] = [];
  const without: number[] = [];
  for (let n = 0; n < batch; n++)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const kind = kindOfPair[rows.kindOf[y] * columns.kinds.length + columns.kindOf[x]];
        const output = (n * channels * height + y) * width + x;
        if (kind < 0) {
          without.push(output);
          continue;
        }
        kindOf.push(kind);
        windowBase.push((n * filters * outHeight + rows.base[y]) * outWidth + columns.base[x]);
        outputOffset.push(output);
      }
  const plane = height * width;
  return {
    kinds,
    blocks: [...workBlocks({ filters: channels, groups: shape.groups }, array)],
    positions: kindOf.length,
    kindOf: Int32Array.from(kindOf),
    positionWindow: (position) => windowBase[position],
    positionOutput: (position) => outputOffset[position],
    unitStream: (channel) =>
      (Math.floor(channel / groupChannels) * groupFilters * groupChannels + (channel % groupChannels)) *
      (kernelHeight * kernelWidth),
    unitOutput: (channel) => channel * plane,
    unitWindow: (channel) => Math.floor(channel / groupChannels) * groupFilters * outHeight * outWidth,
    blankOutput: () => {
      const output = new Float64Array(elementCount(inputShape(shape))).fill(NaN);
      for (const at of without) for (let c = 0; c < channels; c++) output[at + c * plane] = 0;
      return output;
    },
  };
}

/** Kinds of outputs, and which of them is that of (kind of row, kind of column); -1 where there are no terms. */
function outputKinds(
  shape: ConvShape,
  { lanes, lowering }: LaneArray,
  rows: readonly AxisKind[],
  columns: readonly AxisKind[],
): { kinds: LaneTerms[]; kindOfPair: number[] } {
  const { outHeight, outWidth } = outputSize(shape);
  const { kernelHeight, kernelWidth, groups } = shape;
  const kinds: LaneTerms[] = [];
  const kindOfPair = rows.flatMap((row) =>
    columns.map((column) => {
      if (row.taps.length * column.taps.length === 0) return -1;
      const grid = {
        tapStream: row.taps.flatMap((r) => column.taps.map((s) => r * kernelWidth + s)),
        tapWindow: row.offsets.flatMap((dy) => column.offsets.map((dx) => dy * outWidth + dx)),
        channels: shape.filters / groups,
        channelStream: (shape.channels / groups) * kernelHeight * kernelWidth,
        channelWindow: outHeight * outWidth,
      };
      return kinds.push(dealTerms(grid, lanes, lowering)) - 1;
    }),
  );
  return { kinds, kindOfPair };
}

function axisOf(
  size: number,
  taps: number,
  stride: number,
  dilation: number,
  pad: number,
  outputs: number,
): Axis {
  const kinds: AxisKind[] = [];
  const known = new Map<string, number>();
  const kindOf = new Int32Array(size);
  const base = new Int32Array(size);
  for (let i = 0; i < size; i++) {
    const kind: AxisKind = { taps: [], offsets: [] };
    base[i] = Math.floor((i + pad) / stride);
    for (let k = 0; k < taps; k++) {
      const at = i + pad - k * dilation;
      if (at % stride !== 0 || at < 0 || at / stride >= outputs) continue;
      kind.taps.push(k);
      kind.offsets.push(at / stride - base[i]);
    }
    const key = JSON.stringify(kind);
    let index = known.get(key);
    if (index === undefined) known.set(key, (index = kinds.push(kind) - 1));
    kindOf[i] = index;
  }
  return { kinds, kindOf, base };
}
