/** `kneadsim pe` and `kneadsim rtl` as a user meets them. */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { simulatorVersion } from '../../src/rtl/simulator.js';
import { UNITS } from '../../src/rtl/units.js';
import { good, kneadsim, refused, temporaryFolder } from './harness.js';

const EXAMPLES = 'src/rtl/examples';

describe('kneadsim pe', () => {
  it.each(UNITS)('$name steps its example', async ({ name, aliases }) => {
    const file = join(EXAMPLES, `${name}.json`);
    const text = await good('pe', name, '--stimulus', file);
    const lines = text.trimEnd().split('\n');
    lines.forEach((line, cycle) => expect(line).toMatch(new RegExp(`^${cycle}( [0-9a-f-]+)+$`)));
    for (const alias of aliases) expect(await good('pe', alias, '--stimulus', file)).toBe(text);
    const json = JSON.parse(await good('pe', name, '--stimulus', file, '--json')) as { lines: string[] };
    expect(json.lines).toEqual(lines);
    const withRegisters = await good('pe', name, '--stimulus', file, '--registers');
    expect(withRegisters.split('\n').map((line) => line.split(' | ')[0])).toEqual([...lines, '']);
  });

  it('sums by hand: two filters, one of them kneaded into two rows', async () => {
    const lines = (await good('pe', 'sac', '--stimulus', join(EXAMPLES, 'sac.json'))).split('\n');
    // 3 x 10 - 4 x 20 - 1 x 20 and -30 + 4 x 40.
    expect(lines[4]).toBe('4 0 0 2 2 82');
    expect(BigInt.asIntN(64, BigInt(`0x${lines[5].split(' ').at(-1)!}`))).toBe(-70n);
  });

  it('refuses what it cannot read, in one line', async () => {
    const folder = temporaryFolder();
    const file = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    mkdirSync(join(folder, 'dir'));
    expect(await refused('pe', 'sac', '--stimulus', join(folder, 'none.json'))).toContain('no such file');
    expect(await refused('pe', 'sac', '--stimulus', join(folder, 'dir'))).toContain('is a folder');
    expect(await refused('pe', 'sac', '--stimulus', file('empty.json', ''))).toContain('an empty file');
    expect(await refused('pe', 'sac', '--stimulus', file('cut.json', '{"units": 1,'))).toContain('not JSON');
    expect(await refused('pe', 'sac', '--stimulus', file('nan.json', '{"units": NaN}'))).toContain(
      'not JSON',
    );
    expect(await refused('pe', 'sac', '--stimulus', file('other.json', '{"magnitudeBits": 3}'))).toContain(
      'units',
    );
    expect(await refused('pe', 'adder', '--stimulus', join(EXAMPLES, 'sac.json'))).toContain(
      'unknown unit adder',
    );
    expect(await refused('pe', 'kneader', '--stimulus', join(EXAMPLES, 'sac.json'))).toContain('sac.json');
    expect(await refused('pe', 'sac')).toContain('--stimulus');
  });
});

describe('kneadsim rtl emit', () => {
  const emit = async (...args: string[]): Promise<string> => {
    const folder = join(temporaryFolder(), 'rtl');
    const { code } = await kneadsim('rtl', 'emit', '--out', folder, ...args);
    expect(code).toBe(0);
    return folder;
  };

  it('writes sources with the parameters of the machine, and a stimulus that pe takes', async () => {
    const folder = await emit(
      '--machine',
      'masked',
      '--set',
      'units=3',
      '--set',
      'sync=barrier',
      '--precision',
      'int8',
    );
    const source = readFileSync(join(folder, 'sac_pe.v'), 'utf8');
    for (const line of [
      'parameter UNITS = 3,',
      'parameter LANES = 16,',
      'parameter BARRIER = 1,',
      'parameter MAGNITUDE_BITS = 7,',
    ])
      expect(source).toContain(line);
    expect(readFileSync(join(folder, 'kneader.v'), 'utf8')).toContain('parameter MAGNITUDE_BITS = 7,');
    for (const unit of ['sac', 'kneader'])
      expect(await good('pe', unit, '--stimulus', join(folder, `${unit}.json`), '--registers')).toBe(
        readFileSync(join(folder, `${unit}.expected`), 'utf8'),
      );
  });

  it.skipIf(simulatorVersion('icarus') === null)(
    'writes a Makefile whose benches agree with the model',
    async () => {
      const folder = await emit(
        '--machine',
        'hybrid',
        '--set',
        'units=2',
        '--set',
        'lanes=3',
        '--set',
        'ports=1',
      );
      expect(execFileSync('make', ['-s', '-C', folder], { encoding: 'utf8' })).toContain(
        'all lines are those of the model',
      );
      // A bench that prints anything else is noticed.
      writeFileSync(join(folder, 'sac.expected'), 'other\n');
      expect(() => execFileSync('make', ['-s', '-C', folder], { stdio: 'pipe' })).toThrow();
    },
  );

  it('writes the same bytes again', async () => {
    const [a, b] = [
      await emit('--set', 'units=2', '--set', 'lanes=2'),
      await emit('--set', 'units=2', '--set', 'lanes=2'),
    ];
    for (const name of readdirSync(a))
      expect(readFileSync(join(a, name))).toEqual(readFileSync(join(b, name)));
  });

  it('refuses machines without Verilog, wrong settings, and files in the way', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'file'), '');
    const out = join(folder, 'new');
    expect(await refused('rtl', 'emit', '--machine', 'stripes', '--out', out)).toContain('no Verilog');
    expect(await refused('rtl', 'emit', '--machine', 'tetriss', '--out', out)).toContain('unknown machine');
    expect(await refused('rtl', 'emit', '--set', 'units=0', '--out', out)).toContain('tetris.units');
    expect(await refused('rtl', 'emit', '--set', 'unit=2', '--out', out)).toContain('unit');
    expect(await refused('rtl', 'emit', '--out', join(folder, 'file'))).toContain(
      'is a file, expected a folder',
    );
    expect(await refused('rtl', 'emit')).toContain('--out');
    expect(() => statSync(out)).toThrow();
  });
});

describe('kneadsim rtl verify and mutants', () => {
  it.skipIf(simulatorVersion('icarus') === null)(
    'report runs, configurations, cycles and mismatches',
    async () => {
      const text = await good('rtl', 'verify', '--unit', 'kneader,mac', '--runs', '3');
      expect(text).toMatch(/^all +6 runs, \d+ configurations, \d+ cycles, 0 mismatches$/m);
      expect(await good('rtl', 'verify', '--unit', 'kneader,mac', '--runs', '3')).toBe(text);
      const { results } = JSON.parse(
        await good('rtl', 'verify', '--unit', 'row', '--runs', '2', '--json'),
      ) as {
        results: { unit: string; cycles: number }[];
      };
      expect(results.map(({ unit }) => unit)).toEqual(['row']);
      expect(await good('rtl', 'mutants', '--unit', 'kneader')).toMatch(/(\d+) of \1 mutants caught\n$/);
    },
  );

  it('say how to install a simulator that is not there', async () => {
    const { PATH } = process.env;
    process.env.PATH = '';
    try {
      expect(await refused('rtl', 'verify', '--runs', '1')).toMatch(/no such simulator.*make rtl/);
      expect(await refused('rtl', 'mutants', '--simulator', 'verilator')).toMatch(
        /no such simulator.*verilator/,
      );
    } finally {
      process.env.PATH = PATH;
    }
  });

  it('refuse unknown units, simulators and numbers of runs', async () => {
    expect(await refused('rtl', 'verify', '--unit', 'adder')).toContain('unknown unit adder');
    expect(await refused('rtl', 'verify', '--simulator', 'vcs')).toContain('vcs');
    expect(await refused('rtl', 'verify', '--runs', '0')).toContain('--runs');
  });
});
