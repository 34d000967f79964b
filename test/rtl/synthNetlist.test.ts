/** Netlists, transitions, energies and reports of tools, against numbers by hand. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toolVersion } from '../../src/rtl/simulator.js';
import { energyOf, loadsOf, parseSlews } from '../../src/rtl/synth/energy.js';
import { GATES, judge, runGates } from '../../src/rtl/synth/gateBench.js';
import { flatten, netlistOf, netlistVerilog, type Netlist } from '../../src/rtl/synth/netlist.js';
import { pool, runTool } from '../../src/rtl/synth/process.js';
import { parseSta, staScript } from '../../src/rtl/synth/sta.js';
import { countToggles } from '../../src/rtl/synth/toggles.js';
import { areaParts, hierarchicalArea, parseStat } from '../../src/rtl/synth/yosys.js';
import type { RtlUnit } from '../../src/rtl/unit.js';
import { library } from './toyLibrary.js';

/** in -> INV -> DFF -> out, twice, in modules. */
const HALF = {
  attributes: {},
  ports: {
    clk: { direction: 'input', bits: [2] },
    d: { direction: 'input', bits: [3] },
    q: { direction: 'output', bits: [4] },
  },
  cells: {
    a: { type: 'INV', connections: { A: [3], Y: [5] } },
    b: { type: 'DFF', connections: { D: [5], CLK: [2], Q: [4] } },
  },
};
const TOP = {
  attributes: {},
  ports: {
    clk: { direction: 'input', bits: [2] },
    in: { direction: 'input', bits: [3] },
    out: { direction: 'output', bits: [4] },
  },
  cells: {
    first: { type: 'half', connections: { clk: [2], d: [3], q: [6] } },
    second: { type: 'half', connections: { clk: [2], d: [6], q: [4] } },
  },
};
const NETLIST = netlistOf(
  JSON.stringify({ modules: { half: HALF, top: TOP, INV: { ...HALF, attributes: { blackbox: 1 } } } }),
  'top',
);
const flat = flatten(NETLIST);

/** Clock, in, and the net between the halves, dumped as a simulator would. */
const VCD = `$scope module bench $end
$scope module gates $end
$var wire 1 ! clk $end
$var wire 1 " in $end
$scope module c0 $end
$var wire 1 # q $end
$var wire 1 ! clk $end
$upscope $end
$scope module c1 $end
$var wire 1 % d $end
$upscope $end
$upscope $end
$upscope $end
$enddefinitions $end
#0
$dumpvars
0!
1"
x#
x%
$end
#5
1!
0#
0%
#10
0!
0"
#15
1!
1#
1%
#20
0!
x"
#25
1"
#30
`;

describe('a netlist', () => {
  it('is flat with one net where modules join', () => {
    expect(flat.cells.map(({ path, type }) => [path, type])).toEqual([
      ['c0/c0', 'INV'],
      ['c0/c1', 'DFF'],
      ['c1/c0', 'INV'],
      ['c1/c1', 'DFF'],
    ]);
    expect(flat.netOf('c0', 'q')).toBe(flat.netOf('c1', 'd'));
    expect(flat.netOf('c0', 'clk')).toBe(flat.netOf('', 'clk'));
    expect(flat.netOf('', 'none')).toBeUndefined();
    // clk, in, out, between, and one in each half.
    expect(flat.nets).toBe(6);
    expect(netlistVerilog(NETLIST).match(/^module /gm)).toHaveLength(2);
  });

  it('has the capacitances of what a net drives', () => {
    const loads = loadsOf(flat, library);
    expect(loads[flat.netOf('', 'clk')!]).toBeCloseTo(0.06, 12);
    expect(loads[flat.netOf('', 'in')!]).toBeCloseTo(0.01, 12);
    expect(loads[flat.netOf('', 'out')!]).toBe(0);
  });

  const inFile = (text: string): ReturnType<typeof countToggles> => {
    const folder = mkdtempSync(join(tmpdir(), 'kneadsim-test-'));
    writeFileSync(join(folder, 'x.vcd'), text);
    const activity = countToggles(join(folder, 'x.vcd'), 'bench.gates', flat);
    rmSync(folder, { recursive: true });
    return activity;
  };
  const { toggles, high } = inFile(VCD);
  const [clk, input, between] = ['clk', 'in', 'q'].map((name, i) => flat.netOf(i < 2 ? '' : 'c0', name)!);

  it('transitions are those between 0 and 1, in no net twice', () => {
    expect(toggles[clk]).toBe(4);
    // 1, 0, unknown, 1
    expect(toggles[input]).toBe(1);
    expect(toggles[between]).toBe(1);
    expect(toggles.reduce((a, b) => a + b)).toBe(6);
    expect(high[between]).toBeCloseTo(0.5, 12);
  });

  it('transitions and time at 1 are those after the dump was switched on', () => {
    const text =
      VCD.slice(0, VCD.indexOf('#0')) +
      '#3\n1"\n#10\n$dumpoff\nx"\n$end\n#20\n$dumpon\n0"\n$end\n#30\n1"\n#40\n';
    const activity = inFile(text);
    expect(activity.toggles[input]).toBe(1);
    expect(activity.high[input]).toBeCloseTo(0.5, 12);
  });

  it('their energy is C V^2 / 2 of loads and what the tables say', () => {
    const slews = parseSlews('c0/c0/Y 0.01 0.02\nc0/c1/Q -inf -inf\n');
    expect(slews.get('c0/c0/Y')).toBeCloseTo(0.015, 12);
    expect(slews.has('c0/c1/Q')).toBe(false);
    const invOut = flat.cells[0].pins.get('Y')!;
    const activity = Uint32Array.from(toggles);
    activity[invOut] = 10;
    const result = energyOf({
      netlist: flat,
      library,
      toggles: activity,
      slews,
      clock: clk,
      partOf: ({ path: at }) => at.split('/')[0],
    });
    // INV of the first half drives 20 fF, ten times; its Q drives 10 fF, once: at 2 V.
    expect(result.switching).toBeCloseTo(10 * 0.5 * 0.02 * 4 + 0.5 * 0.01 * 4, 12);
    // Tables beyond their points: slew and load below the first point, (1 + 3) / 2 fJ; two clock pins, 8 fJ, four times.
    expect(result.internal).toBeCloseTo(10 * 0.002 + 2 * 4 * 0.008, 12);
    expect(result.clock).toBeCloseTo(2 * 4 * 0.008, 12);
    expect([...result.parts.keys()]).toEqual(['c0', 'c1']);
    expect(result.leakage).toBeCloseTo(1000, 9);
  });
});

describe('areas that yosys prints', () => {
  const cells = (lines: string[]): string[] => [
    '   Number of cells:   9',
    ...lines.map((line) => `     ${line}`),
    '',
  ];
  const STAT = [
    '=== $paramod\\inner ===',
    ...cells(['INV 2', 'DFF 1']),
    "   Chip area for module '$paramod\\inner': 28.000000",
    '=== top ===',
    ...cells(['$paramod\\inner 3', 'INV 5']),
    "   Chip area for module '\\top': 20.000000",
    '=== design hierarchy ===',
    ...cells(['INV 11']),
    "   Chip area for top module '\\top': 104.000000",
  ].join('\n');
  const modules = parseStat(STAT);

  it('add up over the hierarchy', () => {
    expect(hierarchicalArea(modules, 'top', (type) => type === 'DFF')).toEqual({
      area: 20 + 3 * 28,
      cells: 5 + 3 * 3,
      registers: 3,
    });
    expect(Object.fromEntries(areaParts(modules, 'top'))).toEqual({ top: 20, inner: 84 });
  });
});

describe('what OpenSTA prints', () => {
  it('is slack and power', () => {
    const text = [
      '            16.0380   slack (MET)',
      'Sequential           1.0e-04 2.0e-05 3.0e-09 1.2e-04  40.0%',
      'Total                3.0e-04 4.0e-05 5.0e-09 3.4e-04 100.0%',
    ].join('\n');
    expect(parseSta(text)).toEqual({
      slack: 16.038,
      power: { internal: 3e-4, switching: 4e-5, leakage: 5e-9 },
    });
    expect(parseSta('  -0.5000   slack (VIOLATED)')).toEqual({ slack: -0.5, power: null });
    expect(() => parseSta('No paths found.')).toThrow('OpenSTA found no path: No paths found.');
  });

  it('is asked for in ns and fF, whatever the units of the library', () => {
    const job = { liberty: 'l', netlist: 'n', top: 't', clock: 'clk', period: 20, driver: 'INV', load: 37 };
    const lines = staScript(job).split('\n');
    expect(lines.indexOf('set_cmd_units -time ns -capacitance fF')).toBe(1);
    expect(lines).toContain('set_load 37 [all_outputs]');
  });
});

describe('running tools', () => {
  it('a tool that fails is told by its last words', async () => {
    await expect(runTool('sh', ['-c', 'echo gone wrong >&2; exit 3'], tmpdir())).rejects.toThrow(
      /^sh failed in .*: gone wrong$/,
    );
    await expect(runTool('no-such-tool', [], tmpdir())).rejects.toThrow('no-such-tool failed');
  });

  it('results stand in the order of the jobs', async () => {
    const done = await pool([30, 0, 10], 2, async (ms) => {
      await new Promise((resolve) => setTimeout(resolve, ms));
      return ms;
    });
    expect(done).toEqual([30, 0, 10]);
  });

  it('when one job fails the tools of the others are stopped, and no further job begins', async () => {
    const begun: string[] = [];
    const started = Date.now();
    const jobs = pool(['sleep 60', 'sleep 0.1; echo broken; exit 1', 'true'], 2, (command) => {
      begun.push(command);
      // A child of the shell: it must end too, or its output would be waited for.
      return runTool('sh', ['-c', `${command}; true`], tmpdir());
    });
    await expect(jobs).rejects.toThrow('broken');
    expect(begun).toHaveLength(2);
    expect(Date.now() - started).toBeLessThan(30_000);
  });
});

/** A bit that is 0 in reset and then turns over in each cycle. */
const SOURCE = `module turner (input wire clk, input wire rst, output wire q);
  reg state;
  always @(posedge clk) state <= rst ? 1'b0 : !state;
  assign q = state;
endmodule
`;
const BENCH = `module tb_turner;
  parameter CYCLES = 1;
  reg clk, rst;
  wire q;
  turner dut (.clk(clk), .rst(rst), .q(q));
  integer i;
  initial begin
    clk = 0; rst = 1;
    #5 clk = 1;
    #5 clk = 0; rst = 0;
    for (i = 0; i < CYCLES; i = i + 1) begin
      #5 $display("%0d %0d", i, q);
      clk = 1;
      #5 clk = 0;
    end
    $finish;
  end
endmodule
`;
const CYCLES = 10;
const turnerNetlist = (out: number): Netlist =>
  netlistOf(
    JSON.stringify({
      modules: {
        turner: {
          attributes: {},
          ports: {
            clk: { direction: 'input', bits: [2] },
            rst: { direction: 'input', bits: [3] },
            q: { direction: 'output', bits: [out] },
          },
          cells: {
            a: { type: 'NOR', connections: { A: [3], B: [4], Y: [5] } },
            b: { type: 'DFF', connections: { D: [5], CLK: [2], Q: [4] } },
          },
        },
      },
    }),
    'turner',
  );

const icarus = toolVersion('iverilog');
if (icarus === null) console.log('no Icarus on this machine: no netlist is simulated ("make rtl")');

describe.runIf(icarus !== null)('a netlist beside its source, under Icarus', () => {
  const unit = { name: 'turner', sources: ['turner.v'], bench: 'tb_turner.v' } as unknown as RtlUnit;
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'kneadsim-test-'));
    mkdirSync(join(folder, 'bench'));
    writeFileSync(join(folder, 'turner.v'), SOURCE);
    writeFileSync(join(folder, 'bench', 'tb_turner.v'), BENCH);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const run = (netlist: Netlist): ReturnType<typeof runGates> =>
    runGates({
      unit,
      parameters: { CYCLES },
      instance: 'dut',
      stimulus: '',
      netlist,
      flat: flatten(netlist),
      library,
      verilog: folder,
      folder,
    });

  it('has equal outputs, and as many transitions as cycles say', async () => {
    const netlist = turnerNetlist(4);
    const { cycles, lines, vcd } = await run(netlist);
    expect(cycles).toBe(CYCLES);
    expect(lines.map((line) => line.split(' ')[1])).toEqual([...'0101010101']);
    const turner = flatten(netlist);
    const { toggles, high } = countToggles(vcd, GATES, turner);
    const at = (name: string): number => turner.netOf('', name)!;
    expect(toggles[at('clk')]).toBe(2 * CYCLES);
    expect(toggles[at('q')]).toBe(CYCLES);
    expect(high[at('q')]).toBeCloseTo(0.5, 1);
    // The net between the gates turns with q, and once more as reset ends.
    expect(toggles[turner.cells[0].pins.get('Y')!]).toBeGreaterThanOrEqual(CYCLES);
    expect(toggles[turner.cells[0].pins.get('Y')!]).toBeLessThanOrEqual(CYCLES + 1);
  });

  it('that is another circuit is caught', async () => {
    await expect(run(turnerNetlist(5))).rejects.toThrow(/the netlist differs from its source \d+ times/);
  });

  it('whose bench ends in an error or that did not run is caught', () => {
    expect(() => judge('x', 'gates 3 0\nerror: cycle limit\n')).toThrow('x: error: cycle limit');
    expect(() => judge('x', '0 1\n')).toThrow('x: the netlist did not run');
    expect(judge('x', '0 1\ngates 1 0\n1 1\ngates 2 0\n')).toEqual({ cycles: 2, lines: ['0 1', '1 1'] });
  });
});
