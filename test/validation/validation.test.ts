/** Validation as a program: claims are well formed, judged by their tolerance alone, rendered, traced, and never hidden. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { boundOf, densityOfBound, groupLength } from './density.js';
import {
  AT_LEAST,
  AT_MOST,
  commandText,
  errorOf,
  EXACT,
  judge,
  rowsOf,
  TAGS,
  within,
  type Claim,
  type Section,
} from './claim.js';
import { SECTIONS } from './claims/index.js';
import { Lab } from './lab.js';
import { makeCommand, RECORDED, recordedFile, TOPOLOGIES, type Recorded } from './networks.js';
import { PAGE, pageText, select, validate } from './validate.js';
import { MADE } from './made.js';
import { toy } from './toys.js';
import { temporaryFolder } from '../cli/harness.js';
import { openTrace } from '../../src/trace/open.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const lab = new Lab();
afterAll(() => lab.close());

const claims = SECTIONS.flatMap((section) => section.claims);
const names = claims.map((claim): [string, Claim] => [claim.id, claim]);

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
