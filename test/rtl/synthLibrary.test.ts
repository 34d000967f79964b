/** Standard-cell libraries: reading Liberty, units, tables, and the Verilog models of cells, against a library by hand. */
import { describe, expect, it } from 'vitest';
import { cellModel, verilogExpression } from '../../src/rtl/synth/cellModels.js';
import { cellLibrary, energyAt, smallestInverter } from '../../src/rtl/synth/cells.js';
import { groupsOf, numbersOf, parseLiberty } from '../../src/rtl/synth/liberty.js';
import { targetOf } from '../../src/rtl/synth/target.js';
import { LIBRARY, library } from './toyLibrary.js';

describe('a Liberty library', () => {
  it('gives groups, attributes and tables, comments and continued lines aside', () => {
    const root = parseLiberty(LIBRARY, 'toy.lib');
    expect(groupsOf(root, 'cell').map(({ name }) => name)).toEqual(['INV', 'BIGINV', 'NOR', 'DFF']);
    const [inv] = groupsOf(root, 'cell');
    const [power] = groupsOf(groupsOf(inv, 'pin')[1], 'internal_power');
    expect(numbersOf(groupsOf(power, 'rise_power')[0], 'values')).toEqual([1, 3, 2, 4]);
  });

  it('is turned into um2, pF, ns, pJ and nW', () => {
    expect(library.voltage).toBe(2);
    expect(library.corner).toBe('typical, 2 V, 25 C');
    const inv = library.cells.get('INV')!;
    expect(inv.area).toBe(4);
    expect(inv.leakage).toBeCloseTo(500, 9);
    expect(inv.pins.get('A')!.capacitance).toBeCloseTo(0.01, 12);
    const [energy] = inv.energies;
    expect(energy.rise!.indices[0].map((x) => +x.toFixed(12))).toEqual([0.01, 0.02]);
    expect(energy.rise!.indices[1].map((x) => +x.toFixed(12))).toEqual([1, 3]);
    // fF V^2 = 1e-3 pJ
    expect(energy.rise!.values.map((x) => +x.toFixed(12))).toEqual([0.001, 0.003, 0.002, 0.004]);
    expect(library.cells.get('DFF')!.states).toMatchObject([{ kind: 'ff', data: 'D', clock: 'CLK' }]);
    expect(library.cells.get('DFF')!.area).toBe(20);
  });

  it('tables are linear between their points and level beyond them', () => {
    const { rise } = library.cells.get('INV')!.energies[0];
    for (const [slew, load, fJ] of [
      [0.01, 1, 1],
      [0.02, 3, 4],
      [0.015, 2, 2.5],
      [0, 0, 1],
      [9, 9, 4],
    ])
      expect(energyAt(rise!, slew, load)).toBeCloseTo(fJ * 1e-3, 12);
  });

  it('has a smallest inverter', () => {
    expect(smallestInverter(library).cell.name).toBe('INV');
  });

  it.each([
    ['module top;', /toy\.lib: line 1: found "module", expected "library"/],
    ['library (x) {\n cell (y) {\n', /line 3: found the end of the file, expected "}"/],
    ['library (x) { cell (y { } }', /expected "\)"/],
    ['', /line 1: found the end of the file/],
    ['\u001f\u008b\u0000 gzip', /line 1: found "[ -~]+", expected "library"; [^\n]*not compressed/],
  ])('%j is refused in one line', (text, message) => {
    expect(() => parseLiberty(text, 'toy.lib')).toThrow(message);
  });

  it.each([
    [LIBRARY.replace('capacitive_load_unit (1, ff);', ''), /capacitive_load_unit is missing/],
    [LIBRARY.replace('voltage : 2;', ''), /no voltage/],
    [
      'library (x) { nom_voltage : 1; time_unit : "1ns"; capacitive_load_unit (1, pf); voltage_unit : "1V"; }',
      /no cells/,
    ],
  ])('without what energy needs it is refused', (text, message) => {
    expect(() => cellLibrary(parseLiberty(text, 'toy.lib'))).toThrow(message);
  });
});

describe('what a library lacks', () => {
  const without = (cell: RegExp): ReturnType<typeof cellLibrary> =>
    cellLibrary(parseLiberty(LIBRARY.replace(cell, 'function : "0"'), 'toy.lib'));

  it('is told by its name: no inverter, no flip-flop', () => {
    expect(targetOf(library, '/x.lib', 10)).toMatchObject({ driver: 'INV', load: 40, period: 10 });
    const noInverter = without(/function : "(\(!A\)|A')"/g);
    expect(() => targetOf(noInverter, '/x.lib', 10)).toThrow('library toy: no inverter');
    const noRegister = cellLibrary(parseLiberty(LIBRARY.replace('ff (IQ, IQN)', 'none (x)'), 'toy.lib'));
    expect(() => targetOf(noRegister, '/x.lib', 10)).toThrow('library toy: no flip-flop');
  });
});

describe('the logic of a cell in Verilog', () => {
  type Logic = (a: number, b: number, c: number) => number;
  it.each<[string, Logic]>([
    ['A', (a) => a],
    ["A'", (a) => 1 - a],
    ['!(A+B)', (a, b) => 1 - (a | b)],
    ['(A B) + !C', (a, b, c) => (a & b) | (1 - c)],
    ['A * B ^ C', (a, b, c) => a & (b ^ c)],
    ['A ^ B * C', (a, b, c) => (a ^ b) & c],
    ["(A | B)' & C", (a, b, c) => (1 - (a | b)) & c],
    ['!A !B + A B', (a, b) => 1 - (a ^ b)],
    ['1', () => 1],
  ])('%s', (text, logic) => {
    // Verilog's operators on single bits are JavaScript's, up to the upper bits.
    const body = verilogExpression(text).replace(/1'b/g, '');
    const evaluate = new Function('A', 'B', 'C', `return (${body}) & 1;`) as Logic;
    for (let bits = 0; bits < 8; bits++) {
      const [a, b, c] = [bits & 1, (bits >> 1) & 1, bits >> 2];
      expect(evaluate(a, b, c), `${a} ${b} ${c}`).toBe(logic(a, b, c));
    }
  });

  it.each(['A +', '(A', 'A B)', 'A ? B', ''])('%j is refused', (text) => {
    expect(() => verilogExpression(text)).toThrow('cannot be read');
  });

  it('of a flip-flop has state, clock and next state', () => {
    const model = cellModel(library.cells.get('DFF')!);
    expect(model).toContain('module DFF (D, CLK, Q);');
    expect(model).toContain('wire clock = CLK;');
    expect(model).toContain('always @(posedge clock) IQ <= D;');
    expect(model).toContain('assign Q = IQ;');
  });

  it('that functions do not tell is refused', () => {
    const inverter = library.cells.get('INV')!;
    const pins = new Map(inverter.pins).set('Y', { ...inverter.pins.get('Y')!, function: null });
    expect(() => cellModel({ ...inverter, pins })).toThrow('cell INV: output Y has no function');
  });
});
