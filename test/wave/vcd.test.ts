/** The VCD text: identifiers, two's complement, scopes; and single signals from the declarations of registers. */
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/random.js';
import { OnlineKneaders } from '../../src/sim/onlineKneader.js';
import { members, named, numbered, RegisterFile, type RegisterSpec } from '../../src/sim/registers.js';
import { sacRegisters } from '../../src/sim/sacRegisters.js';
import { placesOf, shownBits, variableType } from '../../src/wave/signals.js';
import { binary, header, identifier, valueChange, type VcdVariable } from '../../src/wave/vcd.js';
import { peConfig } from '../support/pe.js';

describe('identifiers', () => {
  it('are printable, short and all different', () => {
    const ids = Array.from({ length: 20_000 }, (_, n) => identifier(n));
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[!-~]{1,3}$/);
    expect([identifier(0), identifier(93), identifier(94)].map((id) => id.length)).toEqual([1, 1, 2]);
  });
});

describe('digits of a number', () => {
  it("are its two's complement", () => {
    const random = new Random(5);
    for (let run = 0; run < 3000; run++) {
      const bits = 1 + random.int(64);
      const signed = bits > 1 && random.int(2) === 1;
      const most = 2 ** Math.min(53, signed ? bits - 1 : bits);
      const magnitude = Math.min(most - 1, Math.floor(random.uniform() * 2 ** random.int(54)));
      const value = signed && random.int(2) === 1 ? -magnitude : magnitude;
      const digits = binary(value, bits, signed)!;
      expect(digits.length).toBeLessThanOrEqual(bits);
      expect(BigInt(`0b${digits}`)).toBe(BigInt.asUintN(bits, BigInt(value)));
      // The standard extends to the left with zeros.
      if (value < 0) expect(digits).toHaveLength(bits);
    }
  });

  it('reach from the smallest to the largest, and no further', () => {
    expect([binary(-128, 8, true), binary(127, 8, true), binary(255, 8, false)]).toEqual([
      '10000000',
      '1111111',
      '11111111',
    ]);
    for (const [value, bits, signed] of [
      [128, 8, true],
      [-129, 8, true],
      [256, 8, false],
      [-1, 8, false],
      [0.5, 8, true],
      [Infinity, 64, true],
      [2 ** 60, 64, true],
    ] as const)
      expect(binary(value, bits, signed)).toBeNull();
    expect(binary(-(2 ** 53), 64, true)).toBe('1'.repeat(11) + '0'.repeat(53));
    expect(binary(2 ** 53, 64, true)).toBe(`1${'0'.repeat(53)}`);
    expect(binary(-0, 64, true)).toBe('0');
  });

  it('are written as scalars and vectors, x where nothing is known', () => {
    expect([valueChange('1', 1, '!'), valueChange('', 1, '!'), valueChange('101', 8, '"')]).toEqual([
      '1!\n',
      'x!\n',
      'b101 "\n',
    ]);
    expect(valueChange('', 8, '"')).toBe('bx "\n');
  });
});

it('a header nests scopes, and cannot be ended by a name', () => {
  const variable = (scope: string[], name: string, bits: number): VcdVariable => ({
    scope,
    name,
    type: 'reg',
    bits,
    id: name,
  });
  const variables = [variable(['a'], 'p', 1), variable(['a', 'b'], 'q', 8), variable(['a'], 'r', 1)];
  const text = [...header({ version: 'v', comment: 'x $end y', timescale: '1 ns', variables })].join('');
  expect(text).toBe(
    `$comment\nx \\u0024end y\n$end\n$version v $end\n$timescale 1 ns $end\n` +
      `$scope module a $end\n$var reg 1 p p $end\n$var reg 1 r r $end\n` +
      `$scope module b $end\n$var reg 8 q q [7:0] $end\n$upscope $end\n$upscope $end\n$enddefinitions $end\n`,
  );
});

describe('signals of a declaration', () => {
  const namesOf = (spec: RegisterSpec): string[] =>
    placesOf(spec).map(({ at, scope, name }) => `${at} ${[...scope, name].join('.')}`);

  it('are named by its dimensions', () => {
    const spec = { name: 'r', bits: 1, signed: false };
    expect(namesOf({ ...spec, count: 1 })).toEqual(['0 r']);
    expect(namesOf({ ...spec, count: 2 })).toEqual(['0 r0', '1 r1']);
    expect(
      namesOf({ ...spec, count: 8, dimensions: [members('unit', 2), numbered(2), numbered(2)] }),
    ).toEqual([
      '0 unit0.r0_0',
      '1 unit0.r0_1',
      '2 unit0.r1_0',
      '3 unit0.r1_1',
      '4 unit1.r0_0',
      '5 unit1.r0_1',
      '6 unit1.r1_0',
      '7 unit1.r1_1',
    ]);
    expect(namesOf({ ...spec, count: 2, dimensions: [named('Valid', 'Last')] })).toEqual([
      '0 rValid',
      '1 rLast',
    ]);
    const inHardware = (unit: number, n: number): boolean => n <= unit;
    expect(namesOf({ ...spec, count: 4, dimensions: [members('unit', 2), numbered(2)], inHardware })).toEqual(
      ['0 unit0.r0', '2 unit1.r0', '3 unit1.r1'],
    );
  });

  it('show of a SAC PE what hardware has of it', () => {
    const config = peConfig({ units: 2, lanes: 3, magnitudeBits: 5, kneadingStride: 4, windowSlots: 2 });
    const places = Object.fromEntries(sacRegisters(config).map((spec) => [spec.name, namesOf(spec)]));
    // Both signs are held: 2 KS + 1 numbers per slot.
    expect(places.window).toHaveLength(3 * 2 * 4);
    expect(places.window[4]).toBe('9 lane0.window1_0');
    // Five segments make three, two and one sums.
    expect(places.treeSum.slice(0, 6).map((name) => name.split(' ')[1])).toEqual(
      ['0_0', '0_1', '0_2', '1_0', '1_1', '2_0'].map((at) => `unit0.treeSum${at}`),
    );
    expect(places.throttleCount[5]).toBe('5 unit1.lane2.throttleCount');
    expect(places.segment[5]).toBe('5 unit1.segment0');
  });

  it('keep the parts of wide planes together', () => {
    const { specs } = new OnlineKneaders(4, 3, 40, 2).registers;
    const places = namesOf(specs.find(({ name }) => name === 'kneaderPlane')!);
    expect(places.slice(0, 3)).toEqual(
      ['0_0', '0_1', '1_0'].map((at, i) => `${i} unit0.lane0.kneaderPlane${at}`),
    );
    expect(places[23]).toBe('23 unit1.lane1.kneaderPlane2_1');
  });

  it('have to count what the register counts', () => {
    const spec = { name: 'r', bits: 1, signed: false, count: 6 };
    expect(() => new RegisterFile([{ ...spec, dimensions: [numbered(2), numbered(2)] }])).toThrow(/count 4/);
    expect(new RegisterFile([{ ...spec, dimensions: [numbered(2), numbered(3)] }]).ints('r')).toHaveLength(6);
  });

  it('are signed where the declaration is', () => {
    const signal = (bits: number, signed: boolean, kind: 'register' | 'port') =>
      variableType({ spec: { name: 'r', bits, signed, count: 1 }, kind, values: [] });
    expect([signal(8, true, 'port'), signal(8, false, 'port'), signal(8, false, 'register')]).toEqual([
      'integer',
      'wire',
      'reg',
    ]);
    expect([53, 32, 92].map((bits) => shownBits({ name: 'r', bits, signed: true, count: 1 }))).toEqual([
      64, 32, 92,
    ]);
  });
});
