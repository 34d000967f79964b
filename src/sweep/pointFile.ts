/**
 * The file of one point: its report, with a checksum over it and the hash of the sweep it belongs to. Written under a
 * temporary name and renamed, so that it is there whole or not at all; the checksum finds what a disk or a copy did.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { KneadsimError } from '../errors.js';
import { atomicWriteText, isFile, readTextInput } from '../files.js';
import type { Report } from '../report/report.js';
import type { Axis, Point } from './grid.js';

export const POINT_FOLDER = 'points';
const FORMAT = 'kneadsim sweep point 1';
/** Six digits hold more points than a grid may have, and keep files in order. */
const DIGITS = 6;
const LARGEST = 2 ** 30;

/** failed: whole, but what it reports did not hold. damaged: not to be used, whatever it is. */
export type PointState =
  { state: 'good' | 'failed'; report: Report } | { state: 'missing' | 'damaged'; report: null };

export const pointName = (index: number): string => `${String(index).padStart(DIGITS, '0')}.json`;
export const pointPath = (folder: string, index: number): string =>
  join(folder, POINT_FOLDER, pointName(index));

interface PointFile {
  format: string;
  sweep: string;
  point: number;
  axes: Record<string, string>;
  sha256: string;
  report: Report;
}

const checksum = (report: Report): string =>
  createHash('sha256').update(JSON.stringify(report)).digest('hex');

export function writePoint(
  folder: string,
  sweep: string,
  axes: readonly Axis[],
  point: Point,
  report: Report,
): void {
  const given = axes.flatMap(({ name }, i) => (point.values[i] === null ? [] : [[name, point.values[i]]]));
  const content: PointFile = {
    format: FORMAT,
    sweep,
    point: point.index,
    axes: Object.fromEntries(given) as Record<string, string>,
    sha256: checksum(report),
    report,
  };
  atomicWriteText(pointPath(folder, point.index), `${JSON.stringify(content, null, 1)}\n`);
}

export function readPoint(folder: string, sweep: string, index: number): PointState {
  const path = pointPath(folder, index);
  if (!isFile(path)) return { state: 'missing', report: null };
  const damaged: PointState = { state: 'damaged', report: null };
  let content: Partial<PointFile> | null;
  try {
    content = JSON.parse(readTextInput(path, LARGEST)) as Partial<PointFile> | null;
  } catch (error) {
    if (error instanceof SyntaxError) return damaged;
    // Gone since it was looked at: somebody else is at work here.
    if (error instanceof KneadsimError && !isFile(path)) return { state: 'missing', report: null };
    throw error;
  }
  const report = content?.report;
  if (!report || content?.format !== FORMAT || content.sweep !== sweep || content.point !== index)
    return damaged;
  if (content.sha256 !== checksum(report)) return damaged;
  return { state: report.violations.length > 0 ? 'failed' : 'good', report };
}
