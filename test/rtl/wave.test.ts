/**
 * The waves of model and Verilog, parsed and compared: by a reader of value change dumps that knows neither writer, and by
 * the command's own comparison. On every machine against the waves that an HDL simulator left, live where there is one.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { sourceHashes } from '../../src/rtl/golden.js';
import { simulatorVersion } from '../../src/rtl/simulator.js';
import { sacUnit } from '../../src/rtl/units/sac.js';
import { compareWaves } from '../../src/rtl/wave/compare.js';
import { parseVcd } from '../../src/rtl/wave/parse.js';
import { mayBeUnknown } from '../../src/rtl/wave/twin.js';
import type { WaveSource } from '../../src/wave/wave.js';
import { identifier, valueChange } from '../../src/wave/vcd.js';
import { Wave } from '../wave/parseVcd.js';
import type { GoldenWaves } from './golden/write.js';
import { rtlOf, textOf, TOP, watched, WAVE_CASES, type Twins } from './waves.js';

const icarus = simulatorVersion('icarus');

const golden = JSON.parse(
  gunzipSync(readFileSync(new URL('golden/waves.json.gz', import.meta.url))).toString('utf8'),
) as GoldenWaves;

/** Values that both know, and those that differ. */
function compared(model: Wave, rtl: Wave): { known: number; differences: string[] } {
  expect([rtl.from, rtl.to]).toEqual([model.from, model.to]);
  let known = 0;
  const differences: string[] = [];
  for (const path of rtl.paths) {
    const [ours, theirs] = [model.signal(path), rtl.signal(path)];
    expect([theirs.bits, theirs.type]).toEqual([ours.bits, ours.type]);
    const name = path.split('.').at(-1)!;
    for (let cycle = model.from; cycle < model.to; cycle++) {
      const [a, b] = [model.digits(path, cycle), rtl.digits(path, cycle)];
      // What the model does not know may be anything.
      if (a === 'x' || (b === 'x' && mayBeUnknown(name))) continue;
      known++;
      if (a !== b) differences.push(`cycle ${cycle}, ${path}: ${a} and ${b}`);
    }
  }
  return { known, differences };
}

/** Registers of the PE: all but those of kneaders, which are beside it. */
const registersOfPe = (wave: Wave, throttleWords: boolean): string[] =>
  wave.paths.filter(
    (path) => !/^(clk|cycle)$|kneader/.test(path) && (throttleWords || !path.endsWith('throttleCount')),
  );

describe.each(WAVE_CASES)('$name', (waveCase) => {
  const twins: Twins = watched(waveCase);
  const model = new Wave(textOf(twins.recorder, twins.to), TOP);

  it('the golden wave of the Verilog has the same names and values', () => {
    const text = golden.waves[waveCase.name];
    expect(text, 'make golden').toBeDefined();
    const rtl = new Wave(text, TOP);
    const { known, differences } = compared(model, rtl);
    expect(differences.slice(0, 5)).toEqual([]);
    // All registers of the PE, and most values of them: words of absent lanes and idle trees are not known.
    const own = registersOfPe(model, !waveCase.name.includes('"throttleWords":0'));
    expect(registersOfPe(rtl, true).sort()).toEqual(own.sort());
    expect(known).toBeGreaterThan(0.7 * own.length * (model.to - model.from));
  });

  it.runIf(icarus !== null)('so has that of Icarus Verilog, now', () => {
    const rtl = rtlOf(twins);
    expect(compared(model, new Wave(textOf(rtl, twins.to), TOP)).differences.slice(0, 5)).toEqual([]);
    const result = compareWaves(twins.recorder, rtl, twins.to);
    expect(result.differences).toEqual([]);
    expect(result.signals).toBe(rtl.variables.length);
    expect(result.equal).toBeGreaterThan(1000);
  });
});

it('the golden waves come from an HDL simulator and from the sources as they are; if not: make golden', () => {
  expect(golden.simulator).toMatch(/^Icarus Verilog version \d+/);
  expect(golden.sources).toEqual(sourceHashes(sacUnit));
  expect(Object.keys(golden.waves)).toEqual(WAVE_CASES.map(({ name }) => name));
});

describe('comparing waves', () => {
  const source = (values: string[], name = 'r'): WaveSource => ({
    span: { from: 3 },
    variables: [{ scope: ['top'], name, type: 'reg', bits: 4, id: identifier(9) }],
    initial: () => valueChange(values[0], 4, identifier(9)),
    *changesByCycle(to) {
      for (let cycle = 4; cycle < to; cycle++)
        yield [
          cycle,
          values[cycle - 3] === values[cycle - 4] ? '' : valueChange(values[cycle - 3], 4, identifier(9)),
        ];
    },
  });

  it.each([
    [['1', '10', '10'], ['1', '10', '10'], 'r', 3, 0],
    [['1', '10', '10'], ['1', '10', '11'], 'r', 2, 1],
    [['1', '10', '11'], ['0', '0', '0'], 'r', 0, 3],
    // What the model does not know is not compared; what the Verilog does not know is, unless it may be so.
    [['x', '10', '10'], ['1', '10', '10'], 'r', 2, 0],
    [['1', '10', '10'], ['x', '10', '10'], 'r', 2, 1],
    [['1', '10', '10'], ['x', '10', '10'], 'treeSum0_1', 2, 0],
    [['x', 'x', 'x'], ['x', 'x', 'x'], 'outValue', 0, 0],
  ])('%j and %j as %s', (model, rtl, name, equal, differences) => {
    const result = compareWaves(source(model, name), source(rtl, name), 6);
    expect([result.equal, result.differences.length]).toEqual([equal, differences]);
    for (const line of result.differences) expect(line).toMatch(/^cycle \d, top\.\w+: the model has /);
  });
});

it('declarations are read whatever their identifiers are', () => {
  const text = [
    '$timescale 1ns $end',
    '$scope module a $end',
    '$scope begin b[1] $end',
    '$var reg 1 $ r $end',
    '$var wire 5 $" w [4:0] $end',
    '$upscope $end',
    '$upscope $end',
    '$enddefinitions $end',
    '#5',
    '1$',
    'b101 $"',
    '#10',
    'bx $"',
  ].join('\n');
  const vcd = parseVcd(text);
  expect(vcd.declarations).toEqual([
    { path: 'a.b[1].r', id: '$', bits: 1 },
    { path: 'a.b[1].w', id: '$"', bits: 5 },
  ]);
  const seen: unknown[] = [];
  vcd.replay(
    (time) => seen.push(time),
    (id, digits) => seen.push([id, digits]),
  );
  expect(seen).toEqual([5, ['$', '1'], ['$"', '101'], 10, ['$"', 'x']]);
});
