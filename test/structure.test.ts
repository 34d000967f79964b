/** The layers of the source: imports go down only; files are short and say what they are. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../src', import.meta.url));
const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => name.replaceAll('\\', '/'))
  .sort();
const read = (name: string): string => readFileSync(join(root, name), 'utf8');

/** Folders and files from the bottom up. A layer may import from itself and from those below it. */
const LAYERS: string[][] = [
  ['errors', 'glob', 'random', 'tensor', 'version'],
  ['files'],
  ['trace'],
  ['quantize'],
  ['bit', 'lower', 'sparse'],
  ['sim'],
  ['arch'],
  ['memory'],
  ['energy'],
  ['report', 'rtl', 'wave'],
  ['expected'],
  ['simulate'],
  ['train'],
  ['sweep'],
  ['fuzz', 'record'],
  ['cli'],
  ['index'],
];
/** Beside the layers: it judges them all, so it sees nothing but tensor types. Only those who compare call it. */
const REFERENCE = 'reference';
const MAY_COMPARE = ['expected', 'record', 'simulate', 'index'];
/** What stands on its own within a layer of several. */
const APART: [string, string][] = [
  ['bit', 'lower'],
  ['lower', 'bit'],
];

const partOf = (name: string): string => name.replace(/\.ts$/, '').split('/')[0];
const levelOf = (part: string): number => LAYERS.findIndex((layer) => layer.includes(part));

interface Import {
  /** Path in src, or the name of a package. */
  target: string;
  own: boolean;
}

function importsOf(name: string, source: string): Import[] {
  const found = source.matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*)(['"])([^'"]+)\1/g);
  return [...found].map(([, , target]) =>
    target.startsWith('.')
      ? {
          target: normalize(join(dirname(name), target))
            .replaceAll('\\', '/')
            .replace(/\.js$/, '.ts'),
          own: true,
        }
      : { target, own: false },
  );
}

/** What is wrong with the imports of a file. */
function importFaults(name: string, source: string): string[] {
  const from = partOf(name);
  const faults: string[] = [];
  for (const { target, own } of importsOf(name, source)) {
    if (!own) {
      // Files are read in trace/ only, and written by those at the edge; HDL tools of rtl/ speak through files.
      if (/^(node:)?fs(\/|$)/.test(target) && !['files', 'trace', 'rtl', 'cli', 'version'].includes(from))
        faults.push(`${name} imports ${target}: only trace/ reads files`);
      continue;
    }
    const to = partOf(target);
    const wrong = (why: string): unknown => faults.push(`${name} imports ${target}: ${why}`);
    if (to === from) continue;
    if (from === REFERENCE) {
      if (to !== 'tensor') wrong('the reference shares nothing but tensor types');
    } else if (to === REFERENCE) {
      if (!MAY_COMPARE.includes(from)) wrong('machines must not see the reference');
    } else if (levelOf(from) < 0 || levelOf(to) < 0) wrong('a file in no layer');
    else if (levelOf(to) > levelOf(from)) wrong('imports go down only');
    else if (APART.some(([a, b]) => a === from && b === to)) wrong('these stand side by side');
    else if (to === 'trace' && !['record', 'simulate', 'train', 'sweep', 'cli', 'index'].includes(from))
      wrong('only the flow reads traces');
  }
  return faults;
}

function fileFaults(name: string, source: string): string[] {
  const faults: string[] = [];
  const lines = source.replace(/\n$/, '').split('\n').length;
  if (lines > 350) faults.push(`${name} has ${lines} lines, more than 350`);
  const body = name === 'cli/main.ts' ? source.replace(/^#!.*\n/, '') : source;
  if (!/^\/(\*\*|\/)/.test(body)) faults.push(`${name} does not begin with a comment`);
  return faults;
}

/** Without imports of types, which are gone when the code runs. */
const valueImports = (source: string): string => source.replace(/^(import|export) type [^;]*;/gms, '');

describe('source files', () => {
  it('are found', () => {
    expect(files.length).toBeGreaterThan(40);
    for (const part of LAYERS.flat()) expect(files.map(partOf)).toContain(part);
    expect(importsOf('simulate.ts', read('simulate.ts')).length).toBeGreaterThan(8);
  });

  it.each(files)('%s imports from below only', (name) => {
    expect(importFaults(name, read(name))).toEqual([]);
  });

  it.each(files)('%s is short and says what it is', (name) => {
    expect(fileFaults(name, read(name))).toEqual([]);
  });

  it('never import in a circle between files', () => {
    const graph = new Map(
      files.map((name) => [name, importsOf(name, valueImports(read(name))).filter((i) => i.own)]),
    );
    const walk = (name: string, path: string[]): void => {
      if (path.includes(name)) throw new Error([...path, name].join(' -> '));
      if (done.has(name)) return;
      for (const { target } of graph.get(name) ?? []) walk(target, [...path, name]);
      done.add(name);
    };
    const done = new Set<string>();
    for (const name of files) walk(name, []);
    expect(done.size).toBe(files.length);
  });
});

describe('the structure test fails', () => {
  it.each([
    ['bit/knead.ts', "import { SacPe } from '../sim/sacPe.js';"],
    ['tensor.ts', "import { quantize } from './quantize.js';"],
    ['sim/sacPe.ts', "import type { Machine } from '../arch/machine.js';"],
    ['arch/tetris.ts', "import { referenceForward } from '../reference.js';"],
    ['arch/tetris.ts', "import { openTrace } from '../trace/open.js';"],
    ['arch/tetris.ts', "import { readFileSync } from 'node:fs';"],
    ['report/table.ts', "export { simulate } from '../simulate.js';"],
    ['reference.ts', "import { magnitudeBitsOf } from './quantize.js';"],
    ['lower/forward.ts', "import {\n  bitPlanes,\n} from '../bit/planes.js';"],
    ['simulate.ts', "const { main } = await import('./cli/main.js');"],
    ['wave/recorder.ts', "import { simulate } from '../simulate.js';"],
    ['viewer/vcd.ts', "import { SacPe } from '../sim/sacPe.js';"],
    ['cli/list.ts', "import '../index.js';"],
  ])('if %s said %s', (name, line) => {
    expect(importFaults(name, `/** Comment. */\n${line}\n`).length).toBeGreaterThan(0);
    expect(importFaults(name, '/** Comment. */\n')).toEqual([]);
  });

  it('on a long file and on one without a first comment', () => {
    expect(fileFaults('sim/x.ts', `/** X. */\n${'x;\n'.repeat(350)}`)).toHaveLength(1);
    expect(fileFaults('sim/x.ts', `/** X. */\n${'x;\n'.repeat(349)}`)).toHaveLength(0);
    expect(fileFaults('sim/x.ts', 'export const x = 1;\n')).toHaveLength(1);
    expect(fileFaults('sim/x.ts', '#!/usr/bin/env node\n/** X. */\n')).toHaveLength(1);
    expect(fileFaults('cli/main.ts', '#!/usr/bin/env node\n/** X. */\n')).toHaveLength(0);
  });
});
