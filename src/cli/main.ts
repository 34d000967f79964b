#!/usr/bin/env node
/** The program: arguments in, exit code out. Everything else is in `program.ts` and the library. */
import { processIo } from './io.js';
import { run } from './program.js';

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // A reader that has seen enough (`| head`) is no error; a full disk is.
  if (error.code === 'EPIPE') process.exit();
  process.stderr.write(`kneadsim: stdout cannot be written (${error.code}); check where it goes\n`);
  process.exit(1);
});

// The code is set, not passed to exit(): a pipe may not have taken all of stdout yet.
process.exitCode = await run(process.argv.slice(2), processIo());
