/**
 * `sweep.json`: all that the results of a sweep depend on. A folder holds one sweep; the file is written first and never
 * changed, and every point file names its hash. Paths are not part of a sweep: a trace is known by its hash.
 */
import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import type { Budget } from '../arch/budget.js';
import { badInput, UserError } from '../errors.js';
import { atomicWriteText, isFile, makeFolder, readTextInput } from '../files.js';
import type { MinCodeRule, ScaleGrain, ScaleRule } from '../quantize.js';
import type { Threshold } from '../report/report.js';
import { forEachStep, type TraceSteps } from '../trace/openSteps.js';
import { VERSION } from '../version.js';
import type { Axis } from './grid.js';

export const SPEC_FILE = 'sweep.json';
const FORMAT = 'kneadsim sweep 1';

/** What is the same at all points; null is the default of `replay`, or of `train` where phases are an axis. */
export interface FixedOptions {
  budget: Budget | null;
  scale: ScaleRule | null;
  per: ScaleGrain | null;
  minCode: MinCodeRule | null;
  threshold: Threshold | null;
  firstGradInput: boolean;
}

export interface Spec {
  format: string;
  version: string;
  /** Absolute, so that a job finds it from any folder. */
  trace: { file: string; hash: string };
  options: FixedOptions;
  order: string;
  axes: Axis[];
  points: number;
}

export const ORDER =
  'points are numbered from 0; the last axis moves fastest; an axis that cannot change a point does not multiply it';

export const makeSpec = (source: TraceSteps, options: FixedOptions, axes: Axis[], points: number): Spec => ({
  format: FORMAT,
  version: VERSION,
  trace: { file: resolve(source.file), hash: sourceHash(source) },
  options,
  order: ORDER,
  axes,
  points,
});

/** As `traceHash` of a report. */
export function sourceHash(source: TraceSteps): string {
  const hashes: string[] = [];
  forEachStep(source, (trace) => hashes.push(trace.hash));
  return hashes.length === 1 ? hashes[0] : createHash('sha256').update(hashes.join('')).digest('hex');
}

/** Names a sweep in its point files. */
export const specHash = (spec: Spec): string =>
  createHash('sha256')
    .update(JSON.stringify(identity(spec)))
    .digest('hex');

const identity = ({ trace, ...spec }: Spec): object => ({ ...spec, trace: trace.hash });

/** Begins a sweep in a folder, or finds that it was begun there. @throws UserError if another one was */
export function openSweep(folder: string, spec: Spec): Spec {
  makeFolder(folder);
  const path = join(folder, SPEC_FILE);
  if (!isFile(path)) atomicWriteText(path, `${JSON.stringify(spec, null, 2)}\n`);
  // Read even if just written: of two sweeps begun in one folder at once, one must find the other's.
  return requireSame(folder, spec);
}

/** The sweep of a folder as it lies there. @throws UserError if it is not this one */
export function requireSame(folder: string, spec: Spec): Spec {
  const found = readSpec(folder);
  const difference = firstDifference(found, spec);
  if (difference)
    throw badInput('other-sweep', {
      file: join(folder, SPEC_FILE),
      place: difference.place,
      found: `a sweep with ${difference.found}`,
      expected: difference.expected,
      remedy: 'choose another --out, or remove the folder to begin anew',
    });
  return found;
}

/** @throws UserError if there is none, or it is damaged, or of another version */
export function readSpec(folder: string): Spec {
  const path = join(folder, SPEC_FILE);
  if (!isFile(path))
    throw new UserError(
      'no-sweep',
      `${path}: no such file; begin a sweep there with "kneadsim sweep TRACE --machine NAME --set ... --out ${folder}"`,
    );
  let spec: Spec | null = null;
  try {
    spec = JSON.parse(readTextInput(path)) as Spec;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  const damaged = (found: string, expected: string): UserError =>
    badInput('bad-sweep', {
      file: path,
      found,
      expected,
      remedy: 'choose another --out, or remove the folder to begin anew',
    });
  if (!spec || !isWhole(spec)) throw damaged('a damaged or foreign file', `the format "${FORMAT}"`);
  if (spec.version !== VERSION)
    throw damaged(`a sweep of kneadsim ${spec.version}`, `one of kneadsim ${VERSION}, which this is`);
  return spec;
}

/** Whether what was read has the form of a sweep: somebody may have written into the file. */
const isWhole = ({ format, trace, options, axes, points }: Spec): boolean =>
  format === FORMAT &&
  typeof trace?.file === 'string' &&
  typeof trace.hash === 'string' &&
  typeof options === 'object' &&
  options !== null &&
  Array.isArray(axes) &&
  axes.every(isAxis) &&
  axes[0]?.name === 'machine' &&
  Number.isInteger(points);

const isAxis = (axis: Axis | null): boolean =>
  typeof axis?.name === 'string' &&
  typeof axis.setting === 'boolean' &&
  Array.isArray(axis.values) &&
  axis.values.length > 0 &&
  axis.values.every((value) => typeof value === 'string');

interface Difference {
  place: string;
  found: string;
  expected: string;
}

/** The first thing in which two sweeps differ, in words. */
function firstDifference(found: Spec, wanted: Spec): Difference | null {
  if (specHash(found) === specHash(wanted)) return null;
  if (found.trace.hash !== wanted.trace.hash)
    return { place: 'trace', found: `trace ${found.trace.hash}`, expected: wanted.trace.hash };
  for (const name of Object.keys(wanted.options) as (keyof FixedOptions)[])
    if (found.options[name] !== wanted.options[name])
      return {
        place: `option ${name}`,
        found: String(found.options[name] ?? 'the default'),
        expected: String(wanted.options[name] ?? 'the default'),
      };
  const words = (axis?: Axis): string => (axis ? `${axis.name}=${axis.values.join(',')}` : 'no such axis');
  for (let i = 0; i < Math.max(found.axes.length, wanted.axes.length); i++)
    if (JSON.stringify(found.axes[i]) !== JSON.stringify(wanted.axes[i]))
      return { place: `axis ${i + 1}`, found: words(found.axes[i]), expected: words(wanted.axes[i]) };
  return { place: 'points', found: `${found.points} points`, expected: String(wanted.points) };
}
