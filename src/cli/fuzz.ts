/** `kneadsim fuzz`: random configurations and data through step, count and the dense reference. */
import { Command } from 'commander';
import { MACHINES, machineKind } from '../arch/registry.js';
import { VerificationError } from '../errors.js';
import type { FuzzResult } from '../fuzz.js';
import type { Io } from './io.js';
import { names, wholeNumber } from './options.js';
import { LateBar } from './progress.js';

interface FuzzFlags {
  machine?: string[];
  runs: number;
  seed?: number;
  path?: string;
  json?: true;
}

export function fuzzCommand(io: Io): Command {
  return new Command('fuzz')
    .description('random configurations and data through step, count and the dense reference')
    .option('--machine <name>', 'machine to test; repeat it, or separate by commas (default: all)', names)
    .option('--runs <n>', 'cases in all', wholeNumber(1), 200)
    .option(
      '--seed <n>',
      'seed of the cases (default: from the clock, and printed)',
      wholeNumber(0, 2 ** 31 - 1),
    )
    .option('--path <path>', 'only the case with this path, as a failure prints it')
    .option('--json', 'the result as JSON')
    .addHelpText(
      'after',
      `
On failure prints the smallest case found and the command that replays it, and exits with 2.

Try:
  kneadsim fuzz
  kneadsim fuzz --machine tetris --runs 1000 --seed 42`,
    )
    .action((flags: FuzzFlags) => runFuzz(flags, io));
}

async function runFuzz({ machine, runs, seed, path, json }: FuzzFlags, io: Io): Promise<void> {
  const machines = machine ?? MACHINES.map(({ name }) => name);
  for (const name of machines) machineKind(name);
  // The generators take a while to load, which the other commands need not pay.
  const { fuzz } = await import('../fuzz.js');
  const bar = new LateBar(io);
  let result: FuzzResult;
  try {
    result = fuzz({
      machines,
      runs,
      seed: seed ?? Date.now() % 2 ** 31,
      ...(path === undefined ? {} : { path }),
      progress: (done, total) => bar.update(done, total, 'cases'),
    });
  } finally {
    bar.stop();
  }
  const { failure } = result;
  const replay = failure && replayCommand(machines, result, failure.path);
  if (json) io.out(`${JSON.stringify({ ...result, machines, replay }, null, 2)}\n`);
  else if (failure)
    io.out(
      `${failure.machine}: ${failure.message}\n` +
        `smallest case found:\n${JSON.stringify(failure.counterexample, null, 2)}\n` +
        `replay it with:\n  ${replay}\n`,
    );
  else
    io.out(
      `${machines.join(', ')}: ${result.runs} runs with seed ${result.seed}; step, count and the dense reference agree\n`,
    );
  if (failure)
    throw new VerificationError(
      'fuzz',
      `${failure.machine} failed under seed ${result.seed}; replay: ${replay}`,
    );
}

/** Names all machines: which one a case is for is drawn with the case, so fewer of them would be other cases. */
const replayCommand = (machines: readonly string[], { runs, seed }: FuzzResult, path: string): string =>
  `kneadsim fuzz --machine ${machines.join(',')} --seed ${seed} --runs ${runs} --path ${path}`;
