/** Splitters, segment adders and the rear adder tree: exact sums, in 32 bits where they fit and beyond. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tetris } from '../../src/arch/tetris.js';
import { codeArbitrary } from '../../src/fuzz.js';
import { referenceForward } from '../../src/reference.js';
import { moveTree, treeStages, treeWidth } from '../../src/sim/rearTree.js';
import { addSlots } from '../../src/sim/segmentAdders.js';
import { plainSteadyKernel, steadyModule } from '../../src/sim/steadyKernel.js';
import { kernelBuffer } from '../../src/sim/wasm.js';
import { codes, configured, conv, layer, randomValues, range } from '../support/layers.js';
import { plainSums, runPe } from '../support/pe.js';
import { peWork } from '../support/peLaws.js';
import { runs } from '../support/runs.js';

interface Drawn {
  /** Lanes that run, of each unit. */
  running: number[];
  stride: number;
  pool: number[];
  activations: number[];
}

const LANES = 6;
const drawn: fc.Arbitrary<Drawn> = fc.record({
  running: fc.array(fc.integer({ min: 0, max: LANES }), { minLength: 1, maxLength: 3 }),
  stride: fc.integer({ min: 1, max: 5 }),
  pool: fc.array(fc.nat(), { minLength: 1, maxLength: 60, size: 'max' }),
  activations: fc.array(codeArbitrary(16, true), { minLength: 1, maxLength: 30, size: 'max' }),
});

/** Window tables of all lanes, a word for each lane of each unit, segments to begin with, and what they come to. */
function addition(B: number, { running, stride, pool, activations }: Drawn) {
  const size = 2 * stride + 1;
  const table = Int32Array.from({ length: LANES * size }, (_, i) => {
    const [l, p] = [Math.floor(i / size), i % size];
    const a = activations[(l * stride + (p % stride)) % activations.length];
    return p === 2 * stride ? 0 : p < stride ? a : -a;
  });
  const slots = Uint16Array.from(
    { length: running.length * LANES * B },
    (_, i) => pool[i % pool.length] % size,
  );
  const start = range(running.length * B).map((i) => i * 1000 - 3);
  const expected = start.map((s, i) => {
    const [n, b] = [Math.floor(i / B), i % B];
    return range(running[n]).reduce((sum, l) => sum + table[l * size + slots[(n * LANES + l) * B + b]], s);
  });
  return { size, table, slots, start, expected };
}

describe('segment adders', () => {
  it.each([7, 15])('of %i columns are plain additions, in integers and doubles', (B) => {
    const property = fc.property(drawn, (given) => {
      const { size, table, slots, start, expected } = addition(B, given);
      for (const segments of [Int32Array.of(7, ...start, 7), Float64Array.of(7, ...start, 7)]) {
        given.running.forEach((lanes, n) => {
          const wordAt = Int32Array.from(range(lanes), (l) => (n * LANES + l) * B);
          const windowAt = Int32Array.from(range(lanes), (l) => l * size);
          addSlots(B, segments, 1 + n * B, slots, wordAt, table, windowAt, lanes);
        });
        expect([...segments]).toEqual([7, ...expected, 7]);
      }
    });
    fc.assert(property, { numRuns: runs(60) });
  });

  it.each([1, 4, 7, 15])('of %i columns are plain additions for all units at once, in both kernels', (B) => {
    const property = fc.property(drawn, (given) => {
      for (const wasm of [true, false]) kernelAdds(B, given, wasm);
    });
    fc.assert(property, { numRuns: runs(60) });
  });

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

/** Two calls of the steady kernel: it adds the words of the running lanes, and moves on to their next ones. */
function kernelAdds(B: number, given: Drawn, wasm: boolean): void {
  const { size, table, slots, start, expected } = addition(B, given);
  const { running } = given;
  const sizes = { units: running.length, lanes: LANES, magnitudeBits: B };
  const [countsAt, recordsAt, segmentsAt, tableAt, slotsAt] = [64, 128, 512, 1024, 4096];
  const plain = (buffer: ArrayBuffer) => plainSteadyKernel(buffer, sizes);
  const { buffer, kernel } = kernelBuffer(8192, () => steadyModule(sizes), plain, wasm);
  const ints = new Int32Array(buffer);
  ints.set([...running, 77], countsAt / 4);
  ints.set([...start, 77], segmentsAt / 4);
  ints.set(table, tableAt / 4);
  // Every word is there twice, one after the other.
  const twice = range(2 * running.length * LANES).flatMap((i) => [
    ...slots.subarray((i >> 1) * B, ((i >> 1) + 1) * B),
  ]);
  new Uint16Array(buffer).set(
    twice.map((slot) => 4 * slot),
    slotsAt / 2,
  );
  const records = running.flatMap((_, n) =>
    range(LANES).flatMap((l) => [slotsAt + 4 * (n * LANES + l) * B, tableAt + 4 * l * size]),
  );
  ints.set(records, recordsAt / 4);
  for (const calls of [1, 2]) {
    kernel(countsAt, recordsAt, segmentsAt);
    const moved = records.map((at, r) => {
      const [n, l] = [Math.floor(r / 2 / LANES), Math.floor(r / 2) % LANES];
      return r % 2 === 0 && l < running[n] ? at + calls * 2 * B : at;
    });
    const held = (at: number, count: number): number[] => [...ints.subarray(at / 4, at / 4 + count)];
    expect(held(recordsAt, records.length)).toEqual(moved);
    expect(held(segmentsAt, start.length + 1)).toEqual([
      ...start.map((s, i) => s + calls * (expected[i] - s)),
      77,
    ]);
    expect(held(countsAt, running.length + 1)).toEqual([...running, 77]);
  }
}

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
