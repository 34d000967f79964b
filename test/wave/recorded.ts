/** Runs a layer on a machine with a recorder, and reads the wave back. */
import type { LayerWork, Machine, StepResult } from '../../src/arch/machine.js';
import { Recorder, type Span } from '../../src/wave/recorder.js';
import { RESERVED, waveText } from '../../src/wave/wave.js';
import { Wave } from './parseVcd.js';

export const TOP = 'top';

export const textOf = (recorder: Recorder, to: number): string =>
  [...waveText({ version: 'test', description: {}, top: TOP, recorder, to })].join('');

export interface Recorded {
  result: StepResult;
  text: string;
  wave: Wave;
  recorder: Recorder;
  /** Cycles of the layer, the one at rest included. */
  end: number;
}

export function recorded(
  machine: Machine,
  work: LayerWork,
  span: Span = { from: 0, to: Infinity },
  tiles: number[] | 'all' = 'all',
): Recorded {
  const recorder = new Recorder(span, tiles, TOP, RESERVED);
  const result = machine.step(work, recorder);
  const end = result.counters.cycles + result.counters.pipelineCycles + 1;
  const text = textOf(recorder, Math.min(span.to, end));
  return { result, text, wave: new Wave(text, TOP), recorder, end };
}

/** Cycles of a wave. */
export const cyclesOf = ({ from, to }: Wave): number[] =>
  Array.from({ length: to - from }, (_, i) => from + i);
