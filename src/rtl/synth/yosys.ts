/**
 * Synthesis of a unit with yosys: from our Verilog to a netlist of standard cells. The hierarchy of the sources is kept,
 * so that a module that stands 256 times is mapped once, and areas add up by module.
 */
import type { VerilogParameters } from '../unit.js';

export interface SynthesisJob {
  sources: readonly string[];
  top: string;
  parameters: VerilogParameters;
}

export interface SynthesisLibrary {
  /** Path of the Liberty file. */
  liberty: string;
  /** Path of the file with what drives inputs and loads outputs (`constraints`). */
  constraints: string;
  /** Target of sizing, in ps. */
  period: number;
}

/**
 * What ABC does: yosys' own script for a library with constraints, but also with buffers on nets that registers and
 * ports drive (`buffer -p`). Otherwise an enable of a hundred registers would hang on one gate. The proofs of
 * equivalence are bounded (`-C`): for the multiplier of the PPU they took minutes and found nothing.
 */
const ABC_SCRIPT =
  '+strash;&get,-n;&fraig,-x,-C,1000;&put;scorr;dc2;strash;&get,-n;&dch,-f;&nf;&put;buffer,-p;upsize,{D};dnsize,{D}';

export const constraints = (driver: string, load: number): string =>
  `set_driving_cell ${driver}\nset_load ${load}\n`;

/** The commands, for a script file. Results: netlist.json and stat.txt in `folder`. */
export function synthesisScript(job: SynthesisJob, library: SynthesisLibrary, folder: string): string {
  const { sources, top, parameters } = job;
  const sets = Object.entries(parameters).map(([name, value]) => `-chparam ${name} ${value}`);
  return [
    `read_liberty -lib -ignore_miss_func ${library.liberty}`,
    `read_verilog ${sources.join(' ')}`,
    `hierarchy -check -top ${[top, ...sets].join(' ')}`,
    `synth -top ${top}`,
    `dfflibmap -liberty ${library.liberty}`,
    `abc -liberty ${library.liberty} -constr ${library.constraints} -D ${library.period} -script ${ABC_SCRIPT}`,
    'opt_clean -purge',
    'setundef -zero',
    'check -assert',
    `tee -q -o ${folder}/stat.txt stat -liberty ${library.liberty}`,
    `write_json ${folder}/netlist.json`,
    '',
  ].join('\n');
}

export interface ModuleStat {
  /** Number of each cell type; modules of the design stand here too. */
  cells: Map<string, number>;
  /** Area of its own cells, without those of modules in it. */
  area: number;
}

/** Reads what `stat -liberty` prints: per module its cells and their area. */
export function parseStat(text: string): Map<string, ModuleStat> {
  const modules = new Map<string, ModuleStat>();
  let current: ModuleStat | null = null;
  let inCells = false;
  for (const line of text.split('\n')) {
    const head = /^=== (.+) ===$/.exec(line);
    if (head) {
      current = head[1] === 'design hierarchy' ? null : { cells: new Map(), area: 0 };
      if (current) modules.set(head[1], current);
      inCells = false;
    }
    if (!current) continue;
    const area = /^\s*Chip area for (?:top )?module '.*': ([\d.]+)$/.exec(line);
    if (area) current.area = Number(area[1]);
    if (/^\s*Number of cells:/.test(line)) {
      inCells = true;
      continue;
    }
    const cell = /^\s+(\S+)\s+(\d+)$/.exec(line);
    if (inCells && cell) current.cells.set(cell[1], Number(cell[2]));
    else if (inCells && line.trim() === '') inCells = false;
  }
  return modules;
}

export interface Area {
  /** um2, or whatever the library's areas are in. */
  area: number;
  /** Standard cells. */
  cells: number;
  /** Those of them that hold state. */
  registers: number;
}

/** Area of the modules in a module, by their names in the sources, all instances together; 'top' is what is left. */
export function areaParts(modules: Map<string, ModuleStat>, top: string): Map<string, number> {
  const module = modules.get(top)!;
  const parts = new Map([['top', module.area]]);
  for (const [type, count] of module.cells)
    if (modules.has(type)) {
      const name = type.split('\\').pop()!;
      const { area } = hierarchicalArea(modules, type, () => false);
      parts.set(name, (parts.get(name) ?? 0) + count * area);
    }
  return parts;
}

/** Area and cells of a module with all that stands in it. */
export function hierarchicalArea(
  modules: Map<string, ModuleStat>,
  top: string,
  holdsState: (type: string) => boolean,
): Area {
  const module = modules.get(top)!;
  const total: Area = { area: module.area, cells: 0, registers: 0 };
  for (const [type, count] of module.cells) {
    if (modules.has(type)) {
      const inner = hierarchicalArea(modules, type, holdsState);
      total.area += count * inner.area;
      total.cells += count * inner.cells;
      total.registers += count * inner.registers;
    } else {
      total.cells += count;
      if (holdsState(type)) total.registers += count;
    }
  }
  return total;
}
