/**
 * Rows as people read them: a table within 100 columns for the terminal, and the page VALIDATION.md. Reasons and
 * commands are numbered below each table, since many rows share them. Nothing here knows a claim.
 */
import { textTable, wrap, PAGE_WIDTH, type Column } from '../../src/report/textTable.js';
import { high, inSpan, low, type Row, type SectionRows, type Verdict } from './claim.js';
import { makeCommand } from './networks.js';

const decimal = (x: number, decimals: number): string =>
  x.toLocaleString('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals });

/** With the digits that were printed; else those that it has, at most as many as ours. */
export function theirsText({ theirs, decimals, printed }: Row): string {
  const one = (x: number): string =>
    decimal(x, printed ?? String(Number(x.toFixed(decimals))).split('.')[1]?.length ?? 0);
  return typeof theirs === 'number' ? one(theirs) : `${one(low(theirs))} to ${one(high(theirs))}`;
}

export const oursText = ({ ours, decimals }: Row): string => decimal(ours, decimals);

function errorText({ theirs, error, decimals }: Row): string {
  const signed = (text: string): string => (error > 0 ? `+${text}` : text);
  if (theirs === 0) return signed(decimal(error, decimals));
  const percent = decimal(100 * error, 1);
  return `${signed(percent === '-0.0' ? '0.0' : percent)} %`;
}

/** A tolerance is shown with two significant digits, or with those of the row if these are more. */
function toleranceText(row: Row): string {
  const { tolerance, decimals } = row;
  if (row.span) return `${inSpan(row, row.span) ? 'in' : 'not in'} ${spanText(row)}`;
  if (!tolerance) return '-';
  const { below, above } = tolerance;
  const one = (x: number): string => {
    const places = Math.max(decimals, x === 0 ? 0 : 1 - Math.floor(Math.log10(x)));
    return String(Number(x.toFixed(Math.min(places, 6))));
  };
  if (below === 0 && above === 0) return 'equal';
  if (below === Infinity) return above === 0 ? 'at most' : `at most +${one(above)}`;
  if (above === Infinity) return below === 0 ? 'at least' : `at least -${one(below)}`;
  return below === above ? `±${one(below)}` : `-${one(below)} +${one(above)}`;
}

/** What ours spans, where that was computed. */
export const spanText = ({ span, decimals }: Row): string =>
  (span ?? []).map((end) => decimal(end, decimals)).join(' to ');

const sourceText = ({ source, tag }: Row): string => `${source} [${tag}]`;

/** Different texts in the order in which they come, and the number of each. */
function numbered(texts: readonly string[]): { list: string[]; of: (text: string) => string } {
  const list = [...new Set(texts)];
  return { list, of: (text) => String(list.indexOf(text) + 1) };
}

export function counts(sections: readonly SectionRows[]): Record<Verdict | 'rows', number> {
  const rows = sections.flatMap((section) => section.rows);
  const of = (verdict: Row['verdict']): number => rows.filter((row) => row.verdict === verdict).length;
  return {
    rows: rows.length,
    pass: of('pass'),
    FAIL: of('FAIL'),
    context: of('context'),
    reported: of('reported'),
  };
}

export function countsText(sections: readonly SectionRows[]): string {
  const { rows, pass, FAIL, context, reported } = counts(sections);
  return `${rows} rows: ${pass} pass, ${FAIL} fail, ${context} context, ${reported} reported only`;
}

/** A command that a shell takes as one, in lines of the page. */
const shellText = (text: string, i: number): string =>
  wrap(`${i + 1} ${text}`.split(' '), ' ', 4, PAGE_WIDTH - 2).replaceAll('\n', ' \\\n');

/** One section for the terminal, with or without the commands behind the numbers. */
export function sectionText({ title, about, rows }: SectionRows, withCommands: boolean): string {
  const reasons = numbered(rows.map(({ reason }) => reason));
  const commands = numbered(rows.map(({ command }) => command));
  const column = (head: string, cell: (row: Row) => string, text = false): Column => ({
    head: [head],
    cells: rows.map(cell),
    text,
    gap: 1,
  });
  const table = textTable(
    [
      column('claim', ({ claim }) => claim, true),
      column('source', sourceText),
      column('theirs', theirsText),
      column('ours', oursText),
      column('error', errorText),
      column('tolerance', toleranceText),
      column('verdict', ({ verdict }) => verdict),
      column('why', ({ reason }) => reasons.of(reason)),
      ...(withCommands ? [column('cmd', ({ command }) => commands.of(command))] : []),
    ],
    false,
  );
  const list = ({ list: texts }: { list: string[] }): string[] =>
    texts.map((text, i) => wrap(`${i + 1} ${text}`.split(' '), ' ', 2, PAGE_WIDTH));
  return [
    title,
    wrap(about.split(' '), ' ', 0),
    '',
    table,
    '',
    'why',
    ...list(reasons),
    ...(withCommands ? ['', 'commands', ...commands.list.map(shellText)] : []),
  ].join('\n');
}

/** Text that stands in a cell of a table or in a sentence of the page. */
const escaped = (text: string): string => text.replace(/[|*_<>]/g, '\\$&');

/** Rows of one section as Markdown table rows, without commands and reasons. */
export function markdownCells(rows: readonly Row[]): string[][] {
  const reasons = numbered(rows.map(({ reason }) => reason));
  const commands = numbered(rows.map(({ command }) => command));
  return rows.map((row) => [
    escaped(row.claim),
    sourceText(row),
    theirsText(row),
    oursText(row),
    errorText(row),
    toleranceText(row),
    row.verdict === 'FAIL' ? '**FAIL**' : row.verdict,
    reasons.of(row.reason),
    commands.of(row.command),
  ]);
}

/** Commands that make the files which other commands read. */
function fileCommands(commands: readonly string[], extra: readonly string[]): string[] {
  const names = commands.flatMap((text) =>
    [...text.matchAll(/(?<=^| )([\w-]+)\.safetensors/g)].map(([, n]) => n),
  );
  return [...new Set([...extra, ...names])].map(makeCommand).filter((text) => text !== null);
}

function sectionPage({ title, about, rows }: SectionRows): string {
  const reasons = numbered(rows.map(({ reason }) => reason));
  const commands = numbered(rows.map(({ command }) => command));
  const files = fileCommands(commands.list, []);
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    `## ${title}`,
    '',
    escaped(about),
    '',
    line(['claim', 'source', 'theirs', 'ours', 'error', 'tolerance', 'verdict', 'reason', 'command']),
    line(['---', '---', '---:', '---:', '---:', '---:', '---', '---:', '---:']),
    ...markdownCells(rows).map(line),
    '',
    'Reasons:',
    '',
    ...reasons.list.map((text, i) => `${i + 1}. ${escaped(text)}`),
    '',
    'Commands:',
    '',
    ...commands.list.map((text, i) => `${i + 1}. \`${text}\``),
    ...(files.length > 0
      ? ['', 'Files of these commands:', '', ...files.map((text) => `- \`${text}\``)]
      : []),
    '',
  ].join('\n');
}

const ABOUT = `# Validation

Every claim that can be tested against a published or an independent figure, with ours beside it. Written by \`make validate\`, which fails if a row with a verdict fails; do not edit. Equal sources give equal bytes: seeds are fixed, and no time or machine enters.

- **source**: a publication, or the section of the specification that states the figure, and in brackets what kind of figure it is. \`pub\`: stated in a published abstract or in public code. \`rep\`: reported of the paper and not re-read by us, so it is never judged. \`own\`: measured by this project in an earlier trial, independent of this code. \`law\`: follows from definitions.
- **error** is (ours - theirs) / theirs, from the nearer end of a range; the difference, where theirs is 0.
- **tolerance** follows from the nature of the claim, not from the difference: equal for closed forms and single cycles; four standard errors for samples; half a unit of the last digit printed. Each row gives its reason by number. Where theirs does not state the conventions behind it, there is none, but what ours spans over them, and whether theirs, give or take its rounding, lies \`in\` that or \`not in\` it.
- **verdict**: \`pass\` or \`FAIL\`; \`context\` where networks, baseline or node differ so much that no tolerance would be honest, or theirs does not state its conventions; \`reported\` for figures that were not read.
- **command** prints the number; what follows \`#\` says where in its output. \`kneadsim\` is \`node dist/cli/main.js\`.

Not here: the accuracy of training under pruning, which takes an hour and has [a page of its own](../../bench/accuracy/accuracy.md); equality with the Verilog, which is \`make rtl\`.
`;

/** The page, before it is formatted. */
export function page(sections: readonly SectionRows[], surprises: readonly string[]): string {
  return [
    ABOUT,
    `**${countsText(sections)}.**`,
    '',
    ...(surprises.length > 0 ? ['## Surprises', '', ...surprises.map((text) => `- ${text}`), ''] : []),
    ...sections.map(sectionPage),
  ].join('\n');
}
