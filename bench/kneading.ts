/**
 * Kneaded lengths: the bit-sliced counter against a naive triple loop (group, bit, weight) over the same weights,
 * once stored group by group and once in the counter's own matrix. Goal: 25 times the naive loop at KS = 16.
 */
import { GroupMatrix, kneadedLengths } from '../src/bit/lengths.js';
import type { Precision } from '../src/quantize.js';
import { mustEqual, normalCodes, PRECISIONS } from './data.js';
import { atLeast, NAIVE, noted, runSuite, type Case, type GoalLine } from './support.js';

const WEIGHTS = 65536;

export async function kneading(): Promise<GoalLine[]> {
  const strides = [16, 64];
  const cases = strides.flatMap((stride) => PRECISIONS.flatMap((precision) => casesOf(precision, stride)));
  const speeds = await runSuite('kneading', 'M weights', cases);
  return strides.flatMap((stride) =>
    PRECISIONS.flatMap((precision) => {
      const group = groupName(precision, stride);
      const { ratio } = speeds.get(`${group}: bit-sliced`)!;
      const overMatrix = ratio / speeds.get(`${group}: naive loop over the matrix`)!.ratio;
      const what = `kneading lengths, ${group}`;
      return stride === 16
        ? [
            atLeast(25, what, ratio, 'x naive'),
            atLeast(25, `${what}, over the same matrix`, overMatrix, 'x naive'),
          ]
        : [noted(what, ratio, 'x naive')];
    }),
  );
}

const groupName = (precision: Precision, stride: number): string => `${precision}, KS=${stride}`;

function casesOf(precision: Precision, stride: number): Case[] {
  const { codes, magnitudeBits } = normalCodes([WEIGHTS], precision, 7);
  const groups = WEIGHTS / stride;
  const matrix = new GroupMatrix(stride, groups, magnitudeBits);
  fill(matrix, codes);
  const lengths = new Uint16Array(matrix.elementsPerRow);
  const naive = new Uint16Array(groups);
  const sliced = (): number => {
    kneadedLengths(matrix, lengths);
    return lengths[0];
  };
  const { elements, elementsPerRow } = matrix;
  const matrixLoop =
    elements instanceof Uint8Array
      ? () => naiveMatrix8(elements, elementsPerRow, stride, magnitudeBits, naive)
      : () => naiveMatrix16(elements, elementsPerRow, stride, magnitudeBits, naive);
  const bodies: [string, () => number][] = [
    ['bit-sliced', sliced],
    [
      'bit-sliced, matrix filled too',
      () => {
        fill(matrix, codes);
        return sliced();
      },
    ],
    [NAIVE, () => naiveLengths(codes, stride, magnitudeBits, naive)],
    ['naive loop over the matrix', matrixLoop],
  ];
  sliced();
  for (const body of [bodies[2][1], bodies[3][1]]) {
    body();
    mustEqual(groupName(precision, stride), lengths, naive);
  }
  return bodies.map(([name, body]) => ({ group: groupName(precision, stride), name, body, work: WEIGHTS }));
}

/** Weight k of group j goes to row k, column j. */
function fill(matrix: GroupMatrix, codes: Int32Array): void {
  const { stride, groups, elements, elementsPerRow } = matrix;
  for (let j = 0, i = 0; j < groups; j++)
    for (let k = 0; k < stride; k++, i++) elements[k * elementsPerRow + j] = Math.abs(codes[i]);
}

function naiveLengths(
  codes: Int32Array,
  stride: number,
  magnitudeBits: number,
  lengths: Uint16Array,
): number {
  for (let j = 0; j < lengths.length; j++) {
    let longest = 0;
    for (let b = 0; b < magnitudeBits; b++) {
      let count = 0;
      for (let k = 0; k < stride; k++) count += (Math.abs(codes[j * stride + k]) >>> b) & 1;
      if (count > longest) longest = count;
    }
    lengths[j] = longest;
  }
  return lengths[0];
}

// One function per element type: a loop that has met two is slower on both, which would flatter the ratio.
function naiveMatrix8(
  elements: Uint8Array,
  perRow: number,
  stride: number,
  magnitudeBits: number,
  lengths: Uint16Array,
): number {
  for (let j = 0; j < lengths.length; j++) {
    let longest = 0;
    for (let b = 0; b < magnitudeBits; b++) {
      let count = 0;
      for (let k = 0; k < stride; k++) count += (elements[k * perRow + j] >>> b) & 1;
      if (count > longest) longest = count;
    }
    lengths[j] = longest;
  }
  return lengths[0];
}

function naiveMatrix16(
  elements: Uint16Array,
  perRow: number,
  stride: number,
  magnitudeBits: number,
  lengths: Uint16Array,
): number {
  for (let j = 0; j < lengths.length; j++) {
    let longest = 0;
    for (let b = 0; b < magnitudeBits; b++) {
      let count = 0;
      for (let k = 0; k < stride; k++) count += (elements[k * perRow + j] >>> b) & 1;
      if (count > longest) longest = count;
    }
    lengths[j] = longest;
  }
  return lengths[0];
}
