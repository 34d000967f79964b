/** Validation as a program: claims are well formed, judged by their tolerance alone, rendered, traced, and never hidden. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { boundOf, densityOfBound, groupLength } from './density.js';
import { checkCommands } from './checkCommands.js';
import {
  AT_LEAST,
  AT_MOST,
  commandText,
  errorOf,
  EXACT,
  exitCode,
  judge,
  rowsOf,
  TAGS,
  within,
  type Claim,
  type Row,
  type Section,
} from './claim.js';
import { SECTIONS } from './claims/index.js';
import { Lab } from './lab.js';
import { makeCommand, RECORDED, recordedFile, TOPOLOGIES, type Recorded } from './networks.js';
import { isPlace, numberAt } from './place.js';
import { countsText, markdownCells, page, sectionText } from './render.js';
import { surprises } from './surprises.js';
import { PAGE, pageText, select, validate } from './validate.js';
import { MADE } from './made.js';
import { temporaryFolder } from '../cli/harness.js';
import { openTrace } from '../../src/trace/open.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const lab = new Lab();
afterAll(() => lab.close());

const claims = SECTIONS.flatMap((section) => section.claims);
const names = claims.map((claim): [string, Claim] => [claim.id, claim]);

const claim = (given: Partial<Claim> = {}): Claim => ({
  id: 'toy.one',
  claim: 'one and one',
  source: 'arithmetic',
  tag: 'law',
  theirs: 2,
  unit: 'ones',
  decimals: 1,
  ours: () => 2,
  tolerance: EXACT,
  reason: 'It has always been two.',
  command: 'runner',
  ...given,
});
const toy = (...given: Partial<Claim>[]): Section => ({
  name: 'toy',
  title: 'Toy',
  about: 'Sums | of *ones*.',
  claims: given.map(claim),
});

/** What a run of the program says. It never writes the page of the repository. */
async function program(
  args: string[],
  sections?: Section[],
  path = join(temporaryFolder(), 'page.md'),
): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const talk = { out: (text: string) => void (out += text), err: (text: string) => void (err += text) };
  return { code: await validate(args, talk, sections, path), out, err };
}

describe('claims', () => {
  it('have ids of their own, below the name of their section', () => {
    expect(new Set(claims.map(({ id }) => id)).size).toBe(claims.length);
    for (const { name, title, about, claims: own } of SECTIONS) {
      expect(title && about && own.length).toBeTruthy();
      for (const { id } of own) expect(id.startsWith(`${name}.`)).toBe(true);
    }
  });

  it('cover what the issue names', () => {
    expect(SECTIONS.map(({ name }) => name)).toEqual([
      ...[
        'zero-bits',
        'kneading',
        'timing',
        'sync',
        'tetris',
        'units',
        'dense',
        'density',
        'sparsetrain',
        'bounds',
        'system',
        'energy',
      ],
    ]);
    for (const word of ['int16', 'int8', 'barrier1', 'barrier2', 'skew2', 'skew4', 'lanes', 'area'])
      expect(claims.some(({ id }) => id.startsWith('tetris.') && id.includes(word))).toBe(true);
  });

  it.each(names)('%s says where its figure comes from, what is allowed and why', (_, c) => {
    expect(TAGS).toContain(c.tag);
    // A claim and a source that fit a table of 100 columns uncut.
    expect(c.claim.length).toBeGreaterThan(5);
    expect(c.claim.length + c.source.length).toBeLessThan(48);
    expect(c.source.length).toBeGreaterThan(3);
    expect(c.unit.length).toBeGreaterThan(0);
    expect(c.reason.length).toBeGreaterThan(20);
    expect(c.reason).toMatch(/\.$/);
    expect(Number.isInteger(c.decimals)).toBe(true);
    if (c.tag === 'rep') expect(c.tolerance).toBeNull();
    if (c.tag === 'law') expect(c.tolerance).not.toBeNull();
    expect(commandText(c)).toMatch(
      /^(kneadsim (replay|train|pe) |npx tsx test\/validation\/validate\.ts --only )/,
    );
  });

  it('name files that are there or can be made', () => {
    for (const { id, command } of claims) {
      if (command === 'runner') continue;
      for (const arg of command.args.filter((text) => /\.(json|safetensors)$/.test(text))) {
        const name = arg.replace('.safetensors', '');
        expect(existsSync(join(ROOT, arg)) || makeCommand(name) !== null, `${id}: ${arg}`).toBe(true);
        if (!existsSync(join(ROOT, arg)))
          expect([...TOPOLOGIES, ...Object.keys(MADE)], `${id}: ${arg}`).toContain(name);
      }
    }
    for (const name of Object.keys(RECORDED)) expect(existsSync(recordedFile(name as Recorded))).toBe(true);
  });
});

describe('a verdict', () => {
  const own = { id: 'x', tag: 'own' as const };
  it.each([
    [2, 2, EXACT, 'pass'],
    [2, 2.0001, EXACT, 'FAIL'],
    [2, 2.5, within(0.5), 'pass'],
    [2, 2.6, within(0.5), 'FAIL'],
    [2, 1.4, within(0.5), 'FAIL'],
    [2, 1.2, { below: 0.9, above: 0 }, 'pass'],
    [2, 1, AT_MOST, 'pass'],
    [2, 2.1, AT_MOST, 'FAIL'],
    [2, 9, AT_LEAST, 'pass'],
    [2, 1.9, AT_LEAST, 'FAIL'],
    [[1, 3] as const, 2, EXACT, 'pass'],
    [[1, 3] as const, 3.2, within(0.1), 'FAIL'],
    [[1, 3] as const, 0.9, within(0.1), 'pass'],
    [2, 9, null, 'context'],
  ])('of theirs %s, ours %s, tolerance %o is %s', (theirs, ours, tolerance, verdict) => {
    expect(judge({ ...own, theirs }, ours, tolerance)).toBe(verdict);
  });

  it('is never given to a figure that is only reported, nor to what is no number', () => {
    expect(judge({ ...own, tag: 'rep', theirs: 2 }, 9, null)).toBe('reported');
    expect(() => judge({ ...own, tag: 'rep', theirs: 2 }, 2, EXACT)).toThrow(/no tolerance/);
    expect(() => judge({ ...own, theirs: 2 }, NaN, null)).toThrow(/ours is NaN/);
  });

  it('stands beside the error from the nearer end', () => {
    expect(errorOf(4, 5)).toBe(0.25);
    expect(errorOf([4, 8], 10)).toBe(0.25);
    expect(errorOf([4, 8], 3)).toBe(-0.25);
    expect(errorOf([4, 8], 5)).toBe(0);
    expect(errorOf(0, 3)).toBe(3);
  });
});

describe('independent bits', () => {
  it('knead as enumeration says', () => {
    // Two weights: one row unless some column has both bits; one weight: always a row.
    expect(groupLength(0.31, 'int8', 1)).toEqual({ mean: 1, deviation: 0 });
    const both = 1 - (1 - 0.31 ** 2) ** 7;
    expect(groupLength(0.31, 'int8', 2).mean).toBeCloseTo(1 + both, 12);
    expect(groupLength(0.31, 'int8', 2).deviation).toBeCloseTo(Math.sqrt(both * (1 - both)), 12);
    expect(boundOf(densityOfBound(1.7, 'int16', 16), 'int16', 16)).toBeCloseTo(1.7, 10);
  });
});

describe('the program', () => {
  it('exits 0 where all verdicts are good, and prints rows as JSON', async () => {
    const sections = [toy({}, { id: 'toy.two', tag: 'rep', tolerance: null, ours: () => 7 })];
    const { code, out } = await program(['--only', 'toy', '--json'], sections);
    expect(code).toBe(0);
    const rows = JSON.parse(out).sections[0].rows;
    expect(rows).toMatchObject([
      { id: 'toy.one', theirs: 2, ours: 2, error: 0, verdict: 'pass', tolerance: { below: 0, above: 0 } },
      { id: 'toy.two', ours: 7, error: 2.5, verdict: 'reported', tolerance: null },
    ]);
    expect(rows[0].command).toBe('npx tsx test/validation/validate.ts --only toy.one');
  });

  it('exits 2 where one fails, shows it and names it', async () => {
    const sections = [toy({}, { id: 'toy.false', claim: 'one and one, wrong', ours: () => 3 })];
    const { code, out, err } = await program(['--only', 'toy'], sections);
    expect(code).toBe(2);
    expect(err).toContain('toy.false fails');
    expect(out).toMatch(/one and one, wrong +arithmetic \[law\] +2 +3\.0 +\+50\.0 % +equal +FAIL/);
    expect(out).toContain('2 rows: 1 pass, 1 fail');
    expect((await program(['--only', 'toy.one'], sections)).code).toBe(0);
  });

  it.each([
    [['--only', 'nothing'], /--only nothing: no such section or row; sections are zero-bits, /],
    [['--tolerance', '9'], /'--tolerance'.*--help/],
    [['--trace', 'alexnet'], /--trace needs --out/],
    [
      ['--trace', 'nothing', '--out', 'x.safetensors'],
      /--trace nothing: no such network; there are alexnet, /,
    ],
  ])('refuses %o with one line', async (args, line) => {
    const { code, out, err } = await program(args);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(line);
    expect(err.trim().split('\n')).toHaveLength(1);
  });

  it('writes the page whole, failures and all, and says whether it changed', async () => {
    const path = join(temporaryFolder(), 'page.md');
    const sections = [toy({}, { id: 'toy.false', claim: 'one and one, wrong', ours: () => 3 })];
    const first = await program([], sections, path);
    expect([first.code, first.err.includes('changed')]).toEqual([2, true]);
    const written = readFileSync(path, 'utf8');
    expect(written).toContain('**FAIL**');
    expect(written).toBe(await pageText(await rowsOf(sections, lab)));
    const second = await program([], sections, path);
    expect([second.code, second.err.includes('as it was')]).toEqual([2, true]);
    expect(readFileSync(path, 'utf8')).toBe(written);
    expect((await program([], sections, join(path, 'no', 'folder.md'))).code).toBe(1);
  });

  it('selects sections and rows', () => {
    expect(select(SECTIONS, undefined)).toHaveLength(SECTIONS.length);
    const chosen = select(SECTIONS, 'dense,timing.mac');
    expect(chosen.map(({ name }) => name)).toEqual(['timing', 'dense']);
    expect(chosen[0].claims.map(({ id }) => id)).toEqual(['timing.mac']);
  });

  it('writes a synthetic network of the stated bit density as a trace', async () => {
    const path = join(temporaryFolder(), 'stream.safetensors');
    expect((await program(['--trace', 'stream-int8', '--out', path])).code).toBe(0);
    const trace = openTrace(path);
    const { data } = trace.layers[0].read('weight');
    trace.close();
    let ones = 0;
    for (const code of data) for (let m = Math.abs(code); m > 0; m >>= 1) ones += m & 1;
    const bits = 7 * data.length;
    // Four standard errors.
    expect(Math.abs(ones / bits - 0.31)).toBeLessThan(4 * Math.sqrt((0.31 * 0.69) / bits));
  });
});

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

describe('VALIDATION.md', () => {
  const text = readFileSync(PAGE, 'utf8');

  /** From a heading to the next. */
  const sectionOf = (page: string, title: string): string => {
    const from = page.indexOf(`## ${title}\n`);
    const to = page.indexOf('\n## ', from + 1);
    return from < 0 ? '' : page.slice(from, to < 0 ? page.length : to + 1).trim();
  };

  it.each(['timing', 'units', 'density'])('has the section %s as it is computed now', async (name) => {
    const rows = await rowsOf(select(SECTIONS, name), lab);
    const [{ title }] = rows;
    const fresh = sectionOf(await pageText(rows), title);
    expect(fresh.length).toBeGreaterThan(1000);
    expect(sectionOf(text, title)).toBe(fresh);
  });

  it('has a row for every claim, and all surprises', () => {
    for (const { title, claims: own } of SECTIONS) {
      const table = sectionOf(text, title)
        .split('\n')
        .filter((line) => line.startsWith('|'));
      expect(table.length - 2, title).toBe(own.length);
    }
    const told = sectionOf(text, 'Surprises').match(/^- \*\*/gm)!.length;
    const failing = text.match(/\*\*FAIL\*\*/g)?.length ?? 0;
    expect(told - failing).toBe(11);
  });

  it('is linked from the README', () => {
    const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
    expect(readme.includes('](test/validation/VALIDATION.md)')).toBe(true);
  });
});
