/**
 * The two ways in which a run may fail: the user's input is wrong (exit 1), or the simulation contradicted
 * its own checks (exit 2). Everything else is a bug and keeps its stack trace.
 */

/** Base of the errors that the command line prints as one line. `code` is stable, for scripts and tests. */
export class KneadsimError extends Error {
  constructor(
    readonly code: string,
    readonly exitCode: 1 | 2,
    message: string,
  ) {
    super(message);
    this.name = 'KneadsimError';
  }
}

/** Bad input: file, option or configuration. Exit code 1. */
export class UserError extends KneadsimError {
  constructor(code: string, message: string) {
    super(code, 1, message);
    this.name = 'UserError';
  }
}

/** A value, a counter or a conservation law did not hold. Exit code 2. */
export class VerificationError extends KneadsimError {
  constructor(code: string, message: string) {
    super(code, 2, message);
    this.name = 'VerificationError';
  }
}

/** What a message about a bad file must name. */
export interface BadInput {
  /** Path of the file or folder, as the user wrote it. */
  file: string;
  /** Where in the file: a tensor, a line, an offset. Empty when the whole file is meant. */
  place?: string;
  found: string;
  expected: string;
  remedy: string;
}

/** One line that names the file, the place, what was found, what was expected, and a remedy. */
export function badInput(code: string, input: BadInput): UserError {
  const where = input.place ? `${input.file}: ${input.place}` : input.file;
  return new UserError(
    code,
    `${where}: found ${input.found}, expected ${input.expected}; ${input.remedy}`.replace(/[\r\n]+/g, ' '),
  );
}
