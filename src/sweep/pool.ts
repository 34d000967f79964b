/**
 * Worker processes that take points one at a time, so that a slow point keeps nobody waiting. Processes and not threads:
 * one that runs out of memory takes only its point along.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { UserError } from '../errors.js';
import { programOf } from './program.js';
import type { PointResult } from './worker.js';

/** A point whose process was ended is given to a new one, once: it may have been the process that was ill. */
const TRIES = 2;

export interface PoolJob {
  folder: string;
  /** Trace. */
  file: string;
  points: readonly number[];
  workers: number;
  /** Called once per point. */
  done: (result: PointResult) => void;
}

/**
 * Computes all points. After an error no further ones are begun; those in hand are finished.
 * @throws the first error: UserError, or that of a bug
 */
export function runPool({ folder, file, points, workers, done }: PoolJob): Promise<void> {
  return new Promise((resolve, reject) => {
    const waiting = [...points].reverse();
    const tries = new Map<number, number>();
    let running = 0;
    let failure: Error | null = null;

    const start = (): void => {
      const program = programOf('./worker', import.meta.url);
      const child = fork(program.file, [folder, file], {
        execArgv: program.nodeOptions,
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      });
      let point: number | null = null;
      let over = false;
      running++;
      const next = (): void => {
        point = failure ? null : (waiting.pop() ?? null);
        // Without its channel nothing holds a worker, and it ends.
        if (point === null) child.disconnect();
        else send(child, point);
      };
      child.on('message', (result: PointResult) => {
        if (over) return;
        point = null;
        if (result.error) failure ??= errorOf(result.error);
        else done(result);
        next();
      });
      const end = (how: string): void => {
        if (over) return;
        over = true;
        running--;
        if (point !== null) lost(point, how);
        if (running > 0) return;
        if (failure) reject(failure);
        else resolve();
      };
      child.on('error', (error) => end(error.message));
      // Not 'close', which never comes after a disconnect.
      child.on('exit', (code, signal) => end(signal ?? `exit code ${code}`));
      next();
    };

    const lost = (point: number, how: string): void => {
      const count = (tries.get(point) ?? 0) + 1;
      tries.set(point, count);
      if (failure) return;
      if (count < TRIES) {
        waiting.push(point);
        start();
      } else
        failure = new UserError(
          'worker-lost',
          `point ${point}: its process ended ${count} times (${how}); if memory ran out, use fewer --workers, then start again`,
        );
    };

    for (let i = 0; i < Math.min(workers, points.length); i++) start();
    if (points.length === 0) resolve();
  });
}

/** A worker that is gone cannot be told; its end is seen anyway. */
const send = (child: ChildProcess, point: number): void => void child.send(point, () => undefined);

const errorOf = ({ user, code, message }: NonNullable<PointResult['error']>): Error =>
  user ? new UserError(code, message) : Object.assign(new Error(message), { stack: message });
