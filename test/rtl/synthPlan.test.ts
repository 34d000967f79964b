/** `make synth`: what users get wrong is one line and exit code 1, before any work, and leaves no file behind. */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { UserError } from '../../src/errors.js';
import { toolVersion } from '../../src/rtl/simulator.js';
import { CONFIGURATIONS } from '../../src/rtl/synth/configurations.js';
import type { CoefficientSet } from '../../src/rtl/synth/coefficients.js';
import { planOf, type Plan } from '../../src/rtl/synth/plan.js';
import type * as Process from '../../src/rtl/synth/process.js';
import { toolVersions } from '../../src/rtl/synth/process.js';
import { cellsFile } from '../../src/rtl/synth/target.js';
import { LIBRARY } from './toyLibrary.js';

vi.mock(import('../../src/rtl/synth/process.js'), async (original) => ({
  ...(await original()),
  toolVersions: vi.fn(() => ({ yosys: 'Yosys 9', opensta: '9', icarus: 'Icarus 9' })),
}));
const { toolVersions: realVersions } = await vi.importActual<typeof Process>(
  '../../src/rtl/synth/process.js',
);

const root = fileURLToPath(new URL('../..', import.meta.url));
let folder: string;
const at = (name: string): string => join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kneadsim-test-'));
  writeFileSync(at('toy.lib'), LIBRARY);
  writeFileSync(at('odd.lib'), LIBRARY.replace('library (toy)', 'library ("../my lib")'));
  writeFileSync(at('module.v'), 'module top;\nendmodule\n');
  writeFileSync(at('empty.lib'), '');
  mkdirSync(at('folder'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(() => void vi.unstubAllEnvs());

const plan = (...args: string[]): Plan => planOf(args);

describe('the plan of make synth', () => {
  it('takes the library of the user, and a file of the user for results', () => {
    const { target, out, command, node, configurations } = plan(
      `--liberty=${at('toy.lib')}`,
      '--node=7 nm',
      '--period=3',
    );
    expect(target).toMatchObject({ driver: 'INV', period: 3, liberty: at('toy.lib') });
    expect(out).toBe('coefficients-toy.json');
    expect(command).toBe(`make synth LIBERTY=toy.lib NODE='7 nm' PERIOD=3`);
    expect(node).toBe('7 nm');
    expect(configurations).toEqual(CONFIGURATIONS);
    expect(plan(`--liberty=${at('toy.lib')}`, '--out=x.json').out).toBe('x.json');
    // A library may be called anything; the file stands in this folder.
    expect(plan(`--liberty=${at('odd.lib')}`).out).toBe('coefficients-.._my_lib.json');
  });

  it.runIf(cellsFile() !== null)('writes into the sources only what is of the packages, whole', () => {
    // As make gives them: empty where nothing is set.
    expect(plan('--liberty=', '--out=', '--node=', '--period=').out).toBeNull();
    expect(plan('--out=mine.json').out).toBe('mine.json');
    for (const option of ['--period=30', '--node=x', '--only=kneader', `--liberty=${cellsFile()}`])
      expect(plan(option).out).toBe('coefficients-osu018_stdcells.json');
    expect(plan('--only=kneader int8').configurations).toHaveLength(1);
  });

  it.each([
    ['a library that is not there', () => ['--liberty=/no/such.lib'], /^\/no\/such\.lib: no such file/],
    ['a folder', () => [`--liberty=${at('folder')}`], /is a folder, expected a file/],
    [
      'Verilog',
      () => [`--liberty=${at('module.v')}`],
      /module\.v: line 1: found "module", expected "library"/,
    ],
    ['an empty file', () => [`--liberty=${at('empty.lib')}`], /found the end of the file/],
    ['a period of nothing', () => ['--period=0'], /PERIOD is 0, expected ns, more than 0/],
    ['a period of words', () => ['--period=fast'], /PERIOD is fast/],
    ['half a job', () => ['--jobs=0.5'], /SYNTH_JOBS is 0\.5, expected a whole number/],
    ['no such unit', () => [`--liberty=${at('toy.lib')}`, '--only=sac'], /no unit is called sac/],
  ])('refuses %s in one line', (_, args, message) => {
    let error: unknown;
    try {
      planOf(args());
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(UserError);
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message).not.toContain('\n');
  });

  it('names a tool that is missing', () => {
    vi.stubEnv('PATH', folder);
    expect(realVersions).toThrow(/^yosys: not on this machine; install it with "make synth"/);
    vi.mocked(toolVersions).mockImplementationOnce(realVersions);
    expect(() => plan(`--liberty=${at('toy.lib')}`)).toThrow('yosys: not on this machine');
  });
});

const complete =
  cellsFile() !== null && ['yosys', 'iverilog'].every((tool) => toolVersion(tool as 'yosys') !== null);
const hasSta = spawnSync('sta', ['-version']).status === 0;
if (!complete || !hasSta)
  console.log('no tools of synthesis on this machine: "make synth" itself is not run');

describe('make synth', () => {
  const sources = ['src/rtl/coefficients.json', 'src/arch/coefficients.ts'].map((file) => join(root, file));
  const run = (...args: string[]): { status: number | null; stderr: string } =>
    spawnSync(join(root, 'node_modules/.bin/tsx'), [join(root, 'src/rtl/synth/run.ts'), ...args], {
      cwd: at('folder'),
      encoding: 'utf8',
    });

  it('ends with one line and exit code 1, and leaves nothing', () => {
    const { status, stderr } = run('--liberty=/no/such.lib', '--out=x.json');
    expect(status).toBe(1);
    expect(stderr).toMatch(/^\/no\/such\.lib: no such file; check the path\n$/);
    expect(readdirSync(at('folder'))).toEqual([]);
  });

  it.runIf(complete && hasSta)('with a library of the user leaves the sources as they are', () => {
    const before = sources.map((path) => readFileSync(path, 'utf8'));
    const own = readFileSync(cellsFile()!, 'utf8')
      .replace(/library *\(osu018_stdcells\)/, 'library (mine)')
      // Times a thousand times shorter.
      .replace('time_unit : "1ns"', 'time_unit : "1ps"');
    expect(own).toContain('(mine)');
    writeFileSync(at('my lib.lib'), own);
    const { status, stderr } = run(`--liberty=${at('my lib.lib')}`, '--only=macUnit int8 1x1', '--node=0 nm');
    expect(stderr).toContain('written: coefficients-mine.json');
    expect(status).toBe(0);
    const [set] = (
      JSON.parse(readFileSync(at('folder/coefficients-mine.json'), 'utf8')) as { sets: CoefficientSet[] }
    ).sets;
    expect(set).toMatchObject({ name: 'mine', node: '0 nm', library: { package: null, file: 'my lib.lib' } });
    const [committed] = (JSON.parse(before[0]) as { sets: CoefficientSet[] }).sets[1].units;
    expect(set.units[0].area / committed.area).toBeCloseTo(1, 1);
    expect((1000 * set.units[0].criticalPath!) / committed.criticalPath!).toBeCloseTo(1, 1);
    expect(set.units[0].energy!.cycle.pJ / committed.energy!.cycle.pJ).toBeCloseTo(1, 1);
    expect(sources.map((path) => readFileSync(path, 'utf8'))).toEqual(before);
    expect(readdirSync(at('folder'))).toEqual(['coefficients-mine.json']);
  });

  it.runIf(complete && hasSta)(
    'whose library cannot be mapped to ends with one line, and leaves nothing',
    () => {
      rmSync(at('folder/coefficients-mine.json'), { force: true });
      const { status, stderr } = run(`--liberty=${at('toy.lib')}`, '--only=macUnit int8 1x1', '--out=x.json');
      expect(status).toBe(1);
      expect(stderr).toMatch(/^yosys failed in macUnit-int8-1x1: [^\n]* ABC: Error: [^\n]*\n$/);
      expect(readdirSync(at('folder'))).toEqual([]);
      expect(existsSync(at('folder/x.json'))).toBe(false);
    },
  );
});
