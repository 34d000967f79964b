/**
 * A netlist beside the Verilog that it was made from, in one simulation: the unit's own bench drives the source, a second
 * top module gives the netlist the same inputs in the same cycles, and compares every output bit that the source knows
 * before each rising edge. So the netlist is shown to be the unit, with the vectors by which its energy is measured.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError, VerificationError } from '../../errors.js';
import type { RtlUnit, VerilogParameters } from '../unit.js';
import { cellModel } from './cellModels.js';
import type { CellLibrary } from './cells.js';
import { runTool } from './process.js';
import { bitName, netlistVerilog, type FlatNetlist, type Netlist, type NetlistPort } from './netlist.js';

/** Where in the VCD the netlist stands. */
export const GATES = 'gate_check.gates';

const connections = (port: NetlistPort): string[] =>
  port.bits.map((_, i) => `.${bitName(port, i)}(${port.name}${port.bits.length > 1 ? `[${i}]` : ''})`);

/** @param source path of the source's instance in the bench, as `tb_mac_pe.dut` */
export function gateCheck(netlist: Netlist, paths: readonly string[], source: string, vcd: string): string {
  const { name, ports } = netlist.top;
  const range = (width: number): string => (width > 1 ? `[${width - 1}:0] ` : '');
  const inputs = ports.filter(({ direction }) => direction === 'input');
  const outputs = ports.filter(({ direction }) => direction === 'output');
  return [
    'module gate_check;',
    ...inputs.map((port) => `  wire ${range(port.bits.length)}${port.name} = ${source}.${port.name};`),
    ...outputs.flatMap((port) => [
      `  wire ${range(port.bits.length)}${port.name};`,
      // A bench may set a port wider than it is in the netlist: the low bits are the same.
      `  wire ${range(port.bits.length)}source_${port.name} = ${source}.${port.name};`,
    ]),
    `  ${name} gates (${ports.flatMap(connections).join(', ')});`,
    '  integer cycles, wrong;',
    '  initial begin',
    '    cycles = 0;',
    '    wrong = 0;',
    `    $dumpfile("${vcd}");`,
    ...paths.map((path) => `    $dumpvars(1, gates${path === '' ? '' : `.${path}`});`),
    '    $dumpoff;',
    "    wait (rst === 1'b1);",
    "    wait (rst === 1'b0);",
    '    $dumpon;',
    '  end',
    "  always @(posedge clk) if (rst === 1'b0) begin",
    '    cycles = cycles + 1;',
    // Unknown bits of the source make the exclusive or unknown, not one: they are not compared. What the source knows
    // must be known here too.
    ...outputs.map(
      ({ name: port }) =>
        `    if (|(${port} ^ source_${port}) === 1'b1 || (^source_${port} !== 1'bx && ^${port} === 1'bx)) wrong = wrong + 1;`,
    ),
    '    $display("gates %0d %0d", cycles, wrong);',
    '  end',
    'endmodule',
    '',
  ].join('\n');
}

export interface GateRun {
  /** Cycles after reset. */
  cycles: number;
  /** What the bench printed. */
  lines: string[];
  vcd: string;
}

export interface GateJob {
  unit: RtlUnit;
  parameters: VerilogParameters;
  /** Instance of the unit in its bench. */
  instance: string;
  stimulus: string;
  netlist: Netlist;
  flat: FlatNetlist;
  library: CellLibrary;
  /** Our Verilog, and a folder for what is made. */
  verilog: string;
  folder: string;
}

/** @throws VerificationError if an output of the netlist differs from the source's */
export async function runGates(job: GateJob): Promise<GateRun> {
  const { unit, parameters, instance, netlist, flat, library, verilog, folder } = job;
  const bench = unit.bench.replace(/\.v$/, '');
  const vcd = join(folder, 'gates.vcd');
  const types = new Set(flat.cells.map(({ type }) => type));
  const models = [...types].sort().map((type) => {
    const cell = library.cells.get(type);
    if (!cell)
      throw new UserError('bad-liberty', `the netlist has a cell ${type} that ${library.name} has not`);
    return cellModel(cell);
  });
  const made: Record<string, string> = {
    'cells.v': models.join('\n'),
    'netlist.v': netlistVerilog(netlist),
    'check.v': gateCheck(netlist, flat.paths, `${bench}.${instance}`, vcd),
  };
  for (const [file, text] of Object.entries(made)) writeFileSync(join(folder, file), text);
  writeFileSync(join(folder, 'stimulus.txt'), job.stimulus);
  const program = join(folder, 'gates.vvp');
  const sources = [...unit.sources, join('bench', unit.bench)].map((file) => join(verilog, file));
  await runTool(
    'iverilog',
    [
      '-g2005',
      ...['-s', bench, '-s', 'gate_check'],
      ...Object.entries(parameters).map(([key, value]) => `-P${bench}.${key}=${value}`),
      ...['-o', program],
      ...sources,
      ...Object.keys(made).map((file) => join(folder, file)),
    ],
    folder,
  );
  const stdout = await runTool('vvp', ['-n', program, `+stimulus=${join(folder, 'stimulus.txt')}`], folder);
  return { ...judge(unit.name, stdout), vcd };
}

/** What the bench and the check beside it printed. @throws VerificationError if they did not run, or differ */
export function judge(name: string, stdout: string): { cycles: number; lines: string[] } {
  const lines = stdout.split('\n').filter((line) => line !== '' && !line.includes('$finish'));
  const [, cycles, wrong] = (lines.findLast((line) => line.startsWith('gates ')) ?? 'gates 0 0')
    .split(' ')
    .map(Number);
  const others = lines.filter((line) => !/^(gates |VCD )/.test(line));
  const error = others.find((line) => line.startsWith('error'));
  if (cycles === 0 || error)
    throw new VerificationError('gates-run', `${name}: ${error ?? 'the netlist did not run'}`);
  if (wrong > 0)
    throw new VerificationError(
      'gates-differ',
      `${name}: the netlist differs from its source ${wrong} times`,
    );
  return { cycles, lines: others };
}
