/** knead: the drawing, and JSON against groups kneaded by hand. */
import { test as law, fc } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { good, refused } from './harness.js';

interface Kneaded {
  kneadingStride: number;
  bits: number;
  length: number;
  ratio: number;
  rows: ([number, 1 | -1] | null)[][];
  groups: { weights: number[]; length: number; rows: ([number, 1 | -1] | null)[][] }[];
}
const knead = async (...args: string[]): Promise<Kneaded> =>
  JSON.parse(await good('knead', ...args, '--json')) as Kneaded;

describe('JSON', () => {
  test('of one group, kneaded by hand', async () => {
    // Bits, most significant first: 3 = 011, -5 = 101, 0 = 000, 6 = 110.
    // Column 0 holds weights 0, 1; column 1 holds 0, 3; column 2 holds 1, 3.
    const rows = [
      [
        [0, 1],
        [0, 1],
        [1, -1],
      ],
      [
        [1, -1],
        [3, 1],
        [3, 1],
      ],
    ];
    expect(await knead('--weights', '3,-5,0,6', '--bits', '3', '--kneading-stride', '4')).toEqual({
      kneadingStride: 4,
      bits: 3,
      length: 2,
      ratio: 0.5,
      rows,
      groups: [{ weights: [3, -5, 0, 6], length: 2, rows }],
    });
  });

  test('of several groups: pointers start again in each, the last may be short, zeros are one null row', async () => {
    expect(await knead('--weights', '1,-1, 0,0, +2', '--bits', '2', '--kneading-stride', '2')).toMatchObject({
      length: 4,
      ratio: 0.8,
      groups: [
        {
          weights: [1, -1],
          length: 2,
          rows: [
            [[0, 1], null],
            [[1, -1], null],
          ],
        },
        { weights: [0, 0], length: 1, rows: [[null, null]] },
        { weights: [2], length: 1, rows: [[null, [0, 1]]] },
      ],
    });
  });

  test('defaults are KS 16 and 7 bits', async () => {
    expect(await knead('--weights', '1')).toMatchObject({ kneadingStride: 16, bits: 7 });
  });

  law.prop([
    fc.integer({ min: 1, max: 15 }).chain((bits) =>
      fc.record({
        bits: fc.constant(bits),
        weights: fc.array(fc.integer({ min: 1 - 2 ** bits, max: 2 ** bits - 1 }), {
          minLength: 1,
          maxLength: 40,
        }),
      }),
    ),
    fc.integer({ min: 1, max: 256 }),
  ])('gives every weight back, and the rows of the groups in order', async ({ bits, weights }, stride) => {
    const { groups, rows, length, ratio } = await knead(
      `--weights=${weights.join()}`,
      '--bits',
      String(bits),
      '--kneading-stride',
      String(stride),
    );
    const back = groups.flatMap((group) => {
      const values = group.weights.map(() => 0);
      for (const row of group.rows)
        row.forEach((slot, b) => {
          if (slot) values[slot[0]] += slot[1] * 2 ** b;
        });
      return values;
    });
    expect(back).toEqual(weights);
    expect(groups.flatMap((group) => group.rows)).toEqual(rows);
    expect([length, ratio]).toEqual([rows.length, rows.length / weights.length]);
  });
});

test.each(['--weights=-3,5', '--weights -3,5'])('a list may begin with a minus: %s', async (args) => {
  expect((await knead(...args.split(' '))).groups[0].weights).toEqual([-3, 5]);
});

test('the drawing shows bits with signs before, and pointers in the same columns after', async () => {
  const lines = (await good('knead', '--weights', '3,-5,0,6', '--bits', '3')).split('\n');
  const block = (title: string): string[] => {
    const at = lines.findIndex((line) => line.startsWith(title));
    return lines.slice(at + 1, lines.indexOf('', at));
  };
  expect(block('before, 4 weights')).toEqual([
    '  k: weight       b2   b1   b0',
    '  0: 3             .    +    +',
    '  1: -5            -    .    -',
    '  2: 0             .    .    .',
    '  3: 6             +    +    .',
    'ones in column     2    2    2',
  ]);
  expect(block('after, 2 rows, ratio 0.500')).toEqual([
    'row               b2   b1   b0',
    '  0               -1   +0   +0',
    '  1 (pass)        +3   +3   -1',
  ]);
  expect(lines).toContain('4 weights -> 2 rows, kneaded ratio 0.500');
});

test('the widest drawing fits in 100 columns', async () => {
  const weights = Array.from({ length: 300 }, (_, k) => (k % 2 ? -1 : 1) * ((k * 7919) % 32768));
  const out = await good('knead', `--weights=${weights.join()}`, '--bits', '15', '--kneading-stride', '256');
  for (const line of out.split('\n')) expect(line.length, line).toBeLessThanOrEqual(100);
  expect(out).toContain('group 1: before, 44 weights');
});

test.each([
  [[], /required option '--weights <list>' not specified/],
  [['--weights', ''], /--weights is empty; give integers/],
  [['--weights', '1,,2'], /weight 1: found "", expected an integer/],
  [['--weights', '1,2.5'], /weight 1: found "2.5", expected an integer/],
  [['--weights', '0x10'], /found "0x10", expected an integer/],
  [['--weights', '1,-128'], /weight 1: found -128, expected at most 127 in magnitude with --bits 7/],
  [['--weights', '99999999999999999999'], /expected at most 127/],
  [['--weights', '1', '--bits', '0'], /--bits.*from 1 to 15/],
  [['--weights', '1', '--bits', '16'], /--bits.*from 1 to 15/],
  [['--weights', '1', '--kneading-stride', '0'], /--kneading-stride.*from 1 to 256/],
  [['--weights', '1', '--kneading-stride', '257'], /--kneading-stride.*from 1 to 256/],
  [['--weights', '1', 'stray'], /too many arguments/],
])('refuses %j', async (args, message) => {
  expect(await refused('knead', ...args)).toMatch(message);
});
