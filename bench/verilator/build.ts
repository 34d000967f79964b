/**
 * Builds src/rtl/verilog/sac_pe.v with Verilator and sacPe.cpp, for one set of widths, and runs it on packed work. Always
 * `-O3 --threads 1 --x-assign fast --x-initial fast --noassert` and `-march=native`; then the fastest of what was tried
 * with Verilator 5.006 and GCC 12, which depends on the width:
 *
 *   1 lane    modules inlined as Verilator likes, OPT_FAST -O3. As functions (--inline-mult 1 or 100) int8 gains 3 % at
 *             most and int16 loses 20 %; with -Os or -O2 instead they lose up to 65 %.
 *   16 lanes  modules as functions (--inline-mult 1), OPT_FAST -Os: 1.4 times the speed of -O3 with inlining at int8, 1.13
 *             times that of -O3 with functions at int16. --output-split-cfuncs 200 halves the time of the build only.
 *
 * No gain at one lane from link-time optimisation, a profile of the run (-fprofile-use), -Ofast, --flatten, --inline-mult
 * 100000, --unroll-count 1000, or one file instead of several.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { kneadedWordBits } from '../../src/bit/knead.js';
import { toolVersion, VERILOG_FOLDER } from '../../src/rtl/simulator.js';

export interface PeSizes {
  units: number;
  lanes: number;
  magnitudeBits: number;
  activationBits: number;
  kneadingStride: number;
  windowSlots: number;
  throttleWords: number;
  /** No more than the sums of the work need. */
  segmentBits: number;
}

export interface ModelRun {
  /** From reset to the last output. */
  cycles: number;
  /** CPU seconds of a run, and of its feeding alone. */
  seconds: number;
  feeding: number;
}

export interface Model {
  run(rounds: number): ModelRun;
  /** Outputs by unit. */
  readonly values: Float64Array;
  close(): void;
}

const SOURCES = [
  ...['sac_pe', 'sac_unit', 'splitter', 'segment_adder', 'rear_tree'],
  ...['throttle_buffer', 'activation_window', 'window_reader'],
];
const DRIVER = fileURLToPath(new URL('sacPe.cpp', import.meta.url));

/** Version of Verilator, null where there is none. */
export const verilatorVersion = (): string | null => toolVersion('verilator');

export function buildModel(sizes: PeSizes, work: Uint32Array): Model {
  const folder = mkdtempSync(join(tmpdir(), 'kneadsim-verilator-'));
  const close = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    verilate(sizes, folder);
    const program = join(folder, 'sac_pe');
    const stimulus = join(folder, 'stimulus');
    const outputs = join(folder, 'outputs');
    writeFileSync(stimulus, work);
    const run = (rounds: number): ModelRun => {
      const line = execFileSync(program, [stimulus, String(rounds), outputs], { encoding: 'utf8' });
      const [cycles, seconds, feeding] = line.trim().split(' ').map(Number);
      return { cycles, seconds, feeding };
    };
    run(1);
    const { buffer } = Uint8Array.from(readFileSync(outputs));
    return { run, close, values: Float64Array.from(new BigInt64Array(buffer), Number) };
  } catch (error) {
    close();
    throw error;
  }
}

function verilate(s: PeSizes, folder: string): void {
  const wide = s.lanes > 1;
  const wordBits = kneadedWordBits(s.magnitudeBits, s.kneadingStride);
  const widths = {
    SAC_UNITS: s.units,
    SAC_LANES: s.lanes,
    SAC_WORD_BITS: wordBits,
    SAC_WINDOW_BITS: s.kneadingStride * (s.activationBits + 1),
    SAC_SUM_BITS: s.segmentBits + s.magnitudeBits,
  };
  const parameters = {
    UNITS: s.units,
    LANES: s.lanes,
    MAGNITUDE_BITS: s.magnitudeBits,
    ACTIVATION_BITS: s.activationBits,
    KNEADING_STRIDE: s.kneadingStride,
    WINDOW_SLOTS: s.windowSlots,
    THROTTLE_WORDS: s.throttleWords,
    SEGMENT_BITS: s.segmentBits,
  };
  const defines = Object.entries(widths).map(([name, value]) => `-D${name}=${value}`);
  const given = [
    ...['--cc', '--exe', '--build', '-j', String(availableParallelism())],
    ...['-O3', '--threads', '1', '--x-assign', 'fast', '--x-initial', 'fast', '--noassert', '-Wno-fatal'],
    ...(wide ? ['--inline-mult', '1', '--output-split-cfuncs', '200'] : []),
    ...['--top-module', 'sac_pe', '--prefix', 'Vsac_pe', '--Mdir', folder, '-o', 'sac_pe'],
    ...Object.entries(parameters).map(([name, value]) => `-G${name}=${value}`),
    // OPT_SLOW is for what runs once, at the start.
    ...['-MAKEFLAGS', `OPT_FAST=${wide ? '-Os' : '-O3'}\\ -march=native OPT_SLOW=-O0`],
    ...['-CFLAGS', ['-march=native', '-std=c++17', ...defines].join(' ')],
    ...SOURCES.map((name) => join(VERILOG_FOLDER, `${name}.v`)),
    DRIVER,
  ];
  const { status, stdout, stderr, error } = spawnSync('verilator', given, {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  if (error) throw error;
  if (status !== 0) throw new Error(`verilator ended with ${status}:\n${(stdout + stderr).slice(-2000)}`);
}
