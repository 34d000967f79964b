/** The dense MAC PE as a twin: what its stimulus may say, and what its lines say, against plain sums. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Random } from '../../src/random.js';
import { MAC_MUTANTS } from '../../src/rtl/mutants/mac.js';
import { macUnit, type MacStimulus } from '../../src/rtl/units/mac.js';

const small: MacStimulus = {
  units: 2,
  lanes: 2,
  magnitudeBits: 7,
  activationBits: 7,
  bricks: [
    {
      weights: [
        [1, 2],
        [-3, 4],
      ],
      activations: [10, 100],
      last: 0,
    },
    {
      weights: [
        [0, -127],
        [5, 0],
      ],
      activations: [-127, 127],
      last: 1,
    },
  ],
  ready: [],
};

/** Values that leave, from the lines alone. */
const valuesOf = (lines: string[]): bigint[] =>
  lines.flatMap((line) => {
    const [, , , fired, ...values] = line.split(' |')[0].split(' ');
    return fired === '1' ? values.map((value) => BigInt.asIntN(64, BigInt(`0x${value}`))) : [];
  });

/** The same values by plain sums. */
function expectedOf({ units, bricks }: MacStimulus): bigint[] {
  const values: bigint[] = [];
  let sums = new Array<bigint>(units).fill(0n);
  for (const { weights, activations, last } of bricks) {
    weights.forEach((row, n) => {
      row.forEach((weight, l) => (sums[n] += BigInt(weight) * BigInt(activations[l])));
    });
    if (last === 0) continue;
    values.push(...sums);
    sums = new Array<bigint>(units).fill(0n);
  }
  return values;
}

describe('lines', () => {
  test('show an output three cycles after its last brick', () => {
    expect(macUnit.trace(small, false)).toEqual([
      '0 1 0 0',
      '1 1 0 0',
      '2 0 0 0',
      '3 0 0 0',
      `4 0 1 1 ${BigInt.asUintN(64, 210n - 127n * 127n).toString(16)} ${BigInt.asUintN(64, 370n - 635n).toString(16)}`,
    ]);
  });

  test('show that nothing moves while an output waits', () => {
    const one = { ...small, units: 1, lanes: 1 };
    const bricks = Array.from({ length: 5 }, (_, i) => ({
      weights: [[i]],
      activations: [1],
      last: 1 as const,
    }));
    const ready: [0 | 1, 0 | 1][] = Array.from({ length: 6 }, () => [1, 0]);
    const lines = macUnit.trace({ ...one, bricks, ready }, false);
    expect(lines.slice(0, 8)).toEqual([
      '0 1 0 0',
      '1 1 0 0',
      '2 1 0 0',
      '3 0 1 0',
      '4 0 1 0',
      '5 0 1 0',
      '6 1 1 1 0',
      '7 1 1 1 1',
    ]);
  });

  test('of random stimuli hold the plain sums, with registers or without', () => {
    const random = new Random(1);
    for (let run = 0; run < 200; run++) {
      const stimulus = macUnit.random(random, run);
      const lines = macUnit.trace(stimulus, true);
      expect(valuesOf(lines)).toEqual(expectedOf(stimulus));
      expect(lines.map((line) => line.split(' |')[0])).toEqual(macUnit.trace(stimulus, false));
      expect(lines[0].split(' | ')[1].split(' ')).toHaveLength(stimulus.lanes + 2);
    }
  });
});

describe('a stimulus', () => {
  const parse = (change: object): MacStimulus => macUnit.parse({ ...small, ...change }, 'x.json');

  test('is taken as it is written, random ones too', () => {
    expect(parse({})).toEqual(small);
    const random = new Random(2);
    for (let run = 0; run < 50; run++) {
      const stimulus = macUnit.random(random, run);
      expect(macUnit.parse(JSON.parse(JSON.stringify(stimulus)), 'x.json')).toEqual(stimulus);
    }
  });

  const [first, second] = small.bricks;
  test.each([
    [{ units: 0 }, 'x.json: units: found 0'],
    [{ units: 3 }, 'x.json: bricks[0].weights: found 2 rows, expected 3'],
    [{ lanes: 1 }, 'x.json: bricks[0].weights[0]: found 2 numbers, expected 1'],
    [{ magnitudeBits: 16 }, 'x.json: magnitudeBits: found 16'],
    [{ magnitudeBits: 6 }, 'x.json: bricks[1].weights[0][1]: found -127, expected -63 to 63'],
    [{ activationBits: 6 }, 'x.json: bricks[0].activations[1]: found 100, expected -63 to 63'],
    [{ bricks: [] }, 'x.json: bricks: found an array of 0'],
    [{ bricks: [first] }, 'x.json: bricks[0].last: found 0, expected 1'],
    [{ bricks: [{ ...second, last: 2 }] }, 'x.json: bricks[0].last: found 2'],
    [{ bricks: [{ ...second, activations: [1] }] }, 'x.json: bricks[0].activations: found 1 numbers'],
    [{ ready: [[1]] }, 'x.json: ready[0]: found an array of 1'],
    [{ surplus: 1 }, 'surplus: found an unknown field'],
  ])('that says %j is refused by name', (change, message) => {
    expect(() => parse(change)).toThrow(message);
    expect(() => parse(change)).toThrow('; see "kneadsim pe --help"');
  });
});

test.each(MAC_MUTANTS)('the fault "$what" finds its place in $file once', ({ file, from, to }) => {
  const source = readFileSync(new URL(`../../src/rtl/verilog/${file}`, import.meta.url), 'utf8');
  expect(source.split(from)).toHaveLength(2);
  expect(to).not.toBe(from);
});
