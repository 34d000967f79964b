/** The command line: its commands, and what becomes of their errors. */
import { Command, CommanderError } from 'commander';
import { KneadsimError } from '../errors.js';
import { VERSION } from '../version.js';
import { compareCommand } from './compare.js';
import { fuzzCommand } from './fuzz.js';
import type { Io } from './io.js';
import { kneadCommand } from './knead.js';
import { listCommand } from './list.js';
import { peCommand } from './pe.js';
import { recordCommand } from './record.js';
import { replayCommand } from './replay.js';
import { rtlCommand } from './rtl.js';
import { sweepCommand } from './sweep.js';
import { traceCommand } from './trace.js';
import { trainCommand } from './train.js';
import { waveCommand } from './wave.js';

/** Exit code of a bug, after sysexits. */
const INTERNAL_ERROR = 70;

/** Runs one command line. @returns 0 good, 1 user error, 2 verification failed, 70 a bug */
export async function run(args: readonly string[], io: Io): Promise<number> {
  try {
    await buildProgram(io).parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof KneadsimError) {
      io.err(`kneadsim: ${oneLine(error.message)}\n`);
      return error.exitCode;
    }
    // What commander has to say it has said already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 1;
    io.err(`kneadsim: internal error; please report it with this text\n${stackOf(error)}\n`);
    return INTERNAL_ERROR;
  }
}

function buildProgram(io: Io): Command {
  const program = new Command('kneadsim')
    .description(
      'Bit-level sparse accelerator simulator: kneaded, bit-serial and dense machines on real traces.',
    )
    .version(VERSION, '-V, --version', 'print the version')
    .addHelpText(
      'after',
      `
Exit codes: 0 good, 1 wrong input, 2 verification failed.

Try:
  kneadsim replay
  kneadsim compare --precision int8
  kneadsim train
  kneadsim knead --weights "3,-5,0,9"
  kneadsim wave --out wave.vcd
  kneadsim list`,
    )
    .addCommand(replayCommand(io))
    .addCommand(compareCommand(io))
    .addCommand(trainCommand(io))
    .addCommand(sweepCommand(io))
    .addCommand(kneadCommand(io))
    .addCommand(waveCommand(io))
    .addCommand(fuzzCommand(io))
    .addCommand(recordCommand(io))
    .addCommand(peCommand(io))
    .addCommand(rtlCommand(io))
    .addCommand(traceCommand())
    .addCommand(listCommand(io));
  adopt(program, io);
  return program;
}

/** Commands that were built on their own do not inherit these settings. */
function adopt(command: Command, io: Io): void {
  command
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: (text) => io.out(text),
      writeErr: (text) => io.err(text),
      outputError: (text, write) =>
        write(
          `kneadsim: ${oneLine(text.replace(/^error: /, '')).replace(/\.$/, '')}; see "${path(command)} --help"\n`,
        ),
    });
  for (const child of command.commands) adopt(child, io);
}

const path = (command: Command): string =>
  command.parent ? `${path(command.parent)} ${command.name()}` : command.name();

const oneLine = (text: string): string => text.trim().replace(/\s*[\r\n]+\s*/g, ' ');

const stackOf = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error);
