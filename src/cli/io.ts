/** Where the commands talk to: data goes out, everything else goes to err. Tests put their own in its place. */

export interface Io {
  /** Data: stdout. */
  out(text: string): void;
  /** Talk: stderr. */
  err(text: string): void;
  /** Whether stdout is a terminal that takes colours. */
  colour: boolean;
  /** Whether somebody watches stderr, so that a progress bar is of use. */
  watched: boolean;
}

export function processIo(): Io {
  const { stdout, stderr, env } = process;
  return {
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    colour: Boolean(stdout.isTTY) && !env.NO_COLOR && env.TERM !== 'dumb',
    watched: Boolean(stderr.isTTY),
  };
}
