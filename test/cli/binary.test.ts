/** The program as a process of its own: exit codes, the two streams, pipes that close early, the built file. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from './harness.js';

const SOURCE = ['--import', 'tsx', resolve('src/cli/main.ts')];
const BUILT = [resolve('dist/cli/main.js')];
/** tests run on the source; where a build is there, on it too. */
const PROGRAMS: [string, string[]][] = [['source', SOURCE]];
if (existsSync(BUILT[0])) PROGRAMS.push(['build', BUILT]);

function spawnProgram(
  program: string[],
  args: string[],
  { lines = Infinity, cwd = '.' }: { lines?: number; cwd?: string } = {},
): Promise<{ code: number | null; out: string; err: string }> {
  return new Promise((done, fail) => {
    // The loader is resolved from the folder of the project, wherever the program is started.
    const loader = program.map((arg) => (arg === 'tsx' ? import.meta.resolve('tsx') : arg));
    const child = spawn(process.execPath, [...loader, ...args], { cwd });
    let out = '';
    let err = '';
    child.stdout.on('data', (data: Buffer) => {
      out += data.toString();
      if (out.split('\n').length > lines) child.stdout.destroy();
    });
    child.stderr.on('data', (data: Buffer) => (err += data.toString()));
    child.on('error', fail);
    child.on('close', (code) => done({ code, out, err }));
  });
}

describe.each(PROGRAMS)('the program from %s', (_, program) => {
  test('prints data on stdout alone', async () => {
    const { code, out, err } = await spawnProgram(program, ['compare', '--level', 'count', '--json']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(JSON.parse(out)).toMatchObject({ tool: 'kneadsim' });
  });

  test('finds its bundled trace from any folder', async () => {
    const { code, out, err } = await spawnProgram(program, ['replay', '--level', 'count'], {
      cwd: temporaryFolder(),
    });
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/^resnet8-fmnist, 7 layers/);
    expect(out).not.toContain('\u001b');
  });

  test('exits with 1 and one line on stderr for wrong input', async () => {
    const { code, out, err } = await spawnProgram(program, ['replay', 'none.safetensors']);
    expect({ code, out, err }).toEqual({
      code: 1,
      out: '',
      err: 'kneadsim: none.safetensors: no such file; check the path\n',
    });
  });

  test('is quiet when its reader has seen enough', async () => {
    const weights = Array.from({ length: 20_000 }, (_, k) => k % 100).join();
    const { code, err } = await spawnProgram(program, ['knead', '--weights', weights], { lines: 3 });
    expect({ code, err }).toEqual({ code: 0, err: '' });
  });
});

test('main.ts stays a thin front', () => {
  const main = readFileSync('src/cli/main.ts', 'utf8');
  expect(main.startsWith('#!/usr/bin/env node\n')).toBe(true);
  expect(main.split('\n').length).toBeLessThan(40);
});
