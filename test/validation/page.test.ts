/** How claims are shown, in tables, on the page and by the commands that print their numbers. */
import { afterAll, describe, expect, it } from 'vitest';
import { checkCommands } from './checkCommands.js';
import { AT_MOST, EXACT, exitCode, rowsOf, within, type Claim, type Row } from './claim.js';
import { SECTIONS } from './claims/index.js';
import { Lab } from './lab.js';
import { isPlace, numberAt } from './place.js';
import { countsText, markdownCells, page, sectionText } from './render.js';
import { surprises } from './surprises.js';
import { select } from './validate.js';
import { toy } from './toys.js';

const lab = new Lab();
afterAll(() => lab.close());

describe('tables', () => {
  const rows = (...given: Partial<Claim>[]): Promise<Row[]> =>
    rowsOf([toy(...given)], lab).then(([section]) => section.rows);

  it('show figures as they were printed, errors signed, tolerances short', async () => {
    const cells = markdownCells(
      await rows(
        { theirs: 1.5, printed: 2, decimals: 3, ours: () => 1.4567, tolerance: within(0.05) },
        { id: 'toy.b', theirs: [64, 70], decimals: 1, ours: () => 77, tolerance: null, tag: 'own' },
        { id: 'toy.c', theirs: 0, decimals: 0, ours: () => 0 },
        { id: 'toy.d', theirs: 112_896, decimals: 0, ours: () => 112_896, tolerance: AT_MOST },
        {
          id: 'toy.e',
          theirs: 1,
          ours: () => 2,
          tolerance: { below: 0.017, above: 1.26 },
          reason: 'Another.',
        },
        { id: 'toy.f', claim: 'a | b', theirs: 1, ours: () => 9 },
      ),
    );
    expect(cells.map((row) => row.slice(2))).toEqual([
      ['1.50', '1.457', '-2.9 %', '±0.05', 'pass', '1', '1'],
      ['64 to 70', '77.0', '+10.0 %', '-', 'context', '1', '2'],
      ['0', '0', '0', 'equal', 'pass', '1', '3'],
      ['112,896', '112,896', '0.0 %', 'at most', 'pass', '1', '4'],
      ['1', '2.0', '+100.0 %', '-0.017 +1.3', 'pass', '2', '5'],
      ['1', '9.0', '+800.0 %', 'equal', '**FAIL**', '1', '6'],
    ]);
    expect(cells[5][0]).toBe('a \\| b');
  });

  it('fit in 100 columns, claims uncut', async () => {
    const sections = await rowsOf(select(SECTIONS, 'timing,units,kneading.word,sync.stated.int8.none'), lab);
    for (const section of sections) {
      for (const withCommands of [false, true]) {
        const text = sectionText(section, withCommands);
        for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
        for (const row of section.rows) expect(text).toContain(`\n${row.claim} `);
        for (const row of section.rows) expect(text.includes('commands')).toBe(withCommands && !!row);
      }
    }
    expect(countsText(sections)).toMatch(/^\d+ rows: \d+ pass, 0 fail, /);
    expect(exitCode(sections)).toBe(0);
  });

  it('show what ours spans where conventions are not stated, and whether theirs lies in it', async () => {
    const spanning = (id: string, theirs: number, span: readonly [number, number]): Partial<Claim> => ({
      ...{ id, theirs, printed: 1, decimals: 2, tag: 'own', tolerance: null },
      ...{ ours: () => 4.78, span: () => Promise.resolve(span) },
    });
    const found = await rows(
      spanning('toy.in', 4.7, [4.6, 5]),
      // Half a unit of its last digit belongs to a printed figure.
      spanning('toy.edge', 4.6, [4.64, 5]),
      spanning('toy.below', 4.5, [4.6, 5]),
      spanning('toy.above', 5.1, [4.6, 5]),
    );
    expect(markdownCells(found).map((cells) => cells.slice(5, 7))).toEqual([
      ['in 4.60 to 5.00', 'context'],
      ['in 4.64 to 5.00', 'context'],
      ['not in 4.60 to 5.00', 'context'],
      ['not in 4.60 to 5.00', 'context'],
    ]);
    await expect(rows({ ...spanning('toy.judged', 4.7, [4, 5]), tolerance: EXACT })).rejects.toThrow(/span/);
    const bounds = toy(
      spanning('bounds.a', 4.7, [4.6, 5]),
      { ...spanning('bounds.b', 4.5, [4.6, 5]), claim: 'b, judged by nobody' },
      { id: 'bounds.recount.lenet5.int16.masked', theirs: 0, ours: () => 0 },
    );
    const told = surprises(await rowsOf([bounds], lab));
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(/^\*\*1 of 2 /);
    expect(told[0]).toContain('b, judged by nobody (theirs 4.5, ours 4.78, span 4.60 to 5.00)');
  });

  it('become a page with intro, tables, reasons, commands and files', async () => {
    const command = {
      args: ['replay', 'alexnet-bits-int8.safetensors', '--json'],
      at: 'machines.0.total.cycles',
    };
    const text = page(await rowsOf([toy({ command }, { id: 'toy.two' })], lab), ['Two is *even*.']);
    expect(text).toContain('**2 rows: 2 pass, 0 fail, 0 context, 0 reported only.**');
    expect(text).toContain('## Surprises\n\n- Two is *even*.');
    expect(text).toContain('## Toy\n\nSums \\| of \\*ones\\*.');
    expect(text).toContain('| one and one | arithmetic [law] | 2 | 2.0 | 0.0 % | equal | pass | 1 | 1 |');
    expect(text).toContain('1. It has always been two.\n\nCommands:');
    expect(text).toContain(
      '1. `kneadsim replay alexnet-bits-int8.safetensors --json  # machines.0.total.cycles`',
    );
    expect(text).toContain('--trace alexnet-bits-int8 --out alexnet-bits-int8.safetensors`');
  });

  it('say surprises from the numbers, failures first, and leave out what was not computed', async () => {
    const failing = await rowsOf([toy({ ours: () => 3 })], lab);
    expect(surprises(failing)).toEqual([
      '**A row fails: one and one** (arithmetic, `toy.one`). Theirs is 2, ours 3.0.',
    ]);
    const fake = (id: string, ours: number): Partial<Claim> => ({ id, ours: () => ours, decimals: 2 });
    const told = surprises(
      await rowsOf(
        [toy(fake('units.word.int16', 3), fake('units.word.int8', 2.5), fake('kneading.bound.all', 1.5))],
        lab,
      ),
    ).filter((text) => !text.startsWith('**A row fails'));
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(/3\.00 times.*int8: 2\.50.*1\.50 weights per word, a weight costs 2\.0 times/);
  });
});

describe('commands', () => {
  it('find numbers and quotients in JSON', () => {
    const json = { a: [{ b: 6 }, { b: 4 }], c: { d: 'x' } };
    expect(numberAt(json, 'a.0.b')).toBe(6);
    expect(numberAt(json, 'a.0.b / a.1.b')).toBe(1.5);
    expect(numberAt(json, '100 * a.1.b')).toBe(400);
    expect(numberAt(json, 'c.d')).toBeNaN();
    expect(numberAt(json, 'a.2.b')).toBeNaN();
    for (const at of ['a.0.b', '1 / a.b', 'a.b / a.c']) expect(isPlace(at)).toBe(true);
    for (const at of ['cycle of the first outFired', 'pruning: density', 'a.b - a.c', 'cycles'])
      expect(isPlace(at)).toBe(false);
  });

  it('print the numbers of their rows', async () => {
    const ids = [
      'zero-bits.resnet8.int8',
      'kneading.stride.lenet5.ks10',
      'units.array45.int8',
      'density.tcn.0.9',
      'system.tetris.resnet8.int8.edge-like',
      'energy.sparsetrain.lenet5.0.9.180nm',
    ];
    const chosen = select(SECTIONS, [...ids, 'kneading.bound.lenet5', 'sparsetrain.lenet5.0.9'].join(','));
    const rows = await rowsOf(chosen, lab);
    expect(await checkCommands(chosen, rows, lab)).toEqual({ wrong: [], checked: 7 });
  });

  it('are found out if they print another number, or none', async () => {
    const args = ['replay', 'traces/lenet5-fmnist-late-s01500.safetensors', '--level', 'count', '--json'];
    const sections = [
      toy(
        { command: { args: [...args, '--machine', 'tetris'], at: 'machines.0.total.cycles' } },
        { id: 'toy.two', command: { args: [...args, '--machine', 'abacus'], at: 'machines.0.total.cycles' } },
        {
          id: 'toy.three',
          command: { args: [...args, '--machine', 'tetris'], at: 'machines.0.total.beauty' },
        },
      ),
    ];
    const { wrong, checked } = await checkCommands(sections, await rowsOf(sections, lab), lab);
    expect(checked).toBe(3);
    expect(wrong).toHaveLength(3);
    expect(wrong[0]).toMatch(/^toy\.one: .* has \d+ at machines\.0\.total\.cycles, the row has 2$/);
    expect(wrong[1]).toMatch(/^toy\.two: .* exits 1: kneadsim: .*abacus/);
    expect(wrong[2]).toMatch(/^toy\.three: .* has NaN at/);
  });
});
