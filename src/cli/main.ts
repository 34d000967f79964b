#!/usr/bin/env node
/** The program: arguments in, exit code out. Everything else is in `program.ts` and the library. */
import { processIo } from './io.js';
import { run } from './program.js';

// A reader that has seen enough (`| head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

// The code is set, not passed to exit(): a pipe may not have taken all of stdout yet.
process.exitCode = await run(process.argv.slice(2), processIo());
