/** A sweep as one process sees it: its folder, its points, its trace. Each process opens it for itself. */
import { resolve } from 'node:path';
import { openSteps, type TraceSteps } from '../trace/openSteps.js';
import { evaluate } from './evaluate.js';
import { pointsOf, type Point } from './grid.js';
import { readPoint, writePoint } from './pointFile.js';
import { specHash, type Spec } from './spec.js';

export interface OpenedSweep {
  folder: string;
  spec: Spec;
  /** Hash of the spec. */
  sweep: string;
  points: Point[];
  source: TraceSteps;
}

/** @param file the trace, where it is not where it was as the sweep began */
export const openedSweep = (folder: string, spec: Spec, file?: string): OpenedSweep => ({
  folder: resolve(folder),
  spec,
  sweep: specHash(spec),
  points: pointsOf(spec.axes),
  source: openSteps(file ?? spec.trace.file),
});

/** What did not hold at a point; nothing in every good run. */
export function computePoint({ folder, spec, sweep, points, source }: OpenedSweep, index: number): string[] {
  const report = evaluate(spec, points[index], source);
  writePoint(folder, sweep, spec.axes, points[index], report);
  return report.violations;
}

/** As `computePoint`, unless a good file is there already. What failed or is damaged is computed again. */
export const ensurePoint = (opened: OpenedSweep, index: number): string[] =>
  readPoint(opened.folder, opened.sweep, index).state === 'good' ? [] : computePoint(opened, index);
