/**
 * The Verilog twin against the clocked model, line by line: on every machine against the golden traces that an HDL simulator
 * left, and live where there is one.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { goldenMismatches, sourceHashes, unpackGolden } from '../../src/rtl/golden.js';
import { hunt, mutated } from '../../src/rtl/mutants/hunt.js';
import { openSimulator, simulatorVersion, VERILOG_FOLDER } from '../../src/rtl/simulator.js';
import { MUTANTS, UNITS, unitOf } from '../../src/rtl/units.js';
import { compareLines, cosimulate, stimulusOf } from '../../src/rtl/verify.js';
import { gridHardware } from '../../src/rtl/units/sac/draw.js';
import { runs, seed } from '../support/runs.js';

const icarus = simulatorVersion('icarus');
console.log(
  icarus === null
    ? 'no HDL simulator on this machine: the model is held to the golden traces alone ("make rtl" installs one)'
    : `HDL simulator: ${icarus}`,
);

const goldenOf = (name: string) =>
  unpackGolden(readFileSync(fileURLToPath(new URL(`golden/${name}.json.gz`, import.meta.url))));

describe.each(UNITS)('$name against its golden traces', (unit) => {
  const golden = goldenOf(unit.name);

  it('prints what the simulator printed', () => {
    expect(goldenMismatches(unit, golden)).toEqual([]);
    expect(golden.cases.length).toBeGreaterThan(40);
    expect(golden.cases.every(({ lines }) => lines.length > 0)).toBe(true);
  });

  it('comes from an HDL simulator and from the sources as they are; if not: make golden', () => {
    expect(golden.simulator).toMatch(/^Icarus Verilog version \d+/);
    expect(golden.sources).toEqual(sourceHashes(unit));
  });

  it('is noticed where it differs in a single digit', () => {
    const [first] = golden.cases;
    const last = first.lines.length - 1;
    const digit = first.lines[last].endsWith('1') ? '2' : '1';
    const lines = [...first.lines];
    lines[last] = lines[last].slice(0, -1) + digit;
    expect(goldenMismatches(unit, { ...golden, cases: [{ ...first, lines }] })).toHaveLength(1);
  });
});

if (icarus !== null)
  describe('under Icarus Verilog', () => {
    it.each(UNITS)('$name: the Verilog prints what the model prints', (unit) => {
      const simulator = openSimulator('icarus');
      try {
        const { mismatches, cycles } = cosimulate(unit, simulator, { runs: runs(60), seed });
        expect(mismatches).toEqual([]);
        expect(cycles).toBeGreaterThan(runs(60) * 5);
      } finally {
        simulator.close();
      }
    });

    it.each(UNITS)('$name: faults of the Verilog are noticed', (unit) => {
      // All of them: make rtl.
      for (const mutant of MUTANTS[unit.name].slice(0, 3))
        expect(hunt(unit, mutant, 'icarus', seed, 60).caughtIn, mutant.what).not.toBeNull();
    });

    it('a run is the same again', () => {
      const simulator = openSimulator('icarus');
      const once = (): unknown => cosimulate(unitOf('kneader'), simulator, { runs: 5, seed: 3 });
      expect(once()).toEqual(once());
      simulator.close();
    });
  });

describe('the series of runs', () => {
  it('of the SAC PE goes through all units, lanes, slots, throttles and policies, and the default size', () => {
    const seen = new Set<string>();
    for (let run = 0; run < 655; run++) seen.add(JSON.stringify(gridHardware(run)));
    expect(seen.size).toBe(641);
    for (const sync of ['barrier', 'skew'])
      expect([...seen].some((cell) => cell.includes(sync) && cell.includes('"throttleWords":0'))).toBe(true);
  });

  it('draws stimuli that their own units accept', () => {
    for (const unit of UNITS)
      for (let run = 0; run < 40; run++) {
        const stimulus = stimulusOf(unit, seed, run);
        const again = unit.parse(JSON.parse(JSON.stringify(stimulus)), 'drawn');
        expect(unit.pack(again)).toBe(unit.pack(stimulus));
      }
  });
});

describe('mutants', () => {
  it('are at least twenty, and each changes its source in exactly one place', () => {
    expect(Object.values(MUTANTS).flat().length).toBeGreaterThanOrEqual(20);
    expect(Object.keys(MUTANTS).sort()).toEqual(UNITS.map(({ name }) => name).sort());
    for (const unit of UNITS)
      for (const mutant of MUTANTS[unit.name]) {
        expect(unit.sources).toContain(mutant.file);
        const source = readFileSync(`${VERILOG_FOLDER}/${mutant.file}`, 'utf8');
        expect(mutated(source, mutant)).not.toBe(source);
      }
  });
});

describe('comparing lines', () => {
  it.each([
    [['a'], ['a'], null],
    [['a'], ['b'], { line: 0, model: 'a', rtl: 'b' }],
    [['a', 'b'], ['a'], { line: 1, model: 'b', rtl: null }],
    [[], ['a'], { line: 0, model: null, rtl: 'a' }],
  ])('%j and %j', (model, rtl, expected) => {
    expect(compareLines(model, rtl)).toEqual(expected);
  });
});
