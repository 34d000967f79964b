/** Wrong input: exit 1, one line on stderr that names it, nothing on stdout, no file. */
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { good, kneadsim, LENET, refused, temporaryFolder, WEIGHTS_ONLY } from './harness.js';

describe.each(['replay', 'compare'])('%s refuses', (command) => {
  test.each([
    [['no-such-file.safetensors'], /no-such-file\.safetensors: no such file; check the path/],
    [['traces'], /traces: is a folder, expected a file/],
    [['package.json'], /package\.json/],
    [[LENET, LENET], /too many arguments/],
    [['--machine', 'tetriz'], /unknown machine tetriz; there are dadiannao, .*tetris/],
    [['--machine', 'tetris', '--machine', 'tetris'], /tetris is named twice/],
    [['--machine', 'tetris,'], /--machine.*expected a name/],
    [['--machine', ''], /--machine.*expected a name/],
    [['--machine'], /--machine <name>' argument missing/],
    [
      ['--level', 'rtl'],
      /'rtl' is invalid\. Allowed choices are count, step; see "kneadsim (replay|compare) --help"/,
    ],
    [['--precision', 'int4'], /Allowed choices are int8, int16/],
    [['--scale', 'log'], /Allowed choices are maxabs, pow2/],
    [['--per', 'row'], /Allowed choices are tensor, channel/],
    [['--min-code', 'wrap'], /Allowed choices are saturate, refuse/],
    [['--layer', 'nothing*'], /no layer matches nothing\*; it has conv1/],
    [['--set', 'colour=red'], /none of .* has a parameter colour; see "kneadsim list"/],
    [['--set', 'tiles'], /--set tiles: expected \[machine\.\]parameter=value/],
    [['--set', 'tiles=0'], /tiles: found "0", expected a whole number from 1/],
    [['--set', 'tiles=1e99'], /tiles: found "1e99"/],
    [['--set', 'sync=maybe'], /sync: found "maybe", expected skew or barrier/],
    [
      ['--machine', 'dadiannao', '--set', 'kneadingStride=8'],
      /none of dadiannao has a parameter kneadingStride/,
    ],
    [['--machine', 'dadiannao', '--set', 'tetris.tiles=8'], /tetris is not among the chosen ones/],
    [['--seed', '-1'], /--seed.*expected a whole number of at least 0/],
    [['--seed', '1.5'], /--seed.*expected a whole number/],
    [['--json', '--csv'], /'--json' cannot be used with option '--csv'/],
    [['--jsn'], /unknown option '--jsn' \(Did you mean --json\?\)/],
    [[WEIGHTS_ONLY, '--machine', 'pragmatic'], /conv0\/input for machine pragmatic at level count/],
    [[WEIGHTS_ONLY, '--level', 'step'], /found no activations, .* at level step/],
  ])('%j', async (args, message) => {
    expect(await refused(command, ...args)).toMatch(message);
  });
});

describe('an output that cannot be written', () => {
  test.each([
    ['', /the output path is empty/],
    ['FOLDER', /is a folder; add a file name to the path/],
    ['FOLDER/none/r.json', /its folder does not exist/],
    ['FOLDER/file/r.json', /part of the path is a file/],
  ])('%s is refused before the trace is read', async (path, message) => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'file'), 'kept');
    // A trace that does not exist proves which of the two is looked at first.
    expect(await refused('replay', 'no-trace', '--out', path.replace('FOLDER', folder))).toMatch(message);
    expect(readdirSync(folder)).toEqual(['file']);
    expect(readFileSync(join(folder, 'file'), 'utf8')).toBe('kept');
  });

  // Permissions do not bind the superuser.
  test.skipIf(process.getuid?.() === 0)('lies in a folder without permission', async () => {
    const folder = join(temporaryFolder(), 'closed');
    mkdirSync(folder);
    chmodSync(folder, 0o555);
    expect(await refused('replay', '--out', join(folder, 'r.json'))).toMatch(/may not be written/);
    chmodSync(folder, 0o755);
  });

  test.skipIf(!existsSync('/dev/full'))('is on a full device', async () => {
    expect(await refused('replay', '--level', 'count', '--out', '/dev/full')).toMatch(
      /no space left on the device/,
    );
  });

  test('a run that fails leaves no file, and an old one as it was', async () => {
    const folder = temporaryFolder();
    const old = join(folder, 'old.json');
    writeFileSync(old, 'old');
    for (const out of [old, join(folder, 'new.json')])
      await refused('replay', '--layer', 'none', '--out', out);
    expect(readdirSync(folder)).toEqual(['old.json']);
    expect(readFileSync(old, 'utf8')).toBe('old');
  });
});

describe('the program', () => {
  test('prints its version', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(await good('--version')).toBe(`${version}\n`);
  });

  test.each([[[]], [['trace']]])('without a command shows the help on stderr: %j', async (args) => {
    const { code, out, err } = await kneadsim(...args);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain('Try:\n  kneadsim ');
  });

  test.each([[['unknown']], [['trace', 'unknown']]])('refuses an unknown command: %j', async (args) => {
    expect(await refused(...args)).toMatch(/unknown command 'unknown'/);
  });

  test.each(
    ['', 'replay', 'compare', 'knead', 'fuzz', 'list', 'trace', 'trace info', 'trace import'].map((name) => [
      name.split(' ').filter(Boolean),
    ]),
  )('%j --help ends in commands to paste, and they are of this command', async (args) => {
    const help = await good(...args, '--help');
    const commands = help
      .slice(help.indexOf('Try:\n') + 5)
      .trimEnd()
      .split('\n');
    expect(commands.length).toBeGreaterThan(0);
    for (const command of commands) expect(command).toMatch(/^ {2}kneadsim [a-z]/);
    expect(commands[0]).toContain(['kneadsim', ...args].join(' '));
  });
});
