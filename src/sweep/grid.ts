/**
 * The grid of a sweep: axes, and the points that they span.
 *
 * Order of the points: axes stand as machine, precision, level, phase, layer, prune, seed, memory, then the settings as
 * they were given; the last axis moves fastest. An axis that cannot change a point does not multiply it: its value is null there.
 * So a machine without kneading runs once beside eight kneading strides, and a forward phase once beside all prunings.
 */
import { givenSettings } from '../arch/choose.js';
import { PHASES, type Phase } from '../arch/machine.js';
import { machineKind } from '../arch/registry.js';
import { UserError } from '../errors.js';
import { MEMORY_OWNER, separateSettings } from '../simulate/memorySettings.js';

/** Options that may be axes, in grid order; machine comes first, always. */
export const OPTION_AXES = [
  'machine',
  'precision',
  'level',
  'phase',
  'layer',
  'prune',
  'seed',
  'memory',
] as const;

export interface Axis {
  /** An option, or a setting as in `--set`: `parameter` or `machine.parameter`. */
  name: string;
  setting: boolean;
  /** In the form that they have in result files; each once. */
  values: string[];
}

export interface Point {
  index: number;
  /** One per axis; null where the axis does not reach the point. */
  values: (string | null)[];
}

/** More would take longer than anybody waits, and fill a folder with more files than file systems like. */
export const MOST_POINTS = 100_000;

/** Joins the phases of one point: `forward+gradInput`. */
export const PHASE_JOIN = '+';

/** A setting in its parts; owner is undefined where it goes to every machine that has the parameter. */
export function settingParts(name: string): { owner: string | undefined; parameter: string } {
  const dot = name.indexOf('.');
  return dot < 0
    ? { owner: undefined, parameter: name }
    : { owner: name.slice(0, dot), parameter: name.slice(dot + 1) };
}

/**
 * All points, in order.
 * @throws UserError on unknown or repeated machines, on settings that no machine has, and on too many points
 */
export function pointsOf(axes: readonly Axis[]): Point[] {
  const machines = axes.find((axis) => axis.name === 'machine' && !axis.setting)?.values ?? [];
  const settings = axes.filter((axis) => axis.setting).map(({ name, values }) => `${name}=${values[0]}`);
  givenSettings(machines, separateSettings(settings).settings);
  const points: Point[] = [];
  const extend = (values: (string | null)[]): void => {
    const axis = axes[values.length];
    if (!axis) {
      if (points.length === MOST_POINTS)
        throw new UserError(
          'too-many-points',
          `the grid has more than ${MOST_POINTS} points; leave out values, or sweep parts of it into folders of their own`,
        );
      points.push({ index: points.length, values });
    } else if (reaches(axis, axes, values)) for (const value of axis.values) extend([...values, value]);
    else extend([...values, null]);
  };
  extend([]);
  return points;
}

/** Whether an axis makes a difference to points that have these values on the axes before it. */
function reaches(axis: Axis, axes: readonly Axis[], before: readonly (string | null)[]): boolean {
  const valueOf = (name: string): string | null | undefined =>
    before[axes.findIndex((a) => !a.setting && a.name === name)];
  if (axis.setting) return settingReaches(axis.name, axes, valueOf('machine')!);
  if (axis.name !== 'prune' && axis.name !== 'seed') return true;
  // Gradients are pruned, and seeds are of that; the forward phase has none.
  const own = machineKind(valueOf('machine')!).phases;
  const phases = valueOf('phase')?.split(PHASE_JOIN) as Phase[] | undefined;
  return (phases ?? []).some((phase) => phase !== 'forward' && own.includes(phase));
}

/** The machines that every report compares with; settings for all machines are theirs too, as in `replay`. */
const COMPARED = ['dadiannao', 'sparsetrain-dense'];

function settingReaches(name: string, axes: readonly Axis[], machine: string): boolean {
  const { owner, parameter } = settingParts(name);
  if (owner === MEMORY_OWNER) return true;
  if (owner !== undefined) return owner === machine;
  // What is said of one machine by name holds there, whatever is said of all.
  if (axes.some((axis) => axis.setting && axis.name === `${machine}.${parameter}`)) return false;
  return [machine, ...COMPARED].some((kind) => hasParameter(kind, parameter));
}

export const hasParameter = (machine: string, parameter: string): boolean =>
  machineKind(machine).parameters.some(({ name }) => name === parameter);

/** What the values of an axis are in result files. */
export function axisType(axis: Axis, axes: readonly Axis[]): 'integer' | 'real' | 'text' {
  if (!axis.setting) return axis.name === 'seed' ? 'integer' : axis.name === 'prune' ? 'real' : 'text';
  const { owner, parameter } = settingParts(axis.name);
  // Bytes and cycles may be infinite.
  if (owner === MEMORY_OWNER) return axis.values.every((text) => /^\d+$/.test(text)) ? 'integer' : 'text';
  const machines = owner === undefined ? axes[0].values : [owner];
  const found = machines.flatMap((name) => machineKind(name).parameters.filter((p) => p.name === parameter));
  return found.length > 0 && found.every(({ values }) => values === undefined) ? 'integer' : 'text';
}

/** A point in words: `machine tetris, kneadingStride 8`. */
export const describePoint = (axes: readonly Axis[], { values }: Point): string =>
  axes.flatMap(({ name }, i) => (values[i] === null ? [] : [`${name} ${values[i]}`])).join(', ');

/** Phases of a point, in the order of a training step. */
export const phasesOfValue = (value: string): Phase[] => {
  const chosen = value.split(PHASE_JOIN);
  return PHASES.filter((phase) => chosen.includes(phase));
};
