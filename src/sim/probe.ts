/**
 * How clocked components are watched: a probe is told of each of them, with its place in the hierarchy and its declared
 * registers, and looks at it before every clock edge. A run that is not watched has no probe and pays nothing: what is
 * called before an edge is put in place, once, on the components that a probe asks for.
 */
import type { RegisterFile, RegisterSpec } from './registers.js';
import type { SacPe } from './sacPe.js';

/** The signals of one declaration. */
export interface Signals {
  spec: RegisterSpec;
  /** register: changes at clock edges only. port: follows from registers and inputs, in the same cycle. */
  kind: 'register' | 'port';
  /**
   * Values by the index of the declaration, as they stand before the edge. Texts are binary digits, the most
   * significant first. NaN and '' are values that nobody knows, such as a word where there is none.
   */
  values: ArrayLike<number> | ArrayLike<string>;
}

/** Looks at a component as it stands in `cycle`, before the edge. Looking again in the same cycle changes nothing. */
export type Sample = (cycle: number) => void;

export interface Probe {
  /**
   * Told first: how many tiles (or groups) the array has. Returns which of them are watched.
   * @throws UserError if one was asked for that is not there
   */
  places(scope: 'tile' | 'group', count: number): (place: number) => boolean;
  /**
   * Tells of a component.
   * @param path where it is in the hierarchy, outermost first
   * @param refresh brings `values` up to date; called before they are read
   */
  component(path: readonly string[], signals: readonly Signals[], refresh?: () => void): Sample;
  /** Tells of a SAC PE as such, before its first cycle, so that its stimulus can be taken down. */
  sac?(path: readonly string[], pe: SacPe): void;
}

export const registersOf = (...files: RegisterFile[]): Signals[] =>
  files.flatMap((file) =>
    file.specs.map((spec): Signals => ({ spec, kind: 'register', values: file.view(spec.name) })),
  );

/** A component with a clock of its own, that may let cycles pass in which nothing changes. */
interface Clocked {
  /** The coming cycle. */
  readonly clock: number;
  cycle: (...args: never[]) => unknown;
  skip: (cycles: number) => void;
}

/** Looks at a component in every cycle from now on; of cycles that it skips, at the first and at the last. */
export function lookAt(component: Clocked, sample: Sample): void {
  beforeEach(component, ['cycle', 'skip'], () => sample(component.clock));
  const skip = component.skip;
  component.skip = (cycles) => {
    skip(cycles);
    sample(component.clock - 1);
  };
}

/** Lets `act` come before every call of these methods of this one object; other objects keep theirs as they are. */
export function beforeEach<Name extends string>(
  component: Record<Name, (...args: never[]) => unknown>,
  methods: readonly Name[],
  act: () => void,
): void {
  for (const name of methods) {
    const own = component[name];
    component[name] = (...args: never[]): unknown => {
      act();
      return own.apply(component, args);
    };
  }
}
