/**
 * A worker process: opens the sweep that its arguments name, then computes the points whose numbers its parent sends, one
 * after the other. It writes point files itself, so that a result does not need its parent to live; when the parent is
 * gone, it finishes the point in hand and ends.
 */
import { KneadsimError } from '../errors.js';
import { computePoint, openedSweep, type OpenedSweep } from './opened.js';
import { readSpec } from './spec.js';

/** What a worker says of a point. */
export interface PointResult {
  point: number;
  /** What did not hold. */
  violations: string[];
  /** Why there is no result; `user` errors are for the user, others are bugs with their stack. */
  error: { user: boolean; code: string; message: string } | null;
}

const [folder, file] = process.argv.slice(2);
let opened: OpenedSweep | null = null;

function compute(point: number): PointResult {
  try {
    opened ??= openedSweep(folder, readSpec(folder), file);
    return { point, violations: computePoint(opened, point), error: null };
  } catch (error) {
    const user = error instanceof KneadsimError;
    const message = user
      ? error.message
      : error instanceof Error
        ? (error.stack ?? error.message)
        : String(error);
    return { point, violations: [], error: { user, code: user ? error.code : 'internal', message } };
  }
}

// Nobody is left to hear about a channel that breaks while a result is sent.
process.on('message', (point: number) => void process.send?.(compute(point), () => undefined));
