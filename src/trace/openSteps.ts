/**
 * A run of recorded training steps: one trace, or a folder of traces of the same network in the order of their names.
 * Steps are opened one at a time, so that a run may be longer than memory and file handles.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { badInput } from '../errors.js';
import { inputStats, reading } from '../files.js';
import { openTrace } from './open.js';
import { ROLES, type Trace, type TraceLayer } from './trace.js';

export interface TraceSteps {
  /** Path as the user wrote it: a file or a folder. */
  file: string;
  /** Paths of the steps, in order; at least one. */
  files: string[];
}

const SUFFIX = '.safetensors';

/** Names in the order that people expect: s9 before s10. */
const byName = new Intl.Collator('en', { numeric: true });

/**
 * The steps at a path. Those of a folder must be of one network: the same layers with the same shapes and tensors.
 * @throws UserError if there is no trace, or a step does not fit the first
 */
export function openSteps(path: string): TraceSteps {
  if (path === '' || !inputStats(path).isDirectory()) {
    openTrace(path).close();
    return { file: path, files: [path] };
  }
  const names = reading(path, () => readdirSync(path)).filter((name) => name.endsWith(SUFFIX));
  if (names.length === 0)
    throw badInput('no-steps', {
      file: path,
      found: `a folder without ${SUFFIX} files`,
      expected: 'one recorded training step per file, named in step order',
      remedy: 'record some with "kneadsim record", or name a single trace',
    });
  names.sort((a, b) => byName.compare(a, b) || (a < b ? -1 : 1));
  const files = names.map((name) => join(path, name));
  let first: string[][] | null = null;
  for (const file of files) {
    const trace = openTrace(file);
    const described = trace.layers.map(describe);
    trace.close();
    first ??= described;
    checkSame(file, described, files[0], first);
  }
  return { file: path, files };
}

/** What must be the same in all steps of a run, in words. */
const describe = ({ name, shape, tensors }: TraceLayer): string[] => [
  `layer ${name}`,
  ...Object.entries(shape).map(([key, value]) => `${key} ${value}`),
  `tensors ${ROLES.filter((role) => tensors[role]).join(', ')}`,
];

/** Of a layer that differs only what differs is told; a layer of another name is told by that alone. */
function checkSame(file: string, found: string[][], firstFile: string, first: string[][]): void {
  for (let i = 0; i < Math.max(found.length, first.length); i++) {
    const own = found[i] ?? ['no such layer'];
    const other = first[i] ?? ['no such layer'];
    const differing = own[0] === other[0] ? own.map((_, k) => k).filter((k) => own[k] !== other[k]) : [0];
    if (differing.length === 0) continue;
    const told = (facts: string[]): string => differing.map((k) => facts[k]).join(', ');
    throw badInput('steps-differ', {
      file,
      place: own[0] === other[0] ? own[0] : `layer ${i + 1}`,
      found: told(own),
      expected: `${told(other)}, as in ${firstFile}`,
      remedy: 'keep the steps of one network and batch size in a folder',
    });
  }
}

/** Opens each step in turn and closes it afterwards. */
export function forEachStep(steps: TraceSteps, visit: (trace: Trace, step: number) => void): void {
  steps.files.forEach((file, step) => {
    const trace = openTrace(file);
    try {
      visit(trace, step);
    } finally {
      trace.close();
    }
  });
}
