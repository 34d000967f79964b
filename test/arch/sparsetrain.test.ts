/** SparseTrain and its dense twin: times against a naive clock, worked examples, and the laws of rows. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { conservationViolations } from '../../src/arch/conservation.js';
import type { Counters, LayerWork, MachineKind } from '../../src/arch/machine.js';
import { rowUses } from '../../src/arch/rowUses.js';
import { sparsetrain, sparsetrainDense } from '../../src/arch/sparsetrain.js';
import { caseArbitrary, counterDifferences, workOf, type FuzzCase } from '../../src/fuzz.js';
import { rowShape } from '../../src/lower/rowOperations.js';
import { Random } from '../../src/random.js';
import { hashDraws } from '../../src/sparse/draws.js';
import { prune } from '../../src/sparse/prune.js';
import { exactThreshold } from '../../src/sparse/threshold.js';
import { outputSize, type ConvShape } from '../../src/tensor.js';
import { bump } from '../support/broken.js';
import { configured, conv, layer, pad, range } from '../support/layers.js';
import { differences, law, outputDifferences } from '../support/laws.js';
import { naiveRows, naiveTimes, type NaiveArray } from '../support/naiveSparsetrain.js';
import { partOf, type Part } from '../support/rowParts.js';
import { runs } from '../support/runs.js';

const KINDS = [sparsetrain, sparsetrainDense];

const naiveArray = (kind: MachineKind, c: FuzzCase): NaiveArray => ({
  groups: Number(c.settings.groups),
  pesPerGroup: Number(c.settings.pesPerGroup),
  taps: Number(c.settings.taps),
  ports: Number(c.settings.ports) as 1 | 2,
  dispatch: c.settings.dispatch as 'dynamic' | 'static',
  dense: kind === sparsetrainDense,
});

/** Values in a row that the PPU drains; 0 where rows bypass it. */
function drainedWidth(work: LayerWork): number {
  const shape = rowShape(work.shape);
  if (work.phase === 'gradWeight') return 0;
  return work.phase === 'forward' ? outputSize(shape).outWidth : shape.width;
}

const stalledFor = (kind: MachineKind, c: FuzzCase, work: LayerWork) => {
  const array = naiveArray(kind, c);
  const rows = naiveRows(work, array);
  return { rows, array, times: naiveTimes(rows, array, drainedWidth(work)) };
};

/** A group rarely waits for its PPU in small random layers: rows of few operations and many columns make it wait. */
const hurried = (c: FuzzCase): FuzzCase => ({
  ...c,
  settings: { ...c.settings, pesPerGroup: String(1 + (Number(c.settings.pesPerGroup) % 3)) },
  shape: {
    ...c.shape,
    op: 'conv',
    channels: c.shape.groups * Math.min(2, c.shape.channels / c.shape.groups),
    width: 3 * c.shape.width,
  },
});

describe.each(KINDS)('$name', (kind) => {
  it('takes the cycles, waits and drains of a naive clock, at both levels', () => {
    let waits = 0;
    law((_, drawn, salt) => {
      const c = salt % 2 === 0 ? drawn : hurried(drawn);
      const machine = configured(kind, c.settings);
      const work = workOf(c);
      const { rows, array, times } = stalledFor(kind, c, work);
      const widest = Math.min(array.taps, work.shape.kernelWidth);
      const operations = rows.flat();
      const sum = (list: { cycles: number }[]): number => list.reduce((n, { cycles }) => n + cycles, 0);
      const ofRow = (row: { cycles: number }[]): number =>
        Math.max(...row.map(({ cycles }) => cycles), Math.ceil(sum(row) / array.pesPerGroup));
      const share = Math.ceil(sum(operations) / (array.groups * array.pesPerGroup));
      const lanes = operations.reduce((sum, { cycles, taps }) => sum + cycles * taps, 0);
      if (times.ppu > 0) waits++;
      return [machine.count(work), machine.step(work).counters].flatMap((found) => {
        const { stall } = found;
        const expected: Counters = {
          ...found,
          cycles: times.cycles,
          pipelineCycles: times.pipelineCycles,
          boundCycles: Math.max(share, ...rows.map(ofRow)),
          rowOperations: operations.length,
          busy: lanes,
          singleStreamLaneCycles: lanes,
          stall: { ...stall, ppu: widest * times.ppu, imbalance: widest * times.imbalance },
        };
        return counterDifferences(found, expected);
      });
    }, 300)(kind);
    expect(waits).toBeGreaterThan(20);
  });

  it('never beats its bound, and meets it with one PE that never waits for the PPU', () => {
    law((_, c) => {
      const work = workOf(c);
      const found = configured(kind, c.settings).count(work);
      const alone = configured(kind, { ...c.settings, groups: 1, pesPerGroup: 1 }).count(work);
      const violations: string[] = [];
      if (found.boundCycles > found.cycles) violations.push(`bound ${found.boundCycles} > ${found.cycles}`);
      const widest = Math.min(Number(c.settings.taps), work.shape.kernelWidth);
      if (alone.boundCycles !== alone.cycles - alone.stall.ppu / widest)
        violations.push(`one PE: bound ${alone.boundCycles}, ${alone.cycles} cycles`);
      return violations;
    }, 200)(kind);
  });

  it('computes the same and consumes the same whatever the array and the order of dispatch', () => {
    law((_, c, salt) => {
      const work = workOf(c);
      const random = new Random(salt);
      const other = {
        ...c.settings,
        groups: 1 + random.int(6),
        pesPerGroup: 1 + random.int(4),
        dispatch: c.settings.dispatch === 'static' ? 'dynamic' : 'static',
      };
      const first = configured(kind, c.settings).step(work);
      const second = configured(kind, other).step(work);
      const names: (keyof Counters)[] = ['operands', 'terms', 'rowOperations', 'busy'];
      return [
        ...outputDifferences('another array', second.output, first.output),
        ...differences('another array', second.counters, first.counters, names),
      ];
    }, 100)(kind);
  });

  it.each<[string, (s: ConvShape, salt: number) => Part[]]>([
    [
      'filters',
      (s, salt) => {
        const perGroup = s.filters / s.groups;
        const cut = salt % perGroup;
        const among = (keep: (f: number) => boolean): Part => ({
          filters: range(s.filters).filter((f) => keep(f % perGroup)),
          examples: range(s.batch),
        });
        return cut === 0 ? [] : [among((f) => f < cut), among((f) => f >= cut)];
      },
    ],
    ['examples', (s) => range(s.batch).map((n) => ({ filters: range(s.filters), examples: [n] }))],
  ])('adds up over parts by %s: values, operands, terms and row operations', (by, cut) => {
    law((_, c, salt) => {
      const work = workOf(c);
      const parts = cut(work.shape, salt);
      if (parts.length === 0) return [];
      const machine = configured(kind, c.settings);
      const whole = machine.step(work);
      const sum = { operands: 0, terms: 0, rowOperations: 0, busy: 0 };
      const output = new Float64Array(whole.output.length);
      for (const part of parts) {
        const { work: own, put } = partOf(work, part);
        const result = machine.step(own);
        put(result.output, output);
        for (const name of Object.keys(sum) as (keyof typeof sum)[]) sum[name] += result.counters[name];
      }
      // A row of a linear layer runs over the examples: their parts have as many rows as the whole.
      const onRows = by === 'examples' && work.shape.op === 'linear';
      const names: (keyof typeof sum)[] = onRows
        ? ['operands', 'terms']
        : ['operands', 'terms', 'rowOperations', 'busy'];
      return [
        ...outputDifferences(`parts by ${by}`, output, whole.output),
        ...differences(`parts by ${by}`, { ...whole.counters, ...sum }, whole.counters, names),
      ];
    }, 150)(kind);
  });

  it('breaks conservation if an operand, a term or a row operation is lost', () => {
    const work = layer(conv({ channels: 2, width: 5, kernelWidth: 2 }), 'int8', { phase: 'gradWeight' });
    const machine = configured(kind, { groups: 2 });
    const after = (path: string): string => {
      const { counters } = machine.step(work);
      bump(counters, path, -1);
      return conservationViolations(kind, machine, work, counters, 0).join('\n');
    };
    expect(after('operands')).toMatch(/operands consumed: found \d+, expected \d+$/);
    expect(after('terms')).toMatch(/terms issued/);
    expect(after('rowOperations')).toMatch(/row operations/);
    expect(after('stall.ppu')).toMatch(/issued \+ stalled/);
  });
});

describe('laws of sparsity', () => {
  it('at density 1 without masks sparsetrain is its dense twin in every counter', () => {
    fc.assert(
      fc.property(caseArbitrary([sparsetrain]), (c) => {
        const filled = (list: number[]): number[] => list.map((code) => (code === 0 ? 5 : code));
        const work = workOf({
          ...c,
          activations: filled(c.activations),
          gradients: filled(c.gradients),
          postRelu: false,
        });
        const { groups, pesPerGroup, taps, ports, dispatch } = c.settings;
        const sparse = configured(sparsetrain, c.settings);
        const dense = configured(sparsetrainDense, { groups, pesPerGroup, taps, ports, dispatch });
        const stepped = [sparse.step(work), dense.step(work)];
        expect(counterDifferences(stepped[0].counters, stepped[1].counters)).toEqual([]);
        expect(counterDifferences(sparse.count(work), dense.count(work))).toEqual([]);
        expect(outputDifferences('dense', stepped[0].output, stepped[1].output)).toEqual([]);
      }),
      { numRuns: runs(150) },
    );
  });

  it('a zero more in activations, gradients or mask never adds operands, terms nor PE-cycles', () => {
    law((kind, c, salt) => {
      const work = workOf(c);
      const cleared = structuredClone(work);
      const at = <T extends { length: number }>(list: T): number => salt % list.length;
      if (c.phase !== 'gradInput') cleared.activations!.codes[at(cleared.activations!.codes)] = 0;
      else if (cleared.inputMask && salt % 2 === 0) cleared.inputMask[at(cleared.inputMask)] = 0;
      if (c.phase !== 'forward') cleared.gradOutput!.codes[at(cleared.gradOutput!.codes)] = 0;
      const machine = configured(kind, c.settings);
      const before = machine.count(work);
      const after = machine.count(cleared);
      return (['operands', 'terms', 'busy'] as const)
        .filter((name) => after[name] > before[name])
        .map((name) => `${name} rose from ${before[name]} to ${after[name]}`);
    }, 200)(sparsetrain);
  });

  it('p up never adds operands', () => {
    const shape = conv({
      channels: 2,
      filters: 3,
      height: 9,
      width: 11,
      kernelHeight: 3,
      kernelWidth: 3,
      ...pad(1),
    });
    const random = new Random(3);
    const gradients = Float64Array.from({ length: 3 * 9 * 11 }, () => random.normal());
    for (const phase of ['gradInput', 'gradWeight'] as const) {
      const operands = [0, 0.3, 0.7, 0.9, 0.99].map((p) => {
        const { values } = prune(gradients, exactThreshold(gradients, p), hashDraws(1, 0, 'layer'), p);
        const codes = Int32Array.from(values, (g) => (g === 0 ? 0 : 1 + Math.round(10 * Math.abs(g))));
        return configured(sparsetrain).count(layer(shape, 'int8', { phase, gradients: codes })).operands;
      });
      expect(operands).toEqual([...operands].sort((a, b) => b - a));
      expect(operands[4]).toBeLessThan(operands[0]);
    }
  });
});

describe('worked examples', () => {
  const array = { groups: 1, pesPerGroup: 1, taps: 3 };

  it('forward: a row of three operands and an empty row, into two outputs', () => {
    // Channels 1 0 2 0 3 and all zero; K = 3 at stride 2 gives outputs from columns 0 to 2 and 2 to 4.
    const shape = conv({ channels: 2, width: 5, kernelWidth: 3, strideX: 2 });
    const work = layer(shape, 'int8', {
      activations: [1, 0, 2, 0, 3, 0, 0, 0, 0, 0],
      weights: [1, 10, 100, 7, 7, 7],
    });
    const { counters, output } = configured(sparsetrain, array).step(work);
    expect([...output]).toEqual([201, 302]);
    expect(counters).toMatchObject({ cycles: 4, operands: 3, terms: 4, rowOperations: 2, busy: 12 });
    // One cycle to flush, two to drain.
    expect(counters.pipelineCycles).toBe(3);
    expect(configured(sparsetrainDense, array).step(work).counters).toMatchObject({
      cycles: 10,
      operands: 10,
      terms: 12,
    });
  });

  it('gradInput: gradients whose targets are all masked cost nothing', () => {
    const work: LayerWork = {
      ...layer(conv({ width: 4, kernelWidth: 2 }), 'int8', {
        phase: 'gradInput',
        gradients: [3, 4, 5],
        weights: [1, 10],
      }),
      inputMask: Uint8Array.of(1, 0, 0, 0),
    };
    const masked = configured(sparsetrain, array).step(work);
    expect([...masked.output]).toEqual([3, 0, 0, 0]);
    expect(masked.counters).toMatchObject({ cycles: 1, operands: 1, terms: 1, busy: 2 });
    expect(masked.counters.idle.absentLane).toBe(1);
    const dense = configured(sparsetrainDense, array).step(work);
    expect([...dense.output]).toEqual([3, 34, 45, 50]);
    expect(dense.counters).toMatchObject({ cycles: 3, operands: 3, terms: 6 });
  });

  it('gradWeight: loads, multiplications and one end cycle per operation', () => {
    const work = layer(conv({ width: 4, kernelWidth: 2 }), 'int8', {
      phase: 'gradWeight',
      activations: [1, 2, 0, 3],
      gradients: [5, 0, 7],
    });
    const one = configured(sparsetrain, { ...array, ports: 1 }).step(work);
    // dW[0] = 1*5 + 0*7, dW[1] = 2*5 + 3*7.
    expect([...one.output]).toEqual([5, 31]);
    expect(one.counters).toMatchObject({ cycles: 6, operands: 5, terms: 3, pipelineCycles: 0 });
    expect(configured(sparsetrain, { ...array, ports: 2 }).step(work).counters.cycles).toBeLessThan(6);
  });

  it('the PPU stalls a group only when both row buffers are full', () => {
    // Four rows of one cycle each; a row takes 5 cycles to drain, from the second cycle after its own.
    const shape = conv({ height: 4, width: 5 });
    const work = layer(shape, 'int8', { activations: [0] });
    const { counters } = configured(sparsetrain, array).step(work);
    // Rows run in cycles 0, 1, 7 and 12; rows are drained from 2, 7, 12 and 17 on, until 22.
    expect(counters).toMatchObject({ cycles: 13, pipelineCycles: 9, rowOperations: 4, operands: 0 });
    expect(counters.stall.ppu).toBe(5 + 4);
    expect(counters.stall.imbalance).toBe(0);
  });

  it('rows go to the first free group, or round robin; groups without rows are empty', () => {
    // Rows of 4, 1, 4 and 1 operands.
    const activations = [1, 1, 1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 0, 0, 0];
    const work = layer(conv({ height: 4, width: 4, filters: 1 }), 'int8', { activations });
    const run = (dispatch: string, groups: number): Counters =>
      configured(sparsetrain, { groups, pesPerGroup: 1, taps: 1, dispatch }).step(work).counters;
    expect(run('dynamic', 2).cycles).toBe(5);
    expect(run('static', 2).cycles).toBe(8);
    expect(run('dynamic', 4)).toMatchObject({ cycles: 4, stall: { imbalance: 6 } });
    expect(run('dynamic', 6).idle).toEqual({ absentLane: 0, absentUnit: 0, empty: 8 });
  });

  it('PEs without an operation are absent, lanes without a tap too', () => {
    const work = layer(conv({ width: 3, channels: 2 }), 'int8', { activations: [1] });
    const { counters } = configured(sparsetrain, { groups: 1, pesPerGroup: 3, taps: 3 }).step(work);
    expect(counters).toMatchObject({ cycles: 3, busy: 6, operands: 6 });
    expect(counters.idle).toEqual({ absentLane: 18, absentUnit: 3, empty: 0 });
  });

  it('positions that no kernel row meets are zero and cost nothing', () => {
    const work = layer(conv({ height: 3, width: 2, strideY: 2, strideX: 2 }), 'int8', {
      phase: 'gradInput',
      gradients: [3],
      weights: [2],
    });
    const { counters, output } = configured(sparsetrain, array).step(work);
    expect([...output]).toEqual([6, 0, 0, 0, 6, 0]);
    expect(counters).toMatchObject({ rowOperations: 2, operands: 2 });
  });
});

describe('inputs', () => {
  it('the dense twin is timed without activations, sparsetrain is not', () => {
    const work = { ...layer(conv({ width: 6, kernelWidth: 3, ...pad(1), height: 2 })), activations: null };
    const filled = layer(work.shape, 'int16', { activations: [1] });
    expect(configured(sparsetrainDense).count(work)).toEqual(configured(sparsetrain).count(filled));
    expect(rowUses(work, 3, true)).toEqual(rowUses(filled, 3, false));
    expect(() => configured(sparsetrain).count(work)).toThrow(/found no activations/);
    expect(() => configured(sparsetrainDense).step(work)).toThrow(/found no activations/);
  });
});
