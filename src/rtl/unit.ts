/**
 * A hardware unit that exists twice: clocked in TypeScript (`sim/`) and in Verilog (`rtl/verilog`). One stimulus
 * drives both; each prints one line per cycle, sampled before the clock edge, and the lines must be identical.
 * One file per unit in `rtl/units/`; the registry is `rtl/units.ts`.
 */
import type { Random } from '../random.js';

/** Hardware parameters of a bench, by Verilog parameter name. */
export type VerilogParameters = Readonly<Record<string, number>>;

/** Fields of a stimulus that say how the hardware is built. */
export type Hardware = Readonly<Record<string, number | string>>;

export interface RtlUnit<Stimulus = unknown> {
  /** Name on the command line; `aliases` are taken too. */
  name: string;
  aliases: readonly string[];
  summary: string;
  /** Files of rtl/verilog that the unit is made of, its own module first. */
  sources: readonly string[];
  /** File of rtl/verilog whose one module (of the file's name) reads a stimulus and prints lines. */
  bench: string;
  /**
   * Checks what a user wrote.
   * @param json the parsed content of `file`
   * @throws UserError naming the file, the place, what was found, what was expected and a remedy
   */
  parse(json: unknown, file: string): Stimulus;
  /**
   * Hardware of random size, from 1 to 4 in every width, and random work with random back-pressure.
   * @param run number in a series of runs, from 0; a long series goes through all widths, whatever is drawn
   * @param hardware fields of the stimulus that are given
   */
  random(random: Random, run: number, hardware?: Hardware): Stimulus;
  /** Parameters of the bench. Benches of equal parameters are compiled once. */
  parameters(stimulus: Stimulus): VerilogParameters;
  /** What the bench reads from the file named by +stimulus=; the bench's head says in which form. */
  pack(stimulus: Stimulus): string;
  /**
   * Steps the TypeScript model alone.
   * @param registers lines go on with the registers that co-simulation compares too, after a `|`
   * @throws UserError if the stimulus cannot end: the model waits for what never comes
   */
  trace(stimulus: Stimulus, registers: boolean): string[];
}
