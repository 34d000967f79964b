/** Splitters, segment adders and the rear adder tree: exact sums, in 32 bits where they fit and beyond. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tetris } from '../../src/arch/tetris.js';
import { codeArbitrary } from '../../src/fuzz.js';
import { referenceForward } from '../../src/reference.js';
import { moveTree, treeStages, treeWidth } from '../../src/sim/rearTree.js';
import { addSlots } from '../../src/sim/segmentAdders.js';
import { plainKernel, steadyBuffer } from '../../src/sim/steadyKernel.js';
import { codes, configured, conv, layer, randomValues, range } from '../support/layers.js';
import { plainSums, runPe } from '../support/pe.js';
import { peWork } from '../support/peLaws.js';
import { runs } from '../support/runs.js';

describe('segment adders', () => {
  it.each([7, 15])(
    'of %i columns are plain additions, in integers, doubles, TypeScript and WebAssembly',
    (B) => {
      const drawn = fc.record({
        stride: fc.integer({ min: 1, max: 5 }),
        lanes: fc.integer({ min: 1, max: 6 }),
        pool: fc.array(fc.nat(), { minLength: 1, maxLength: 60, size: 'max' }),
        activations: fc.array(codeArbitrary(16, true), { minLength: 1, maxLength: 30, size: 'max' }),
      });
      fc.assert(
        fc.property(drawn, ({ stride, lanes, pool, activations }) => {
          const size = 2 * stride + 1;
          const table = Int32Array.from({ length: lanes * size }, (_, i) => {
            const [l, p] = [Math.floor(i / size), i % size];
            const a = activations[(l * stride + (p % stride)) % activations.length];
            return p === 2 * stride ? 0 : p < stride ? a : -a;
          });
          const slots = Uint16Array.from({ length: lanes * B }, (_, i) => pool[i % pool.length] % size);
          const wordAt = Int32Array.from(range(lanes), (l) => l * B);
          const windowAt = Int32Array.from(range(lanes), (l) => l * size);
          const start = range(B).map((b) => b * 1000 - 3);
          const expected = start.map((s, b) =>
            range(lanes).reduce((sum, l) => sum + table[l * size + slots[l * B + b]], s),
          );
          for (const segments of [Int32Array.of(7, ...start, 7), Float64Array.of(7, ...start, 7)]) {
            addSlots(B, segments, 1, slots, wordAt, table, windowAt, lanes);
            expect([...segments]).toEqual([7, ...expected, 7]);
          }
          for (const wasm of [true, false])
            expect(kernelSums(B, start, slots, table, size, lanes, wasm)).toEqual({
              sums: expected,
              ended: lanes - 1,
            });
        }),
        { numRuns: runs(60) },
      );
    },
  );

  it('reach beyond 32 bits when told to be wide', () => {
    fc.assert(
      fc.property(peWork, (work) => {
        const run = (wideSegments: boolean) => runPe({ ...work, config: { ...work.config, wideSegments } });
        const [narrow, wide] = [run(false), run(true)];
        expect(wide.values).toEqual(plainSums(work));
        expect(wide.values).toEqual(narrow.values);
        expect(wide.leaves).toEqual(narrow.leaves);
      }),
      { numRuns: runs(60) },
    );
  });

  it('are exact in a layer whose segments exceed 32 bits', () => {
    // 36,864 terms of 65,535 x 32,767: segments reach 2.4e9 > 2^31, outputs 8e13.
    const shape = conv({ channels: 4096, height: 3, width: 3, kernelHeight: 3, kernelWidth: 3, filters: 2 });
    const weights = codes([2, 4096, 3, 3], [32_767], 15);
    weights.codes.fill(-32_767, 36_864);
    const activations = codes([1, 4096, 3, 3], [65_535], 16);
    const work = { ...layer(conv()), shape, weights, activations };
    const settings = { tiles: 1, units: 2, lanes: 4 };
    const { output } = configured(tetris, settings).step(work);
    const exact = 36_864 * 65_535 * 32_767;
    expect(36_864 * 65_535).toBeGreaterThan(2 ** 31);
    expect([...output]).toEqual([exact, -exact]);
    expect(output).toEqual(referenceForward(shape, weights.codes, activations.codes));
  });

  it('are exact just below the limit of 32 bits', () => {
    // 32,767 terms times 2^16 is 65,536 below 2^31: segments of 32 bits still hold.
    const shape = conv({ channels: 32_767, filters: 2 });
    const weights = codes([2, 32_767, 1, 1], [32_767], 15);
    weights.codes.fill(-32_767, 32_767);
    const activations = codes([1, 32_767, 1, 1], [65_535], 16);
    const { output } = configured(tetris, { tiles: 1, units: 2 }).step({
      ...layer(conv()),
      shape,
      weights,
      activations,
    });
    const exact = 32_767 * 65_535 * 32_767;
    expect([...output]).toEqual([exact, -exact]);
  });
});

/** One call of the steady kernel: records of two rows, but one row for all lanes except the first. */
function kernelSums(
  B: number,
  start: number[],
  slots: Uint16Array,
  table: Int32Array,
  size: number,
  lanes: number,
  wasm: boolean,
): { sums: number[]; ended: number } {
  const [segmentsAt, recordsAt, tableAt, slotsAt] = [64, 256, 512, 4096];
  const made = steadyBuffer(8192, B, wasm);
  const kernel = wasm ? made.kernel : plainKernel(made.buffer, B);
  const ints = new Int32Array(made.buffer);
  ints.set(start, segmentsAt / 4);
  ints.set(table, tableAt / 4);
  new Uint16Array(made.buffer).set(
    slots.map((s) => 4 * s),
    slotsAt / 2,
  );
  for (let l = 0; l < lanes; l++)
    ints.set([slotsAt + 2 * l * B, tableAt + 4 * l * size, l === 0 ? 2 : 1], recordsAt / 4 + 3 * l);
  const mask = kernel(segmentsAt, recordsAt, lanes);
  expect(ints[recordsAt / 4]).toBe(slotsAt + 2 * B);
  expect(mask & 1).toBe(0);
  return { sums: [...ints.subarray(segmentsAt / 4, segmentsAt / 4 + B)], ended: naiveCount(mask) };
}

const naiveCount = (mask: number): number => [...(mask >>> 0).toString(2)].filter((d) => d === '1').length;

describe('rear adder tree', () => {
  it.each(range(15).map((b) => b + 1))(
    'of %i segments forms sum of S_b 2^b, LV cycles later, in order',
    (B) => {
      const stages = treeStages(B);
      expect(stages).toBe(Math.max(1, Math.ceil(Math.log2(B))));
      const width = treeWidth(B);
      const valid = new Int32Array(stages + 1);
      const sums = new Float64Array(stages * width + 3).fill(99);
      // A sum in cycles 0, 1, 3 and 4; a bubble in 2.
      const inputs = range(5).map((cycle) => randomValues(B, 30, 0.5, cycle + 10 * B));
      const outputs: (number | null)[] = [];
      for (let cycle = 0; cycle < 5 + stages; cycle++) {
        const capture = cycle < 5 && cycle !== 2;
        moveTree(valid, 1, sums, 3, B, Float64Array.from([55, ...(inputs[cycle] ?? [])]), 1, capture);
        outputs.push(valid[stages] !== 0 ? sums[3 + (stages - 1) * width] : null);
      }
      const exact = (segments: number[]): number => segments.reduce((sum, s, b) => sum + s * 2 ** b, 0);
      const expected = inputs.map((segments, cycle) => (cycle === 2 ? null : exact(segments)));
      // What was captured in cycle t is at the last stage after stages - 1 more.
      const before = range(stages - 1).map(() => null);
      expect(outputs).toEqual([...before, ...expected, null]);
      expect(valid[0]).toBe(0);
    },
  );

  it('has four stages for int16 and three for int8', () => {
    expect([treeStages(15), treeStages(7)]).toEqual([4, 3]);
  });
});
