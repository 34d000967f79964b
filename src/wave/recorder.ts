/**
 * A probe that records: of every component it is told of, the values at the beginning of a span of cycles and each
 * change until its end. Components are clocked one after another, so each keeps its own changes, by cycle; they meet
 * when the file is written.
 */
import { UserError, VerificationError } from '../errors.js';
import type { Probe, Sample, Signals } from '../sim/probe.js';
import { placesOf, shownBits, variableType } from './signals.js';
import { binary, identifier, valueChange, type VcdVariable } from './vcd.js';

/** Cycles `from` to `to` - 1. */
export interface Span {
  from: number;
  to: number;
}

/** What a recording may hold. */
export interface Limits {
  signals: number;
  /** Of changes, as text. */
  bytes: number;
}

/** What viewers still open, and fits into memory with ease. */
const LIMITS: Limits = { signals: 1_000_000, bytes: 256 * 2 ** 20 };

export class Recorder implements Probe {
  /** In the order in which they were told. */
  readonly variables: VcdVariable[] = [];
  /** Tiles or groups of the array, and those that were recorded. */
  array: { scope: 'tile' | 'group'; count: number; recorded: number[] } | null = null;
  private readonly components: Component[] = [];
  private bytes = 0;
  private changes = 0;

  /**
   * @param asked tiles (or groups) to record, or all of them
   * @param top scope of everything
   * @param reserved variables that the file has beside those of the components
   */
  constructor(
    readonly span: Span,
    private readonly asked: readonly number[] | 'all',
    private readonly top: string,
    private readonly reserved = 0,
    private readonly limits: Limits = LIMITS,
  ) {}

  places(scope: 'tile' | 'group', count: number): (place: number) => boolean {
    const { asked } = this;
    const absent = asked === 'all' ? undefined : asked.find((place) => place >= count);
    if (absent !== undefined)
      throw new UserError(
        'no-tile',
        `--tile: found ${absent}, expected at most ${count - 1}: the array has ${count} ${scope}s`,
      );
    const recorded = Array.from({ length: count }, (_, place) => place).filter(
      (place) => asked === 'all' || asked.includes(place),
    );
    this.array = { scope, count, recorded };
    const wanted = new Set(recorded);
    return (place) => wanted.has(place);
  }

  component(path: readonly string[], signals: readonly Signals[], refresh?: () => void): Sample {
    const component = new Component(this.span, refresh ?? (() => {}), (text, changes, cycle) =>
      this.keep(text, changes, cycle),
    );
    for (const declared of signals) {
      const places = placesOf(declared.spec);
      if (this.variables.length + places.length > this.limits.signals)
        throw new UserError(
          'too-many-signals',
          `--tile: found more than ${this.limits.signals.toLocaleString('en')} signals up to ${path.join('.')}, which no ` +
            'viewer opens; choose fewer tiles',
        );
      const bits = shownBits(declared.spec);
      const ids: string[] = [];
      for (const { scope, name } of places) {
        const id = identifier(this.reserved + this.variables.length);
        this.variables.push({
          scope: [this.top, ...path, ...scope],
          name,
          type: variableType(declared),
          bits,
          id,
        });
        ids.push(id);
      }
      component.add(
        declared,
        Int32Array.from(places, ({ at }) => at),
        bits,
        ids,
        path,
      );
    }
    this.components.push(component);
    return (cycle) => component.look(cycle);
  }

  /** Values at the beginning. Components that were at rest by then stand as they were left. */
  initial(): string {
    return this.components.map((component) => component.initial()).join('');
  }

  /** Changes of each cycle after the first, in order; '' where nothing changes. */
  *changesByCycle(to: number): Generator<[cycle: number, text: string]> {
    const next = this.components.map(() => 0);
    for (let cycle = this.span.from + 1; cycle < to; cycle++) {
      let text = '';
      this.components.forEach(({ cycles, texts }, c) => {
        if (cycles[next[c]] === cycle) text += texts[next[c]++];
      });
      yield [cycle, text];
    }
  }

  private keep(text: string, changes: number, cycle: number): void {
    this.bytes += text.length;
    this.changes += changes;
    if (this.bytes <= this.limits.bytes) return;
    const { from, to } = this.span;
    const number = (n: number): string => n.toLocaleString('en');
    throw new UserError(
      'too-many-changes',
      `--cycles ${from}:${Number.isFinite(to) ? to : ''}: found ${number(this.changes)} changes of ` +
        `${number(this.variables.length)} signals up to cycle ${number(cycle)}, more than ` +
        `${number(this.limits.bytes)} bytes; choose fewer cycles or fewer tiles`,
    );
  }
}

/** The signals of one declaration in a component. */
interface Track {
  signals: Signals;
  /** Indices into its values. */
  at: Int32Array;
  bits: number;
  ids: string[];
  path: readonly string[];
  last: (number | string)[];
}

class Component {
  readonly cycles: number[] = [];
  readonly texts: string[] = [];
  private readonly tracks: Track[] = [];
  private first: string | null = null;
  private next = 0;

  constructor(
    private readonly span: Span,
    private readonly refresh: () => void,
    private readonly keep: (text: string, changes: number, cycle: number) => void,
  ) {}

  add(signals: Signals, at: Int32Array, bits: number, ids: string[], path: readonly string[]): void {
    this.tracks.push({ signals, at, bits, ids, path, last: [] });
  }

  look(cycle: number): void {
    if (cycle < this.next) return;
    this.next = cycle + 1;
    if (cycle < this.span.from) return;
    // Cycles that were left out changed nothing, so the first look shows the beginning, even if it comes late.
    if (this.first === null) {
      this.first = this.changed(cycle);
      return;
    }
    if (cycle >= this.span.to) return;
    const text = this.changed(cycle);
    if (text === '') return;
    this.cycles.push(cycle);
    this.texts.push(text);
  }

  initial(): string {
    return (this.first ??= this.changed(this.span.from));
  }

  private changed(cycle: number): string {
    this.refresh();
    const changes: string[] = [];
    for (const track of this.tracks) {
      const { values } = track.signals;
      const { at, last } = track;
      for (let k = 0; k < at.length; k++) {
        const value = values[at[k]];
        if (value === last[k] || (value !== value && last[k] !== last[k])) continue;
        // Nothing was known before the first look.
        last[k] = value;
        changes.push(valueChange(digits(track, k, value), track.bits, track.ids[k]));
      }
    }
    const text = changes.join('');
    if (changes.length > 0) this.keep(text, changes.length, cycle);
    return text;
  }
}

function digits({ signals: { spec }, at, bits, path }: Track, k: number, value: number | string): string {
  if (typeof value === 'string') return value;
  if (Number.isNaN(value)) return '';
  const text = binary(value, bits, spec.signed);
  if (text === null)
    throw new VerificationError(
      'register-width',
      `${path.join('.')}: ${spec.name}, register ${at[k]} of ${spec.count}: found ${value}, expected a whole number ` +
        `of ${bits} ${spec.signed ? 'signed' : 'unsigned'} bits`,
    );
  return text;
}
