/**
 * `--layers FILE.csv`: what the user says about layers, one row each, with the columns
 * name, op, input, stride, padding, dilation, groups. Names may be globs; an exact name goes before a glob, and
 * an earlier row before a later one. Empty cells and absent columns leave the default.
 */
import { badInput } from '../../errors.js';
import { readTextInput } from '../../files.js';
import { parseCsv } from './csv.js';
import { globMatcher } from '../../glob.js';
import type { LayerFacts, LayerKind } from './source.js';

const COLUMNS = ['name', 'op', 'input', 'stride', 'padding', 'dilation', 'groups'] as const;
type Column = (typeof COLUMNS)[number];

interface Row {
  line: number;
  name: string;
  matches: (name: string) => boolean;
  facts: LayerFacts;
  used: boolean;
}

export class LayerTable {
  private constructor(
    readonly file: string,
    private readonly rows: Row[],
  ) {}

  static read(file: string): LayerTable {
    const [header, ...rows] = parseCsv(readTextInput(file));
    const fault = faultOf(file);
    if (!header) throw fault('', 'no rows', `a header ${COLUMNS.join(',')}`);
    const columns = header.cells.map((cell) => {
      const column = COLUMNS.find((name) => name === cell.toLowerCase());
      if (!column) throw fault(`line ${header.line}`, `column "${cell}"`, COLUMNS.join(', '));
      return column;
    });
    if (!columns.includes('name')) throw fault(`line ${header.line}`, 'no column "name"', COLUMNS.join(', '));
    if (new Set(columns).size < columns.length)
      throw fault(`line ${header.line}`, 'a column twice', 'each column once');
    return new LayerTable(
      file,
      rows.map(({ line, cells }) => {
        if (cells.length > columns.length)
          throw fault(`line ${line}`, `${cells.length} cells`, `at most ${columns.length}`);
        const row: Partial<Record<Column, string>> = {};
        cells.forEach((cell, i) => (row[columns[i]] = cell));
        if (!row.name) throw fault(`line ${line}`, 'no name', 'a layer name or glob');
        return {
          line,
          name: row.name,
          matches: globMatcher(row.name),
          facts: factsOf(row, (found, expected) => fault(`line ${line}`, found, expected)),
          used: false,
        };
      }),
    );
  }

  /** What the table says about a layer, by its name or by that of its weights. */
  find(...names: string[]): LayerFacts {
    const row =
      this.rows.find((r) => names.includes(r.name)) ??
      this.rows.find((r) => names.some((name) => r.matches(name)));
    if (!row) return {};
    row.used = true;
    return row.facts;
  }

  /** @throws UserError if a row spoke of no layer, which is most likely a misspelt name. */
  checkUsed(layerNames: string[]): void {
    const row = this.rows.find((r) => !r.used && !layerNames.some((name) => r.matches(name)));
    if (row)
      throw badInput('unknown-layer', {
        file: this.file,
        place: `line ${row.line}`,
        found: `name "${row.name}", which fits no layer`,
        expected: `one of ${layerNames.slice(0, 6).join(', ')}${layerNames.length > 6 ? ', ...' : ''}`,
        remedy: 'correct the name or remove the row',
      });
  }
}

const faultOf = (file: string) => (place: string, found: string, expected: string) =>
  badInput('bad-layer-table', {
    file,
    place,
    found,
    expected,
    remedy: 'correct the table given with --layers',
  });

type Fault = (found: string, expected: string) => Error;

function factsOf(row: Partial<Record<Column, string>>, fault: Fault): LayerFacts {
  const facts: LayerFacts = {};
  if (row.op) {
    const kinds: LayerKind[] = ['conv', 'depthwise', 'linear'];
    const kind = kinds.find((name) => name === row.op?.toLowerCase());
    if (!kind) throw fault(`op "${row.op}"`, kinds.join(', '));
    facts.kind = kind;
  }
  if (row.input)
    facts.input = inputSize(row.input) ?? raise(fault(`input "${row.input}"`, 'HxW, such as 32x32'));
  if (row.stride) facts.stride = pairOf(row.stride, 1) ?? raise(fault(`stride "${row.stride}"`, '2 or 2x1'));
  if (row.dilation)
    facts.dilation = pairOf(row.dilation, 1) ?? raise(fault(`dilation "${row.dilation}"`, '2 or 2x1'));
  if (row.padding)
    facts.padding =
      paddingOf(row.padding) ??
      raise(fault(`padding "${row.padding}"`, '1, 1x2 (height x width) or top:bottom:left:right'));
  if (row.groups)
    facts.groups =
      wholes(row.groups, ',', 1)?.[0] ?? raise(fault(`groups "${row.groups}"`, 'a whole number'));
  return facts;
}

function raise(error: Error): never {
  throw error;
}

function wholes(text: string, separator: string, least: number): number[] | null {
  const parts = text.split(separator).map((part) => part.trim());
  const numbers = parts.map(Number);
  return parts.every((part) => /^\d{1,9}$/.test(part)) && numbers.every((n) => n >= least) ? numbers : null;
}

/** `HxW`, or `W` alone for one-dimensional layers (height 1). */
export function inputSize(text: string): [number, number] | null {
  const n = wholes(text.toLowerCase(), 'x', 1);
  return n?.length === 2 ? [n[0], n[1]] : n?.length === 1 ? [1, n[0]] : null;
}

/** One number for both axes, or height x width. */
function pairOf(text: string, least: number): [number, number] | null {
  const n = wholes(text.toLowerCase(), 'x', least);
  return n?.length === 2 ? [n[0], n[1]] : n?.length === 1 ? [n[0], n[0]] : null;
}

function paddingOf(text: string): [number, number, number, number] | null {
  const sides = text.includes(':') ? wholes(text, ':', 0) : null;
  if (sides?.length === 4) return [sides[0], sides[1], sides[2], sides[3]];
  // Two sides are left and right, for one-dimensional layers.
  if (sides?.length === 2) return [0, 0, sides[0], sides[1]];
  if (sides) return null;
  const pair = pairOf(text, 0);
  return pair && [pair[0], pair[0], pair[1], pair[1]];
}
