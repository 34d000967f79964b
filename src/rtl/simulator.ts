/**
 * HDL simulators as they are found on the machine: Icarus Verilog and Verilator. A bench is compiled once for each set of
 * parameters, and run once for each stimulus.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError, VerificationError } from '../errors.js';
import type { RtlUnit, VerilogParameters } from './unit.js';

export const SIMULATORS = ['icarus', 'verilator'] as const;
export type SimulatorName = (typeof SIMULATORS)[number];

/** Where our Verilog lies, whether this file runs from src or from dist. */
export const VERILOG_FOLDER = fileURLToPath(new URL('../../src/rtl/verilog', import.meta.url));

/** Longest that one compilation or one run may take, in ms. */
const PATIENCE = 600_000;
/** Most that one run may print, in bytes. */
const MOST_OUTPUT = 1 << 28;

const VERSION_FLAGS = { iverilog: '-V', verilator: '--version', yosys: '-V', sta: '-version' } as const;

/** @returns first line of what the tool says of its version, null if it is not there */
export function toolVersion(tool: keyof typeof VERSION_FLAGS): string | null {
  const { status, stdout } = spawnSync(tool, [VERSION_FLAGS[tool]], { encoding: 'utf8', timeout: PATIENCE });
  return status === 0 ? stdout.split('\n')[0].trim() : null;
}

export const simulatorVersion = (name: SimulatorName): string | null =>
  name === 'icarus' ? toolVersion('iverilog') : toolVersion('verilator');

/** @throws UserError with the way to install it */
export function requireSimulator(name: SimulatorName): string {
  const version = simulatorVersion(name);
  if (version !== null) return version;
  throw new UserError(
    'no-simulator',
    `${name}: no such simulator on this machine; install it with "make rtl" in the repository, or ` +
      `"apt-get install ${name === 'icarus' ? 'iverilog' : 'verilator'}"`,
  );
}

export interface Simulator {
  readonly name: SimulatorName;
  readonly version: string;
  /**
   * Lines that the unit's bench prints.
   * @throws VerificationError if the bench cannot be compiled, or ends with an error
   */
  run(unit: RtlUnit, parameters: VerilogParameters, stimulus: string, registers: boolean): string[];
  /** Removes everything that it made. */
  close(): void;
}

/**
 * What the bench of a unit dumps of it, as a VCD file's text: registers and ports in each cycle from `from` on.
 * @throws UserError without Icarus; VerificationError if the bench cannot be compiled or run
 */
export function waveformUnderIcarus(
  unit: RtlUnit,
  parameters: VerilogParameters,
  files: { stimulus: string; control: string; from: number },
): string {
  requireSimulator('icarus');
  const folder = mkdtempSync(join(tmpdir(), 'kneadsim-wave-'));
  const path = (name: string): string => join(folder, name);
  try {
    const program = compile('icarus', unit, parameters, VERILOG_FOLDER, path('build'), ['-DWAVE']);
    writeFileSync(path('stimulus'), files.stimulus);
    writeFileSync(path('control'), files.control);
    execute('vvp', [
      ...['-n', program, `+stimulus=${path('stimulus')}`, `+control=${path('control')}`],
      ...[`+vcd=${path('wave.vcd')}`, `+from=${files.from}`],
    ]);
    return readFileSync(path('wave.vcd'), 'utf8');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export interface SimulatorOptions {
  /** Folder with the sources; ours by default, another one to try changed sources. */
  verilog?: string;
}

/** @throws UserError if it is not on this machine */
export function openSimulator(name: SimulatorName, options: SimulatorOptions = {}): Simulator {
  const version = requireSimulator(name);
  const verilog = options.verilog ?? VERILOG_FOLDER;
  const folder = mkdtempSync(join(tmpdir(), 'kneadsim-rtl-'));
  const compiled = new Map<string, string>();
  return {
    name,
    version,
    run(unit, parameters, stimulus, registers) {
      const key = `${unit.name} ${JSON.stringify(parameters)}`;
      let program = compiled.get(key);
      if (program === undefined) {
        program = compile(name, unit, parameters, verilog, join(folder, String(compiled.size)));
        compiled.set(key, program);
      }
      const file = join(folder, 'stimulus.txt');
      writeFileSync(file, stimulus);
      const flags = [`+stimulus=${file}`, ...(registers ? ['+registers'] : [])];
      const [command, args] = name === 'icarus' ? ['vvp', ['-n', program, ...flags]] : [program, flags];
      return linesOf(execute(command, args));
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** @returns what it printed */
function execute(command: string, args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    timeout: PATIENCE,
    maxBuffer: MOST_OUTPUT,
  });
  if (!error && status === 0) return stdout;
  const why = stderr || (error ? String(error) : `exit code ${status}`);
  throw new VerificationError('rtl-run', `${basename(command)} failed: ${why.split('\n')[0]}`);
}

/** What a bench prints, without what a simulator adds of its own. */
const linesOf = (text: string): string[] =>
  text.split('\n').filter((line) => line !== '' && !/^- .*\$finish$|\$finish called at/.test(line));

function compile(
  name: SimulatorName,
  unit: RtlUnit,
  parameters: VerilogParameters,
  verilog: string,
  folder: string,
  defines: string[] = [],
): string {
  mkdirSync(folder);
  const files = [join('bench', unit.bench), ...unit.sources].map((file) => join(verilog, file));
  const top = basename(unit.bench, '.v');
  const entries = Object.entries(parameters);
  try {
    if (name === 'icarus') {
      const program = join(folder, 'bench.vvp');
      const sets = entries.map(([key, value]) => `-P${top}.${key}=${value}`);
      execFileSync('iverilog', ['-g2005', ...defines, '-s', top, ...sets, '-o', program, ...files], {
        timeout: PATIENCE,
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      return program;
    }
    const sets = entries.map(([key, value]) => `-G${key}=${value}`);
    // A bench runs for milliseconds: to compile it takes far longer, so nothing is optimised.
    const fast = ['-MAKEFLAGS', 'OPT_GLOBAL=-O0 OPT_FAST=-O0 OPT_SLOW=-O0'];
    const flags = ['--binary', '--timing', '-Wno-fatal', '-Wno-lint', '-Wno-style', '-j', '1', ...fast];
    execFileSync(
      'verilator',
      [...flags, '--top-module', top, '--Mdir', folder, '-o', 'bench', ...sets, ...files],
      { timeout: PATIENCE, stdio: ['ignore', 'ignore', 'pipe'] },
    );
    return join(folder, 'bench');
  } catch (error) {
    const { stderr } = error as { stderr?: Buffer };
    const text = (stderr?.toString() ?? String(error)).split('\n').slice(0, 5).join(' ');
    throw new VerificationError('rtl-compile', `${unit.bench} does not compile under ${name}: ${text}`);
  }
}
