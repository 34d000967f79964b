/** One configuration through the whole flow: netlist, area, slowest path, and energy under a stimulus. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { UserError, VerificationError } from '../../errors.js';
import type { Cell, CellLibrary } from './cells.js';
import type { Configuration, EnergyRun } from './configurations.js';
import { energyOf, parseSlews, type Energy } from './energy.js';
import { GATES, runGates } from './gateBench.js';
import {
  bitName,
  flatten,
  netlistOf,
  netlistVerilog,
  type FlatNetlist,
  type Netlist,
  type NetlistModule,
} from './netlist.js';
import { runTool } from './process.js';
import { parseSta, staScript } from './sta.js';
import type { Target } from './target.js';
import { countToggles } from './toggles.js';
import { areaParts, constraints, hierarchicalArea, parseStat, synthesisScript, type Area } from './yosys.js';

export interface MeasuredEnergy {
  operation: string;
  operations: number;
  cycles: number;
  /** pJ in the whole run. */
  total: Energy;
  /** By module of the first level of the hierarchy, and by module of the first two levels. */
  parts: Map<string, Energy>;
  modules: Map<string, Energy>;
  /** How often the stimulus does what energy is split by. */
  counts: Record<string, number>;
  leakage: number;
  /** pJ per cycle that OpenSTA's report_power has, from the ports' activities alone. */
  openSta: number;
}

export interface Measurement {
  configuration: Configuration;
  area: Area;
  /** Area by module of the first level of the hierarchy. */
  areaParts: Map<string, number>;
  /** ns; null where timing was left out. */
  criticalPath: number | null;
  energy: Record<string, MeasuredEnergy>;
}

const holdsState = (library: CellLibrary, type: string): boolean =>
  ((library.cells.get(type) as Cell | undefined)?.states.length ?? 0) > 0;

export async function synthesise(
  { rtl, module, parameters }: Pick<Configuration, 'rtl' | 'module' | 'parameters'>,
  target: Target,
  folder: string,
): Promise<Area & { parts: Map<string, number> }> {
  const { library, liberty, driver, load, period, verilog } = target;
  writeFileSync(join(folder, 'constraints.txt'), constraints(driver, load));
  const job = { sources: rtl.sources, top: module, parameters };
  const paths = { liberty, constraints: join(folder, 'constraints.txt'), period: 1000 * period };
  writeFileSync(join(folder, 'synthesis.ys'), synthesisScript(job, paths, folder));
  const log = join(folder, 'yosys.log');
  const script = ['-q', '-l', log, join(folder, 'synthesis.ys')];
  // From the folder of the sources: their paths stand in names, which must be the same wherever the checkout is.
  await runTool('yosys', script, verilog, folder).catch((error: Error) => {
    // ABC's own words stand in the log only.
    const words = existsSync(log) ? /^ABC: Error: .*$/m.exec(readFileSync(log, 'utf8'))?.[0] : undefined;
    throw words ? new UserError('synthesis', `${error.message} ${words}`) : error;
  });
  const modules = parseStat(readFileSync(join(folder, 'stat.txt'), 'utf8'));
  // What the library cannot do stays as it is, without an area.
  for (const { cells } of modules.values())
    for (const type of cells.keys())
      if (!modules.has(type) && !library.cells.has(type))
        throw new UserError(
          'bad-liberty',
          `library ${library.name}: has no cell for ${type}, which ${module} needs`,
        );
  const area = hierarchicalArea(modules, module, (type) => holdsState(library, type));
  return { ...area, parts: areaParts(modules, module) };
}

/** @param folder for what is made on the way; it is removed unless `keep` */
export async function measure(
  configuration: Configuration,
  target: Target,
  folder: string,
  keep = false,
): Promise<Measurement> {
  mkdirSync(folder, { recursive: true });
  const { module, timing, energy } = configuration;
  const { parts, ...area } = await synthesise(configuration, target, folder);
  const result: Measurement = { configuration, area, areaParts: parts, criticalPath: null, energy: {} };
  if (timing) {
    const netlist = netlistOf(readFileSync(join(folder, 'netlist.json'), 'utf8'), module);
    writeFileSync(join(folder, 'netlist.v'), netlistVerilog(netlist));
    const { slack } = await runSta(netlist, target, folder, {});
    result.criticalPath = target.period - slack;
    for (const [name, run] of Object.entries(energy))
      result.energy[name] = await measureEnergy(configuration, run, netlist, target, folder);
  }
  if (!keep) rmSync(folder, { recursive: true, force: true });
  return result;
}

async function runSta(
  netlist: Netlist,
  { liberty, period, driver, load }: Target,
  folder: string,
  more: { slews?: string; activities?: ReadonlyMap<string, { toggles: number; duty: number }> },
): Promise<ReturnType<typeof parseSta>> {
  const script = staScript({
    liberty,
    netlist: join(folder, 'netlist.v'),
    top: netlist.top.name,
    clock: 'clk',
    period,
    driver,
    load,
    ...more,
  });
  writeFileSync(join(folder, 'timing.tcl'), script);
  const found = parseSta(await runTool('sta', ['-no_splash', '-exit', join(folder, 'timing.tcl')], folder));
  if (found.slack < 0)
    throw new UserError(
      'too-slow',
      `${basename(folder)}: the slowest path misses the clock of ${period} ns by ${-found.slack} ns; give a longer PERIOD`,
    );
  return found;
}

async function measureEnergy(
  { rtl, instance }: Configuration,
  run: EnergyRun,
  netlist: Netlist,
  target: Target,
  folder: string,
): Promise<MeasuredEnergy> {
  const { library, verilog } = target;
  const flat = flatten(netlist);
  const { packed, operations, counts, lines } = run.stimulus();
  const gates = await runGates({
    unit: rtl,
    parameters: run.bench,
    instance,
    stimulus: packed,
    netlist,
    flat,
    library,
    verilog,
    folder,
  });
  if (lines().join('\n') !== gates.lines.join('\n'))
    throw new VerificationError(
      'gates-differ',
      `${basename(folder)}: the bench prints other lines than the model; run "kneadsim rtl verify --unit ${rtl.name}"`,
    );
  const { toggles, high } = countToggles(gates.vcd, GATES, flat);
  const slews = join(folder, 'slews.txt');
  const activities = portActivities(netlist, flat, toggles, high, gates.cycles);
  const { power } = await runSta(netlist, target, folder, { slews, activities });
  if (!power) throw new UserError('synthesis', `${basename(folder)}: OpenSTA printed no power`);
  const {
    parts: places,
    leakage,
    ...total
  } = energyOf({
    netlist: flat,
    library,
    toggles,
    slews: parseSlews(readFileSync(slews, 'utf8')),
    clock: flat.netOf('', 'clk')!,
    partOf: placesOf(netlist),
  });
  const openSta = (power.internal + power.switching) * target.period * 1e3;
  return {
    operation: run.operation,
    operations,
    cycles: gates.cycles,
    total,
    parts: gathered(places, (place) => place.split('/')[0]),
    modules: gathered(places, (place) => place.split('/').pop()!),
    counts,
    leakage,
    openSta,
  };
}

/** Energies of places by a name that several of them share. */
function gathered(
  places: ReadonlyMap<string, Energy>,
  nameOf: (place: string) => string,
): Map<string, Energy> {
  const sums = new Map<string, Energy>();
  for (const [place, { switching, internal, clock }] of places) {
    const sum = sums.get(nameOf(place)) ?? { switching: 0, internal: 0, clock: 0 };
    sum.switching += switching;
    sum.internal += internal;
    sum.clock += clock;
    sums.set(nameOf(place), sum);
  }
  return sums;
}

/** Transitions per cycle and share of time at 1 of each bit of the input ports. */
function portActivities(
  { top }: Netlist,
  flat: FlatNetlist,
  toggles: Uint32Array,
  high: Float64Array,
  cycles: number,
): Map<string, { toggles: number; duty: number }> {
  const activities = new Map<string, { toggles: number; duty: number }>();
  for (const port of top.ports)
    if (port.direction === 'input' && port.name !== 'clk')
      port.bits.forEach((_, i) => {
        const name = bitName(port, i);
        const net = flat.netOf('', name)!;
        activities.set(name, { toggles: toggles[net] / cycles, duty: high[net] });
      });
  return activities;
}

/** Cells by the modules of the first two levels in which they stand, by their names in the sources: `outer/inner`. */
function placesOf({ top, modules }: Netlist): (cell: { path: string }) => string {
  const inside = (module: NetlistModule): Map<string, NetlistModule> =>
    new Map(
      module.cells.flatMap(({ name, type }): [string, NetlistModule][] => {
        const inner = modules.get(type);
        return inner ? [[name, inner]] : [];
      }),
    );
  const nameOf = new Map([...modules].map(([source, module]) => [module, source.split('\\').pop()!]));
  const places = new Map<string, string>();
  for (const [outerCell, outer] of inside(top)) {
    places.set(outerCell, nameOf.get(outer)!);
    for (const [innerCell, inner] of inside(outer))
      places.set(`${outerCell}/${innerCell}`, `${nameOf.get(outer)!}/${nameOf.get(inner)!}`);
  }
  return ({ path }) => {
    const [outer, inner] = path.split('/');
    return places.get(`${outer}/${inner}`) ?? places.get(outer) ?? 'top';
  };
}
