/** A small reader of value change dumps, written against IEEE 1364-2005 section 18 and not against our writer. */

export interface ParsedSignal {
  /** Scopes and name, joined by dots. */
  path: string;
  type: string;
  bits: number;
  /** Digits as they stand in the file, by time, oldest first. */
  times: number[];
  values: string[];
}

export interface ParsedVcd {
  comment: string;
  timescale: string;
  signals: Map<string, ParsedSignal>;
  start: number;
  end: number;
  /** Values at the first time that stand outside of $dumpvars, or before it: there must be none. */
  stray: number;
}

export function parseVcd(text: string): ParsedVcd {
  const tokens = text.split(/\s+/).filter((token) => token !== '');
  let next = 0;
  const until = (): string[] => {
    const from = next;
    while (tokens[next] !== '$end') if (++next >= tokens.length) throw new Error('no $end');
    return tokens.slice(from, next++);
  };
  const byId = new Map<string, ParsedSignal>();
  const vcd: ParsedVcd = {
    comment: '',
    timescale: '',
    signals: new Map(),
    start: NaN,
    end: NaN,
    stray: 0,
  };
  const scope: string[] = [];
  let time = NaN;
  let dumping = false;
  let dumped = false;
  const change = (id: string, digits: string): void => {
    const signal = byId.get(id);
    if (!signal) throw new Error(`value of an undeclared ${id}`);
    if (!/^[01]+$|^x+$/.test(digits)) throw new Error(`${signal.path}: odd digits ${digits}`);
    if (digits.length > signal.bits) throw new Error(`${signal.path}: ${digits} in ${signal.bits} bits`);
    if (signal.times.length === 0 && !dumping) vcd.stray++;
    if (signal.times.at(-1) === time) throw new Error(`${signal.path} changes twice at ${time}`);
    if (signal.values.at(-1) === digits) throw new Error(`${signal.path} changes to what it is at ${time}`);
    signal.times.push(time);
    signal.values.push(digits);
  };
  while (next < tokens.length) {
    const token = tokens[next++];
    if (token === '$comment') vcd.comment = until().join(' ');
    else if (token === '$version' || token === '$date') until();
    else if (token === '$timescale') vcd.timescale = until().join(' ');
    else if (token === '$scope') scope.push(until()[1]);
    else if (token === '$upscope') {
      if (scope.pop() === undefined || until().length > 0) throw new Error('odd $upscope');
    } else if (token === '$var') {
      const [type, bits, id, name] = until();
      const path = [...scope, name].join('.');
      if (byId.has(id) || vcd.signals.has(path)) throw new Error(`${id} or ${path} is declared twice`);
      const signal = { path, type, bits: Number(bits), times: [], values: [] };
      byId.set(id, signal);
      vcd.signals.set(path, signal);
    } else if (token === '$enddefinitions') {
      if (until().length > 0 || scope.length > 0) throw new Error('odd $enddefinitions');
    } else if (token === '$dumpvars') dumping = dumped = true;
    else if (token === '$end' && dumping) dumping = false;
    else if (token.startsWith('#')) {
      const to = Number(token.slice(1));
      if (!(Number.isNaN(time) || to > time)) throw new Error(`time goes from ${time} to ${to}`);
      if (Number.isNaN(time)) vcd.start = to;
      time = vcd.end = to;
    } else if (/^[01x]/.test(token)) change(token.slice(1), token[0]);
    else if (/^b/.test(token)) change(tokens[next++], token.slice(1));
    else throw new Error(`odd token ${token}`);
  }
  if (!dumped) throw new Error('no $dumpvars');
  for (const { path, times } of vcd.signals.values())
    if (times.length === 0) throw new Error(`${path}: no value`);
  return vcd;
}

/** Digits of a signal at a time; the standard extends them to the left with 0 (or x). */
export function digitsAt({ times, values, bits }: ParsedSignal, time: number): string {
  let low = 0;
  let high = times.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (times[middle] <= time) low = middle;
    else high = middle;
  }
  return values[low][0] === 'x' ? 'x' : values[low].padStart(bits, '0');
}

/** A signal as a number, two's complement where its type says so; NaN for x. */
export function numberAt(signal: ParsedSignal, time: number): number {
  const digits = digitsAt(signal, time);
  if (digits === 'x') return NaN;
  const value = BigInt(`0b${digits}`);
  return Number(signal.type === 'integer' ? BigInt.asIntN(signal.bits, value) : value);
}

/** Ten units of time make a cycle. */
export const CYCLE = 10;

export class Wave {
  readonly vcd: ParsedVcd;
  readonly from: number;
  readonly to: number;

  constructor(
    text: string,
    readonly top: string,
  ) {
    this.vcd = parseVcd(text);
    this.from = this.vcd.start / CYCLE;
    this.to = this.vcd.end / CYCLE;
  }

  signal(path: string): ParsedSignal {
    const signal = this.vcd.signals.get(`${this.top}.${path}`);
    if (!signal) throw new Error(`no signal ${path}`);
    return signal;
  }

  at(path: string, cycle: number): number {
    return numberAt(this.signal(path), cycle * CYCLE);
  }

  digits(path: string, cycle: number): string {
    return digitsAt(this.signal(path), cycle * CYCLE);
  }

  /** Paths below the top scope. */
  get paths(): string[] {
    return [...this.vcd.signals.keys()].map((path) => path.slice(this.top.length + 1));
  }
}
