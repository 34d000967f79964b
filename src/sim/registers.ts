/**
 * Registers of a clocked component, declared once: name, width in bits, signedness, count. All of them live on
 * one buffer, so that a snapshot, a comparison or a waveform needs no second list.
 *
 * A component evaluates from registered state and commits in place: everything that another part of the same
 * component reads in this cycle is committed at the end of the cycle (see `sim/sacPe.ts`). That gives the same
 * meaning as a current and a next copy, without copying all registers in every cycle.
 */

/** One index of the registers of a declaration, from 0 to `count` - 1. */
export interface Dimension {
  count: number;
  /** A level of the hierarchy (unit, lane): registers belong to its members. Without, it tells registers of one place apart. */
  scope?: string;
  /** What stands in names for each index, where a number would say little. */
  names?: readonly string[];
}

export interface RegisterSpec {
  name: string;
  /** Width of one register in hardware, in bits. Wider than 31 signed bits is held as a double. */
  bits: number;
  signed: boolean;
  count: number;
  /**
   * How the registers are counted, outermost first; the counts multiply to `count`. Without, one register stands for
   * itself, and several have a number.
   */
  dimensions?: readonly Dimension[];
  /** Whether hardware has the register of these indices, where memory holds more than hardware does. */
  inHardware?: (...index: number[]) => boolean;
}

/** The members of a level of the hierarchy. */
export const members = (scope: string, count: number): Dimension => ({ scope, count });
/** Registers of one place, by number. */
export const numbered = (count: number): Dimension => ({ count });
/** Registers of one place, by name. */
export const named = (...names: string[]): Dimension => ({ names, count: names.length });

export const dimensionsOf = ({ count, dimensions }: RegisterSpec): readonly Dimension[] =>
  dimensions ?? (count === 1 ? [] : [numbered(count)]);

export type RegisterView = Int32Array | Float64Array;

export class RegisterFile {
  readonly specs: readonly RegisterSpec[];
  /** The bytes that hold the registers. */
  private readonly bytes: Uint8Array;
  private readonly views = new Map<string, RegisterView>();

  /** @param home where the registers shall live; a buffer of their own if not given. `at` is a multiple of 8. */
  constructor(specs: RegisterSpec[], home?: { buffer: ArrayBuffer; at: number }) {
    this.specs = specs;
    const { place, bytes } = layOut(specs);
    const { buffer, at: start } = home ?? { buffer: new ArrayBuffer(bytes), at: 0 };
    this.bytes = new Uint8Array(buffer, start, bytes);
    specs.forEach((spec, i) => {
      if (this.views.has(spec.name)) throw new Error(`register ${spec.name} is declared twice`);
      const counted = dimensionsOf(spec).reduce((product, { count }) => product * count, 1);
      if (counted !== spec.count)
        throw new Error(`register ${spec.name}: its dimensions count ${counted}, expected ${spec.count}`);
      const View = isWide(spec) ? Float64Array : Int32Array;
      this.views.set(spec.name, new View(buffer, start + place[i], spec.count));
    });
  }

  /** Integer registers of up to 32 bits. */
  ints(name: string): Int32Array {
    const view = this.views.get(name);
    if (!(view instanceof Int32Array)) throw new Error(`no integer register ${name}`);
    return view;
  }

  /** Registers too wide for 32 bits, exact to 53. */
  doubles(name: string): Float64Array {
    const view = this.views.get(name);
    if (!(view instanceof Float64Array)) throw new Error(`no wide register ${name}`);
    return view;
  }

  view(name: string): RegisterView {
    const view = this.views.get(name);
    if (!view) throw new Error(`no register ${name}`);
    return view;
  }

  /**
   * A copy of all registers, to compare two runs or to put them back at the same point of the same stimulus. It
   * does not hold where a component stands in its stimulus (next word, next window, counters).
   */
  snapshot(): Uint8Array {
    return this.bytes.slice();
  }

  restore(snapshot: Uint8Array): void {
    if (snapshot.length !== this.bytes.length)
      throw new Error(`snapshot of ${snapshot.length} bytes, expected ${this.bytes.length}`);
    this.bytes.set(snapshot);
  }

  /** Registers after reset: all zero. */
  reset(): void {
    this.bytes.fill(0);
  }
}

const isWide = (spec: RegisterSpec): boolean => spec.bits > (spec.signed ? 32 : 31);

/** Bytes that a set of registers takes, a multiple of 8. */
export const registerBytes = (specs: readonly RegisterSpec[]): number =>
  Math.ceil(layOut(specs).bytes / 8) * 8;

function layOut(specs: readonly RegisterSpec[]): { place: number[]; bytes: number } {
  let bytes = 0;
  const place = specs.map((spec) => {
    const size = isWide(spec) ? 8 : 4;
    const at = Math.ceil(bytes / size) * size;
    bytes = at + spec.count * size;
    return at;
  });
  return { place, bytes };
}
