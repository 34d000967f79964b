/**
 * `make validate`: computes every claim, prints the table, writes VALIDATION.md. Exit codes as those of kneadsim: 0
 * good, 1 wrong input, 2 a row with a verdict failed.
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { format } from 'prettier';
import { KneadsimError, UserError } from '../../src/errors.js';
import { atomicWriteText } from '../../src/files.js';
import { checkCommands } from './checkCommands.js';
import { exitCode, rowsOf, type Section, type SectionRows } from './claim.js';
import { SECTIONS } from './claims/index.js';
import { Lab } from './lab.js';
import { makeNetwork } from './networks.js';
import { countsText, page, sectionText } from './render.js';
import { surprises } from './surprises.js';

export const PAGE = fileURLToPath(new URL('VALIDATION.md', import.meta.url));

const USAGE = `usage: npx tsx test/validation/validate.ts [options]
  --only NAMES       only these sections or rows, by name or by the beginning of an id; commas between them
  --json             rows as JSON on stdout
  --check-commands   run the kneadsim command of every row too, and compare its number with the row's
  --trace NAME --out FILE   write a synthetic network as a trace, and nothing else
Without --only, VALIDATION.md is written anew.`;

/** Sections with the claims that are asked for. @throws UserError where a name fits none */
export function select(sections: readonly Section[], only: string | undefined): Section[] {
  if (only === undefined) return [...sections];
  const names = only.split(',').map((name) => name.trim());
  const fits = (id: string, name: string): boolean => id === name || id.startsWith(`${name}.`);
  const ids = sections.flatMap(({ claims }) => claims.map(({ id }) => id));
  const unknown = names.find((name) => !ids.some((id) => fits(id, name)));
  if (unknown !== undefined)
    throw new UserError(
      'unknown-row',
      `--only ${unknown}: no such section or row; sections are ${sections.map(({ name }) => name).join(', ')}`,
    );
  return sections
    .map((section) => ({
      ...section,
      claims: section.claims.filter(({ id }) => names.some((name) => fits(id, name))),
    }))
    .filter(({ claims }) => claims.length > 0);
}

/** The page as it is written. */
export const pageText = (sections: readonly SectionRows[]): Promise<string> =>
  format(page(sections, surprises(sections)), { parser: 'markdown' });

export interface Talk {
  out: (text: string) => void;
  err: (text: string) => void;
}

/** @returns the exit code */
export async function validate(
  args: readonly string[],
  talk: Talk,
  sections: readonly Section[] = SECTIONS,
  pagePath = PAGE,
): Promise<number> {
  const lab = new Lab();
  try {
    const options = optionsOf(args);
    if (options.help) return (talk.out(`${USAGE}\n`), 0);
    if (options.trace !== undefined) {
      if (options.out === undefined) throw new UserError('no-out', '--trace needs --out FILE');
      await makeNetwork(options.trace, options.out, (other) => lab.file(other));
      return 0;
    }
    const chosen = select(sections, options.only);
    const rows = await rowsOf(chosen, lab, progressOf(talk, ''));
    talk.out(
      options.json
        ? `${JSON.stringify({ sections: rows, surprises: surprises(rows) }, infinity, 2)}\n`
        : `${rows.map((section) => sectionText(section, options.only !== undefined)).join('\n\n')}\n\n${countsText(rows)}\n`,
    );
    if (options.only === undefined) await writePage(pagePath, rows, talk);
    const wrong = options['check-commands'] ? await checkAll(chosen, rows, lab, talk) : [];
    for (const { id, verdict } of rows.flatMap((section) => section.rows))
      if (verdict === 'FAIL') talk.err(`kneadsim: validation: ${id} fails\n`);
    return wrong.length > 0 ? 2 : exitCode(rows);
  } catch (error) {
    if (!(error instanceof KneadsimError)) throw error;
    talk.err(`kneadsim: ${error.message}\n`);
    return error.exitCode;
  } finally {
    lab.close();
  }
}

/** Says on stderr which section is in hand. */
function progressOf({ err }: Talk, what: string): (id: string) => void {
  let last = '';
  return (id) => {
    const [section] = id.split('.');
    if (section !== last) err(`${what}${section} ...\n`);
    last = section;
  };
}

async function checkAll(
  sections: readonly Section[],
  rows: readonly SectionRows[],
  lab: Lab,
  talk: Talk,
): Promise<string[]> {
  const { wrong, checked } = await checkCommands(sections, rows, lab, progressOf(talk, 'commands of '));
  for (const line of wrong) talk.err(`kneadsim: validation: ${line}\n`);
  talk.err(`${checked} commands compared with their rows, ${wrong.length} differ\n`);
  return wrong;
}

/** JSON has no infinity; tolerances of inequalities have. */
const infinity = (_: string, value: unknown): unknown => (value === Infinity ? 'infinite' : value);

function optionsOf(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        only: { type: 'string' },
        json: { type: 'boolean' },
        'check-commands': { type: 'boolean' },
        trace: { type: 'string' },
        out: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    throw new UserError('bad-option', `${(error as Error).message.split('\n')[0]}; see --help`);
  }
}

async function writePage(path: string, rows: readonly SectionRows[], { err }: Talk): Promise<void> {
  const text = await pageText(rows);
  const before = readIfThere(path);
  atomicWriteText(path, text);
  err(`${basename(path)}: ${text === before ? 'as it was' : 'changed'}\n`);
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  process.exitCode = await validate(process.argv.slice(2), {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
  });
