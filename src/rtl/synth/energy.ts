/**
 * Energy of a netlist from its measured transitions: each transition of a cell's output charges or discharges its load
 * (C V^2 / 2) and costs the cell's internal energy at that load and input slew; each transition of an input costs what the
 * library tabulates for it, which is how the clock pins of registers are counted.
 *
 * A library gives internal energy by cause, and a settled simulation does not tell the cause: related inputs share in
 * proportion to their own transitions. Rises and falls are equally frequent. Wires have no capacitance here.
 */
import { energyAt, type Cell, type CellLibrary, type InternalEnergy } from './cells.js';
import type { FlatCell, FlatNetlist } from './netlist.js';

/** ns, at the output of each cell by `path/pin`; nothing for what never switches. */
export type Slews = ReadonlyMap<string, number>;

export interface Energy {
  /** pJ, over all transitions that were counted: loads, cells, and of the cells' the part of registers. */
  switching: number;
  internal: number;
  /** pJ at the clock pins of registers, part of `internal`. */
  clock: number;
}

export interface EnergyResult extends Energy {
  /** By what the cell stands in: module of the hierarchy's first level, or the top itself. */
  parts: Map<string, Energy>;
  /** nW */
  leakage: number;
}

const none = (): Energy => ({ switching: 0, internal: 0, clock: 0 });

/** pF that each net drives. */
export function loadsOf(netlist: FlatNetlist, library: CellLibrary): Float64Array {
  const loads = new Float64Array(netlist.nets);
  for (const { type, pins } of netlist.cells) {
    const cell = library.cells.get(type)!;
    for (const [pin, net] of pins) {
      const { direction, capacitance } = cell.pins.get(pin)!;
      if (net >= 0 && direction === 'input') loads[net] += capacitance;
    }
  }
  return loads;
}

/** Reads the slews that OpenSTA wrote: `path/pin rise fall` in ns, `-inf` where nothing arrives. */
export function parseSlews(text: string): Map<string, number> {
  const slews = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [pin, ...numbers] = line.split(' ');
    const finite = numbers.map(Number).filter((slew) => Number.isFinite(slew) && slew >= 0);
    if (finite.length > 0) slews.set(pin, finite.reduce((a, b) => a + b, 0) / finite.length);
  }
  return slews;
}

const averageAt = ({ rise, fall }: InternalEnergy, slew: number, load: number): number => {
  const tables = [rise, fall].filter((table) => table !== null);
  return tables.reduce((sum, table) => sum + energyAt(table, slew, load), 0) / (tables.length || 1);
};

function groupByPin(energies: InternalEnergy[]): Map<string, InternalEnergy[]> {
  const groups = new Map<string, InternalEnergy[]>();
  for (const energy of energies) groups.set(energy.pin, [...(groups.get(energy.pin) ?? []), energy]);
  return groups;
}

export interface EnergyInput {
  netlist: FlatNetlist;
  library: CellLibrary;
  toggles: Uint32Array;
  slews: Slews;
  /** Net of the clock. */
  clock: number;
  /** Name of the part that a cell belongs to. */
  partOf: (cell: FlatCell) => string;
}

export function energyOf({ netlist, library, toggles, slews, clock, partOf }: EnergyInput): EnergyResult {
  const loads = loadsOf(netlist, library);
  // Without wires the slew at an input is that of the output that drives it. Ports have the fastest tabulated.
  const slewOf = new Float64Array(netlist.nets);
  for (const { path, type, pins } of netlist.cells)
    for (const [pin, net] of pins)
      if (net >= 0 && library.cells.get(type)!.pins.get(pin)!.direction === 'output')
        slewOf[net] = slews.get(`${path}/${pin}`) ?? 0;
  const result: EnergyResult = { ...none(), parts: new Map(), leakage: 0 };
  const byPin = new Map<Cell, Map<string, InternalEnergy[]>>();
  for (const flat of netlist.cells) {
    const cell = library.cells.get(flat.type)!;
    let tables = byPin.get(cell);
    if (!tables) byPin.set(cell, (tables = groupByPin(cell.energies)));
    const own = none();
    for (const [pin, net] of flat.pins) {
      if (net < 0 || toggles[net] === 0) continue;
      const isOutput = cell.pins.get(pin)!.direction === 'output';
      const load = isOutput ? loads[net] : 0;
      if (isOutput) own.switching += toggles[net] * 0.5 * load * library.voltage ** 2;
      const causes = (tables.get(pin) ?? []).map((energy) => {
        const from = energy.relatedPin === null ? net : (flat.pins.get(energy.relatedPin) ?? -1);
        return { energy, from, share: from >= 0 ? toggles[from] : 0 };
      });
      const shares = causes.reduce((sum, { share }) => sum + share, 0);
      if (shares === 0) continue;
      for (const { energy, from, share } of causes) {
        if (share === 0) continue;
        const spent = (toggles[net] * share * averageAt(energy, slewOf[from], load)) / shares;
        own.internal += spent;
        if (net === clock) own.clock += spent;
      }
    }
    const name = partOf(flat);
    let part = result.parts.get(name);
    if (!part) result.parts.set(name, (part = none()));
    for (const sum of [part, result]) {
      sum.switching += own.switching;
      sum.internal += own.internal;
      sum.clock += own.clock;
    }
    result.leakage += cell.leakage;
  }
  return result;
}
