/** Laws of the energy of a layer: parts, sums, units of work, nodes. */
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { addCounters, resolveConfig, zeroCounters, type Counters } from '../../src/arch/machine.js';
import { machineKind } from '../../src/arch/registry.js';
import { energyOf, figuresOf, type EnergyReport } from '../../src/energy/energy.js';
import { ENERGY_PARTS, type EnergyPart } from '../../src/energy/figure.js';
import { coefficientAt, ENERGY_NODES, nodeName } from '../../src/energy/node.js';
import { addTraffic, MEMORY_LEVELS, noTraffic, OPERANDS } from '../../src/memory/traffic.js';
import { PRECISIONS, type Precision } from '../../src/quantize.js';
import {
  noWork,
  place,
  placeOf,
  WITH_LOGIC,
  WITHOUT_LOGIC,
  work,
  type Place,
  type Work,
  rowSumsAtMost,
} from './support.js';

const MEMORY_PARTS = { local: 'localBuffer', global: 'globalBuffer', dram: 'dram' } as const;
const some = placeOf(WITH_LOGIC);
const pJ = (report: EnergyReport): number[] => ENERGY_PARTS.map((part) => report.parts[part]!);
const sum = (numbers: number[]): number => numbers.reduce((a, b) => a + b, 0);
/** Equal but for rounding. */
const close = (a: number, b: number): void => expect(Math.abs(a - b)).toBeLessThanOrEqual(1e-9 * Math.abs(b));
const energy = (place: Place, done: Work): EnergyReport => energyOf({ ...place, ...done });

describe('the energy of a layer', () => {
  it('is the sum of its parts, none of which is negative', () => {
    fc.assert(
      fc.property(some, work, (place, done) => {
        const report = energy(place, done);
        close(report.total!, sum(pJ(report)));
        for (const part of [...pJ(report), report.idleClock!]) expect(part).toBeGreaterThanOrEqual(0);
        close(report.perMac! * place.macs, report.total!);
        close(report.edp! / place.systemCycles, report.total!);
      }),
    );
  });

  it('of two layers is the sum of both', () => {
    fc.assert(
      fc.property(some, work, work, (place, a, b) => {
        const both = {
          counters: addCounters(addCounters(zeroCounters(), a.counters), b.counters),
          traffic: addTraffic(addTraffic(noTraffic(), a.traffic), b.traffic),
          outputs: a.outputs + b.outputs,
          rowSums: a.rowSums + b.rowSums,
        };
        const [first, second, together] = [a, b, both].map((done) => energy(place, done));
        for (const part of ENERGY_PARTS)
          close(together.parts[part]!, first.parts[part]! + second.parts[part]!);
      }),
    );
  });

  it('is nothing where nothing is done', () => {
    fc.assert(
      fc.property(some, (place) => {
        const report = energy(place, noWork());
        expect(pJ(report)).toEqual(ENERGY_PARTS.map(() => 0));
        expect(report).toMatchObject({ total: 0, perMac: 0, edp: 0, idleClock: 0 });
      }),
    );
    const place = fc.sample(some, 1)[0];
    expect(energyOf({ ...place, ...noWork(), macs: 0 }).perMac).toBeNull();
  });

  it('of twice the bytes of a level is twice that level and nothing else', () => {
    fc.assert(
      fc.property(some, work, fc.constantFrom(...MEMORY_LEVELS), (place, done, level) => {
        const once = energy(place, done);
        const more = structuredClone(done);
        for (const operand of OPERANDS) {
          more.traffic[level].reads[operand] *= 2;
          more.traffic[level].writes[operand] *= 2;
        }
        const twice = energy(place, more);
        for (const part of ENERGY_PARTS)
          close(twice.parts[part]!, (part === MEMORY_PARTS[level] ? 2 : 1) * once.parts[part]!);
      }),
    );
  });

  it('is never less at int16 than at int8, part by part and figure by figure', () => {
    // The control of SAC units is alike at both. At 45 nm it is scaled by two ratios, which differ by 3 %.
    const least = (node: string, part: EnergyPart, place: Place): number =>
      node === '45 nm' && part === 'pe' && !/dadiannao|sparsetrain/.test(place.kind.name) ? 0.97 : 1;
    fc.assert(
      fc.property(some, work, (place, done) => {
        const [narrow, wide] = PRECISIONS.map((precision) => energy({ ...place, precision }, done));
        for (const part of ENERGY_PARTS)
          expect(wide.parts[part]).toBeGreaterThanOrEqual(
            least(wide.node, part, place) * narrow.parts[part]!,
          );
        const [few, many] = PRECISIONS.map((precision) => figuresOf({ ...place, precision, ...done }));
        few.forEach((figure, i) => {
          expect(many[i]).toMatchObject({ unit: figure.unit, operation: figure.operation });
          expect(many[i].pJ).toBeGreaterThanOrEqual(least(figure.node, figure.part, place) * figure.pJ);
        });
      }),
    );
  });

  it('without Verilog is that of memory, and no total', () => {
    fc.assert(
      fc.property(placeOf(WITHOUT_LOGIC), work, (place, done) => {
        const report = energy(place, done);
        expect(report).toMatchObject({ total: null, perMac: null, edp: null, idleClock: null });
        expect(report.parts).toMatchObject({ pe: null, splitter: null, ppu: null, peBuffers: null });
        const dense = energy({ ...place, kind: machineKind('dadiannao') }, done);
        for (const part of Object.values(MEMORY_PARTS)) expect(report.parts[part]).toBe(dense.parts[part]);
        expect(figuresOf({ ...place, ...done })).toHaveLength(MEMORY_LEVELS.length);
      }),
      { numRuns: 20 },
    );
  });
});

describe('figures', () => {
  it('have a source, and one node: what is from elsewhere says so', () => {
    fc.assert(
      fc.property(some, (place) => {
        const figures = figuresOf({ ...place, ...noWork() });
        expect(new Set(figures.map(({ unit, operation }) => `${unit} ${operation}`)).size).toBe(
          figures.length,
        );
        for (const figure of figures) {
          expect(figure.pJ).toBeGreaterThan(0);
          expect(figure.clockPJ).toBeLessThanOrEqual(figure.pJ);
          expect(figure.source).toMatch(/\w/);
          expect(figure.node).toBe(nodeName(place.node!));
          if (figure.measuredAt === figure.node) expect(figure.how).not.toContain('scaled');
          else expect(figure.how).toMatch(/scaled from \d+ nm by [\d.]+|the same whatever the node/);
          expect(figure.how).toMatch(/^(measured|published|scaled)/);
        }
      }),
    );
  });

  /** One operation of each kind and one byte of each level, one after another. */
  it('are all that is used: one of everything costs what its figures say', () => {
    fc.assert(
      fc.property(some, (place) => {
        const figures = figuresOf({ ...place, ...noWork() });
        const listed = (matches: (text: string) => boolean): number =>
          sum(figures.filter(({ unit, operation }) => matches(`${unit}: ${operation}`)).map((f) => f.pJ));
        const costs = (change: (done: Work) => void): number => {
          const done = noWork();
          change(done);
          return energy(place, done).total!;
        };
        const perLane = listed((text) => /: (product|kneaded word, |raw word|O?M?SRC)/.test(text));
        close(
          costs(({ counters }) => (counters.busy = 1)),
          perLane,
        );
        close(
          costs(({ counters }) => (counters.kneadedRows = 1)),
          listed((text) => /kneader/.test(text)),
        );
        close(
          costs((done) => (done.rowSums = 1)),
          listed((text) => /sum added/.test(text)),
        );
        const outputs = costs((done) => (done.outputs = 1));
        close(
          outputs,
          listed((text) => / output, /.test(text) || (place.phase !== 'gradWeight' && /value of/.test(text))),
        );
        for (const level of MEMORY_LEVELS)
          close(
            costs(({ traffic }) => (traffic[level].writes.masks = 1)),
            listed((text) => (level === 'dram' ? text === 'DRAM: byte' : text.startsWith(`${level} buffer`))),
          );
      }),
    );
  });

  test('of a MAC unit of one lane at 45 nm are those of SPEC section 9', () => {
    const one = resolveConfig(machineKind('dadiannao'), { lanes: '1' });
    for (const [precision, product] of [
      ['int8', 3.0],
      ['int16', 5.0],
    ] as [Precision, number][]) {
      const figures = figuresOf({ ...place('dadiannao', one, precision, '45nm'), ...noWork() });
      expect(figures[0]).toMatchObject({ pJ: product, how: 'measured', measuredAt: '45 nm' });
    }
  });

  it('are scaled by what a SAC word takes at both nodes, those of MAC units by a MAC cycle', () => {
    fc.assert(
      fc.property(some, (place) => {
        const [near, far] = ENERGY_NODES.map((node) => figuresOf({ ...place, node, ...noWork() }));
        const [sac, mac] = (['sacUnit', 'macUnit'] as const).map((unit) => {
          const [at45, at180] = ENERGY_NODES.map((node) => coefficientAt(node, unit, place.precision, 1)!.pJ);
          return (at45.word ?? at45.cycle) / (at180.word ?? at180.cycle);
        });
        near.forEach((figure, i) => {
          if ((Object.values(MEMORY_PARTS) as string[]).includes(figure.part)) return;
          const ratio = figure.unit === 'MAC unit' ? mac : sac;
          close(figure.pJ / far[i].pJ, ratio);
          if (figure.clockPJ > 0) close(figure.clockPJ / far[i].clockPJ, ratio);
          if (figure.how.startsWith('scaled'))
            expect(Number(/by ([\d.]+)/.exec(figure.how)![1]) / ratio).toBeCloseTo(1, 3);
        });
      }),
    );
  });

  test('a SAC unit spreads the cost of a tree over the words of an output', () => {
    const tree = (words: number): number => {
      const config = resolveConfig(machineKind('tetris'), {});
      const done = { ...noWork(), outputs: 1 };
      done.counters.busy = words;
      return energy(place('tetris', config, 'int16', '180nm'), done).parts.rearTree! / words;
    };
    expect(tree(1)).toBeGreaterThan(10 * tree(100));
  });

  test('raw words cost less than kneaded ones, and more than products', () => {
    for (const precision of PRECISIONS)
      for (const node of ENERGY_NODES) {
        const busy = (name: string, phase: 'forward' | 'gradWeight'): number => {
          const done = noWork();
          done.counters.busy = 1;
          const config = resolveConfig(machineKind(name), {});
          return energy({ ...place(name, config, precision, node), phase }, done).total!;
        };
        expect(busy('tetris', 'gradWeight')).toBeLessThan(busy('tetris', 'forward'));
        expect(busy('tetris', 'gradWeight')).toBeGreaterThan(busy('dadiannao', 'gradWeight'));
      }
  });

  test('idle lanes cost their clock, outside the total', () => {
    for (const kind of WITH_LOGIC)
      for (const phase of kind.phases) {
        const input = { ...place(kind.name, resolveConfig(kind, {}), 'int8', '45nm'), phase };
        const idle = noWork();
        idle.counters.idle.empty = 1000;
        const report = energy(input, idle);
        expect(report.total).toBe(0);
        expect(report.idleClock).toBeGreaterThan(0);
        const busy = noWork();
        busy.counters.busy = busy.counters.kneadedRows = 1000;
        expect(report.idleClock).toBeLessThan(energy(input, busy).total!);
      }
  });
});

test('row sums are bounded by products and by columns of operations', () => {
  const counters: Counters = { ...zeroCounters(), terms: 100, rowOperations: 7 };
  expect(rowSumsAtMost(counters, 10)).toBe(70);
  expect(rowSumsAtMost(counters, 28)).toBe(100);
});
