/** The PPU as a twin: what its stimulus may say; its lines against SPEC sections 5 and 6 and pruning of whole layers. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Random } from '../../src/random.js';
import { PPU_MUTANTS } from '../../src/rtl/mutants/ppu.js';
import { ppuUnit } from '../../src/rtl/units/ppu.js';
import type { PpuStimulus } from '../../src/rtl/units/ppu/form.js';
import { lfsrDraws } from '../../src/sparse/draws.js';
import { prune } from '../../src/sparse/prune.js';

type Add = [number, number];
const row = (...adds: Add[]): PpuStimulus['rows'][number] => ({ adds, mask: null });

const small: PpuStimulus = {
  width: 3,
  adders: 1,
  sumBits: 40,
  relu: false,
  keepZeros: false,
  bypass: false,
  threshold: 0,
  lfsr: { width: 8 },
  rows: [row([0, 5], [1, -3], [2, 4])],
  ready: [],
};
const linesOf = (change: Partial<PpuStimulus>): string[] => ppuUnit.trace({ ...small, ...change }, false);
const minus3 = 'fffffffffffffffd';

const signed = (hex: string): number => Number(BigInt.asIntN(64, BigInt(`0x${hex}`)));

/** What leaves, from the lines alone: elements, or rows that pass by. */
function leaving(lines: string[]): { elements: number[][]; stored: boolean[]; rows: number[][] } {
  const found = { elements: [] as number[][], stored: [] as boolean[], rows: [] as number[][] };
  lines.forEach((line, cycle) => {
    const [at, , , out, , , ...values] = line.split(' |')[0].split(' ');
    expect(Number(at)).toBe(cycle);
    const flags = parseInt(out, 16);
    const taken = flags & 2 ? values.splice(0, 4).map(signed) : null;
    if (taken) {
      found.elements.push(taken);
      found.stored.push((flags & 4) !== 0);
    }
    if (flags & 8) found.rows.push(values.map(signed));
    else expect(values).toEqual([]);
  });
  return found;
}

/** Sums of all rows, by plain loops. */
function sumsOf({ width, rows }: PpuStimulus): number[] {
  return rows.flatMap(({ adds }) => {
    const sums = new Array<number>(width).fill(0);
    for (const [column, value] of adds) sums[column] += value;
    return sums;
  });
}

describe('lines', () => {
  test('show a row that is filled, drained from the cycle after its last sum, a value per cycle, and compressed', () => {
    expect(linesOf({ relu: true })).toEqual([
      '0 2 3 0 0 0',
      '1 3 2 0 0 0',
      '2 3 6 0 0 0',
      '3 3 0 0 0 0',
      '4 3 0 7 1 5 0 0 5 5',
      `5 3 0 3 1 5 0 1 0 ${minus3}`,
      '6 2 0 7 2 9 0 2 4 4',
    ]);
  });

  test('show two row buffers: a third row waits until the first is drained, and no cycle is lost', () => {
    const lines = linesOf({ width: 2, rows: [row(), row(), row()], keepZeros: true });
    expect(lines.map((line) => line.split(' ').slice(1, 4).join(' '))).toEqual([
      ...['2 5 0', '3 5 0', '1 0 7', '3 5 7', '1 0 7', '3 0 7', '3 0 7', '2 0 7'],
    ]);
  });

  test('show a value that waits until it is taken', () => {
    const stalled: PpuStimulus['ready'] = Array.from({ length: 6 }, () => [1, 1, 1, 0]);
    expect(linesOf({ ready: stalled }).slice(3)).toEqual([
      '3 3 0 0 0 0',
      '4 3 0 5 1 5',
      '5 3 0 5 1 5',
      '6 3 0 7 1 5 0 0 5 5',
      `7 3 0 7 2 8 0 1 ${minus3} ${minus3}`,
      '8 2 0 7 3 c 0 2 4 4',
    ]);
  });

  test('show rows that start, get sums and end at other times', () => {
    const late: PpuStimulus['ready'] = [[0, 1, 1, 1], [1, 0, 1, 1], null, [1, 0, 1, 1], null, [1, 1, 0, 1]];
    expect(linesOf({ ready: late }).map((line) => line.split(' ')[2])).toEqual([
      ...['0', '1', '2', '0', '2', '2', '4', '0', '0', '0', '0'],
    ]);
  });

  test('show gradWeight rows that pass by in the cycle of their last sum', () => {
    // The second row starts, and gets its sum from the second adder, in the cycle in which the first ends.
    expect(linesOf({ bypass: true, adders: 2, rows: [...small.rows, row([2, 1])] })).toEqual([
      '0 2 7 0 0 0',
      `1 3 f 8 0 0 0 5 ${minus3} 4`,
      '2 3 8 8 0 0 1 0 0 1',
    ]);
  });

  test('of random stimuli hold ReLU, mask, pruning and compression of the whole layer', () => {
    const random = new Random(8);
    for (let run = 0; run < 300; run++) {
      const s = ppuUnit.random(random, run);
      const lines = ppuUnit.trace(s, true);
      expect(lines.map((line) => line.split(' |')[0])).toEqual(ppuUnit.trace(s, false));
      const { elements, stored, rows } = leaving(lines);
      const sums = sumsOf(s);
      if (s.bypass) {
        expect(elements).toEqual([]);
        expect(rows).toEqual(s.rows.map((_, r) => [r, ...sums.slice(r * s.width, (r + 1) * s.width)]));
        continue;
      }
      const before = sums.map((sum, i) => {
        const live = s.rows[Math.floor(i / s.width)].mask?.[i % s.width] ?? 1;
        return live === 0 || (s.relu && sum < 0) ? 0 : sum;
      });
      const { width, polynomial, seed } = s.lfsr;
      const draws = lfsrDraws({
        width,
        ...(polynomial === undefined ? {} : { polynomial }),
        ...(seed === undefined ? {} : { seed }),
      });
      const { values } = prune(Float64Array.from(before), s.threshold, draws);
      expect(elements).toEqual(
        sums.map((sum, i) => [Math.floor(i / s.width), i % s.width, values[i] + 0, sum]),
      );
      expect(stored).toEqual([...values].map((value) => s.keepZeros || value !== 0));
      const last = lines[lines.length - 1].split(' ');
      expect(signed(last[4])).toBe(stored.filter(Boolean).length);
      expect(signed(last[5])).toBe(before.reduce((sum, value) => sum + Math.abs(value), 0));
    }
  });
});

describe('a stimulus', () => {
  const parse = (change: object): PpuStimulus =>
    ppuUnit.parse(JSON.parse(JSON.stringify({ ...small, ...change })), 'x.json');

  test('is taken as it is written, random ones too; what is left out is off', () => {
    expect(parse({})).toEqual(small);
    const { width, adders, rows } = small;
    const shortest = ppuUnit.parse({ width, adders, rows: [{ adds: rows[0].adds }] }, 'x.json');
    expect(shortest).toEqual({ ...small, lfsr: { width: 16 } });
    const random = new Random(2);
    for (let run = 0; run < 80; run++) {
      const stimulus = ppuUnit.random(random, run);
      expect(ppuUnit.parse(JSON.parse(JSON.stringify(stimulus)), 'x.json')).toEqual(stimulus);
    }
  });

  test.each([
    [{ width: 0 }, 'x.json: width: found 0, expected'],
    [{ width: NaN }, 'x.json: width: found null, expected number'],
    [{ width: undefined }, 'x.json: width: found nothing, expected number'],
    [{ capacity: 2 }, 'x.json: capacity: found 2, expected at least 3, the width of a row'],
    [{ adders: 17 }, 'x.json: adders: found 17, expected'],
    [{ relu: 1 }, 'x.json: relu: found 1, expected boolean'],
    [{ mode: 'osrc' }, 'x.json: mode: found an unknown field'],
    [{ threshold: -1 }, 'x.json: threshold: found -1, expected'],
    [{ sumBits: 8, threshold: 128 }, 'x.json: threshold: found 128, expected at most 127'],
    [
      { lfsr: { width: 32 }, threshold: 2 ** 21 },
      'x.json: threshold: found 2097152, expected at most 2097151',
    ],
    [{ lfsr: { width: 7 } }, 'x.json: lfsr.width: found 7, expected'],
    [{ lfsr: { width: 8, seed: 0 } }, 'x.json: lfsr.seed: found 0, expected one that draws'],
    [{ lfsr: { width: 8, seed: 256 } }, 'x.json: lfsr.seed: found 256, expected one that draws'],
    [{ lfsr: { width: 8, polynomial: 0x80 } }, 'x.json: lfsr.polynomial: found 128, expected one that draws'],
    [{ rows: [] }, 'x.json: rows: found an array of 0'],
    [{ rows: [{}] }, 'x.json: rows[0].adds: found nothing, expected array'],
    [{ rows: [row([3, 1])] }, 'x.json: rows[0].adds[0]: found column 3, expected less than 3 (width)'],
    [{ rows: [{ adds: [[1]] }] }, 'x.json: rows[0].adds[0]: found an array of 1'],
    [{ rows: [{ adds: [[1, 0.5]] }] }, 'x.json: rows[0].adds[0][1]: found 0.5, expected int'],
    [
      { sumBits: 8, rows: [row([0, 100], [1, 100], [0, -28])] },
      'x.json: rows[0].adds[2]: found a sum of magnitudes up to 128, expected less than 128 (sumBits)',
    ],
    [
      { sumBits: 52, rows: [0, 1, 2, 3].map((_) => row([0, 2 ** 51 - 1], [1, 2 ** 51 - 1])) },
      'x.json: rows[2]: found magnitudes of',
    ],
    [{ rows: [{ adds: [], mask: [1, 0] }] }, 'x.json: rows[0].mask: found 2 bits, expected 3'],
    [{ rows: [{ adds: [], mask: [1, 0, 3] }] }, 'x.json: rows[0].mask[2]: found 3, expected 0 or 1'],
    [{ ready: [[1, 1, 1]] }, 'x.json: ready[0]: found 3 bits, expected 4: rows, 1 adders, finish, output'],
    [{ ready: [[1, 1, 1, 2]] }, 'x.json: ready[0][3]: found 2, expected 0 or 1'],
  ])('that is wrong, %j, is told in one line', (change, message) => {
    const error = (() => {
      try {
        parse(change);
      } catch (thrown) {
        return thrown as Error;
      }
      return null;
    })();
    expect(error?.message).toContain(message);
    expect(error?.message).not.toContain('\n');
  });

  test('at random is told by its seed, and reaches every mode', () => {
    const draw = (seed: number, run: number): PpuStimulus => ppuUnit.random(new Random(seed), run);
    expect(draw(5, 1)).toEqual(draw(5, 1));
    expect(draw(5, 1)).not.toEqual(draw(6, 1));
    const seen = new Set<string>();
    for (let run = 0; run < 120; run++) {
      const s = draw(run, run);
      const masked = s.rows[0].mask !== null;
      seen
        .add(`adders ${s.adders}`)
        .add(`lfsr ${s.lfsr.width}`)
        .add(`polynomial ${s.lfsr.polynomial ?? 'ours'}`);
      seen.add(`relu ${s.relu} mask ${masked}`).add(`keepZeros ${s.keepZeros}`).add(`bypass ${s.bypass}`);
      seen.add(`pruned ${s.threshold > 0}`).add(`narrow ${s.width < s.capacity!}`);
      seen.add(`empty row ${s.rows.some(({ adds }) => adds.length === 0)}`);
      s.ready.forEach((bits) => bits?.forEach((bit, port) => bit === 0 && seen.add(`late ${port}`)));
    }
    for (const flag of [false, true]) {
      for (const mode of [
        'keepZeros',
        'bypass',
        'pruned',
        'narrow',
        'empty row',
        'relu true mask',
        'relu false mask',
      ])
        expect(seen).toContain(`${mode} ${flag}`);
    }
    for (const mode of [
      'adders 1',
      'adders 4',
      'lfsr 8',
      'lfsr 12',
      'lfsr 16',
      'lfsr 32',
      'polynomial 184',
      'late 6',
    ])
      expect(seen).toContain(mode);
  });
});

test.each(PPU_MUTANTS)('the fault "$what" finds its place in $file once', ({ file, from, to }) => {
  const source = readFileSync(new URL(`../../src/rtl/verilog/${file}`, import.meta.url), 'utf8');
  expect(source.split(from)).toHaveLength(2);
  expect(to).not.toBe(from);
});
