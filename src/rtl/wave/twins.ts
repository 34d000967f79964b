/**
 * The Verilog twins of the SAC PEs that a probe watches: what each is given is taken down while the model runs; afterwards
 * the same goes to the Verilog, and its waveform is held against the model's.
 */
import type { Probe, Sample, Signals } from '../../sim/probe.js';
import type { SacPe } from '../../sim/sacPe.js';
import type { Recorder } from '../../wave/recorder.js';
import type { WaveSource } from '../../wave/wave.js';
import { SacCapture } from './capture.js';
import { rtlWave } from './twin.js';

export class TwinProbe implements Probe {
  private readonly captured: { path: readonly string[]; capture: SacCapture }[] = [];

  /** @param cycles that the Verilog may run at most */
  constructor(
    private readonly recorder: Recorder,
    private readonly cycles: number,
  ) {}

  /** Twins that can be run. */
  get count(): number {
    return this.captured.length;
  }

  places(scope: 'tile' | 'group', count: number): (place: number) => boolean {
    return this.recorder.places(scope, count);
  }

  component(path: readonly string[], signals: readonly Signals[], refresh?: () => void): Sample {
    return this.recorder.component(path, signals, refresh);
  }

  sac(path: readonly string[], pe: SacPe): void {
    this.captured.push({ path, capture: new SacCapture(pe, this.cycles) });
  }

  /**
   * Runs the Verilog of each, after the model's run.
   * @param top scope of everything
   * @param to cycle after the last
   * @param progress called before each, and at the end with done = total
   * @throws VerificationError if the Verilog does not run
   */
  run(top: string, to: number, progress: (done: number, total: number, label: string) => void): WaveSource {
    const span = { from: this.recorder.span.from, to };
    const { captured } = this;
    const waves = captured.map(({ path, capture }, t) => {
      progress(t, captured.length, `${path.join('.')} under Icarus Verilog`);
      capture.finish();
      return rtlWave(capture, [top, ...path], this.recorder.variables, span);
    });
    progress(captured.length, captured.length, 'compared');
    return joined(waves, span);
  }
}

/** Several waves of the same cycles as one. */
const joined = (waves: readonly WaveSource[], span: { from: number; to: number }): WaveSource => ({
  span,
  variables: waves.flatMap(({ variables }) => variables),
  initial: () => waves.map((wave) => wave.initial()).join(''),
  *changesByCycle(to) {
    const changes = waves.map((wave) => wave.changesByCycle(to));
    for (let cycle = span.from + 1; cycle < to; cycle++)
      yield [cycle, changes.map((each) => (each.next().value as [number, string])[1]).join('')];
  },
});
