/** The two commands, run in-process: what they print where, and how they fail. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { traceCommand } from '../../src/cli/trace.js';
import { expectUserError, npz, ramp, useFolder } from './support.js';

const folder = useFolder();
const bundled = fileURLToPath(new URL('../../traces/lenet5-fmnist-late-s01500.safetensors', import.meta.url));
afterEach(() => vi.restoreAllMocks());

async function run(...args: string[]): Promise<{ out: string; err: string; error?: unknown }> {
  const result: { out: string; err: string; error?: unknown } = { out: '', err: '' };
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((result.out += String(text)), true));
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((result.err += String(text)), true));
  const strict = (command: Command): void => {
    command.exitOverride();
    command.commands.forEach(strict);
  };
  const command = traceCommand();
  strict(command);
  await command.parseAsync(args, { from: 'user' }).catch((error: unknown) => (result.error = error));
  vi.restoreAllMocks();
  return result;
}

describe('trace import', () => {
  it('writes the trace, and speaks on stderr only', async () => {
    const source = folder.write('w.npz', npz({ w: ramp([2, 2, 3, 3]), b: ramp([2]) }));
    const { out, err, error } = await run(
      'import',
      source,
      '--input',
      '6x6',
      '--out',
      folder.path('t.safetensors'),
    );
    expect(error).toBeUndefined();
    expect(out).toBe('');
    expect(err).toMatch(/note: b: not weights/);
    expect(err).toMatch(/t\.safetensors: 1 layers, 1 tensors/);
    expect(folder.open(folder.path('t.safetensors')).layers[0].shape.height).toBe(6);
  });

  it('gives the same bytes each time', async () => {
    const source = folder.write('w.npz', npz({ w: ramp([2, 2, 3, 3]) }));
    for (const name of ['a', 'b']) await run('import', source, '--input', '6x6', '--out', folder.path(name));
    expect(readFileSync(folder.path('a'))).toEqual(readFileSync(folder.path('b')));
  });

  it.each<[string, string[], RegExp]>([
    ['an output in no folder', ['--out', '/nowhere/at/all'], /\/nowhere\/at\/all: its folder does not exist/],
    ['a missing size', ['--out', 'x'], /give --input HxW/],
  ])('refuses %s as bad input', async (_, args, pattern) => {
    const source = folder.write('w.npz', npz({ w: ramp([2, 2, 3, 3]) }));
    const size = args[1] === 'x' ? [] : ['--input', '6x6'];
    expectUserError((await run('import', source, ...size, ...args)).error, pattern);
    expect(folder.list()).toEqual(['w.npz']);
  });

  it.each([
    ['--layout', 'chwn'],
    ['--code-bits', '12'],
    ['--seed', '-1'],
    ['--seed', 'x'],
  ])('refuses %s %s as usage', async (option, value) => {
    const { error } = await run('import', 'w.npz', '--out', 'x', option, value);
    expect(error).toMatchObject({ code: 'commander.invalidArgument' });
  });
});

describe('trace info', () => {
  it('prints layers, shapes, formats, zeros and bits', async () => {
    const { out, err, error } = await run('info', bundled);
    expect(error).toBeUndefined();
    expect(err).toBe('');
    expect(out).toMatch(/lenet5-fmnist/);
    expect(out).toMatch(/conv2 +conv +16x6x5x5 +4x6x14x14 +1x1 +0:0:0:0 +1x1 +1 +960,000/);
    expect(out).toMatch(/conv2 +input +float32 +\d+\.\d +\d+\.\d +(\d+ +){14}\d+$/m);
    for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  });

  it('gives the same as JSON, with counts that add up', async () => {
    const info = JSON.parse((await run('info', bundled, '--precision', 'int8', '--json')).out);
    expect(info.layers.map((l: { macs: number }) => l.macs)).toEqual([470400, 960000, 192000]);
    for (const { statistics } of info.layers)
      for (const s of Object.values<Record<string, number> & { histogram: number[] }>(statistics)) {
        expect(s.histogram).toHaveLength(7);
        expect(s.histogram.reduce((a, b) => a + b, 0)).toBe(s.bits - s.zeroBits);
        expect(s.zeroBitFraction).toBeCloseTo(s.zeroBits / (7 * s.values), 12);
      }
    expect(info.total.weight.values).toBe(50550);
  });

  it('looks into sources that import takes without options, and leaves nothing behind', async () => {
    const source = folder.write('w.npz', npz({ fc: ramp([2, 3]) }));
    const { out } = await run('info', source);
    expect(out).toMatch(/fc +linear +2x3x1x1/);
    expectUserError(
      (await run('info', folder.write('c.npz', npz({ c: ramp([1, 1, 3, 3]) })))).error,
      /--input/,
    );
    expectUserError((await run('info', folder.path('none'))).error, /none: no such file/);
  });
});

it('every help ends in commands to paste', () => {
  const command = traceCommand();
  for (const c of [command, ...command.commands]) {
    let text = '';
    c.configureOutput({ writeOut: (part) => (text += part) }).outputHelp();
    expect(text.trimEnd().split('\n').at(-1)).toMatch(/^ {2}kneadsim trace /);
  }
});
