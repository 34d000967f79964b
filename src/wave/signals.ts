/**
 * From the declaration of registers to single signals: where in the hierarchy each is, and what it is called. There is
 * no other list. Dimensions that are levels of the hierarchy become scopes (unit3, lane2); the others follow the name of
 * the register, by name or number: segment5, window1_12, stageSumValid.
 */
import type { Signals } from '../sim/probe.js';
import { dimensionsOf, type RegisterSpec } from '../sim/registers.js';
import type { VcdVariable } from './vcd.js';

/** One register of a declaration. */
export interface Place {
  /** Its index in the declaration. */
  at: number;
  scope: string[];
  name: string;
}

/** The registers of a declaration that hardware has, in order. */
export function placesOf(spec: RegisterSpec): Place[] {
  const dimensions = dimensionsOf(spec);
  const places: Place[] = [];
  for (let at = 0; at < spec.count; at++) {
    const index: number[] = [];
    let rest = at;
    for (let d = dimensions.length - 1; d >= 0; d--) {
      index.unshift(rest % dimensions[d].count);
      rest = Math.floor(rest / dimensions[d].count);
    }
    if (spec.inHardware && !spec.inHardware(...index)) continue;
    const scope: string[] = [];
    let name = spec.name;
    let numbers = 0;
    dimensions.forEach((dimension, d) => {
      if (dimension.scope !== undefined) scope.push(`${dimension.scope}${index[d]}`);
      else if (dimension.names) name += dimension.names[index[d]];
      else name += `${numbers++ > 0 ? '_' : ''}${index[d]}`;
    });
    places.push({ at, scope, name });
  }
  return places;
}

/** Sums are declared as wide as a double is exact. Their largest magnitude, 2^53, needs two bits more. */
const WIDE = 53;
const WIDE_SHOWN = 64;

export const shownBits = ({ bits }: RegisterSpec): number => (bits === WIDE ? WIDE_SHOWN : bits);

export const variableType = ({ spec, kind }: Signals): VcdVariable['type'] =>
  spec.signed && spec.bits > 1 ? 'integer' : kind === 'register' ? 'reg' : 'wire';
