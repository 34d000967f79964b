/**
 * Standard cells of a Liberty library: what each costs, computes and dissipates. Numbers are turned into fixed units
 * here: pF, ns, pJ, nW. Areas stay as the library has them, which is um2 in all libraries we know.
 */
import { UserError } from '../../errors.js';
import { groupsOf, numberOf, numbersOf, type LibertyGroup } from './liberty.js';

type Axis = 'slew' | 'load';

/** pJ per transition over input slew (ns), load (pF), both or neither. */
export interface EnergyTable {
  axes: Axis[];
  /** Per axis, rising. */
  indices: number[][];
  /** The last axis runs fastest. */
  values: number[];
}

/** Energy inside a cell for a transition of `pin`; several of one pin are alternatives, by cause or by state. */
export interface InternalEnergy {
  pin: string;
  /** The input that causes it; null where it is that pin's own transition. */
  relatedPin: string | null;
  rise: EnergyTable | null;
  fall: EnergyTable | null;
}

export interface CellPin {
  name: string;
  direction: string;
  /** pF */
  capacitance: number;
  /** Liberty expression of an output, null if it has none. */
  function: string | null;
}

/** A flip-flop or latch in a cell. Expressions are Liberty's. */
export interface CellState {
  kind: 'ff' | 'latch';
  state: string;
  inverse: string;
  /** next_state or data_in; clocked_on or enable. */
  data: string;
  clock: string;
  clear: string | null;
  preset: string | null;
}

export interface Cell {
  name: string;
  area: number;
  pins: Map<string, CellPin>;
  states: CellState[];
  energies: InternalEnergy[];
  /** nW */
  leakage: number;
}

export interface CellLibrary {
  name: string;
  voltage: number;
  /** Default corner, in words. */
  corner: string;
  cells: Map<string, Cell>;
}

const fault = (library: LibertyGroup, message: string): UserError =>
  new UserError('bad-liberty', `library ${library.name}: ${message}`);

/** `"10ps"` or `"1nW"`, as a multiple of `unit`. */
function scaleOf(library: LibertyGroup, attribute: string, unit: number): number {
  const text = library.attributes.get(attribute);
  const match = /^([\d.]+)\s*([munpf]?)[A-Za-z]+$/.exec(text ?? '');
  if (!match) throw fault(library, `${attribute} is ${text ?? 'missing'}, expected for example "1ns"`);
  const prefix: Record<string, number> = { '': 1, m: 1e-3, u: 1e-6, n: 1e-9, p: 1e-12, f: 1e-15 };
  return (Number(match[1]) * prefix[match[2]]) / unit;
}

/** `capacitive_load_unit (1, pf)`, in pF. */
function capacitanceScale(library: LibertyGroup): number {
  const text = library.attributes.get('capacitive_load_unit') ?? 'missing';
  const [value, unit] = text.split(', ');
  const scale = { pf: 1, ff: 1e-3 }[unit?.toLowerCase()];
  if (scale === undefined || !(Number(value) > 0))
    throw fault(library, `capacitive_load_unit is ${text}, expected a number of pf or ff`);
  return Number(value) * scale;
}

const AXES: Record<string, Axis> = {
  input_transition_time: 'slew',
  input_net_transition: 'slew',
  related_pin_transition: 'slew',
  total_output_net_capacitance: 'load',
};

interface Scales {
  time: number;
  capacitance: number;
  /** Internal energy of Liberty is in capacitance x voltage^2. */
  energy: number;
}

function energyTable(table: LibertyGroup, templates: Map<string, LibertyGroup>, scales: Scales): EnergyTable {
  const template = templates.get(table.name);
  const axes: Axis[] = [];
  const indices: number[][] = [];
  for (const [variable, index] of [
    ['variable_1', 'index_1'],
    ['variable_2', 'index_2'],
  ]) {
    const axis = AXES[template?.attributes.get(variable) ?? ''];
    if (axis === undefined) continue;
    const own = numbersOf(table, index);
    const points = own.length > 0 ? own : numbersOf(template!, index);
    axes.push(axis);
    indices.push(points.map((x) => x * (axis === 'slew' ? scales.time : scales.capacitance)));
  }
  const values = numbersOf(table, 'values').map((x) => x * scales.energy);
  return { axes, indices, values };
}

/** Value at a point, linear between the table's points; beyond them the outermost holds. */
export function energyAt({ axes, indices, values }: EnergyTable, slew: number, load: number): number {
  const at = (axis: number, base: number, step: number): number => {
    if (axis === axes.length) return values[base] ?? 0;
    const points = indices[axis];
    const inner = step / points.length;
    const x = Math.min(Math.max(axes[axis] === 'slew' ? slew : load, points[0]), points[points.length - 1]);
    let i = 0;
    while (i < points.length - 2 && x > points[i + 1]) i++;
    const low = at(axis + 1, base + i * inner, inner);
    if (points.length === 1) return low;
    const high = at(axis + 1, base + (i + 1) * inner, inner);
    return low + ((high - low) * (x - points[i])) / (points[i + 1] - points[i]);
  };
  return at(0, 0, values.length);
}

function cellOf(
  group: LibertyGroup,
  templates: Map<string, LibertyGroup>,
  scales: Scales,
  leak: number,
): Cell {
  const pins = new Map<string, CellPin>();
  const energies: InternalEnergy[] = [];
  for (const pin of groupsOf(group, 'pin')) {
    const { attributes } = pin;
    pins.set(pin.name, {
      name: pin.name,
      direction: attributes.get('direction') ?? 'input',
      capacitance: (numberOf(pin, 'capacitance') || 0) * scales.capacitance,
      function: attributes.get('function') ?? null,
    });
    for (const power of groupsOf(pin, 'internal_power')) {
      const table = (kind: string): EnergyTable | null => {
        const found = groupsOf(power, kind)[0] ?? groupsOf(power, 'power')[0];
        return found ? energyTable(found, templates, scales) : null;
      };
      const related = power.attributes.get('related_pin')?.split(' ') ?? [null];
      for (const relatedPin of related)
        energies.push({ pin: pin.name, relatedPin, rise: table('rise_power'), fall: table('fall_power') });
    }
  }
  const states = group.groups
    .filter(({ kind }) => kind === 'ff' || kind === 'latch')
    .map(({ kind, name, attributes }): CellState => {
      const [state, inverse = `${state}_N`] = name.split(', ');
      const ff = kind === 'ff';
      return {
        kind: ff ? 'ff' : 'latch',
        state,
        inverse,
        data: attributes.get(ff ? 'next_state' : 'data_in') ?? '',
        clock: attributes.get(ff ? 'clocked_on' : 'enable') ?? '',
        clear: attributes.get('clear') ?? null,
        preset: attributes.get('preset') ?? null,
      };
    });
  const leakage = (numberOf(group, 'cell_leakage_power') || 0) * leak;
  return { name: group.name, area: numberOf(group, 'area') || 0, pins, states, energies, leakage };
}

export function cellLibrary(library: LibertyGroup): CellLibrary {
  const conditions = groupsOf(library, 'operating_conditions');
  const chosen = library.attributes.get('default_operating_conditions');
  const corner = conditions.find(({ name }) => name === chosen) ?? conditions[0];
  const voltage = corner ? numberOf(corner, 'voltage') : numberOf(library, 'nom_voltage');
  const temperature = corner ? numberOf(corner, 'temperature') : numberOf(library, 'nom_temperature');
  if (!(voltage > 0)) throw fault(library, 'no voltage; operating_conditions or nom_voltage must state it');
  const capacitance = capacitanceScale(library);
  const time = scaleOf(library, 'time_unit', 1e-9);
  const scales = { time, capacitance, energy: capacitance * scaleOf(library, 'voltage_unit', 1) ** 2 };
  const leak = library.attributes.has('leakage_power_unit')
    ? scaleOf(library, 'leakage_power_unit', 1e-9)
    : 1;
  const templates = new Map(groupsOf(library, 'power_lut_template').map((group) => [group.name, group]));
  const cells = groupsOf(library, 'cell').map((group) => cellOf(group, templates, scales, leak));
  if (cells.length === 0) throw fault(library, 'no cells');
  return {
    name: library.name,
    voltage,
    corner: `${corner?.name ?? 'nominal'}, ${voltage} V, ${temperature} C`,
    cells: new Map(cells.map((cell) => [cell.name, cell])),
  };
}

/** The smallest inverter: what we take to drive the inputs of a unit. */
export function smallestInverter({ name, cells }: CellLibrary): { cell: Cell; output: string } {
  let best: { cell: Cell; output: string } | null = null;
  for (const cell of cells.values()) {
    const pins = [...cell.pins.values()];
    const output = pins.find((pin) => pin.direction === 'output');
    if (pins.length !== 2 || !output?.function || cell.states.length > 0) continue;
    const input = pins.find((pin) => pin.direction === 'input')?.name;
    const inverts = [`!${input}`, `${input}'`].includes(output.function.replace(/[\s()]/g, ''));
    if (inverts && (best === null || cell.area < best.cell.area)) best = { cell, output: output.name };
  }
  if (!best) throw new UserError('bad-liberty', `library ${name}: no inverter; logic cannot be mapped to it`);
  return best;
}
