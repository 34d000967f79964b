/**
 * The waveform of a recorded run as a VCD file. One cycle lasts 1 ns, ten units of time: `clk` rises where the cycle
 * begins, where registers show what they hold in it, and falls in its middle. Cycle 0 is the machine's first: windows
 * load in it where there are any, a dense array takes its first brick.
 */
import { binary, header, identifier, valueChange, type VcdVariable } from './vcd.js';

const UNITS_PER_CYCLE = 10;
const TIMESCALE = '100 ps';

const CLK = 0;
const CYCLE = 1;
/** Variables that a file has beside the recorded ones. */
export const RESERVED = 2;
const CYCLE_BITS = 32;

/** Where the values come from: a recording of the model, or of something with the same signals. */
export interface WaveSource {
  readonly span: { from: number };
  readonly variables: readonly VcdVariable[];
  initial(): string;
  changesByCycle(to: number): Generator<[cycle: number, text: string]>;
}

export interface WaveFile {
  /** Name and version of the program. */
  version: string;
  /** What the wave is of, enough to make it again. */
  description: Record<string, unknown>;
  top: string;
  recorder: WaveSource;
  /** Cycle after the last. */
  to: number;
}

/** Scopes have letters, digits and underscores. */
export const scopeName = (text: string): string => text.replace(/\W/g, '_');

/** The file, piece by piece. */
export function* waveText({ version, description, top, recorder, to }: WaveFile): Generator<string> {
  const own: VcdVariable[] = [
    { scope: [top], name: 'clk', type: 'wire', bits: 1, id: identifier(CLK) },
    { scope: [top], name: 'cycle', type: 'wire', bits: CYCLE_BITS, id: identifier(CYCLE) },
  ];
  const clk = (value: string): string => valueChange(value, 1, identifier(CLK));
  const cycleIs = (cycle: number): string =>
    valueChange(binary(cycle, CYCLE_BITS, false)!, CYCLE_BITS, identifier(CYCLE));
  const at = (time: number): string => `#${time}\n`;
  const fall = (cycle: number): string => at(UNITS_PER_CYCLE * cycle + UNITS_PER_CYCLE / 2) + clk('0');
  yield* header({
    version,
    comment: JSON.stringify(description, null, 1),
    timescale: TIMESCALE,
    variables: [...own, ...recorder.variables],
  });
  const { from } = recorder.span;
  yield at(UNITS_PER_CYCLE * from);
  yield `$dumpvars\n${clk('1')}${cycleIs(from)}${recorder.initial()}$end\n`;
  yield fall(from);
  for (const [cycle, text] of recorder.changesByCycle(to))
    yield at(UNITS_PER_CYCLE * cycle) + clk('1') + cycleIs(cycle) + text + fall(cycle);
  yield at(UNITS_PER_CYCLE * to);
}
