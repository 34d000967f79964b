/**
 * Nodes at which energy is evaluated (SPEC section 9), one per evaluation. Of 180 nm we have every unit, with libraries and
 * commands; of 45 nm the whole MAC cycle and the whole SAC word of one lane. What 45 nm lacks is the figure of 180 nm
 * times the ratio that a unit has at both nodes: its own where it has one, else that of the SAC unit. Each figure says so.
 */
import type { Coefficient, CoefficientSet } from '../arch/coefficient.js';
import { COEFFICIENTS } from '../arch/coefficients.js';
import { PRECISIONS, type Precision } from '../quantize.js';

export const ENERGY_NODES = ['45nm', '180nm'] as const;
export type EnergyNode = (typeof ENERGY_NODES)[number];
export const DEFAULT_ENERGY_NODE: EnergyNode = '45nm';

const SET_NAMES = { '45nm': '45nm', '180nm': 'osu018_stdcells' } as const;
/** Has a figure for everything. */
export const COMPLETE: EnergyNode = '180nm';

export const setName = (node: EnergyNode): string => SET_NAMES[node];
export const setOf = (node: EnergyNode): CoefficientSet => COEFFICIENTS[SET_NAMES[node]];
/** As figures and reports print it: `45 nm`. */
export const nodeName = (node: EnergyNode): string => setOf(node).node;

type UnitName = Coefficient['unit'];

/** A single unit (or PE of one unit); undefined where a set has none. */
export const coefficientAt = (
  node: EnergyNode,
  unit: UnitName,
  precision: Precision,
  lanes: number,
): Coefficient | undefined =>
  setOf(node).units.find(
    (u) => u.unit === unit && u.precision === precision && u.units === 1 && u.lanes === lanes,
  );

/** Of a unit that stands at both nodes: energy at `node` over that at 180 nm, of one lane. */
function ratioOf(node: EnergyNode, unit: 'macUnit' | 'sacUnit', precision: Precision): number {
  const run = unit === 'macUnit' ? 'cycle' : 'word';
  const [there, here] = [COMPLETE, node].map((n) => coefficientAt(n, unit, precision, 1)!.pJ[run]);
  return here / there;
}

/** How a figure of 180 nm becomes one of `node`. */
export interface Scale {
  factor: number;
  /** Empty at 180 nm itself. */
  how: string;
}

const short = (value: number): string => Number(value.toPrecision(4)).toString();

/** Of a unit's energy; MAC units have a ratio of their own. */
export function scaleOf(node: EnergyNode, unit: 'macUnit' | 'other', precision: Precision): Scale {
  if (node === COMPLETE) return { factor: 1, how: '' };
  const factor = ratioOf(node, unit === 'macUnit' ? unit : 'sacUnit', precision);
  const whose = unit === 'macUnit' ? 'a MAC cycle' : 'a SAC word';
  return { factor, how: `scaled from ${nodeName(COMPLETE)} by ${short(factor)}, ${whose} at both` };
}

/**
 * Of memories, which published tables have at 45 nm: the inverse way. A byte has no precision, so both ratios of the SAC
 * unit have a say (geometric mean).
 */
export function memoryScaleOf(node: EnergyNode): Scale {
  if (node === '45nm') return { factor: 1, how: '' };
  const product = PRECISIONS.reduce((p, precision) => p * ratioOf('45nm', 'sacUnit', precision), 1);
  const factor = product ** (-1 / PRECISIONS.length);
  return { factor, how: `scaled from ${nodeName('45nm')} by ${short(factor)}, a SAC word at both` };
}

/** Of areas, by the bare SAC unit of one lane. */
export function areaScaleOf(precision: Precision): Scale {
  const [there, here] = ([COMPLETE, '45nm'] as const).map(
    (node) => coefficientAt(node, 'sacUnit', precision, 1)!.um2,
  );
  const factor = here / there;
  return { factor, how: `scaled from ${nodeName(COMPLETE)} by ${short(factor)}, a SAC unit at both` };
}
