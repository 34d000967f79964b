/** How a report leaves the program: in which format, to which place, and with which exit code. */
import { statSync, type Stats } from 'node:fs';
import { extname } from 'node:path';
import { VerificationError } from '../errors.js';
import { atomicWrite, atomicWriteText } from '../files.js';
import { csvText } from '../report/csv.js';
import type { Report } from '../report/report.js';
import type { Io } from './io.js';

export interface OutputFlags {
  json?: true;
  csv?: true;
  out?: string;
}

const VIOLATIONS_SHOWN = 20;

/** Prints or writes a report. @throws VerificationError after it, if the report holds violations */
export const deliver = <R extends Report>(
  report: R,
  flags: OutputFlags,
  asText: (report: R) => string,
  io: Io,
): void => deliverAs(report, flags, { text: asText, csv: csvText }, io);

/** As `deliver`, for results of any form; JSON is the result as it is. */
export function deliverAs<Result extends { violations: readonly string[] }>(
  result: Result,
  flags: OutputFlags,
  as: { text: (result: Result) => string; csv: (result: Result) => string },
  io: Io,
): void {
  const format = formatOf(flags);
  const text =
    format === 'json'
      ? `${JSON.stringify(result, null, 2)}\n`
      : format === 'csv'
        ? as.csv(result)
        : `${as.text(result)}\n`;
  if (flags.out === undefined) io.out(text);
  else atomicWriteText(flags.out, text);
  failIfViolated(result, io);
}

/** @throws VerificationError after the violations, if there are any */
export function failIfViolated({ violations }: { violations: readonly string[] }, io: Io): void {
  if (violations.length === 0) return;
  for (const violation of violations.slice(0, VIOLATIONS_SHOWN)) io.err(`kneadsim: ${violation}\n`);
  const rest = violations.length - VIOLATIONS_SHOWN;
  throw new VerificationError(
    'violations',
    `${violations.length} ${violations.length === 1 ? 'check' : 'checks'} did not hold` +
      (rest > 0 ? `, ${rest} of them not shown` : ''),
  );
}

type Format = 'json' | 'csv' | 'text';

/** Flags first, then the extension of the file. */
function formatOf({ json, csv, out }: OutputFlags): Format {
  if (json) return 'json';
  if (csv) return 'csv';
  const extension = extname(out ?? '').toLowerCase();
  return extension === '.json' ? 'json' : extension === '.csv' ? 'csv' : 'text';
}

/**
 * Finds out whether a file can be written there before hours of simulation, by writing nothing the way that the
 * result will be written. What lies there already stays.
 */
export function rehearseWrite(path: string | undefined): void {
  if (path === undefined) return;
  const existing = statsOf(path);
  // Opening a pipe or a device may wait for its reader, or tell it that all is over.
  if (existing && !existing.isFile() && !existing.isDirectory()) return;
  const rehearsal = new Error('rehearsal');
  try {
    atomicWrite(path, () => {
      throw rehearsal;
    });
  } catch (error) {
    if (error !== rehearsal) throw error;
  }
}

/** Nothing where the path leads nowhere: the rehearsal finds out why, in words. */
function statsOf(path: string): Stats | null {
  try {
    return statSync(path);
  } catch {
    return null;
  }
}
