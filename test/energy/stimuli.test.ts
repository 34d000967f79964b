/** The energy model under the very work by which units were measured: it must give back what was measured. */
import { describe, expect, test } from 'vitest';
import { resolveConfig, type Phase } from '../../src/arch/machine.js';
import { machineKind } from '../../src/arch/registry.js';
import { energyOf, figuresOf, type EnergyReport } from '../../src/energy/energy.js';
import { coefficientAt, type EnergyNode } from '../../src/energy/node.js';
import { PRECISIONS, type Precision } from '../../src/quantize.js';
import { CONFIGURATIONS, type UnitName } from '../../src/rtl/synth/configurations.js';
import { noWork, place, type Work } from './support.js';

interface Run {
  operations: number;
  counts: Record<string, number>;
  cycles: number;
}

function runOf(unit: UnitName, precision: Precision, lanes: number, run: string): Run {
  const { energy } = CONFIGURATIONS.find(
    (c) => c.name === unit && c.precision === precision && c.units === 1 && c.lanes === lanes,
  )!;
  const { operations, counts, lines } = energy[run].stimulus();
  return { operations, counts, cycles: lines().length };
}

/** pJ of the run, as measured at 180 nm. */
const measured = (unit: UnitName, precision: Precision, lanes: number, run: string): number =>
  runOf(unit, precision, lanes, run).operations * coefficientAt('180nm', unit, precision, lanes)!.pJ[run];

function energy(
  name: string,
  settings: Record<string, number>,
  precision: Precision,
  done: Work,
  more: { node?: EnergyNode; phase?: Phase } = {},
): EnergyReport {
  const texts = Object.fromEntries(Object.entries(settings).map(([key, value]) => [key, String(value)]));
  const config = resolveConfig(machineKind(name), texts);
  return energyOf({ ...place(name, config, precision, '180nm'), ...more, ...done });
}

/** Work of lanes, some of which wait in some of the cycles. */
function lanesAt({ cycles }: Run, lanes: number, busy: number): Work {
  const done = noWork();
  done.counters.busy = busy;
  done.counters.stall.flush = lanes * cycles - busy;
  return done;
}

const within = (share: number, found: number, expected: number): void =>
  expect(Math.abs(found / expected - 1)).toBeLessThan(share);

const sac = (precision: Precision, lanes: number, name: string, node: EnergyNode): EnergyReport => {
  const run = runOf('sacPe', precision, lanes, name);
  const done = lanesAt(run, lanes, run.counts.word ?? run.counts.rawWord);
  const phase = name === 'rawWord' ? 'gradWeight' : 'forward';
  return energy(
    'tetris',
    { lanes, units: 1 },
    precision,
    { ...done, outputs: run.counts.output },
    { node, phase },
  );
};

describe.each(PRECISIONS)('at %s, with the clock of waiting lanes', (precision) => {
  test.each(
    ['word', 'shortOutput', 'rawWord'].flatMap((run) => [1, 16].map((lanes) => [run, lanes] as const)),
  )('a SAC PE of one unit under %s, %i lanes', (run, lanes) => {
    const { total, idleClock } = sac(precision, lanes, run, '180nm');
    // Sums that begin anew are averaged over the runs (src/rtl/synth/configurations.ts).
    within(0.02, total! + idleClock!, measured('sacPe', precision, lanes, run));
    expect(idleClock).toBeGreaterThan(0);
  });

  test('a SAC unit of one lane at 45 nm, whose word SPEC section 9 states', () => {
    const { splitter, segmentAdder, rearTree, pe } = sac(precision, 1, 'word', '45nm').parts;
    const words = runOf('sacPe', precision, 1, 'word').counts.word;
    // A few cycles of filling and draining are in the measured one, as clock.
    within(0.03, splitter! + segmentAdder! + rearTree! + pe!, words * { int8: 9.5, int16: 29.4 }[precision]);
  });

  test.each([1, 16])('a MAC unit of %i lanes', (lanes) => {
    const run = runOf('macUnit', precision, lanes, 'cycle');
    const done = lanesAt(run, lanes, lanes * run.counts.cycle);
    const { total, idleClock } = energy('dadiannao', { lanes }, precision, done);
    const spent = measured('macUnit', precision, lanes, 'cycle');
    // What is measured per cycle has those of filling and draining in it: here they are there twice, as clock.
    within(1e-9, total!, spent);
    within(0.005, idleClock! + spent, spent);
  });

  test.each([
    ['src', 'forward'],
    ['msrc', 'gradInput'],
    ['osrc', 'gradWeight'],
  ] as const)('a row PE under %s', (name, phase) => {
    const run = runOf('rowPe', precision, 3, name);
    const done = lanesAt(run, 3, 3 * run.counts[name]);
    const { total, idleClock } = energy('sparsetrain', {}, precision, done, { phase });
    within(0.001, total! + idleClock!, measured('rowPe', precision, 3, name));
  });

  test.each(['value', 'longValue'])('a PPU under %s', (name) => {
    const run = runOf('ppu', precision, 1, name);
    const done = { ...noWork(), outputs: run.counts.value, rowSums: run.counts.add };
    done.counters.cycles = run.cycles;
    const { total, idleClock } = energy('sparsetrain', { groups: 1 }, precision, done);
    within(0.002, total! + idleClock!, measured('ppu', precision, 1, name));
  });

  test('an on-line kneader', () => {
    const { counts } = runOf('kneader', precision, 1, 'word');
    const done = noWork();
    done.counters.kneadedRows = counts.word;
    within(0.005, energy('masked', {}, precision, done).total!, measured('kneader', precision, 1, 'word'));
  });

  test('activation windows cost each of the units that share them its part', () => {
    const window = (units: string): number => {
      const config = resolveConfig(machineKind('masked'), { units });
      const figures = figuresOf({ ...place('masked', config, precision, '45nm'), ...noWork() });
      return figures.find(({ unit }) => unit === 'activation windows')!.pJ;
    };
    within(1e-9, 16 * window('16'), window('1'));
  });
});
