/** One point of a grid as a run: what it is made of, whether there is such a run, and its report. */
import { basename } from 'node:path';
import { chooseMachines, type Choice } from '../arch/choose.js';
import type { Level } from '../arch/machine.js';
import { UserError } from '../errors.js';
import type { Precision } from '../quantize.js';
import type { Report } from '../report/report.js';
import { checkRun, runMachines } from '../simulate.js';
import { separateSettings } from '../simulate/memorySettings.js';
import type { RunOptions } from '../simulate/options.js';
import { openTrace } from '../trace/open.js';
import type { TraceSteps } from '../trace/openSteps.js';
import { describePoint, hasParameter, phasesOfValue, settingParts, type Point } from './grid.js';
import type { Spec } from './spec.js';

interface PointRun {
  choice: Choice;
  options: RunOptions;
}

/** A point is a `replay` of one machine; where phases are an axis, a `train` of it. */
function runOf(spec: Spec, { values }: Point): PointRun {
  const given = new Map<string, string>();
  const own: string[] = [];
  const beside: Record<string, string> = {};
  spec.axes.forEach(({ name, setting }, i) => {
    const value = values[i];
    if (value === null) return;
    if (!setting) given.set(name, value);
    else {
      const { owner, parameter } = settingParts(name);
      // Array parameters that a machine lacks are still those of the dense machines beside it.
      if (owner === undefined && !hasParameter(given.get('machine')!, parameter)) beside[parameter] = value;
      else own.push(`${name}=${value}`);
    }
  });
  const { budget, scale, per, minCode, threshold, firstGradInput } = spec.options;
  const optional = <K extends string, V>(key: K, value: V | null | undefined): { [k in K]?: V } =>
    value === null || value === undefined ? {} : ({ [key]: value } as { [k in K]: V });
  const precision = given.get('precision') as Precision | undefined;
  const phase = given.get('phase');
  const number = (name: string): number | undefined => {
    const text = given.get(name);
    return text === undefined ? undefined : Number(text);
  };
  // The default of the command that the point is a run of.
  const size = budget ?? (phase === undefined ? 'none' : 'lanes');
  const { settings, memory } = separateSettings(own, given.get('memory'));
  return {
    choice: chooseMachines([given.get('machine')!], settings, size, precision, beside),
    options: {
      ...optional('precision', precision),
      ...optional('level', given.get('level') as Level | undefined),
      ...optional('layer', given.get('layer')),
      ...optional('prune', number('prune')),
      ...optional('seed', number('seed')),
      ...(phase === undefined ? {} : { phases: phasesOfValue(phase), training: true }),
      budget: size,
      memory,
      ...optional('scale', scale),
      ...optional('per', per),
      ...optional('minCode', minCode),
      ...optional('threshold', threshold),
      firstGradInput,
    },
  };
}

/** Finds what cannot run before anything does. @throws UserError naming the point */
export function checkPoints(spec: Spec, points: readonly Point[], source: TraceSteps): void {
  const trace = openTrace(source.files[0]);
  try {
    for (const point of points)
      naming(spec, point, () => {
        const { choice, options } = runOf(spec, point);
        checkRun(trace, source.files.length, choice, options);
      });
  } finally {
    trace.close();
  }
}

/**
 * The report of a point. Files are named without their folders, so that it is the same from wherever a trace is read.
 * @throws UserError naming the point
 */
export function evaluate(spec: Spec, point: Point, source: TraceSteps): Report {
  return naming(spec, point, () => {
    const { choice, options } = runOf(spec, point);
    const report = runMachines(source, choice, options);
    if (report.traceHash !== spec.trace.hash)
      throw new UserError(
        'trace-changed',
        `${source.file}: found SHA-256 ${report.traceHash}, expected ${spec.trace.hash} as the sweep began; ` +
          'bring the old trace back, or sweep the new one into another folder',
      );
    report.trace.file = basename(report.trace.file);
    for (const step of report.steps) step.file = basename(step.file);
    return report;
  });
}

function naming<T>(spec: Spec, point: Point, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(
      error.code,
      `point ${point.index} (${describePoint(spec.axes, point)}): ${error.message}`,
    );
  }
}
