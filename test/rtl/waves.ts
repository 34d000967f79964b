/** Layers whose waves of model and Verilog are held against each other, on small arrays of all sorts. */
import type { LayerWork, Machine } from '../../src/arch/machine.js';
import { machineKind } from '../../src/arch/registry.js';
import { TwinProbe } from '../../src/rtl/wave/twins.js';
import { Recorder, type Span } from '../../src/wave/recorder.js';
import { RESERVED, waveText, type WaveSource } from '../../src/wave/wave.js';
import { configured, conv, layer, pad } from '../support/layers.js';

export const TOP = 'top';

export interface WaveCase {
  name: string;
  machine: () => Machine;
  work: () => LayerWork;
  span: Span;
}

const ARRAY = { tiles: 2, units: 2, lanes: 2, kneadingStride: 4, windowSlots: 2 };
/** Three blocks of filters, of which the last leaves units and a tile without work; padding, so that kinds differ. */
const SHAPE = conv({
  channels: 3,
  height: 4,
  width: 4,
  filters: 5,
  kernelHeight: 3,
  kernelWidth: 2,
  ...pad(1),
});

const waveCase = (
  machine: string,
  settings: Record<string, number | string>,
  span: Span,
  of: {
    phase?: 'forward' | 'gradInput' | 'gradWeight';
    precision?: 'int8' | 'int16';
    shape?: typeof SHAPE;
  } = {},
): WaveCase => ({
  name: `${machine} ${JSON.stringify(settings)}${of.phase ? `, ${of.phase}` : ''}, cycles ${span.from}:${span.to}`,
  machine: () => configured(machineKind(machine), { ...ARRAY, ...settings }),
  work: () =>
    layer(of.shape ?? SHAPE, of.precision ?? 'int8', { seed: 5, ...(of.phase ? { phase: of.phase } : {}) }),
  span,
});

export const WAVE_CASES: WaveCase[] = [
  waveCase('tetris', {}, { from: 0, to: 150 }),
  waveCase('tetris', { sync: 'barrier', throttleWords: 0, windowSlots: 1 }, { from: 30, to: 120 }),
  waveCase(
    'tetris',
    { units: 4, lanes: 4, windowSlots: 3, throttleWords: 1, windowLoadCycles: 2, tileBy: 'positions' },
    { from: 0, to: 120 },
    { precision: 'int16' },
  ),
  // One lane of four has items.
  waveCase(
    'tetris',
    { lanes: 4, units: 3 },
    { from: 0, to: 60 },
    {
      shape: conv({ channels: 1, height: 3, width: 5, filters: 7 }),
    },
  ),
  waveCase('hybrid', { sync: 'barrier' }, { from: 5, to: 80 }),
  waveCase('masked', { throttleWords: 2 }, { from: 0, to: 120 }, { phase: 'gradInput' }),
  waveCase('masked', { throttleWords: 0, units: 3 }, { from: 20, to: 90 }, { phase: 'gradWeight' }),
];

export interface Twins {
  recorder: Recorder;
  probe: TwinProbe;
  /** Cycle after the last. */
  to: number;
}

/** Runs the model, watched and taken down. */
export function watched({ machine, work, span }: WaveCase): Twins {
  const recorder = new Recorder(span, 'all', TOP, RESERVED);
  const probe = new TwinProbe(recorder, span.to);
  const { counters } = machine().step(work(), probe);
  return { recorder, probe, to: Math.min(span.to, counters.cycles + counters.pipelineCycles + 1) };
}

export const rtlOf = ({ probe, to }: Twins): WaveSource => probe.run(TOP, to, () => undefined);

export const textOf = (recorder: WaveSource, to: number): string =>
  [...waveText({ version: 'test', description: {}, top: TOP, recorder, to })].join('');
