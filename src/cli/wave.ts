/** `kneadsim wave`: the registers of a machine in a span of cycles of one layer, as a waveform for GTKWave or Surfer. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { PHASES, type Phase } from '../arch/machine.js';
import { machineKind } from '../arch/registry.js';
import { UserError } from '../errors.js';
import type { LayerReport, Report } from '../report/report.js';
import { selectLayers, simulate, type RunOptions } from '../simulate.js';
import { orderedPhases } from '../simulate/options.js';
import { phasesOfLayer } from '../simulate/select.js';
import { macCount } from '../tensor.js';
import { openTrace } from '../trace/open.js';
import type { Trace, TraceLayer } from '../trace/trace.js';
import { VERSION } from '../version.js';
import { Recorder, type Span } from '../wave/recorder.js';
import { RESERVED, scopeName } from '../wave/wave.js';
import type { Io } from './io.js';
import { addCodeOptions, repeated, wholeNumber } from './options.js';
import { failIfViolated, rehearseWrite } from './output.js';
import { LateBar } from './progress.js';
import { bundledTrace, LONG_STEP } from './simulation.js';
import { target } from './train.js';
import { writeWave } from './waveFile.js';
import { RtlWave } from './waveRtl.js';

interface WaveFlags extends Pick<
  RunOptions,
  'precision' | 'scale' | 'per' | 'minCode' | 'layer' | 'seed' | 'firstGradInput'
> {
  machine: string;
  phase: Phase;
  prune: number;
  cycles?: Span;
  tile?: number[] | 'all';
  set?: string[];
  out: string;
  rtl?: string | true;
}

const FIRST_CYCLES: Span = { from: 0, to: 200 };

export function waveCommand(io: Io): Command {
  const command = new Command('wave')
    .argument('[trace]', 'canonical trace (default: a recorded ResNet-8 that comes with kneadsim)')
    .description(
      'write the registers of a machine, cycle by cycle, as a waveform (VCD) for GTKWave or Surfer',
    )
    .option('--machine <name>', 'machine to look at', 'tetris')
    .option('--layer <name>', 'the layer; a glob that matches one (default: the first that has the phase)')
    .addOption(
      new Option('--phase <phase>', 'what the machine does with the layer')
        .choices(PHASES)
        .default('forward'),
    )
    .option(
      '--cycles <A:B>',
      'cycles A to B - 1 of the layer; A: is all from A on (default: 0:200, or what the layer has)',
      span,
    )
    .option(
      '--tile <list>',
      'tiles (of row machines: groups), by number and separated by commas, or all (default: 0)',
      tiles,
    )
    .requiredOption('--out <file>', 'the waveform, a .vcd')
    .option(
      '--rtl [file]',
      'machines with SAC PEs: the waveform of the Verilog too, run by Icarus Verilog with the same words and windows, and ' +
        'compared in every cycle (default: beside --out, as .rtl.vcd)',
    );
  return addCodeOptions(command, 'int16')
    .option(
      '--set <[machine.]name=value>',
      'parameter of the machine, see "kneadsim list"; repeat it',
      repeated,
    )
    .option('--prune <p>', 'target p of stochastic gradient pruning, in backward phases', target, 0.9)
    .option('--first-grad-input', 'let the first layer of the network have a gradInput too')
    .option('--seed <n>', 'seed of the draws of stochastic pruning (default: 1)', wholeNumber(0))
    .addHelpText(
      'after',
      `
One cycle lasts 1 ns; clk rises where it begins. Cycle 0 is the first of the layer: the first windows load in it, a dense
array takes its first brick. The whole layer runs and every value is checked, whatever part of it is written.

Scopes are tiles, units and lanes (row machines: groups and PEs; bit-serial ones: columns); signals have the names of
the registers. SAC machines show besides, per unit and lane: word, the word at the head of the throttle buffer, packed
{flush, pass, B x {sign, pointer, valid}} with column 0 in the lowest bits; wordValid; its marks flush and pass; accept,
1 in the cycle in which the lane consumes it. Per unit: outValid, outValue. x: nothing is there, or it is not known yet.

--rtl gives the Verilog of the tiles what the model was given and writes its registers under the same names. It runs from
cycle 0 on, at some ten cycles per second for 16 units of 16 lanes and thousands for 2 of 2.

Try:
  kneadsim wave --out wave.vcd && gtkwave wave.vcd
  kneadsim wave --layer layer2.0.conv2 --cycles 1000:1400 --precision int8 --set tiles=4 --tile all --out conv2.vcd
  kneadsim wave --set units=4 --set lanes=4 --cycles 0:100 --out wave.vcd --rtl
  kneadsim wave --machine masked --phase gradWeight --layer layer1.0.conv1 --out masked.vcd
  kneadsim wave traces/lenet5-fmnist-late-s01500.safetensors --machine sparsetrain --tile 0,1 --out rows.vcd`,
    )
    .action((file: string | undefined, flags: WaveFlags) => runWave(file, flags, io));
}

function span(text: string): Span {
  const match = /^(\d+):(\d*)$/.exec(text.trim());
  const from = Number(match?.[1]);
  const to = match?.[2] === '' ? Infinity : Number(match?.[2]);
  if (!(from < to) || from > MOST_CYCLES)
    throw new InvalidArgumentError('expected A:B with whole numbers A < B, such as 0:200, or A:.');
  return { from, to };
}

/** Cycles are counted in 32 bits. */
const MOST_CYCLES = 2 ** 32 - 1;

function tiles(text: string): number[] | 'all' {
  if (text === 'all') return 'all';
  const parts = text.split(',').map((part) => part.trim());
  if (parts.some((part) => !/^\d+$/.test(part)))
    throw new InvalidArgumentError('expected numbers from 0 on, separated by commas, or all.');
  return [...new Set(parts.map(Number))];
}

function runWave(file: string | undefined, flags: WaveFlags, io: Io): void {
  const { machine, phase, out, cycles, tile = [0], prune, set = [] } = flags;
  rehearseWrite(out);
  const rtl = flags.rtl === undefined ? null : new RtlWave(flags.rtl, out, machine, phase, cycles);
  const top = scopeName(machineKind(machine).name);
  const trace = openTrace(file ?? bundledTrace());
  try {
    const layer = chooseLayer(trace, flags);
    const recorder = new Recorder(cycles ?? FIRST_CYCLES, tile, top, RESERVED);
    const bar = new LateBar(io, macCount(layer.shape) > LONG_STEP);
    const backward = phase !== 'forward';
    let report: Report;
    try {
      report = simulate(trace, {
        ...flags,
        machines: [machine],
        settings: set,
        layer: layer.name,
        phases: orderedPhases([phase]),
        level: 'step',
        prune: backward ? prune : 0,
        probe: rtl?.watching(recorder) ?? recorder,
        progress: (done, total, label) => bar.update(done, total, label),
      });
    } finally {
      bar.stop();
    }
    const [row] = report.machines[0].layers;
    const to = endOf(row, cycles);
    const description = descriptionOf(report, row, recorder, to);
    const file = { version: `kneadsim ${VERSION}`, description, top, recorder, to };
    io.err(`${summary(out, writeWave(out, file), recorder, row, to)}\n`);
    failIfViolated(report, io);
    rtl?.write(file, io);
  } finally {
    trace.close();
  }
}

/** @throws UserError unless it is exactly one */
function chooseLayer(trace: Trace, flags: WaveFlags): TraceLayer {
  const { layer, phase } = flags;
  const found = selectLayers(trace, layer);
  if (layer === undefined)
    return found.find((each) => phasesOfLayer([phase], trace, each, flags).length > 0) ?? found[0];
  if (found.length > 1)
    throw new UserError(
      'several-layers',
      `--layer ${layer}: found ${found.length} layers (${found.map(({ name }) => name).join(', ')}), expected one; ` +
        'name it',
    );
  return found[0];
}

/**
 * The cycle after the last to write. A layer is over when its last output has left; one more cycle shows it at rest.
 * @throws UserError if cycles beyond that were asked for
 */
function endOf({ name, phase, cycles, pipelineCycles }: LayerReport, asked: Span | undefined): number {
  const end = cycles + pipelineCycles + 1;
  const { from, to } = asked ?? { ...FIRST_CYCLES, to: Math.min(end, FIRST_CYCLES.to) };
  if (from >= end || (to > end && to !== Infinity))
    throw new UserError(
      'no-cycle',
      `--cycles ${from}:${to === Infinity ? '' : to}: layer ${name}, ${phase}, has ${end} cycles (${cycles} of work, ` +
        `${pipelineCycles} of fill and drain, 1 at rest); choose some of 0:${end}`,
    );
  return Math.min(to, end);
}

function descriptionOf(
  report: Report,
  row: LayerReport,
  recorder: Recorder,
  to: number,
): Record<string, unknown> {
  const { tool, version, trace, traceHash, seed, verified } = report;
  const { precision, scale, per, minCode, prune, threshold, firstGradInput } = report.config;
  const { name, config } = report.machines[0];
  const { scope, recorded } = recorder.array!;
  return {
    tool,
    version,
    trace: trace.file,
    traceHash,
    network: trace.network,
    machine: name,
    config,
    layer: row.name,
    phase: row.phase,
    cycles: `${recorder.span.from}:${to}`,
    [`${scope}s`]: recorded,
    precision,
    scale,
    per,
    minCode,
    ...(row.phase === 'forward' ? {} : { prune, threshold, seed, firstGradInput }),
    verified,
  };
}

function summary(path: string, bytes: number, recorder: Recorder, row: LayerReport, to: number): string {
  const { scope, count, recorded } = recorder.array!;
  const number = (n: number): string => n.toLocaleString('en');
  const which =
    recorded.length === count
      ? `all ${number(count)} ${scope}s`
      : `${scope} ${recorded.join(', ')} of ${number(count)} (--tile all for all)`;
  return (
    `${path}: layer ${row.name}, ${row.phase}, cycles ${recorder.span.from}:${to} of ` +
    `${number(row.cycles + row.pipelineCycles + 1)}, ${which}, ${number(recorder.variables.length + RESERVED)} signals, ` +
    `${number(bytes)} bytes`
  );
}
