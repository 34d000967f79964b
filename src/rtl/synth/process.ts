/** Running the tools of synthesis: several at once, with their own messages when one fails, and all stopped together. */
import { spawn, type ChildProcess } from 'node:child_process';
import { basename } from 'node:path';
import { UserError } from '../../errors.js';
import { toolVersion } from '../simulator.js';

/** ms; the largest job takes a few minutes. */
const PATIENCE = 3_600_000;
/** Lines of a tool's last words that a message carries. */
const LAST_WORDS = 5;

const running = new Set<ChildProcess>();
let interrupted = false;
const interruption = (): UserError => new UserError('interrupted', 'synth: interrupted, nothing was written');

/**
 * Runs a tool in a folder.
 * @param temporary where the tool may keep what it needs while it runs
 * @returns what it printed
 * @throws UserError with the tool's last words
 */
export function runTool(
  command: string,
  args: readonly string[],
  folder: string,
  temporary = folder,
): Promise<string> {
  return new Promise((resolve, reject) => {
    if (interrupted) return reject(interruption());
    // A group of its own: yosys starts others, and all of them must be stopped together.
    const child = spawn(command, args, {
      cwd: folder,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, TMPDIR: temporary },
    });
    running.add(child);
    const timer = setTimeout(() => stop(child), PATIENCE);
    const said: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] };
    for (const stream of ['stdout', 'stderr'] as const)
      child[stream].on('data', (chunk: Buffer) => said[stream].push(chunk));
    const text = (stream: 'stdout' | 'stderr'): string => Buffer.concat(said[stream]).toString('utf8');
    const end = (why: string | null): void => {
      running.delete(child);
      clearTimeout(timer);
      if (why === null) return resolve(text('stdout'));
      if (interrupted) return reject(interruption());
      const words = `${text('stderr')}\n${text('stdout')}`.trim().split('\n').slice(-LAST_WORDS).join(' ');
      reject(new UserError('synthesis', `${command} failed in ${basename(temporary)}: ${words || why}`));
    };
    child.on('error', (error) => end(error.message));
    child.on('close', (code, signal) =>
      end(code === 0 ? null : `ended with ${signal ?? `exit code ${code}`}`),
    );
  });
}

function stop({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It has just ended by itself.
  }
}

/** Stops all tools that run now. */
const stopTools = (): void => running.forEach(stop);

/** Stops all tools, and lets none begin: what waits for them fails, and cleans up. */
export function interrupt(): void {
  interrupted = true;
  stopTools();
}

/** Versions of the tools, as they call themselves. @throws UserError naming what is missing */
export function toolVersions(): { yosys: string; opensta: string; icarus: string } {
  const ask = (tool: Parameters<typeof toolVersion>[0]): string => {
    const version = toolVersion(tool);
    if (version !== null) return version;
    throw new UserError(
      'no-tool',
      `${tool}: not on this machine; install it with "make synth" or src/rtl/install.sh`,
    );
  };
  return { yosys: ask('yosys'), opensta: ask('sta'), icarus: ask('iverilog') };
}

/**
 * Runs jobs in the order of the list, so many at once. When one fails, the others are stopped and no further one begins.
 * @throws what the first that failed threw
 */
export async function pool<T, R>(
  items: readonly T[],
  width: number,
  job: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  let failure: { error: unknown } | null = null;
  const worker = async (): Promise<void> => {
    while (next < items.length && !failure) {
      const i = next++;
      try {
        results[i] = await job(items[i]);
      } catch (error) {
        failure ??= { error };
        stopTools();
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
  if (failure) throw (failure as { error: unknown }).error;
  return results;
}
