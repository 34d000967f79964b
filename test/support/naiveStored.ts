/**
 * Bits of operands as the README's table of formats states them, and SPEC sections 2, 3 and 6, by plain loops. Shares no
 * code with src/memory, src/arch, src/lower, src/bit and src/sparse.
 */
import type { LayerWork, UnitKind } from '../../src/arch/machine.js';
import type { MemoryConfig } from '../../src/memory/config.js';
import type { Operand } from '../../src/memory/traffic.js';
import type { ConvShape } from '../../src/tensor.js';
import { naiveLengths } from './naiveKnead.js';
import { range } from './layers.js';

export const outSide = (size: number, pad: number, k: number, dilation: number, stride: number): number =>
  Math.floor((size + pad - (k - 1) * dilation - 1) / stride) + 1;
export const outHeightOf = (s: ConvShape): number =>
  outSide(s.height, s.padTop + s.padBottom, s.kernelHeight, s.dilationY, s.strideY);
export const outWidthOf = (s: ConvShape): number =>
  outSide(s.width, s.padLeft + s.padRight, s.kernelWidth, s.dilationX, s.strideX);

/** Smallest number of bits in which `states` states have different names. */
export function bitsFor(states: number): number {
  let bits = 0;
  while (2 ** bits < states) bits++;
  return bits;
}

/** A kneaded word: flush, pass, and B slots of sign, valid and a pointer of at least one bit. */
export const naiveWordBits = (B: number, KS: number): number => 2 + B * (2 + Math.max(1, bitsFor(KS)));

/** A compressed row: a count, and each non-zero code with its column. Dense: codes alone. */
export function naiveRowBits(row: ArrayLike<number>, codeBits: number, dense: boolean): number {
  if (dense) return row.length * codeBits;
  const nonZero = Array.from(row).filter((code) => code !== 0).length;
  return bitsFor(row.length + 1) + nonZero * (codeBits + bitsFor(row.length));
}

/** [example][plane][row]: rows of a feature map as row PEs see them; linear layers have one, along the batch. */
export function naiveRowsOf(
  s: ConvShape,
  codes: ArrayLike<number>,
  [planes, height, width]: number[],
): number[][][][] {
  if (s.op === 'linear')
    return [range(planes).map((p) => [range(s.batch).map((n) => codes[n * planes + p])])];
  return range(s.batch).map((n) =>
    range(planes).map((p) =>
      range(height).map((y) => range(width).map((x) => codes[((n * planes + p) * height + y) * width + x])),
    ),
  );
}

export const inputRowsOf = (work: LayerWork): number[][][][] =>
  naiveRowsOf(work.shape, work.activations!.codes, [
    work.shape.channels,
    work.shape.height,
    work.shape.width,
  ]);
export const gradientRowsOf = (work: LayerWork): number[][][][] =>
  naiveRowsOf(work.shape, work.gradOutput!.codes, [
    work.shape.filters,
    outHeightOf(work.shape),
    outWidthOf(work.shape),
  ]);

export interface NaiveLanes {
  lanes: number;
  lowering: string;
  kneadingStride: number;
}

/** Kneaded words of each unit (filter, or in gradInput channel) by its set of taps: a stream per lane. */
export function naiveWordsByTaps(
  work: LayerWork,
  { lanes, lowering, kneadingStride }: NaiveLanes,
): Map<string, number>[] {
  const { shape: s, phase, weights } = work;
  const C = s.channels / s.groups;
  const F = s.filters / s.groups;
  const w = (f: number, c: number, r: number, t: number): number =>
    weights.codes[((f * C + c) * s.kernelHeight + r) * s.kernelWidth + t];
  const words = (
    sets: number[][][],
    terms: number,
    code: (k: number, r: number, t: number) => number,
  ): Map<string, number> =>
    new Map(
      sets.map((taps) => {
        const streams: number[][] = range(lanes).map(() => []);
        let turn = 0;
        for (const [r, t] of taps)
          for (let k = 0; k < terms; k++)
            streams[(lowering === 'flattened' ? turn++ : k) % lanes].push(code(k, r, t));
        const lengths = streams.flatMap((stream) =>
          naiveLengths(stream, weights.magnitudeBits, kneadingStride),
        );
        return [JSON.stringify(taps), lengths.reduce(add, 0)];
      }),
    );
  if (phase === 'forward')
    return range(s.filters).map((f) => words([allTaps(s)], C, (c, r, t) => w(f, c, r, t)));
  const sets = distinctTapSets(s);
  return range(s.channels).map((c) => words(sets, F, (k, r, t) => w(Math.floor(c / C) * F + k, c % C, r, t)));
}

/** All words of each unit. */
export const naiveWords = (work: LayerWork, lanes: NaiveLanes): number[] =>
  naiveWordsByTaps(work, lanes).map((sets) => [...sets.values()].reduce(add, 0));

/** Raw bits that on-line kneaders read: KS magnitudes with their signs for each group, short ones too, of each output. */
export function naiveKneaderBits(work: LayerWork, { lanes, lowering, kneadingStride }: NaiveLanes): number {
  const { shape: s, phase } = work;
  const C = s.channels / s.groups;
  const F = s.filters / s.groups;
  const positions = outHeightOf(s) * outWidthOf(s);
  /** Groups of an output with so many taps and terms per tap. */
  const groups = (taps: number, terms: number, flat: boolean): number => {
    const items = range(lanes).map(() => 0);
    for (let i = 0; i < taps * terms; i++) items[(flat ? i : i % terms) % lanes]++;
    return items.map((n) => Math.ceil(n / kneadingStride)).reduce(add, 0);
  };
  const flat = lowering === 'flattened';
  let all = 0;
  if (phase === 'forward')
    all = s.batch * s.filters * positions * groups(s.kernelHeight * s.kernelWidth, C, flat);
  else if (phase === 'gradWeight') all = work.weights.codes.length * groups(s.batch * positions, 1, true);
  else
    for (let y = 0; y < s.height; y++)
      for (let x = 0; x < s.width; x++)
        all += s.batch * s.channels * groups(liveTaps(s, y, x).length, F, flat);
  const { magnitudeBits } = phase === 'gradWeight' ? work.activations! : work.weights;
  return all * kneadingStride * (magnitudeBits + 1);
}

const add = (a: number, b: number): number => a + b;

const allTaps = (s: ConvShape): number[][] =>
  range(s.kernelHeight).flatMap((r) => range(s.kernelWidth).map((t) => [r, t]));

/** Taps of an input position that meet a gradient. */
export function liveTaps(s: ConvShape, y: number, x: number): number[][] {
  const meets = (at: number, stride: number, outputs: number): boolean =>
    at % stride === 0 && at >= 0 && at / stride < outputs;
  return allTaps(s).filter(
    ([r, t]) =>
      meets(y + s.padTop - r * s.dilationY, s.strideY, outHeightOf(s)) &&
      meets(x + s.padLeft - t * s.dilationX, s.strideX, outWidthOf(s)),
  );
}

function distinctTapSets(s: ConvShape): number[][][] {
  const sets = new Map<string, number[][]>();
  for (let y = 0; y < s.height; y++)
    for (let x = 0; x < s.width; x++) {
      const taps = liveTaps(s, y, x);
      if (taps.length > 0) sets.set(JSON.stringify(taps), taps);
    }
  return [...sets.values()];
}

/** Bits of each operand of a phase; absent where it has none. */
export function naiveStored(
  units: UnitKind,
  work: LayerWork,
  lanes: NaiveLanes,
  config: Pick<MemoryConfig, 'outputBits' | 'gradWeightBits'>,
): Partial<Record<Operand, number>> {
  const { shape: s, phase, weights, activations, gradOutput, inputMask } = work;
  const rows = units === 'row' || units === 'denseRow';
  const dense = units === 'denseRow';
  const bits: Partial<Record<Operand, number>> = {};
  const ofRows = (map: number[][][][], codeBits: number): number =>
    map
      .flat(2)
      .map((row) => naiveRowBits(row, codeBits, dense))
      .reduce(add, 0);
  if (phase !== 'gradWeight') {
    bits.weights =
      units === 'sac'
        ? naiveWords(work, lanes).reduce(add, 0) * naiveWordBits(weights.magnitudeBits, lanes.kneadingStride)
        : weights.codes.length * weights.storageBits;
  }
  if (phase !== 'gradInput') {
    const { codes, storageBits } = activations!;
    bits.inputs = rows ? ofRows(inputRowsOf(work), storageBits) : codes.length * storageBits;
  }
  if (phase !== 'forward') {
    const { codes, storageBits } = gradOutput!;
    bits.gradients = rows ? ofRows(gradientRowsOf(work), storageBits) : codes.length * storageBits;
  }
  if (units === 'maskedSac') bits.masks = (phase === 'forward' ? activations! : gradOutput!).codes.length;
  if (units === 'row' && phase === 'gradInput' && inputMask) bits.masks = inputMask.length;
  const outputs = {
    forward: s.batch * s.filters * outHeightOf(s) * outWidthOf(s),
    gradInput: s.batch * s.channels * s.height * s.width,
    gradWeight: weights.codes.length,
  };
  const outputBits = config.outputBits === 0 ? weights.storageBits : config.outputBits;
  bits.outputs = outputs[phase] * (phase === 'gradWeight' ? config.gradWeightBits : outputBits);
  return bits;
}
