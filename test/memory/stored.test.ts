/** What is stored of every operand, recounted by plain loops from the table in the README; and that DRAM sees it once. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MACHINES } from '../../src/arch/registry.js';
import { caseArbitrary } from '../../src/fuzz.js';
import { bytesOf, OPERANDS, SOURCES, type Operand } from '../../src/memory/traffic.js';
import { configured, conv, layer } from '../support/layers.js';
import { counted, inMemory, INFINITE, memoryArbitrary } from '../support/memory.js';
import { naiveStored, naiveWordBits, type NaiveLanes } from '../support/naiveStored.js';
import { runs } from '../support/runs.js';

const kinds = MACHINES.map((kind) => ({ name: kind.name, kind }));

describe.each(kinds)('$name', ({ kind }) => {
  it('stores every operand in its format', () => {
    const property = fc.property(caseArbitrary([kind]), memoryArbitrary, (c, config) => {
      const one = counted(kind, c);
      const { machine, work } = one;
      const { stored } = inMemory(one, { ...INFINITE, ...widths(config) })!;
      const lanes = machine.config as unknown as NaiveLanes;
      const expected = naiveStored(kind.units(work.phase), work, lanes, config);
      expect(bitsOf(stored)).toEqual(expected);
      for (const operand of OPERANDS) {
        const each = stored[operand];
        if (!each) continue;
        expect(each.elements * each.elementBits + each.rows * each.rowBits).toBe(each.bits);
        expect(each.bytes).toBe(Math.ceil(each.bits / 8));
      }
    });
    fc.assert(property, { numRuns: runs(40) });
  });

  it('reads each operand from DRAM exactly once where all stays on chip, never less elsewhere; no padding', () => {
    const property = fc.property(caseArbitrary([kind]), memoryArbitrary, (c, drawn) => {
      const one = counted(kind, c);
      const config = { ...drawn, onChip: 'none' as const };
      const bits = naiveStored(
        kind.units(one.work.phase),
        one.work,
        one.machine.config as unknown as NaiveLanes,
        config,
      );
      const wide = inMemory(one, { ...config, globalBytes: Infinity })!;
      const small = inMemory(one, config);
      for (const source of SOURCES) {
        const bytes = bytesOf(bits[source] ?? 0);
        expect({ source, bytes: wide.traffic.dram.reads[source] }).toEqual({ source, bytes });
        if (small) expect(small.traffic.dram.reads[source]).toBeGreaterThanOrEqual(bytes);
      }
      for (const result of small ? [wide, small] : [wide])
        expect(result.traffic.dram.writes.outputs).toBe(bytesOf(bits.outputs!));
    });
    fc.assert(property, { numRuns: runs(40) });
  });
});

describe('by hand', () => {
  it('words have 92 bits at int16 and 44 at int8 with KS = 16', () => {
    expect(naiveWordBits(15, 16)).toBe(92);
    expect(naiveWordBits(7, 16)).toBe(44);
    expect(naiveWordBits(7, 1)).toBe(2 + 7 * 3);
  });

  it('weights of one bit each in one column knead into a word each', () => {
    // One lane of four items, KS = 2: two groups of two words.
    const work = layer(conv({ channels: 4 }), 'int8', { weights: [1, 1, 1, 1] });
    const kind = MACHINES.find(({ name }) => name === 'tetris')!;
    const machine = configured(kind, { lanes: 1, kneadingStride: 2 });
    const stored = inMemory({ kind, machine, work, counters: machine.count(work) }, INFINITE)!.stored
      .weights!;
    expect(stored).toMatchObject({
      form: 'kneaded words',
      elements: 4,
      elementBits: 23,
      bits: 92,
      bytes: 12,
    });
  });

  it('a compressed row has a count, and a column with each code', () => {
    // Width 5: three bits for a column, three for a count from 0 to 5.
    const work = layer(conv({ width: 5 }), 'int8', { activations: [0, 7, 0, -1, 0] });
    const kind = MACHINES.find(({ name }) => name === 'sparsetrain')!;
    const machine = configured(kind);
    const stored = inMemory({ kind, machine, work, counters: machine.count(work) }, INFINITE)!.stored.inputs!;
    expect(stored.bits).toBe(2 * (8 + 3) + 3);
  });
});

const widths = ({ outputBits, gradWeightBits }: { outputBits: number; gradWeightBits: number }) => ({
  outputBits,
  gradWeightBits,
});

const bitsOf = (stored: Partial<Record<Operand, { bits: number }>>): Partial<Record<Operand, number>> =>
  Object.fromEntries(Object.entries(stored).map(([operand, { bits }]) => [operand, bits]));
