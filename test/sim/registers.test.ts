/** Registers are declared once, live on one buffer, and can be copied and put back. */
import { describe, expect, it } from 'vitest';
import { RegisterFile } from '../../src/sim/registers.js';
import { sacRegisters } from '../../src/sim/sacRegisters.js';
import { peConfig } from '../support/pe.js';

const specs = [
  { name: 'flag', bits: 1, signed: false, count: 3 },
  { name: 'sum', bits: 53, signed: true, count: 2 },
  { name: 'word', bits: 32, signed: true, count: 1 },
  { name: 'address', bits: 32, signed: false, count: 1 },
];

describe('register file', () => {
  it('gives views by name: integers up to 32 bits, doubles beyond', () => {
    const file = new RegisterFile(specs);
    expect(file.ints('flag')).toHaveLength(3);
    expect(file.doubles('sum')).toHaveLength(2);
    expect(file.view('word')).toBeInstanceOf(Int32Array);
    // 32 unsigned bits do not fit a signed 32-bit integer.
    expect(file.view('address')).toBeInstanceOf(Float64Array);
    expect(() => file.ints('sum')).toThrow(/no integer register sum/);
    expect(() => file.doubles('flag')).toThrow(/no wide register flag/);
    expect(() => file.view('carry')).toThrow(/no register carry/);
    expect(() => new RegisterFile([specs[0], specs[0]])).toThrow(/declared twice/);
  });

  it('holds every register apart from the others', () => {
    const file = new RegisterFile(specs);
    file.ints('flag').fill(1);
    file.doubles('sum').fill(2 ** 52);
    file.ints('word').fill(-(2 ** 31));
    file.doubles('address').fill(2 ** 32 - 1);
    expect(specs.map(({ name }) => [...file.view(name)])).toEqual([
      [1, 1, 1],
      [2 ** 52, 2 ** 52],
      [-(2 ** 31)],
      [2 ** 32 - 1],
    ]);
  });

  it('takes snapshots, restores them, and resets, in a buffer of others too', () => {
    const buffer = new ArrayBuffer(256);
    const neighbour = new Uint8Array(buffer).fill(7);
    const file = new RegisterFile(specs, { buffer, at: 64 });
    file.reset();
    file.doubles('sum')[1] = 5;
    const snapshot = file.snapshot();
    file.doubles('sum')[1] = 6;
    file.ints('flag')[0] = 1;
    file.restore(snapshot);
    expect([file.doubles('sum')[1], file.ints('flag')[0]]).toEqual([5, 0]);
    file.reset();
    expect([...file.doubles('sum')]).toEqual([0, 0]);
    expect([neighbour[63], neighbour[64 + snapshot.byteLength]]).toEqual([7, 7]);
    expect(() => file.restore(new Uint8Array(8))).toThrow(/snapshot of 8 bytes, expected/);
  });

  it('of a SAC PE is wide enough for what it holds', () => {
    const bits = (given: Parameters<typeof peConfig>[0], name: string): number =>
      sacRegisters(peConfig(given)).find((spec) => spec.name === name)!.bits;
    expect([0, 1, 3, 4].map((throttleWords) => bits({ throttleWords }, 'throttleCount'))).toEqual([
      1, 1, 2, 3,
    ]);
    expect([1, 2, 3, 4].map((windowSlots) => bits({ windowSlots }, 'windowCount'))).toEqual([1, 2, 2, 3]);
    expect([true, false].map((wideSegments) => bits({ wideSegments }, 'segment'))).toEqual([53, 32]);
    const count = (name: string): number =>
      sacRegisters(peConfig({ units: 3, lanes: 2 })).find((s) => s.name === name)!.count;
    expect([count('flushed'), count('pending'), count('segment'), count('windowHead')]).toEqual([
      6, 3, 45, 2,
    ]);
  });
});
