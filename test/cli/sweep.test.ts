/** `kneadsim sweep`: points are runs of `replay` and `train`; wrong input is one line, before anything is written. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { contents } from '../sweep/support.js';
import { parseCsv } from '../report/parseCsv.js';
import { good, kneadsim, LENET, refused, temporaryFolder, WEIGHTS_ONLY } from './harness.js';

/** Rows of CSV as records. */
function records(text: string): Record<string, string>[] {
  const [header, ...rows] = parseCsv(text);
  return rows.map((cells) => Object.fromEntries(header.map((name, i) => [name, cells[i]])));
}

/** Sweeps, and holds every point to the command that it stands for. */
async function compare(args: string[], command: string[], fixed: string[]): Promise<number> {
  const folder = temporaryFolder();
  await good('sweep', LENET, ...args, ...fixed, '--out', folder, '--workers', '1');
  const rows = records(readFileSync(join(folder, 'sweep.csv'), 'utf8'));
  const points = JSON.parse(await good('sweep', '--list', '--json', '--out', folder)) as Record<
    string,
    string | number | null
  >[];
  for (const { point, ...axes } of points) {
    const options = Object.entries(axes).flatMap(([name, value]) => {
      if (value === null) return [];
      if (/^(machine|precision|level|layer|prune|seed)$/.test(name)) return [`--${name}`, String(value)];
      return name === 'phase'
        ? ['--phase', String(value).replaceAll('+', ',')]
        : ['--set', `${name}=${value}`];
    });
    const wanted = records(await good(...command, LENET, ...options, ...fixed, '--csv'));
    expect(rows.filter((row) => row.point === String(point))).toMatchObject(wanted);
    expect(wanted.length).toBeGreaterThan(1);
  }
  expect(new Set(rows.map((row) => row.point)).size).toBe(points.length);
  return points.length;
}

describe('a point', () => {
  test('is a replay of its machine', async () => {
    const args = ['--machine', 'tetris,dadiannao', '--precision', 'int8,int16', '--level', 'count,step'];
    const settings = ['--set', 'kneadingStride=8,32', '--set', 'tetris.sync=barrier'];
    expect(await compare([...args, ...settings], ['replay'], ['--layer', 'conv*'])).toBe(12);
  });

  test('is a train of its machine, where phases are an axis', async () => {
    const args = [
      '--machine',
      'masked',
      '--phase',
      'forward,gradInput,gradInput+gradWeight',
      '--prune',
      '0,0.9',
    ];
    const fixed = ['--layer', 'conv3', '--first-grad-input', '--threshold', 'exact'];
    expect(await compare([...args, '--seed', '3,4'], ['train'], fixed)).toBe(9);
  });

  test('has the budget of the array that all machines were set to', async () => {
    const args = ['--machine', 'tetris,dadiannao', '--set', 'tiles=4,8', '--set', 'units=8'];
    expect(await compare(args, ['replay'], ['--budget', 'lanes', '--level', 'count'])).toBe(4);
  });

  test('has the dense array that other machines were set to beside it', async () => {
    const folder = temporaryFolder();
    const args = [LENET, '--machine', 'tetris,sparsetrain', '--level', 'count', '--layer', 'conv3'];
    await good('sweep', ...args, '--set', 'tiles=2,4', '--out', folder, '--workers', '1');
    const rows = records(readFileSync(join(folder, 'sweep.csv'), 'utf8'));
    expect(rows.map(({ point }) => point)).toEqual(['0', '0', '1', '1', '2', '2', '3', '3']);
    for (const tiles of ['2', '4']) {
      const wanted = records(await good('replay', ...args, '--set', `tiles=${tiles}`, '--csv'));
      expect(rows.filter((row) => row.tiles === tiles)).toMatchObject(wanted);
    }
  });
});

test('--list tells the points and writes nothing', async () => {
  const grid = ['--set', 'kneadingStride=8,16', '--phase', 'gradInput', '--seed', '1,2'];
  const args = ['sweep', LENET, '--machine', 'tetris', ...grid];
  expect(await good(...args, '--list')).toBe(
    [
      '     0  machine tetris, phase gradInput, seed 1, kneadingStride 8\n',
      '     1  machine tetris, phase gradInput, seed 1, kneadingStride 16\n',
      '     2  machine tetris, phase gradInput, seed 2, kneadingStride 8\n',
      '     3  machine tetris, phase gradInput, seed 2, kneadingStride 16\n',
    ].join(''),
  );
  const folder = join(temporaryFolder(), 'none');
  const listed = JSON.parse(await good(...args, '--list', '--json', '--out', folder)) as object[];
  expect(listed[3]).toMatchObject({ point: 3, machine: 'tetris', seed: '2', kneadingStride: '16' });
  expect(existsSync(folder)).toBe(false);
});

test('--json tells what was done', async () => {
  const folder = temporaryFolder();
  const args = ['sweep', LENET, '--machine', 'tetris', '--level', 'count', '--out', folder, '--json'];
  expect(JSON.parse(await good(...args))).toEqual({
    points: 1,
    found: 0,
    computed: 1,
    files: [join(folder, 'sweep.csv'), join(folder, 'sweep.parquet')],
  });
});

describe('refuses, and writes nothing:', () => {
  const tetris = ['--machine', 'tetris'];
  test.each<[string[], RegExp]>([
    [[], /no such file; begin a sweep/],
    [[LENET], /no such file; begin a sweep/],
    [['--set', 'tiles=1'], /no machine was chosen/],
    [['none.safetensors', ...tetris], /none\.safetensors: no such file/],
    [['package.json', ...tetris], /package\.json/],
    [['--machine', 'tetriz'], /unknown machine tetriz/],
    [['--machine', 'tetris,tetris'], /--machine: found tetris twice/],
    [['--machine', 'tetris,'], /--machine: found "tetris,", expected a value/],
    [[...tetris, '--set', 'kneadingStride=8,,16'], /--set kneadingStride: found "8,,16", expected a value/],
    [[...tetris, '--set', 'kneadingStride=8,08'], /--set kneadingStride: found 8 twice/],
    [[...tetris, '--set', 'kneadingStride'], /expected \[machine\.\]parameter=value,value/],
    [[...tetris, '--set', 'tiles=1', '--set', 'tiles=2'], /--set tiles: found it twice/],
    [[...tetris, '--set', 'colour=red,blue'], /none of tetris has a parameter colour/],
    [[...tetris, '--set', 'masked.tiles=1'], /masked is not among the chosen ones/],
    [[...tetris, '--set', 'tetris.colour=red'], /^kneadsim: point 0 .*no parameter colour/],
    [
      [...tetris, '--set', 'sync=skew,never', '--set', 'tiles=1,2'],
      /^kneadsim: point 2 \(machine tetris, sync never, tiles 1\): .*found "never", expected skew or barrier/,
    ],
    [[...tetris, '--set', 'kneadingStride=8,0'], /^kneadsim: point 1 .*found "0", expected a whole number/],
    [
      ['--machine', 'tetris,pragmatic', '--phase', 'gradInput'],
      /^kneadsim: point 1 .*pragmatic does not run/,
    ],
    [[...tetris, '--layer', 'conv1,none'], /^kneadsim: point 1 .*no layer matches none/],
    [[WEIGHTS_ONLY, ...tetris, '--level', 'count,step'], /^kneadsim: point 1 .*found no activations/],
    [[...tetris, '--phase', 'gradInput', '--per', 'channel'], /^kneadsim: point 0 .*--per channel/],
    [[...tetris, '--precision', 'int8,int4'], /--precision: found int4, expected int8, int16/],
    [[...tetris, '--level', 'rtl'], /--level: found rtl, expected count, step/],
    [[...tetris, '--phase', 'forward+back'], /--phase: found back/],
    [[...tetris, '--phase', 'gradInput', '--prune', '0,1'], /--prune: found 1, expected targets/],
    [[...tetris, '--phase', 'gradInput', '--prune', 'x'], /--prune: found x, expected targets/],
    [[...tetris, '--prune', '0.5'], /--prune: no point has gradients; add --phase/],
    [[...tetris, '--seed', '1,-2'], /--seed: found -2, expected whole numbers/],
    [[...tetris, '--budget', 'huge'], /Allowed choices are lanes, area, none/],
    [[...tetris, '--engine', 'lsf'], /Allowed choices are slurm, snakemake, parallel/],
    [[...tetris, '--workers', '0'], /--workers.*expected a whole number from 1/],
    [['--point', '0'], /no such file; begin a sweep/],
    [['--point', '-1'], /--point.*expected a whole number/],
    [['--point', '0', '--collect'], /cannot be used with/],
    [['--collect', '--list'], /--list and --collect: use one of them/],
    [['--point', '0', ...tetris], /--point takes its grid from .*; leave --machine away/],
    [['--collect', '--first-grad-input'], /leave --first-grad-input away/],
  ])('%j', async (args, message) => {
    const folder = join(temporaryFolder(), 'sweep');
    expect(await refused('sweep', ...args, '--out', folder)).toMatch(message);
    expect(existsSync(folder)).toBe(false);
  });

  test('a sweep without a folder, or with a file for one', async () => {
    expect(await refused('sweep', LENET, '--machine', 'tetris')).toMatch(/use --out DIR/);
    expect(await refused('sweep', LENET, '--machine', 'tetris', '--out', '')).toMatch(/path is empty/);
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, 'kept');
    expect(await refused('sweep', LENET, '--machine', 'tetris', '--out', file)).toMatch(
      /is a file, expected a folder/,
    );
    expect(readFileSync(file, 'utf8')).toBe('kept');
  });
});

describe('a folder', () => {
  const begin = async (): Promise<string> => {
    const folder = temporaryFolder();
    const args = ['--machine', 'tetris', '--set', 'kneadingStride=8,16', '--level', 'count'];
    await good('sweep', LENET, ...args, '--out', folder);
    return folder;
  };

  test('of another sweep is refused, and stays', async () => {
    const folder = await begin();
    const before = contents(folder);
    const other = async (...args: string[]): Promise<string> => {
      const line = await refused('sweep', ...args, '--out', folder);
      expect(line).toMatch(/; choose another --out, or remove the folder to begin anew\n$/);
      expect(contents(folder)).toEqual(before);
      return line;
    };
    const same = [LENET, '--machine', 'tetris', '--level', 'count'];
    expect(await other(...same, '--set', 'kneadingStride=8,32')).toMatch(
      /sweep\.json: axis 3: found a sweep with kneadingStride=8,16, expected kneadingStride=8,32/,
    );
    expect(await other(...same)).toMatch(/axis 3: found .* expected no such axis/);
    expect(await other(...same, '--set', 'kneadingStride=8,16', '--scale', 'maxabs')).toMatch(
      /option scale: found a sweep with the default, expected maxabs/,
    );
    expect(
      await other(
        ...same.with(0, LENET.replace('late-s01500', 'mid-s00300')),
        '--set',
        'kneadingStride=8,16',
      ),
    ).toMatch(/trace: found a sweep with trace \w{64}/);
  });

  test('with a damaged sweep.json, or one of another version, is refused', async () => {
    const folder = await begin();
    const path = join(folder, 'sweep.json');
    const whole = readFileSync(path, 'utf8');
    writeFileSync(path, whole.replace(/"version": "[^"]*"/, '"version": "0.0.1"'));
    expect(await refused('sweep', '--out', folder)).toMatch(
      /found a sweep of kneadsim 0\.0\.1, expected one of/,
    );
    for (const axes of ['[null]', '[{"x":1}]', '5', '[{"name":"machine","setting":false,"values":[]}]']) {
      writeFileSync(
        path,
        JSON.stringify({ ...(JSON.parse(whole) as object), axes: JSON.parse(axes) as unknown }),
      );
      expect(await refused('sweep', '--out', folder), axes).toMatch(/found a damaged or foreign file/);
    }
    writeFileSync(path, whole);
    truncateSync(path, 100);
    for (const args of [[], ['--point', '0'], ['--collect']])
      expect(await refused('sweep', ...args, '--out', folder)).toMatch(/found a damaged or foreign file/);
  });

  test('whose trace has changed is refused by every point', async () => {
    const folder = temporaryFolder();
    const trace = join(folder, 'trace.safetensors');
    const args = ['--machine', 'tetris', '--level', 'count'];
    writeFileSync(trace, readFileSync(LENET));
    await good('sweep', trace, ...args, '--out', folder);
    rmSync(join(folder, 'points', '000000.json'));
    writeFileSync(trace, readFileSync(LENET.replace('late-s01500', 'mid-s00300')));
    const message = /point 0 .*trace\.safetensors: found SHA-256 \w{64}, expected \w{64} as the sweep began/;
    expect(await refused('sweep', '--out', folder)).toMatch(message);
    expect(await refused('sweep', '--point', '0', '--out', folder)).toMatch(message);
    // No results without all points.
    expect(readdirSync(folder).sort()).toEqual(['points', 'sweep.json', 'trace.safetensors']);
  });

  test('keeps a good point as it is', async () => {
    const folder = await begin();
    const path = join(folder, 'points', '000001.json');
    const before = statSync(path, { bigint: true });
    await good('sweep', '--point', '1', '--out', folder);
    await good('sweep', '--out', folder);
    const after = statSync(path, { bigint: true });
    expect([after.ino, after.mtimeNs]).toEqual([before.ino, before.mtimeNs]);
    expect(await refused('sweep', '--point', '2', '--out', folder)).toMatch(
      /--point: found 2, expected 0 to 1/,
    );
  });

  test('takes a job beside other things in it', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'mine'));
    for (const engine of ['slurm', 'snakemake', 'parallel']) {
      const out = await good(
        ...['sweep', LENET, '--machine', 'tetris', '--level', 'count', '--out', folder, '--engine', engine],
      );
      expect(out).toMatch(new RegExp(`^1 points? as a job for ${engine}: .*\\nrun it: .*\\n$`));
    }
    expect(readdirSync(folder).sort()).toEqual([
      'Snakefile',
      'collect.sbatch',
      'jobs.txt',
      'logs',
      'mine',
      'parallel.sh',
      'points',
      'sweep.json',
      'sweep.sbatch',
    ]);
  });
});

test('help ends in commands', async () => {
  const { out } = await kneadsim('sweep', '--help');
  expect(out).toMatch(/\nTry:\n( {2}kneadsim sweep .*\n)+$/);
});
