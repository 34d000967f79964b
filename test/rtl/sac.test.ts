/** `pe sac`: lines by hand from the rules of SPEC section 3, and files that are wrong. */
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/errors.js';
import { parseSac } from '../../src/rtl/units/sac/form.js';
import { sacUnit } from '../../src/rtl/units/sac.js';
import { stimulusOf } from '../../src/rtl/verify.js';

type Json = Record<string, unknown>;
const bits = (values: (number | null)[]): unknown[] => values.map((p) => (p === null ? null : [p, 1]));
const word = (columns: unknown[], pass = 1, flush = 1): Json => ({ pass, flush, columns });
const columnsOf = (B: number): unknown[] => bits([0, ...new Array<null>(B - 1).fill(null)]);

/** One unit and lane, one window, one word with the flush mark. */
const lone = (given: Json = {}): Json => {
  const magnitudeBits = (given.magnitudeBits as number | undefined) ?? 15;
  return {
    ...{ units: 1, lanes: 1, magnitudeBits, activationBits: 15, kneadingStride: 2, windowSlots: 2 },
    ...{ throttleWords: 0, sync: 'skew', words: [[word(columnsOf(magnitudeBits))]], windows: [[[7, 9]]] },
    ready: [],
    ...given,
  };
};
const linesOf = (json: Json): string[] => sacUnit.trace(parseSac(json, 'x.json'), false);

describe('the timing facts of SPEC section 3', () => {
  it.each([
    [15, 6],
    [7, 5],
    [8, 5],
    [2, 3],
    [1, 3],
  ])('with TD = 0 a one-word output of %i columns appears at cycle %i', (magnitudeBits, cycle) => {
    const lines = linesOf(lone({ magnitudeBits }));
    expect(lines[0]).toBe('0 0 1 0 0');
    expect(lines[1]).toBe('1 1 0 0 0');
    expect(lines).toHaveLength(cycle + 1);
    expect(lines[cycle]).toBe(`${cycle} 0 0 1 1 7`);
  });

  it('a word pushed into a throttle buffer at t is visible at t + 1', () => {
    const lines = linesOf(lone({ throttleWords: 2 }));
    expect(lines[0]).toBe('0 1 1 0 0');
    expect(lines.at(-1)).toBe('6 0 0 1 1 7');
  });

  const words = (count: number): unknown[] => Array.from({ length: count }, () => word(columnsOf(15)));
  const windows = (count: number): number[][] => Array.from({ length: count }, (_, i) => [i, 0]);
  const outputsAt = (json: Json): number[] =>
    linesOf(json)
      .map((line) => line.split(' '))
      .filter(([, , , , fired]) => fired === '1')
      .map(([cycle]) => Number(cycle));

  it.each([
    [0, 2, [6, 7, 8, 9]],
    [2, 2, [6, 7, 8, 9]],
    [4, 4, [6, 7, 8, 9]],
    // A buffer of one word accepts every second cycle.
    [1, 2, [6, 8, 10, 12]],
    // One slot: a bubble per group.
    [2, 1, [6, 8, 10, 12]],
  ])('one-word outputs with TD = %i and D = %i leave at %j', (throttleWords, windowSlots, cycles) => {
    const json = lone({ throttleWords, windowSlots, words: [words(4)], windows: [windows(4)] });
    expect(outputsAt(json)).toEqual(cycles);
  });

  it('an output that is not taken waits, with its value, and stalls what follows', () => {
    const stall = Array.from({ length: 9 }, () => [1, 1, 0]);
    const lines = linesOf(lone({ words: [words(3)], windows: [windows(3)], ready: stall }));
    expect(lines.slice(6, 10)).toEqual(['6 0 0 1 0', '7 0 0 1 0', '8 0 0 1 0', '9 0 0 1 1 0']);
    expect(lines.slice(10)).toEqual(['10 0 0 1 1 1', '11 0 0 1 1 2']);
  });

  it('words flow into the throttle buffer after the last flush as well', () => {
    const open = { pass: 0, flush: 0, columns: columnsOf(15) };
    const lines = linesOf(lone({ throttleWords: 4, words: [[word(columnsOf(15)), open, open, open]] }));
    expect(lines.map((line) => line.split(' ')[1])).toEqual(['1', '1', '1', '1', '0', '0', '0']);
  });

  it('units of a barrier wait for each other, units with skew do not', () => {
    const long = [word(columnsOf(15), 0, 0), word(columnsOf(15), 0, 0), word(columnsOf(15))];
    const json = (sync: string): Json =>
      lone({
        units: 2,
        sync,
        throttleWords: 4,
        words: [
          [...long, ...words(1)],
          [...words(1), ...long],
        ],
        windows: [windows(2)],
      });
    const last = (lines: string[]): number => lines.length - 1;
    expect(last(linesOf(json('skew')))).toBeLessThan(last(linesOf(json('barrier'))));
  });
});

describe('values', () => {
  it("are 64-bit two's complement, lowest unit first, of the units that fire", () => {
    const lines = linesOf(
      lone({
        units: 2,
        words: [
          [{ pass: true, flush: true, columns: [[1, -1], ...new Array<null>(14).fill(null)] }],
          [word(columnsOf(15))],
        ],
      }),
    );
    expect(lines.at(-1)).toBe('6 0 0 3 3 fffffffffffffff7 7');
  });

  it('signs are 1 and -1, or sign bits 0 and 1 where a 0 is among them', () => {
    const signed = (a: number, b: number): Json =>
      lone({
        magnitudeBits: 2,
        words: [
          [
            {
              pass: 1,
              flush: 1,
              columns: [
                [0, a],
                [1, b],
              ],
            },
          ],
        ],
      });
    expect(linesOf(signed(-1, 1)).at(-1)).toBe('3 0 0 1 1 b');
    expect(linesOf(signed(1, 0)).at(-1)).toBe('3 0 0 1 1 b');
    expect(linesOf(signed(1, 1)).at(-1)).toBe('3 0 0 1 1 19');
    expect(() => linesOf(signed(-1, 0))).toThrow(/one way of signs/);
  });

  it('of wide activations are exact beyond 32 bits', () => {
    const many = Array.from({ length: 300 }, (_, i) =>
      word(bits(new Array<number>(15).fill(0)), 0, i === 299 ? 1 : 0),
    );
    const lines = linesOf(lone({ activationBits: 24, words: [many], windows: [[[2 ** 24 - 1, 0]]] }));
    expect(BigInt(`0x${lines.at(-1)!.split(' ').at(-1)!}`)).toBe(300n * (2n ** 24n - 1n) * (2n ** 15n - 1n));
  });
});

describe('files that are wrong', () => {
  const cases: [string, Json | unknown, RegExp][] = [
    ['not an object', [1], /an array of 1, expected object;/],
    ['a field is missing', lone({ lanes: undefined }), /lanes: found nothing/],
    ['an unknown field', lone({ lane: 2 }), /lane: found an unknown field, expected none of that name/],
    ['a width of zero', lone({ units: 0 }), /units: found 0, expected >=1;/],
    ['a width that is not whole', lone({ windowSlots: 1.5 }), /windowSlots: found 1.5/],
    ['a policy that is none', lone({ sync: 'both' }), /sync: found "both"/],
    ['too few streams', lone({ units: 2 }), /words: found 1 streams, expected 2/],
    ['too many lanes of windows', lone({ windows: [[], []] }), /windows: found 2 lanes, expected 1/],
    [
      'a short word',
      lone({ words: [[word(bits([0]))]] }),
      /words\[0\]\[0\].columns: found 1 columns, expected 15/,
    ],
    [
      'a pointer beyond the window',
      lone({ words: [[word([[2, 1], ...columnsOf(14)])]] }),
      /pointer 2, expected 0 to 1/,
    ],
    [
      'a sign that is none',
      lone({ words: [[word([[0, 2], ...columnsOf(14)])]] }),
      /columns\[0\]\[1\]: found 2/,
    ],
    ['a short window', lone({ windows: [[[1]]] }), /windows\[0\]\[0\]: found 1 activations, expected 2/],
    ['an activation too wide', lone({ windows: [[[1, -32768]]] }), /windows\[0\]\[0\]\[1\]: found -32768/],
    [
      'an activation that is no number',
      lone({ windows: [[[1, null]]] }),
      /windows\[0\]\[0\]\[1\]: found null/,
    ],
    ['a short ready row', lone({ ready: [[1, 1]] }), /ready\[0\]: found 2 bits, expected 3/],
    ['a ready bit of 2', lone({ ready: [[1, 1, 2]] }), /ready\[0\]\[2\]: found 2/],
    [
      'a unit without words in one lane',
      lone({
        units: 2,
        lanes: 2,
        words: [[word(columnsOf(15))], [word(columnsOf(15))], [], [word(columnsOf(15))]],
        windows: [[[1, 1]], [[1, 1]]],
      }),
      /words\[2\]: found no words, expected some/,
    ],
  ];
  it.each(cases)('%s', (_, json, message) => {
    let thrown: unknown;
    try {
      parseSac(JSON.parse(JSON.stringify(json)), 'x.json');
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(UserError);
    expect((thrown as UserError).message).toMatch(message);
    expect((thrown as UserError).message).toMatch(/^x\.json: /);
    expect((thrown as UserError).message).not.toContain('\n');
  });

  it('a PE that waits for ever is told from one that is stalled', () => {
    expect(() => linesOf(lone({ windows: [[]] }))).toThrow(/nothing moves any more.*1 outputs have not left/);
    expect(linesOf(lone({ ready: Array.from({ length: 100 }, () => [0, 0, 0]) }))).toHaveLength(107);
  });

  it('without any word there is nothing to print', () => {
    expect(linesOf(lone({ words: [[]] }))).toEqual([]);
  });
});

describe('drawn stimuli', () => {
  it('are the same for the same seed and run', () => {
    expect(stimulusOf(sacUnit, 5, 9)).toEqual(stimulusOf(sacUnit, 5, 9));
    expect(stimulusOf(sacUnit, 6, 9)).not.toEqual(stimulusOf(sacUnit, 5, 9));
  });

  it('have stalls, absent lanes and units, empty words, flush without pass, and long and short groups', () => {
    const all = Array.from({ length: 200 }, (_, run) => stimulusOf(sacUnit, 3, run));
    const words = all.flatMap((s) => s.words.flat());
    expect(all.some((s) => s.words.some((stream) => stream.length === 0))).toBe(true);
    expect(words.some((w) => w.columns.every((c) => c === null))).toBe(true);
    expect(words.some((w) => w.flush && !w.pass)).toBe(true);
    expect(words.some((w) => !w.flush && w.pass)).toBe(true);
    expect(all.some((s) => s.ready.length === 0)).toBe(true);
    expect(all.some((s) => s.windowLoadCycles > 1)).toBe(true);
  });
});
