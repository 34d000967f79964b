/** `kneadsim wave`: what it writes and says, which layer, tiles and cycles it takes, and what it refuses. */
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MACHINES } from '../../src/arch/registry.js';
import { simulatorVersion } from '../../src/rtl/simulator.js';
import { Wave } from '../wave/parseVcd.js';
import { writeStep } from '../support/steps.js';
import { kneadsim, LENET, refused, temporaryFolder, WEIGHTS_ONLY } from './harness.js';

interface Written {
  wave: Wave;
  text: string;
  said: string;
  comment: Record<string, unknown>;
}

/** A run that writes a wave and says one line. */
async function written(machine: string, ...args: string[]): Promise<Written> {
  const out = join(temporaryFolder(), 'wave.vcd');
  const { code, out: data, err } = await kneadsim('wave', ...args, '--machine', machine, '--out', out);
  expect({ code, data }).toEqual({ code: 0, data: '' });
  expect(err).toMatch(/^[^\n]+\n$/);
  const text = readFileSync(out, 'latin1');
  const wave = new Wave(text, machine.replaceAll('-', '_'));
  expect(err).toContain(`${statSync(out).size.toLocaleString('en')} bytes`);
  expect(err).toContain(`${wave.paths.length.toLocaleString('en')} signals`);
  return { wave, text, said: err, comment: JSON.parse(wave.vcd.comment) as Record<string, unknown> };
}

const step = (): Promise<string> => writeStep(join(temporaryFolder(), 'step.safetensors'), { seed: 4 });

describe('kneadsim wave', () => {
  it('writes the first cycles of the first layer, tile 0, and says so', async () => {
    const { wave, said, comment } = await written('tetris', LENET);
    expect([wave.from, wave.to]).toEqual([0, 200]);
    expect(said).toMatch(
      /wave\.vcd: layer conv1, forward, cycles 0:200 of [\d,]+, tile 0 of 16 \(--tile all for all\), /,
    );
    expect(wave.paths.filter((path) => !/^(clk|cycle|tile0\..*)$/.test(path))).toEqual([]);
    expect(comment).toMatchObject({
      tool: 'kneadsim',
      trace: LENET,
      machine: 'tetris',
      layer: 'conv1',
      phase: 'forward',
      precision: 'int16',
      cycles: '0:200',
      tiles: [0],
      verified: true,
      config: { kneadingStride: 16, tiles: 16 },
    });
    expect(comment.traceHash).toMatch(/^[0-9a-f]{64}$/);
    expect(wave.signal('tile0.unit0.lane0.word').bits).toBe(92);
  });

  it('writes the same bytes twice, without a date', async () => {
    const runs = [
      await written('masked', LENET, '--layer', 'conv2'),
      await written('masked', LENET, '--layer', 'conv2'),
    ];
    expect(runs[0].text).toBe(runs[1].text);
    expect(runs[0].text).not.toContain('$date');
  });

  it('takes tiles, cycles, settings and precision', async () => {
    const args = [LENET, '--layer', 'conv2', '--precision', 'int8', '--set', 'tiles=3', '--set', 'units=4'];
    const { wave, said, comment } = await written('tetris', ...args, '--cycles', '50:90', '--tile', '2,0');
    expect([wave.from, wave.to]).toEqual([50, 90]);
    expect(said).toContain('tile 0, 2 of 3');
    expect(new Set(wave.paths.map((path) => path.split('.')[0]))).toEqual(
      new Set(['clk', 'cycle', 'tile0', 'tile2']),
    );
    expect(wave.paths).not.toContain('tile0.unit4.pending');
    expect(wave.signal('tile0.unit0.lane0.word').bits).toBe(44);
    expect(comment).toMatchObject({
      precision: 'int8',
      cycles: '50:90',
      tiles: [0, 2],
      config: { units: 4 },
    });
    const all = await written('tetris', ...args, '--tile', 'all', '--cycles', '50:90');
    expect(all.said).toContain('all 3 tiles');
    // What is beside a tile does not change it.
    for (const path of ['tile2.unit3.segment6', 'tile0.unit1.lane5.word'])
      expect(all.wave.signal(path).values).toEqual(wave.signal(path).values);
  });

  it('goes to the end of the layer, and stops there by itself', async () => {
    const file = await step();
    const { wave, said } = await written('sparsetrain', file, '--cycles', '3:');
    const end = Number(/cycles 3:(\d+) of (\d+), group 0 of 56/.exec(said)![1]);
    expect([wave.from, wave.to]).toEqual([3, end]);
    const short = await written('sparsetrain', file);
    expect(short.wave.to).toBe(end);
    expect((await written('sparsetrain', file, '--cycles', `0:${end}`)).text).toBe(short.text);
    const beyond = await refused(
      'wave',
      file,
      '--machine',
      'sparsetrain',
      '--out',
      file + '.vcd',
      '--cycles',
      `0:${end + 1}`,
    );
    expect(beyond).toContain(`layer first, forward, has ${end} cycles`);
    expect(beyond).toContain(`choose some of 0:${end}`);
    expect(existsSync(`${file}.vcd`)).toBe(false);
  });

  it.each(MACHINES.flatMap(({ name, phases }) => phases.map((phase) => [name, phase])))(
    'shows %s in %s',
    async (machine, phase) => {
      const { wave, comment } = await written(machine, await step(), '--phase', phase, '--seed', '3');
      expect(wave.paths.length).toBeGreaterThan(30);
      // The first layer of a network has no gradInput: the next one is shown.
      expect(comment).toMatchObject({ machine, phase, layer: phase === 'gradInput' ? 'second' : 'first' });
      if (phase !== 'forward') expect(comment).toMatchObject({ prune: 0.9, threshold: 'exact', seed: 3 });
    },
  );

  it('prunes as it is told', async () => {
    const file = await step();
    const products = async (prune: string): Promise<string> =>
      (await written('sparsetrain', file, '--phase', 'gradWeight', '--prune', prune, '--cycles', '0:')).said;
    const cycles = (said: string): number => Number(/of (\d+), group/.exec(said)![1]);
    expect(cycles(await products('0.9'))).toBeLessThan(cycles(await products('0')));
  });

  it.each([
    [['--cycles', '9:9'], /--cycles.*expected A:B with whole numbers A < B/],
    [['--cycles', '-3:9'], /--cycles.*expected A:B/],
    [['--cycles', '5'], /--cycles.*expected A:B/],
    [['--cycles', '99999:'], /--cycles 99999:: layer conv1, forward, has \d+ cycles .*choose some of 0:\d+/],
    [['--tile', '16'], /--tile: found 16, expected at most 15: the array has 16 tiles/],
    [['--tile', 'two'], /--tile.*expected numbers from 0 on/],
    [['--layer', 'conv*'], /--layer conv\*: found 3 layers \(conv1, conv2, conv3\), expected one; name it/],
    [['--layer', 'conv9'], /no layer matches conv9/],
    [['--machine', 'tetris,masked'], /unknown machine tetris,masked; there are/],
    [['--machine', 'stripes', '--phase', 'gradInput'], /stripes does not run gradInput/],
    [['--phase', 'backward'], /--phase.*Allowed choices are forward, gradInput, gradWeight/],
    [['--prune', '1'], /--prune.*at least 0/],
    [['--set', 'columns=3'], /none of tetris has a parameter columns/],
    [['--layer', 'conv1', '--phase', 'gradInput'], /first of the network and has no gradInput/],
  ])('refuses %j in one line and writes nothing', async (args, message) => {
    const folder = temporaryFolder();
    expect(await refused('wave', LENET, '--out', join(folder, 'wave.vcd'), ...args)).toMatch(message);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('refuses a trace without activations, and a place that cannot be written', async () => {
    const folder = temporaryFolder();
    const out = join(folder, 'wave.vcd');
    expect(await refused('wave', WEIGHTS_ONLY, '--out', out)).toMatch(/activations/);
    expect(await refused('wave', LENET, '--out', join(folder, 'none', 'wave.vcd'))).toMatch(
      /folder does not exist/,
    );
    expect(await refused('wave', LENET)).toMatch(/--out/);
    writeFileSync(out, 'before');
    await refused('wave', LENET, '--cycles', '99999:', '--out', out);
    expect(readFileSync(out, 'utf8')).toBe('before');
    expect(readdirSync(folder)).toEqual(['wave.vcd']);
  });

  const RTL = [
    LENET,
    '--set',
    'tiles=2',
    '--set',
    'units=2',
    '--set',
    'lanes=2',
    '--cycles',
    '0:60',
    '--rtl',
  ];

  it.runIf(simulatorVersion('icarus') !== null)(
    'writes the wave of the Verilog beside it, and says that all is equal',
    async () => {
      const folder = temporaryFolder();
      const out = join(folder, 'wave.vcd');
      const { code, err } = await kneadsim('wave', ...RTL, '--out', out);
      expect(code).toBe(0);
      expect(err).toMatch(
        /wave\.rtl\.vcd: the Verilog under Icarus Verilog version .*; [\d,]+ values equal those of the model, none differs\n$/,
      );
      expect(readdirSync(folder).sort()).toEqual(['wave.rtl.vcd', 'wave.vcd']);
      const [model, rtl] = ['wave.vcd', 'wave.rtl.vcd'].map(
        (file) => new Wave(readFileSync(join(folder, file), 'latin1'), 'tetris'),
      );
      for (const path of rtl.paths) expect(model.paths).toContain(path);
      expect(JSON.parse(rtl.vcd.comment)).toMatchObject({ machine: 'tetris', cycles: '0:60' });
      expect(rtl.vcd.comment).toMatch(/"rtl": "src\/rtl\/verilog\/sac_pe\.v under Icarus Verilog/);
    },
  );

  it('refuses a twin where there is none, and one that would take days', async () => {
    const folder = temporaryFolder();
    const out = join(folder, 'wave.vcd');
    const refusal = (...args: string[]): Promise<string> => refused('wave', ...RTL, ...args, '--out', out);
    expect(await refusal('--machine', 'sparsetrain')).toMatch(
      /--rtl: found machine sparsetrain, forward, which has no SAC PEs; expected one of tetris, hybrid, masked/,
    );
    expect(await refusal('--machine', 'hybrid', '--phase', 'gradInput')).toMatch(/no SAC PEs.*masked/);
    expect(await refusal('--cycles', '0:100001')).toMatch(/found an end of 100001, expected at most 100000/);
    expect(await refused('wave', ...RTL, out, '--out', out)).toMatch(/found the file of --out/);
    const { PATH } = process.env;
    process.env.PATH = folder;
    try {
      expect(await refusal()).toMatch(
        /icarus: no such simulator on this machine; install it with "make rtl"/,
      );
    } finally {
      process.env.PATH = PATH;
    }
    expect(readdirSync(folder)).toEqual([]);
  });

  it('helps with commands to paste', async () => {
    const { code, out } = await kneadsim('wave', '--help');
    expect(code).toBe(0);
    expect(out).toMatch(/Try:\n {2}kneadsim wave --out wave\.vcd && gtkwave wave\.vcd\n/);
  });
});
