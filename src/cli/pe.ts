/** `kneadsim pe`: steps one hardware unit alone through a stimulus file, so that others can hold their own model to it. */
import { Command } from 'commander';
import { badInput } from '../errors.js';
import { readTextInput } from '../files.js';
import { UNITS, unitOf } from '../rtl/units.js';
import { VERSION } from '../version.js';
import type { Io } from './io.js';

interface PeFlags {
  stimulus: string;
  registers?: boolean;
  json?: true;
}

/** A stimulus of 16 x 16 and thousands of words has some MB. */
const MOST_BYTES = 256 * 2 ** 20;

export function peCommand(io: Io): Command {
  const units = UNITS.map(({ name, summary }) => `  ${name.padEnd(8)} ${summary}`).join('\n');
  return new Command('pe')
    .description('step one unit alone through a stimulus file, one line per cycle')
    .argument('<unit>', UNITS.map(({ name }) => name).join(', '))
    .requiredOption('--stimulus <file>', 'stimulus (JSON)')
    .option('--registers', 'the registers that co-simulation compares too, after a |')
    .option('--json', 'the lines as JSON')
    .addHelpText(
      'after',
      `
Units:
${units}

Forms of the stimulus files, and what the lines say: src/rtl/STIMULUS.md.

Try:
  kneadsim pe sac --stimulus src/rtl/examples/sac.json
  kneadsim pe row --stimulus src/rtl/examples/row.json --registers
  kneadsim pe kneader --stimulus src/rtl/examples/kneader.json --json`,
    )
    .action((name: string, flags: PeFlags) => runPe(name, flags, io));
}

function runPe(name: string, { stimulus: file, registers = false, json }: PeFlags, io: Io): void {
  const unit = unitOf(name);
  const stimulus = unit.parse(parsed(readTextInput(file, MOST_BYTES), file), file);
  const lines = unit.trace(stimulus, registers);
  if (json)
    io.out(`${JSON.stringify({ tool: 'kneadsim', version: VERSION, unit: unit.name, lines }, null, 2)}\n`);
  else if (lines.length > 0) io.out(`${lines.join('\n')}\n`);
}

function parsed(text: string, file: string): unknown {
  const fault = (found: string, why: string): Error =>
    badInput('bad-stimulus', {
      file,
      found,
      expected: 'a stimulus in JSON',
      remedy: `${why}; see src/rtl/STIMULUS.md for the form of this file`,
    });
  if (text.trim() === '') throw fault('an empty file', 'write one');
  try {
    return JSON.parse(text);
  } catch (error) {
    throw fault('text that is not JSON', (error as Error).message);
  }
}
