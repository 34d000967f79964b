/**
 * A mapped netlist as yosys writes it (write_json), module by module: cells, what their pins are connected to, and ports.
 * Modules that stand many times in the hierarchy are held once. It is written out again as plain Verilog in which every
 * module is gN, every net nN and every cell cN, so that OpenSTA, the simulator and its VCD speak of the same things. Ports
 * are single bits: a simulator looks at all bits of a bus for each that changes, and our windows are 4,096 bits wide.
 */
import { UserError } from '../../errors.js';

/** A net of a module, by number, or a constant. */
export type Bit = number | '0' | '1' | 'x' | 'z';

export interface NetlistCell {
  /** cN */
  name: string;
  /** A standard cell, or another module by its name in the sources. */
  type: string;
  pins: Record<string, Bit[]>;
}

export interface NetlistPort {
  name: string;
  direction: 'input' | 'output';
  bits: Bit[];
}

export interface NetlistModule {
  /** gN */
  name: string;
  ports: NetlistPort[];
  cells: NetlistCell[];
}

export interface Netlist {
  top: NetlistModule;
  /** By name in the sources. */
  modules: Map<string, NetlistModule>;
}

interface YosysModule {
  attributes: Record<string, unknown>;
  ports: Record<string, { direction: string; bits: Bit[] }>;
  cells: Record<string, { type: string; connections: Record<string, Bit[]> }>;
}

export function netlistOf(json: string, top: string): Netlist {
  const parsed = JSON.parse(json) as { modules: Record<string, YosysModule> };
  const entries = Object.entries(parsed.modules).filter(([, { attributes }]) => !('blackbox' in attributes));
  const modules = new Map(
    entries.map(([source, module], i): [string, NetlistModule] => [
      source,
      {
        name: `g${i}`,
        ports: Object.entries(module.ports).map(([name, { direction, bits }]) => {
          if (direction !== 'input' && direction !== 'output')
            throw new UserError(
              'bad-netlist',
              `${top}: port ${name} is ${direction}, expected input or output`,
            );
          return { name, direction, bits };
        }),
        cells: Object.values(module.cells).map(({ type, connections }, c) => ({
          name: `c${c}`,
          type,
          pins: connections,
        })),
      },
    ]),
  );
  const found = modules.get(top);
  if (!found) throw new UserError('bad-netlist', `the netlist has no module ${top}`);
  return { top: found, modules };
}

/** A bit of a port, as the Verilog of the netlist calls it. */
export const bitName = ({ name, bits }: NetlistPort, bit: number): string =>
  bits.length > 1 ? `${name}__${bit}` : name;

/** The netlist as Verilog: standard cells are left to their models or to a timing library. */
export function netlistVerilog({ modules }: Netlist): string {
  const lines: string[] = [];
  for (const { name, ports, cells } of modules.values()) {
    const declarations: string[] = [];
    // A net is called by its port where it has one, so that no assignment has to join the two.
    const names = new Map<Bit, string>();
    const joins: string[] = [];
    for (const port of ports)
      port.bits.forEach((bit, i) => {
        const own = bitName(port, i);
        declarations.push(`${port.direction} ${own}`);
        const before = typeof bit === 'number' ? names.get(bit) : `1'b${bit}`;
        if (before === undefined) names.set(bit, own);
        else joins.push(`  assign ${own} = ${before};`);
      });
    const nets: string[] = [];
    const nameOf = (bit: Bit): string => {
      if (typeof bit !== 'number') return `1'b${bit}`;
      let net = names.get(bit);
      if (net === undefined) {
        net = `n${bit}`;
        names.set(bit, net);
        nets.push(net);
      }
      return net;
    };
    const instances = cells.map((cell) => {
      const inner = modules.get(cell.type);
      const pins = inner
        ? inner.ports.flatMap((port) =>
            port.bits.map((_, i): [string, Bit | undefined] => [bitName(port, i), cell.pins[port.name]?.[i]]),
          )
        : Object.entries(cell.pins).map(([pin, [bit]]): [string, Bit | undefined] => [pin, bit]);
      const connections = pins.map(([pin, bit]) => `.${pin}(${bit === undefined ? '' : nameOf(bit)})`);
      return `  ${inner?.name ?? cell.type} ${cell.name} (${connections.join(', ')});`;
    });
    lines.push(`module ${name} (${declarations.join(', ')});`);
    for (const net of nets) lines.push(`  wire ${net};`);
    lines.push(...joins, ...instances, 'endmodule', '');
  }
  return lines.join('\n');
}

/** A standard cell of the flat netlist. */
export interface FlatCell {
  /** As OpenSTA names it: c1/c2. */
  path: string;
  type: string;
  /** Net of each pin, -1 for a constant or nothing. */
  pins: Map<string, number>;
}

export interface FlatNetlist {
  cells: FlatCell[];
  /** Number of nets; they are 0 to nets - 1. */
  nets: number;
  /** Net of each variable of a VCD of the netlist: by path of cells (`c1.c2`, empty for the top) and name. */
  netOf(path: string, variable: string): number | undefined;
  /** All paths of modules, for `$dumpvars`. */
  paths: string[];
}

export function flatten(netlist: Netlist): FlatNetlist {
  const cells: FlatCell[] = [];
  const byName = new Map<string, number>();
  const paths: string[] = [];
  let nets = 0;

  const visit = (module: NetlistModule, path: string[], outer: Map<number, number>): void => {
    const local = new Map(outer);
    const scope = path.join('.');
    paths.push(scope);
    const netOf = (bit: Bit): number => {
      if (typeof bit !== 'number') return -1;
      let net = local.get(bit);
      if (net === undefined) local.set(bit, (net = nets++));
      return net;
    };
    for (const port of module.ports)
      port.bits.forEach((bit, i) => byName.set(`${scope} ${bitName(port, i)}`, netOf(bit)));
    for (const cell of module.cells) {
      const inner = netlist.modules.get(cell.type);
      if (inner) {
        const passed = new Map<number, number>();
        for (const port of inner.ports)
          port.bits.forEach((bit, i) => {
            const net = netOf(cell.pins[port.name]?.[i] ?? 'x');
            if (typeof bit === 'number' && net >= 0) passed.set(bit, net);
          });
        visit(inner, [...path, cell.name], passed);
        continue;
      }
      const pins = new Map(Object.entries(cell.pins).map(([pin, [bit]]) => [pin, netOf(bit ?? 'x')]));
      cells.push({ path: [...path, cell.name].join('/'), type: cell.type, pins });
    }
    for (const [bit, net] of local) byName.set(`${scope} n${bit}`, net);
  };
  visit(netlist.top, [], new Map());
  return {
    cells,
    nets,
    paths,
    netOf: (path, variable) => byName.get(`${path} ${variable}`),
  };
}
