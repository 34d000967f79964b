/**
 * Reads a standard-cell library in the Liberty format, as far as synthesis results need it: area, pins, capacitances,
 * logic functions and the tables of internal energy. Timing is left to OpenSTA.
 */
import { badInput } from '../../errors.js';

/** A group `kind (name) { ... }`: attributes by name, the last one counting, and groups in it. */
export interface LibertyGroup {
  kind: string;
  name: string;
  attributes: Map<string, string>;
  groups: LibertyGroup[];
}

/** A file that is no text must not reach the terminal as it is. */
const printable = (text: string): string => text.replace(/[^ -~]/g, '?');

type Token = { text: string; quoted: boolean; at: number };

function* tokensOf(text: string): Generator<Token> {
  const pattern =
    /\/\*[\s\S]*?\*\/|\/\/[^\n]*|\\\r?\n|\s+|"((?:[^"\\]|\\[\s\S])*)"|[{}();:,]|[^\s{}();:,"]+/g;
  for (const match of text.matchAll(pattern)) {
    const [all, quoted] = match;
    if (quoted !== undefined)
      yield { text: quoted.replace(/\\\r?\n/g, ' ').replace(/\s+/g, ' '), quoted: true, at: match.index };
    else if (!/^(\s|\/\*|\/\/|\\)/.test(all)) yield { text: all, quoted: false, at: match.index };
  }
}

/**
 * @param file name of the library, for messages
 * @throws UserError at the first line that is not Liberty
 */
export function parseLiberty(text: string, file: string): LibertyGroup {
  const tokens = [...tokensOf(text)];
  let at = 0;
  const fault = (expected: string): Error => {
    const token = tokens[at];
    const line = token ? text.slice(0, token.at).split('\n').length : text.split('\n').length;
    return badInput('bad-liberty', {
      file,
      place: `line ${line}`,
      found: token ? `"${printable(token.text.slice(0, 40))}"` : 'the end of the file',
      expected,
      remedy: 'check that this is a Liberty file (.lib, not compressed)',
    });
  };
  const is = (mark: string): boolean => tokens[at]?.text === mark && !tokens[at].quoted;
  const take = (mark: string): void => {
    if (!is(mark)) throw fault(`"${mark}"`);
    at++;
  };

  const list = (): string => {
    take('(');
    const items: string[] = [];
    while (!is(')')) {
      if (at >= tokens.length || is('{') || is('}')) throw fault('")"');
      if (!is(',')) items.push(tokens[at].text);
      at++;
    }
    take(')');
    return items.join(', ');
  };

  const group = (kind: string): LibertyGroup => {
    const result: LibertyGroup = { kind, name: list(), attributes: new Map(), groups: [] };
    take('{');
    while (!is('}')) {
      if (at >= tokens.length) throw fault('"}"');
      if (is(';')) at++;
      else statement(result);
    }
    take('}');
    return result;
  };

  /** An attribute `name : value;`, a complex one `name (values);` or a group. */
  const statement = (parent: LibertyGroup): void => {
    const name = tokens[at].text;
    if (/^[{}():,]$/.test(name)) throw fault('a name');
    at++;
    if (is(':')) {
      at++;
      const value: string[] = [];
      // Some libraries leave the semicolon out: then the line ends the value.
      const line = text.indexOf('\n', tokens[at]?.at ?? 0);
      while (at < tokens.length && !is(';') && !is('}') && !(line >= 0 && tokens[at].at > line)) {
        value.push(tokens[at].text);
        at++;
      }
      parent.attributes.set(name, value.join(' '));
      return;
    }
    const start = at;
    const values = list();
    if (!is('{')) {
      parent.attributes.set(name, values);
      return;
    }
    at = start;
    parent.groups.push(group(name));
  };

  if (tokens[0]?.text !== 'library') throw fault('"library"');
  at = 1;
  return group('library');
}

export const groupsOf = (group: LibertyGroup, kind: string): LibertyGroup[] =>
  group.groups.filter((inner) => inner.kind === kind);

export const numberOf = (group: LibertyGroup, name: string): number => Number(group.attributes.get(name));

/** Numbers of `index_1 ("1, 2")` or `values ("1, 2", "3, 4")`, in the order in which they stand. */
export const numbersOf = (group: LibertyGroup, name: string): number[] =>
  (group.attributes.get(name) ?? '')
    .split(/[\s,]+/)
    .filter((word) => word !== '')
    .map(Number);
