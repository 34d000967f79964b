/** Small sweeps as processes of their own, and what they leave in their folders. */
import { fork, type ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { LENET } from '../cli/harness.js';

/** Twelve points, each a few milliseconds. */
export const GRID = [
  LENET,
  ...['--machine', 'tetris', '--layer', 'conv3,conv2'],
  ...['--set', 'kneadingStride=4,16', '--set', 'windowSlots=1,2,4'],
];
export const POINTS = 12;

/** Every file below a folder with its content. */
export function contents(folder: string): Record<string, string> {
  const files: Record<string, string> = {};
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) {
      const path = join(entry.parentPath, entry.name);
      files[relative(folder, path)] = readFileSync(path, 'latin1');
    }
  return files;
}

/** A sweep that runs beside the test, in a process group of its own. */
export function startSweep(folder: string, ...more: string[]): ChildProcess {
  return fork(resolve('src/cli/main.ts'), ['sweep', ...GRID, '--out', folder, ...more], {
    execArgv: ['--import', import.meta.resolve('tsx')],
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
}

export const ended = (child: ChildProcess): Promise<number | null> =>
  new Promise((done) => child.on('exit', (code) => done(code)));

export const pointFiles = (folder: string): string[] => {
  try {
    return readdirSync(join(folder, 'points')).filter((name) => name.endsWith('.json'));
  } catch {
    return [];
  }
};
