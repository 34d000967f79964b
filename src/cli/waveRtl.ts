/**
 * `kneadsim wave --rtl`: the waveform of the Verilog twin beside that of the model, and whether they agree. Only SAC PEs
 * have a twin that can be driven with the words and windows of a whole layer.
 */
import type { MachineKind, Phase } from '../arch/machine.js';
import { machineKind, MACHINES } from '../arch/registry.js';
import { UserError, VerificationError } from '../errors.js';
import { requireSimulator } from '../rtl/simulator.js';
import { compareWaves } from '../rtl/wave/compare.js';
import { TwinProbe } from '../rtl/wave/twins.js';
import type { Recorder, Span } from '../wave/recorder.js';
import type { WaveFile } from '../wave/wave.js';
import type { Io } from './io.js';
import { rehearseWrite } from './output.js';
import { LateBar } from './progress.js';
import { writeWave } from './waveFile.js';

/** Icarus runs ten of them per second where arrays are large. */
const MOST_CYCLES = 100_000;

export class RtlWave {
  private readonly path: string;
  private readonly version: string;
  private probe: TwinProbe | null = null;

  /** @throws UserError if the machine has no twin, if there is no simulator, or if the file cannot be written */
  constructor(rtl: string | true, out: string, machine: string, phase: Phase, cycles: Span | undefined) {
    const kind = machineKind(machine);
    if (kind.phases.includes(phase) && !hasSacPes(kind, phase))
      throw new UserError(
        'no-twin',
        `--rtl: found machine ${kind.name}, ${phase}, which has no SAC PEs; expected one of ${withSacPes(phase)}`,
      );
    if (cycles && Number.isFinite(cycles.to) && cycles.to > MOST_CYCLES) throw tooLong(cycles.to);
    this.path = rtl === true ? `${out.replace(/\.vcd$/i, '')}.rtl.vcd` : rtl;
    if (this.path === out)
      throw new UserError('same-file', `--rtl ${out}: found the file of --out, expected another one`);
    this.version = requireSimulator('icarus');
    rehearseWrite(this.path);
  }

  /** The probe that the model runs with. */
  watching(recorder: Recorder): TwinProbe {
    return (this.probe = new TwinProbe(recorder, Math.min(recorder.span.to, MOST_CYCLES)));
  }

  /**
   * Runs the Verilog, writes its wave and compares.
   * @param model the file of the model
   * @throws VerificationError naming the first values that differ, after the file is written
   */
  write(model: WaveFile, io: Io): void {
    const { path, probe, version } = this;
    const { top, to } = model;
    if (to > MOST_CYCLES) throw tooLong(to);
    const bar = new LateBar(io, true);
    const rtl = probe!.run(top, to, (done, total, label) => bar.update(done, total, label));
    bar.stop();
    const bytes = writeWave(path, {
      ...model,
      description: { ...model.description, rtl: `src/rtl/verilog/sac_pe.v under ${version}` },
      recorder: rtl,
    });
    const { signals, equal, differences } = compareWaves(model.recorder, rtl, to);
    const number = (n: number): string => n.toLocaleString('en');
    io.err(
      `${path}: the Verilog under ${version}, ${number(signals)} signals, ${number(bytes)} bytes; ` +
        `${number(equal)} values equal those of the model, ${differences.length === 0 ? 'none differs' : 'some differ'}\n`,
    );
    if (differences.length === 0) return;
    for (const difference of differences) io.err(`kneadsim: ${difference}\n`);
    throw new VerificationError('rtl-differs', 'the waveforms of model and Verilog differ');
  }
}

const hasSacPes = (kind: MachineKind, phase: Phase): boolean =>
  ['sac', 'maskedSac'].includes(kind.units(phase));

const withSacPes = (phase: Phase): string =>
  MACHINES.filter((kind) => kind.phases.includes(phase) && hasSacPes(kind, phase))
    .map(({ name }) => name)
    .join(', ');

const tooLong = (to: number): UserError =>
  new UserError(
    'rtl-cycles',
    `--cycles, with --rtl: found an end of ${to}, expected at most ${MOST_CYCLES}: the Verilog runs from cycle 0 on`,
  );
