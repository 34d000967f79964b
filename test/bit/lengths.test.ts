/** Bit-sliced kneaded lengths against the naive count, for every stride and any number of groups side by side. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GroupMatrix, kneadedLengths } from '../../src/bit/lengths.js';
import { bitPlanes, lengthOfPlanes } from '../../src/bit/planes.js';
import { codeArbitrary } from '../../src/fuzz.js';
import { range } from '../support/layers.js';
import { naiveRows } from '../support/naiveKnead.js';
import { runs } from '../support/runs.js';

/** Lengths of groups of magnitudes, side by side in one matrix. */
function lengthsOf(groups: number[][], stride: number, bits: number): number[] {
  const matrix = new GroupMatrix(stride, groups.length, bits);
  groups.forEach((group, j) =>
    group.forEach((w, k) => (matrix.elements[k * matrix.elementsPerRow + j] = Math.abs(w))),
  );
  const lengths = new Uint16Array(matrix.elementsPerRow).fill(9999);
  kneadedLengths(matrix, lengths);
  return [...lengths.subarray(0, groups.length)];
}

const naive = (group: number[], bits: number): number =>
  group.every((w) => w === 0) ? 0 : naiveRows(group, bits).length;

describe('bit-sliced kneaded lengths', () => {
  it.each([7, 15])('are the naive ones for %i magnitude bits, any stride, 1 to 9 groups', (bits) => {
    const drawn = fc
      .oneof(fc.integer({ min: 1, max: 18 }), fc.integer({ min: 1, max: 256 }))
      .chain((stride) =>
        fc.record({
          stride: fc.constant(stride),
          groups: fc.array(fc.array(codeArbitrary(bits, true), { maxLength: stride, size: 'max' }), {
            minLength: 1,
            maxLength: 9,
            size: 'max',
          }),
        }),
      );
    fc.assert(
      fc.property(drawn, ({ stride, groups }) => {
        const expected = groups.map((group) => lengthOfPlanes(bitPlanes(group, bits, stride), bits, stride));
        expect(lengthsOf(groups, stride, bits)).toEqual(expected);
        if (stride <= 32) expect(expected).toEqual(groups.map((group) => naive(group, bits)));
      }),
      { numRuns: runs(120) },
    );
  });

  it.each([7, 15])('hold every count of every stride, for %i bits', (bits) => {
    // Group j has its first n weights with one bit set: length n, in each column and at each place in a word.
    for (let stride = 1; stride <= 256; stride += stride < 40 ? 1 : 27) {
      const counts = [stride, stride - 1, 0, 1, Math.ceil(stride / 2)];
      for (const b of [0, 3, bits - 1]) {
        const groups = counts.map((n) => range(stride).map((k) => (k < n ? 2 ** b : 0)));
        expect(lengthsOf(groups, stride, bits)).toEqual(counts);
      }
    }
  });

  it.each([7, 15])('are KS for all-ones magnitudes up to KS = 256, for %i bits', (bits) => {
    const all = 2 ** bits - 1;
    for (const stride of [1, 2, 15, 16, 17, 31, 32, 33, 64, 127, 128, 255, 256])
      for (const groups of [1, 2, 3, 4, 5, 9]) {
        const full = range(groups).map(() => range(stride).map(() => all));
        expect(lengthsOf(full, stride, bits)).toEqual(range(groups).map(() => stride));
        // A full group beside empty ones disturbs no neighbour.
        const mixed = range(groups).map((j) => range(stride).map(() => (j % 2 === 0 ? all : 0)));
        expect(lengthsOf(mixed, stride, bits)).toEqual(range(groups).map((j) => (j % 2 === 0 ? stride : 0)));
      }
  });

  it('count scattered rows: the bit of any single weight is seen', () => {
    for (const stride of [1, 5, 16, 20, 48, 100, 256])
      for (let k = 0; k < stride; k++)
        expect(lengthsOf([range(stride).map((i) => (i === k ? 16384 : 0))], stride, 15)).toEqual([1]);
  });
});
