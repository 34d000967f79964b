/** Lowering: every term of an output reaches exactly one lane, in the order of work, with the right operands. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shapeArbitrary } from '../../src/fuzz.js';
import { brickStreams, bricksOf } from '../../src/lower/bricks.js';
import { lowerForward, outputIndex, PaddedInput, positionCount } from '../../src/lower/forward.js';
import type { Lowering } from '../../src/lower/terms.js';
import { referenceForward } from '../../src/reference.js';
import { conv, layer, pad, range } from '../support/layers.js';
import { runs } from '../support/runs.js';

const lowerings = fc.constantFrom<Lowering>('channelBlock', 'flattened');
const lanesDrawn = fc.integer({ min: 1, max: 5 });

/** Weight offsets of a lane, in order. */
const weightsOf = (terms: ReturnType<typeof lowerForward>, l: number): number[] =>
  range(terms.items[l]).map((i) => terms.streamOffset[l * terms.stride + i]);

describe('lowering forward', () => {
  it('gives each term to one lane; present lanes come first; items never rise with the lane', () => {
    fc.assert(
      fc.property(shapeArbitrary, lanesDrawn, lowerings, (shape, lanes, lowering) => {
        const terms = lowerForward(shape, lanes, lowering);
        const all = range(lanes).flatMap((l) => weightsOf(terms, l));
        const perFilter = (shape.channels / shape.groups) * shape.kernelHeight * shape.kernelWidth;
        expect(all.sort((a, b) => a - b)).toEqual(range(perFilter));
        expect(terms.terms).toBe(perFilter);
        const items = [...terms.items];
        expect(items).toEqual([...items].sort((a, b) => b - a));
        expect(terms.steps).toBe(items[0]);
        expect(terms.activeLanes).toBe(items.filter((n) => n > 0).length);
      }),
      { numRuns: runs(80) },
    );
  });

  it('runs over kernel row, kernel column, then channel: by hand', () => {
    // 3 channels, 1x2 kernel, 2 lanes; weight offset of (channel, column) is 2 channel + column.
    const shape = conv({ channels: 3, kernelWidth: 2, width: 4 });
    const blocks = lowerForward(shape, 2, 'channelBlock');
    expect(range(2).map((l) => weightsOf(blocks, l))).toEqual([
      [0, 4, 1, 5],
      [2, 3],
    ]);
    expect([...blocks.stepOfItem.subarray(0, 4), ...blocks.stepOfItem.subarray(4, 6)]).toEqual([
      0, 1, 2, 3, 0, 2,
    ]);
    const flat = lowerForward(shape, 2, 'flattened');
    expect(range(2).map((l) => weightsOf(flat, l))).toEqual([
      [0, 4, 3],
      [2, 1, 5],
    ]);
    expect(lowerForward(shape, 4, 'channelBlock').activeLanes).toBe(3);
    expect(lowerForward(shape, 8, 'flattened').activeLanes).toBe(6);
  });

  it('finds the operands of every term: sums over lanes are the reference', () => {
    fc.assert(
      fc.property(shapeArbitrary, lanesDrawn, lowerings, fc.nat(), (shape, lanes, lowering, seed) => {
        const { weights, activations } = layer(shape, 'int8', { seed });
        const terms = lowerForward(shape, lanes, lowering);
        const input = new PaddedInput(shape, activations!.codes);
        const expected = referenceForward(shape, weights.codes, activations!.codes);
        const perGroup = shape.filters / shape.groups;
        const seen = new Set<number>();
        for (let f = 0; f < shape.filters; f++)
          for (let position = 0; position < positionCount(shape); position++) {
            const base = input.base(Math.floor(f / perGroup), position);
            let sum = 0;
            for (let l = 0; l < lanes; l++)
              for (let i = l * terms.stride; i < l * terms.stride + terms.items[l]; i++)
                sum +=
                  weights.codes[f * terms.terms + terms.streamOffset[i]] *
                  input.data[base + terms.windowOffset[i]];
            const at = outputIndex(shape, f, position);
            seen.add(at);
            expect(sum).toBe(expected[at]);
          }
        expect(seen.size).toBe(expected.length);
      }),
      { numRuns: runs(50) },
    );
  });

  it('makes padding explicit, so that it costs its items', () => {
    const shape = conv({ height: 2, width: 2, kernelHeight: 3, kernelWidth: 3, ...pad(1) });
    const input = new PaddedInput(shape, Int32Array.of(1, 2, 3, 4));
    expect([...input.data]).toEqual([0, 0, 0, 0, 0, 1, 2, 0, 0, 3, 4, 0, 0, 0, 0, 0]);
    expect(lowerForward(shape, 1, 'channelBlock').terms).toBe(9);
  });
});

describe('bricks', () => {
  it('hold the same terms, one of each lane per step, lanes with items first', () => {
    fc.assert(
      fc.property(shapeArbitrary, lanesDrawn, lowerings, (shape, lanes, lowering) => {
        const terms = lowerForward(shape, lanes, lowering);
        const bricks = bricksOf(terms);
        for (let l = 0; l < lanes; l++) {
          const mine = range(bricks.steps).map((s) => bricks.streamOffset[s * lanes + l]);
          expect(mine.filter((offset) => offset >= 0)).toEqual(weightsOf(terms, l));
        }
        for (let s = 0; s < bricks.steps; s++) {
          const brick = [...bricks.streamOffset.subarray(s * lanes, (s + 1) * lanes)];
          expect(brick.findIndex((offset) => offset < 0)).toBe(
            bricks.items[s] === lanes ? -1 : bricks.items[s],
          );
        }
        expect(bricks.items.reduce((a, b) => a + b, 0)).toBe(terms.terms);
      }),
      { numRuns: runs(60) },
    );
  });

  it('take the weights of a chunk of filters, zero where a lane is absent', () => {
    const bricks = bricksOf(lowerForward(conv({ channels: 3 }), 2, 'channelBlock'));
    const weights = brickStreams(bricks, Int32Array.of(9, 9, 9, 1, 2, 3, 4, 5, 6), 2, (n) => 3 * (1 + n));
    expect([...weights]).toEqual([1, 2, 4, 5, 3, 0, 6, 0]);
  });
});
