/** A whole grid on this machine: what is there is kept, what is missing is computed, then the results are put together. */
import { join } from 'node:path';
import { makeFolder, removeFile, removeLeftovers } from '../files.js';
import { checkPoints } from './evaluate.js';
import { collect, CSV_FILE, PARQUET_FILE, verificationFailed } from './collect.js';
import { POINT_FOLDER, readPoint } from './pointFile.js';
import { runPool } from './pool.js';
import type { OpenedSweep } from './opened.js';

export interface SweepHooks {
  workers: number;
  /** @param total all points, those found included */
  progress: (done: number, total: number, label: string) => void;
  /** A line for the user. */
  note: (text: string) => void;
}

export interface SweepSummary {
  points: number;
  found: number;
  computed: number;
  files: string[];
}

/** Makes the folders ready, of a sweep that was found to be possible. */
export function prepare({ folder }: OpenedSweep): void {
  makeFolder(join(folder, POINT_FOLDER));
  for (const place of [folder, join(folder, POINT_FOLDER)]) removeLeftovers(place);
}

/** @throws UserError before anything runs if a point is impossible; VerificationError at the end if some failed */
export async function runSweep(opened: OpenedSweep, hooks: SweepHooks): Promise<SweepSummary> {
  const { folder, spec, sweep, points, source } = opened;
  const pending = points
    .map(({ index }) => index)
    .filter((index) => {
      const { state } = readPoint(folder, sweep, index);
      if (state === 'damaged')
        hooks.note(`note: point ${index}: its file is damaged or of another sweep; computed again`);
      return state !== 'good';
    });
  checkPoints(
    spec,
    pending.map((index) => points[index]),
    source,
  );
  // Results are there only while all points are.
  if (pending.length > 0) for (const name of [CSV_FILE, PARQUET_FILE]) removeFile(join(folder, name));
  const found = points.length - pending.length;
  const began = Date.now();
  let done = 0;
  const failed: number[] = [];
  const tell = (): void =>
    hooks.progress(found + done, points.length, etaText(done, pending.length, Date.now() - began));
  tell();
  await runPool({
    folder,
    file: source.file,
    points: pending,
    workers: hooks.workers,
    done: ({ point, violations }) => {
      done++;
      if (violations.length > 0) {
        failed.push(point);
        hooks.note(`kneadsim: point ${point}: ${violations[0]}`);
      }
      tell();
    },
  });
  if (failed.length > 0)
    throw verificationFailed(
      folder,
      failed.sort((a, b) => a - b),
    );
  return { points: points.length, found, computed: done, files: collect(folder, spec, points) };
}

/** Time left, from the points that this run has computed. */
export function etaText(done: number, total: number, elapsedMs: number): string {
  if (done === 0) return 'ETA unknown yet';
  const seconds = Math.ceil(((elapsedMs / done) * (total - done)) / 1000);
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return `ETA ${h > 0 ? `${h} h ${m} min` : m > 0 ? `${m} min ${s} s` : `${s} s`}`;
}
