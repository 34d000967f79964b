/**
 * What operations of our units cost, at a node and a precision (SPEC section 9): `arch/coefficients.ts` per word, product,
 * output and so on, for any number of lanes.
 *
 * Clock. Registers of our Verilog are clocked in every cycle, and there is no clock gating. Here the clock travels with
 * the work: a lane at work pays for its share of the unit's clock pins in that cycle, so that a lane without work costs
 * nothing, as if it were gated. What it would cost without gating is the `idleClockPJ` of a report. Buffers are those
 * that were synthesised (KS = 16, 2 slots, 4 words), whatever the configuration says. Leakage, wires and control outside
 * PEs are not in it. Operands are uniformly random: zeros that a dense machine multiplies cost as much as any value.
 */
import type { Phase } from '../arch/machine.js';
import type { Precision } from '../quantize.js';
import { inWords, type EnergyFigure, type EnergyPart } from './figure.js';
import { COMPLETE, coefficientAt, nodeName, scaleOf, setOf, type EnergyNode } from './node.js';

/** The lanes of what was measured, and the straight line through both, as for areas. */
const FEW = 1;
const MANY = 16;
const onLine = (few: number, many: number, lanes: number): number =>
  few + ((many - few) / (MANY - FEW)) * (lanes - FEW);
const lineInWords = (lanes: number): string =>
  lanes === FEW || lanes === MANY ? '' : `on a line through ${FEW} and ${MANY} lanes`;

type Split = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** Of 180 nm; every unit of that set has one. */
const splitOf = (
  unit: 'sacPe' | 'macUnit' | 'kneader' | 'rowPe' | 'ppu',
  precision: Precision,
  lanes: number,
): Split => coefficientAt(COMPLETE, unit, precision, lanes)!.pJSplit!;

const sumOf = (modules: Readonly<Record<string, number>>): number =>
  Object.values(modules).reduce((sum, pJ) => sum + pJ, 0);

/** A figure of 180 nm at `node`. */
function figureAt(
  node: EnergyNode,
  precision: Precision,
  figure: { part: EnergyPart; unit: string; operation: string; pJ: number; clockPJ: number; how?: string },
): EnergyFigure {
  const { factor, how } = scaleOf(node, 'other', precision);
  return {
    ...figure,
    pJ: factor * figure.pJ,
    clockPJ: factor * figure.clockPJ,
    node: nodeName(node),
    measuredAt: nodeName(COMPLETE),
    source: setOf(COMPLETE).source,
    how: inWords(how || 'measured', figure.how ?? ''),
  };
}

/** What a SAC PE is made of, and its modules in the Verilog. */
const SAC_UNITS: readonly { part: EnergyPart; unit: string; modules: readonly string[] }[] = [
  { part: 'splitter', unit: 'splitter', modules: ['splitter'] },
  { part: 'segmentAdder', unit: 'segment adders', modules: ['segment_adder'] },
  { part: 'rearTree', unit: 'rear adder tree', modules: ['rear_tree'] },
  { part: 'pe', unit: 'SAC unit, control', modules: ['sac_unit', 'top'] },
  { part: 'peBuffers', unit: 'throttle buffers', modules: ['throttle_buffer'] },
  { part: 'peBuffers', unit: 'activation windows', modules: ['activation_window'] },
  { part: 'peBuffers', unit: 'window readers', modules: ['window_reader'] },
];
const SHARED = 'activation windows';

export interface SacFigures {
  /** Each for every word of a lane. */
  word: EnergyFigure[];
  /** Each for every output of a unit. */
  output: EnergyFigure[];
}

/**
 * @param units that share a lane's activation windows; what these cost is shared out as if all were at work
 * @param words kneaded ones, or raw ones: dense work on SAC lanes
 */
export function sacFigures(
  node: EnergyNode,
  precision: Precision,
  { lanes, units }: { lanes: number; units: number },
  words: 'word' | 'rawWord',
): SacFigures {
  const [few, many] = [FEW, MANY].map((count) => splitOf('sacPe', precision, count));
  /** pJ of a unit that does something once in each of `each` lanes, or once in all. */
  const ofUnit = (thing: string, modules: readonly string[], each: (count: number) => number): number => {
    const of = (split: Split): number => modules.reduce((pJ, module) => pJ + (split[thing][module] ?? 0), 0);
    return onLine(each(FEW) * of(few), each(MANY) * of(many), lanes);
  };
  const once = (): number => 1;
  const inEach = (count: number): number => count;
  const name = words === 'word' ? 'kneaded word' : 'raw word';
  const figures: SacFigures = { word: [], output: [] };
  for (const { part, unit, modules } of SAC_UNITS) {
    const sharing = unit === SHARED ? units : 1;
    const clockPJ = ofUnit('clock', modules, once) / lanes / sharing;
    const pJ = clockPJ + ofUnit(words, modules, inEach) / lanes / sharing;
    const how = inWords(lineInWords(lanes), sharing > 1 ? `shared by ${sharing} units` : '');
    const figure = { part, unit, pJ, clockPJ, how, operation: `${name}, ${lanes} lanes` };
    figures.word.push(figureAt(node, precision, figure));
    const output = ofUnit('output', modules, once);
    if (output === 0) continue;
    const each = { ...figure, pJ: output, clockPJ: 0, operation: `output, ${lanes} lanes` };
    figures.output.push(figureAt(node, precision, each));
  }
  return figures;
}

/** A product of a dense MAC unit: its share of a cycle in which every lane multiplies. */
export function macFigure(node: EnergyNode, precision: Precision, lanes: number): EnergyFigure {
  const [few, many] = [FEW, MANY].map((count) => coefficientAt(COMPLETE, 'macUnit', precision, count)!);
  const clockPJ = onLine(sumOf(few.pJSplit!.clock), sumOf(many.pJSplit!.clock), lanes) / lanes;
  const pJ = onLine(few.pJ.cycle, many.pJ.cycle, lanes) / lanes;
  const { factor, how } = scaleOf(node, 'macUnit', precision);
  const own = coefficientAt(node, 'macUnit', precision, lanes)?.pJ.cycle;
  const from = own === undefined ? COMPLETE : node;
  return {
    part: 'pe',
    unit: 'MAC unit',
    operation: `product, ${lanes} lanes`,
    pJ: own === undefined ? factor * pJ : own / lanes,
    clockPJ: factor * clockPJ,
    node: nodeName(node),
    measuredAt: nodeName(from),
    source: setOf(from).source,
    how: own === undefined ? inWords(how || 'measured', lineInWords(lanes)) : 'measured',
  };
}

/** A word of an on-line kneader. */
export function kneaderFigure(node: EnergyNode, precision: Precision): EnergyFigure {
  const { clock, word } = splitOf('kneader', precision, 1);
  const clockPJ = sumOf(clock);
  const pJ = clockPJ + sumOf(word);
  return figureAt(node, precision, {
    part: 'kneader',
    unit: 'on-line kneader',
    operation: 'kneaded word',
    pJ,
    clockPJ,
  });
}

/** Taps of the row PE that was measured; energy is in proportion to those in use. */
const TAPS = 3;
const ROW_RUN = { forward: 'src', gradInput: 'msrc', gradWeight: 'osrc' } as const;

/** A cycle of a row PE at work, by tap in use. OSRC is that of two operand ports. */
export function rowFigure(node: EnergyNode, precision: Precision, phase: Phase): EnergyFigure {
  const run = ROW_RUN[phase];
  const split = splitOf('rowPe', precision, TAPS);
  const clockPJ = sumOf(split.clock) / TAPS;
  const pJ = clockPJ + sumOf(split[run]) / TAPS;
  const operation = `${run.toUpperCase()}, a tap in a cycle`;
  return figureAt(node, precision, { part: 'pe', unit: 'row PE', operation, pJ, clockPJ });
}

/** Sums that the measured PPU takes in a cycle. */
export const PPU_ADDERS = 3;

/** A sum that a row PE adds to a row buffer, and a value of a finished row on its way out. The clock goes with additions. */
export function ppuFigures(
  node: EnergyNode,
  precision: Precision,
): { add: EnergyFigure; value: EnergyFigure } {
  const { clock, add, value } = splitOf('ppu', precision, 1);
  const clockPJ = sumOf(clock) / PPU_ADDERS;
  const of = (operation: string, pJ: number, own: number): EnergyFigure =>
    figureAt(node, precision, { part: 'ppu', unit: 'PPU', operation, pJ: pJ + own, clockPJ: own });
  return {
    add: of('sum added to a row buffer', sumOf(add), clockPJ),
    value: of('value of a finished row', sumOf(value), 0),
  };
}
