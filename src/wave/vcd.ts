/**
 * Value change dump (IEEE 1364-2005, section 18), the text form of waveforms that GTKWave and Surfer read: a tree of
 * scopes with variables, their first values, then what changes and when.
 */

export interface VcdVariable {
  /** Scopes that it is in, outermost first. */
  scope: readonly string[];
  name: string;
  /** integer: a register that viewers show as a signed number. */
  type: 'reg' | 'wire' | 'integer';
  bits: number;
  id: string;
}

export interface Vcd {
  version: string;
  /** Lines. */
  comment: string;
  /** Unit of time, such as 100 ps. */
  timescale: string;
  variables: readonly VcdVariable[];
}

const FIRST = 33;
const CHARACTERS = 94;

/** Short names of variables: one printable character for the first 94, two for the next. */
export function identifier(n: number): string {
  let text = '';
  for (let rest = n; rest >= 0; rest = Math.floor(rest / CHARACTERS) - 1)
    text += String.fromCharCode(FIRST + (rest % CHARACTERS));
  return text;
}

/** Numbers wider than a double holds exactly are written with 64 bits. */
const EXACT_BITS = 53;

/** The bits of a whole number in two's complement, at least as many as are needed; null if it has no such form. */
export function binary(value: number, bits: number, signed: boolean): string | null {
  const limit = 2 ** (signed ? bits - 1 : bits);
  if (!Number.isSafeInteger(value) && Math.abs(value) !== 2 ** EXACT_BITS) return null;
  if (value >= limit || value < (signed ? -limit : 0)) return null;
  if (value >= 0) return value.toString(2);
  if (bits <= EXACT_BITS) return (2 ** bits + value).toString(2);
  return '1'.repeat(bits - EXACT_BITS) + (2 ** EXACT_BITS + value).toString(2).padStart(EXACT_BITS, '0');
}

/** A value as a file has it: '' stands for one that nobody knows. */
export const valueChange = (digits: string, bits: number, id: string): string =>
  bits === 1 ? `${digits || 'x'}${id}\n` : `b${digits || 'x'} ${id}\n`;

interface Scope {
  variables: VcdVariable[];
  scopes: Map<string, Scope>;
}

const emptyScope = (): Scope => ({ variables: [], scopes: new Map() });

/** Everything before the first value. Scopes come in the order in which they are first named. */
export function* header({ version, comment, timescale, variables }: Vcd): Generator<string> {
  const root = emptyScope();
  for (const variable of variables) {
    let scope = root;
    for (const name of variable.scope) {
      if (!scope.scopes.has(name)) scope.scopes.set(name, emptyScope());
      scope = scope.scopes.get(name)!;
    }
    scope.variables.push(variable);
  }
  // A `$` could begin a keyword.
  const quoted = (text: string): string => text.replaceAll('$', '\\u0024');
  yield `$comment\n${quoted(comment)}\n$end\n`;
  yield `$version ${quoted(version)} $end\n$timescale ${timescale} $end\n`;
  yield* scopeText(root);
  yield '$enddefinitions $end\n';
}

function* scopeText({ variables, scopes }: Scope): Generator<string> {
  for (const { type, bits, id, name } of variables)
    yield `$var ${type} ${bits} ${id} ${name}${bits > 1 ? ` [${bits - 1}:0]` : ''} $end\n`;
  for (const [name, scope] of scopes) {
    yield `$scope module ${name} $end\n`;
    yield* scopeText(scope);
    yield '$upscope $end\n';
  }
}
