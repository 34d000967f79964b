/**
 * The coefficients as they are committed (SPEC section 9): sets of one node and one library each, with everything that
 * says where the numbers are from. No dates and no paths: equal inputs give equal bytes.
 */
import { PRECISIONS, type Precision } from '../../quantize.js';
import type { UnitName } from './configurations.js';
import type { Energy } from './energy.js';
import type { MeasuredEnergy, Measurement } from './measure.js';
import { energySplit, type EnergySplit } from './split.js';

export interface EnergyCoefficient {
  operation: string;
  /** pJ per operation: all that switches in the unit, the clock pins of its registers included. */
  pJ: number;
  pJPerCycle?: number;
  operations?: number;
  cycles?: number;
  /** How often the run does each thing that energy is split by. */
  counts?: Record<string, number>;
  /** Shares of the pJ: in loads, in cells, and of the cells' part at clock pins. */
  switching?: number;
  internal?: number;
  clock?: number;
  /** pJ per operation by module of the first level. */
  parts?: Record<string, number>;
  /** Likewise by module of the first two levels, where there are two: 'sac_unit' is what it has beside its own modules. */
  modules?: Record<string, number>;
  openStaPJPerCycle?: number;
}

export interface UnitCoefficients {
  unit: UnitName;
  precision: Precision;
  units: number;
  lanes: number;
  what?: string;
  module?: string;
  parameters?: Record<string, number>;
  /** SHA-256 of the Verilog, without comments. */
  verilog?: string;
  area: number;
  /** By module of the first level, all instances together. */
  areaParts?: Record<string, number>;
  cells?: number;
  registers?: number;
  /** ns; null where the netlist is too large for timing in one piece. */
  criticalPath?: number | null;
  /** nW */
  leakage?: number;
  energy?: Record<string, EnergyCoefficient>;
  /** pJ of the unit by what causes it, then by module of the first two levels; see split.ts. */
  energySplit?: EnergySplit;
}

/** SAC over MAC, per lane, of what was measured of both. */
export interface Ratios {
  area: Record<string, number>;
  /** A kneaded word over a product. */
  energy: Record<string, number>;
}

export interface CoefficientSet {
  name: string;
  node: string;
  source: string;
  library?: { name: string; file: string; package: string | null; sha256: string; corner: string };
  tools?: { yosys: string; opensta: string; icarus: string };
  areaUnit: string;
  clock: string;
  commands?: Record<string, string[]>;
  notes: string[];
  /** What throttle buffers and windows of a PE of 16 x 16 add to each of its SAC units, over the unit. */
  sacBufferShare?: Partial<Record<Precision, number>>;
  ratios?: Ratios;
  units: UnitCoefficients[];
}

/** Four significant digits: what a model without wires can carry, and no more than ever differs between machines. */
const significant = (value: number): number => Number(value.toPrecision(4));

const hundredths = (value: number): number => Math.round(value * 100) / 100;

const sorted = <T>(parts: ReadonlyMap<string, T>, number: (value: T) => number): Record<string, number> =>
  Object.fromEntries(
    [...parts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => [name, number(value)]),
  );

function energyCoefficient({
  operation,
  operations,
  cycles,
  counts,
  total,
  parts,
  modules,
  openSta,
}: MeasuredEnergy): EnergyCoefficient {
  const per = (energy: Energy): number => significant((energy.switching + energy.internal) / operations);
  return {
    operation,
    pJ: per(total),
    pJPerCycle: significant((total.switching + total.internal) / cycles),
    operations,
    cycles,
    counts: { ...counts },
    switching: significant(total.switching / operations),
    internal: significant(total.internal / operations),
    clock: significant(total.clock / operations),
    ...(parts.size > 1 ? { parts: sorted(parts, per) } : {}),
    ...(modules.size > parts.size ? { modules: sorted(modules, per) } : {}),
    openStaPJPerCycle: significant(openSta),
  };
}

const rounded = (split: EnergySplit): EnergySplit =>
  Object.fromEntries(
    Object.entries(split).map(([thing, modules]) => [
      thing,
      sorted(new Map(Object.entries(modules)), significant),
    ]),
  );

export function unitCoefficients(measurement: Measurement, verilog: string): UnitCoefficients {
  const { configuration, area, areaParts, criticalPath, energy } = measurement;
  const { name, precision, units, lanes, what, module, parameters } = configuration;
  const runs = Object.entries(energy);
  const split = energySplit(Object.values(energy), configuration.concerns);
  return {
    unit: name,
    precision,
    units,
    lanes,
    what,
    module,
    parameters: { ...parameters },
    verilog,
    area: hundredths(area.area),
    ...(areaParts.size > 1 ? { areaParts: sorted(areaParts, hundredths) } : {}),
    cells: area.cells,
    registers: area.registers,
    criticalPath: criticalPath === null ? null : significant(criticalPath),
    ...(runs.length > 0 ? { leakage: significant(runs[0][1].leakage) } : {}),
    ...(runs.length > 0
      ? { energy: Object.fromEntries(runs.map(([run, measured]) => [run, energyCoefficient(measured)])) }
      : {}),
    ...(split ? { energySplit: rounded(split) } : {}),
  };
}

type Wanted = Pick<UnitCoefficients, 'unit' | 'precision' | 'units' | 'lanes'>;

export const findUnit = (units: readonly UnitCoefficients[], wanted: Wanted): UnitCoefficients | undefined =>
  units.find(
    ({ unit, precision, units: count, lanes }) =>
      unit === wanted.unit &&
      precision === wanted.precision &&
      count === wanted.units &&
      lanes === wanted.lanes,
  );

/** SAC over MAC: areas of units and of whole PEs, and energy of a kneaded word over a cycle of the multiplier. */
export function ratiosOf(units: readonly UnitCoefficients[]): Ratios {
  const ratios: Ratios = { area: {}, energy: {} };
  for (const precision of PRECISIONS)
    for (const [label, sac, mac, count, lanes] of [
      ['unit of 1 lane', 'sacUnit', 'macUnit', 1, 1],
      ['unit of 16 lanes', 'sacUnit', 'macUnit', 1, 16],
      ['PE of 16 units x 16 lanes', 'sacPe', 'macPe', 16, 16],
    ] as const) {
      const top = findUnit(units, { unit: sac, precision, units: count, lanes });
      const bottom = findUnit(units, { unit: mac, precision, units: count, lanes });
      if (!top || !bottom) continue;
      const name = `${precision} ${label}`;
      ratios.area[name] = significant(top.area / bottom.area);
      const [word, cycle] = [top.energy?.word, bottom.energy?.cycle];
      // Per lane: a word is one lane's, a cycle all lanes'.
      if (word && cycle) ratios.energy[name] = significant((lanes * word.pJ) / cycle.pJ);
    }
  return ratios;
}

/** What buffers and windows of a whole PE add per unit, over the bare unit. */
export function bufferSharesOf(units: readonly UnitCoefficients[]): Partial<Record<Precision, number>> {
  const shares: Partial<Record<Precision, number>> = {};
  for (const precision of PRECISIONS) {
    const pe = findUnit(units, { unit: 'sacPe', precision, units: 16, lanes: 16 });
    const bare = findUnit(units, { unit: 'sacUnit', precision, units: 1, lanes: 16 });
    if (pe && bare) shares[precision] = significant(pe.area / 16 / bare.area - 1);
  }
  return shares;
}

/** A SAC unit is simulated in a PE of its own, with the buffers that feed it: its energy is a part of the PE's. */
export function withUnitEnergies(units: readonly UnitCoefficients[]): UnitCoefficients[] {
  return units.map((each) => {
    const run = findUnit(units, { ...each, unit: 'sacPe' })?.energy?.word;
    const pJ = run?.parts?.sac_unit;
    if (each.unit !== 'sacUnit' || pJ === undefined) return each;
    // As its area is split: 'top' is what it has beside its modules.
    const own = Object.entries(run?.modules ?? {}).flatMap(([module, part]): [string, number][] =>
      module === 'sac_unit'
        ? [['top', part]]
        : module !== 'top' && module in (each.areaParts ?? {})
          ? [[module, part]]
          : [],
    );
    const parts = own.length > 1 ? { parts: sorted(new Map(own), (part) => part) } : {};
    return {
      ...each,
      energy: { word: { operation: `${run!.operation}, of the PE without its buffers`, pJ, ...parts } },
    };
  });
}

export const coefficientsJson = (sets: readonly CoefficientSet[]): string =>
  `${JSON.stringify({ about: ABOUT, sets }, null, 2)}\n`;

const ABOUT = [
  'Area and energy of the units of src/rtl/verilog (SPEC section 9). Written by "make synth"; do not edit.',
  'Each set is of one node and one library. Numbers of different sets must not be mixed.',
];
