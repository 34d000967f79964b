/** Parts of a layer and permutations of it, in any phase, and the same part of its output. */
import type { LayerWork, Phase } from '../../src/arch/machine.js';
import type { Codes } from '../../src/quantize.js';
import type { Random } from '../../src/random.js';
import { inputShape, outputShape, outputSize, weightShape, type ConvShape } from '../../src/tensor.js';
import { range } from './layers.js';

/** Examples, filters and channels of a layer, in some order; as many of each convolution group. */
export interface Selection {
  examples: number[];
  filters: number[];
  channels: number[];
}

export const everything = (s: ConvShape): Selection => ({
  examples: range(s.batch),
  filters: range(s.filters),
  channels: range(s.channels),
});

/** Rows of `size` elements, in the order given. */
function pick<T extends Int32Array | Uint8Array | Float64Array>(data: T, size: number, rows: number[]): T {
  const picked = new (data.constructor as new (n: number) => T)(rows.length * size);
  rows.forEach((row, i) => picked.set(data.subarray(row * size, (row + 1) * size), i * size));
  return picked;
}

const pickCodes = (codes: Codes, shape: number[], size: number, rows: number[]): Codes => ({
  ...codes,
  shape,
  codes: pick(codes.codes, size, rows),
});

/** Rows (example, plane) of an image tensor with so many planes. */
const planesOf = (examples: number[], planes: number[], all: number): number[] =>
  examples.flatMap((n) => planes.map((c) => n * all + c));

/** Rows (filter, channel of its group) of the weights. */
function kernelsOf(s: ConvShape, { filters, channels }: Selection): number[] {
  const groupChannels = s.channels / s.groups;
  const groupFilters = s.filters / s.groups;
  return filters.flatMap((f) =>
    channels
      .filter((c) => Math.floor(c / groupChannels) === Math.floor(f / groupFilters))
      .map((c) => f * groupChannels + (c % groupChannels)),
  );
}

export function select(work: LayerWork, selection: Selection): LayerWork {
  const { examples, filters, channels } = selection;
  const whole = work.shape;
  const shape = {
    ...whole,
    batch: examples.length,
    filters: filters.length,
    channels: channels.length,
  };
  const { outHeight, outWidth } = outputSize(whole);
  const inputs = planesOf(examples, channels, whole.channels);
  const pixels = whole.height * whole.width;
  return {
    ...work,
    shape,
    weights: pickCodes(
      work.weights,
      weightShape(shape),
      whole.kernelHeight * whole.kernelWidth,
      kernelsOf(whole, selection),
    ),
    activations: work.activations && pickCodes(work.activations, inputShape(shape), pixels, inputs),
    inputMask: work.inputMask && pick(work.inputMask, pixels, inputs),
    gradOutput:
      work.gradOutput &&
      pickCodes(
        work.gradOutput,
        outputShape(shape),
        outHeight * outWidth,
        planesOf(examples, filters, whole.filters),
      ),
  };
}

/** The part of a phase's output that a selection of the layer yields. */
export function outputPart(
  s: ConvShape,
  phase: Phase,
  output: Float64Array,
  selection: Selection,
): Float64Array {
  const { examples, filters, channels } = selection;
  const { outHeight, outWidth } = outputSize(s);
  if (phase === 'forward') return pick(output, outHeight * outWidth, planesOf(examples, filters, s.filters));
  if (phase === 'gradInput')
    return pick(output, s.height * s.width, planesOf(examples, channels, s.channels));
  return pick(output, s.kernelHeight * s.kernelWidth, kernelsOf(s, selection));
}

export const summed = (outputs: Float64Array[]): Float64Array =>
  outputs.reduce((sum, output) => sum.map((value, i) => value + output[i]));

/** The first `cut` members of each group, and the rest. */
export function cutGroups(count: number, groups: number, cut: number): [number[], number[]] {
  const perGroup = count / groups;
  const all = range(count);
  return [all.filter((i) => i % perGroup < cut), all.filter((i) => i % perGroup >= cut)];
}

/**
 * Members of each group swapped within runs of `size` and whole full runs swapped within blocks of `runs` runs: units
 * of a tile, and tiles of a block.
 */
export function swapUnits(
  count: number,
  groups: number,
  size: number,
  runs: number,
  random: Random,
): number[] {
  const perGroup = count / groups;
  const order: number[] = [];
  for (let group = 0; group < groups; group++)
    for (let first = 0; first < perGroup; first += runs * size) {
      const inBlock = range(Math.min(perGroup - first, runs * size));
      const chunks = range(Math.ceil(inBlock.length / size)).map((k) =>
        shuffled(inBlock.slice(k * size, (k + 1) * size), random),
      );
      // A partial tile has fewer lane-cycles wherever it is, but must stay the last to keep the cut.
      const full = chunks.filter((chunk) => chunk.length === size);
      const swapped = [...shuffled(full, random), ...chunks.slice(full.length)];
      order.push(...swapped.flat().map((i) => group * perGroup + first + i));
    }
  return order;
}

/**
 * Members of each group swapped among lanes. A lane keeps company with the same members in every block of `lanes`:
 * lanes that the last block leaves absent swap among themselves only.
 */
export function swapLanes(count: number, groups: number, lanes: number, random: Random): number[] {
  const perGroup = count / groups;
  const whole = perGroup % lanes;
  const order = [
    ...shuffled(range(whole), random),
    ...shuffled(
      range(lanes - whole).map((l) => l + whole),
      random,
    ),
  ];
  // With less than one block of members, only the lanes in use can swap.
  const within = range(perGroup).map((i) => i - (i % lanes) + order[i % lanes]);
  return range(groups).flatMap((group) => within.map((i) => group * perGroup + i));
}

function shuffled<T>(list: T[], random: Random): T[] {
  const result = [...list];
  for (let i = result.length - 1; i > 0; i--) {
    const j = random.int(i + 1);
    [result[i], result[j]] = [result[j], result[i]];
  }
  return result;
}
