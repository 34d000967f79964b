/** Parts of a layer and permutations of it, with what puts their outputs back in place. */
import type { LayerWork } from '../../src/arch/machine.js';
import type { Codes } from '../../src/quantize.js';
import { Random } from '../../src/random.js';
import { inputShape, outputSize, weightShape, type ConvShape } from '../../src/tensor.js';
import { range } from './layers.js';

/** Rows of `size` elements, in the order given. */
function pick(codes: Codes, shape: number[], size: number, rows: number[]): Codes {
  const picked = new Int32Array(rows.length * size);
  rows.forEach((row, i) => picked.set(codes.codes.subarray(row * size, (row + 1) * size), i * size));
  return { ...codes, shape, codes: picked };
}

const filterSize = (s: ConvShape): number => (s.channels / s.groups) * s.kernelHeight * s.kernelWidth;

/** Filters of the first part and of the second, when each group is cut after `cut` filters. */
function cutFilters(shape: ConvShape, cut: number): [number[], number[]] {
  const perGroup = shape.filters / shape.groups;
  const all = range(shape.filters);
  return [all.filter((f) => f % perGroup < cut), all.filter((f) => f % perGroup >= cut)];
}

export function splitByFilters(work: LayerWork, cut: number): LayerWork[] {
  return cutFilters(work.shape, cut).map((filters) => {
    const shape = { ...work.shape, filters: filters.length };
    return { ...work, shape, weights: pick(work.weights, weightShape(shape), filterSize(shape), filters) };
  });
}

export function joinFilters(shape: ConvShape, cut: number, outputs: Float64Array[]): Float64Array {
  const { outHeight, outWidth } = outputSize(shape);
  const plane = outHeight * outWidth;
  const joined = new Float64Array(shape.batch * shape.filters * plane).fill(NaN);
  cutFilters(shape, cut).forEach((filters, part) => {
    for (let n = 0; n < shape.batch; n++)
      filters.forEach((f, i) => {
        const from = (n * filters.length + i) * plane;
        joined.set(outputs[part].subarray(from, from + plane), (n * shape.filters + f) * plane);
      });
  });
  return joined;
}

/** The first example, and the others. */
export function splitByExamples(work: LayerWork): LayerWork[] {
  const { batch, channels, height, width } = work.shape;
  return [[0], range(batch).slice(1)].map((examples) => {
    const shape = { ...work.shape, batch: examples.length };
    const size = channels * height * width;
    return { ...work, shape, activations: pick(work.activations!, inputShape(shape), size, examples) };
  });
}

export function joinExamples(outputs: Float64Array[]): Float64Array {
  const joined = new Float64Array(outputs.reduce((n, o) => n + o.length, 0));
  outputs.reduce((at, output) => {
    joined.set(output, at);
    return at + output.length;
  }, 0);
  return joined;
}

export interface Permuted {
  work: LayerWork;
  unpermute(output: Float64Array): Float64Array;
}

/**
 * Swaps filters among the units of each tile, whole tiles' filters within each block, and channels among lanes.
 * A lane keeps company with the same channels in every channel block: lanes that the last block leaves absent
 * swap among themselves only.
 */
export function permuted(
  work: LayerWork,
  array: { units: number; tiles: number; lanes: number },
  salt: number,
): Permuted {
  const random = new Random(salt);
  const { shape } = work;
  const perGroup = shape.filters / shape.groups;
  const filters: number[] = [];
  for (let group = 0; group < shape.groups; group++)
    for (let first = 0; first < perGroup; first += array.tiles * array.units) {
      const inBlock = range(Math.min(perGroup - first, array.tiles * array.units));
      const chunks = range(Math.ceil(inBlock.length / array.units)).map((k) =>
        shuffled(inBlock.slice(k * array.units, (k + 1) * array.units), random),
      );
      // A partial tile has fewer lane-cycles wherever it is, but must stay the last to keep the cut.
      const full = chunks.filter((chunk) => chunk.length === array.units);
      const order = [...shuffled(full, random), ...chunks.slice(full.length)];
      filters.push(...order.flat().map((f) => group * perGroup + first + f));
    }
  const groupChannels = shape.channels / shape.groups;
  const whole = groupChannels % array.lanes;
  const lanes = [
    ...shuffled(range(whole), random),
    ...shuffled(
      range(array.lanes - whole).map((l) => l + whole),
      random,
    ),
  ];
  // With less than one block of channels, only the lanes in use can swap.
  const channel = range(groupChannels).map((c) => c - (c % array.lanes) + lanes[c % array.lanes]);
  const kernel = shape.kernelHeight * shape.kernelWidth;
  const rows = filters.flatMap((f) => channel.map((c) => f * groupChannels + c));
  const planes = range(shape.batch * shape.groups).flatMap((g) => channel.map((c) => g * groupChannels + c));
  const { outHeight, outWidth } = outputSize(shape);
  const plane = outHeight * outWidth;
  return {
    work: {
      ...work,
      weights: pick(work.weights, weightShape(shape), kernel, rows),
      activations: pick(work.activations!, inputShape(shape), shape.height * shape.width, planes),
    },
    unpermute: (output) => {
      const back = new Float64Array(output.length).fill(NaN);
      for (let n = 0; n < shape.batch; n++)
        filters.forEach((f, i) => {
          const from = (n * shape.filters + i) * plane;
          back.set(output.subarray(from, from + plane), (n * shape.filters + f) * plane);
        });
      return back;
    },
  };
}

function shuffled<T>(list: T[], random: Random): T[] {
  const result = [...list];
  for (let i = result.length - 1; i > 0; i--) {
    const j = random.int(i + 1);
    [result[i], result[j]] = [result[j], result[i]];
  }
  return result;
}
