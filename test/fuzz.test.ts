/** The fuzzer: finds and shrinks faults, replays them, and draws what matters. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MACHINES } from '../src/arch/registry.js';
import { tetris } from '../src/arch/tetris.js';
import {
  caseArbitrary,
  codeArbitrary,
  fuzz,
  fuzzKinds,
  positionsOf,
  violationsOf,
  workOf,
  type FuzzCase,
} from '../src/fuzz.js';
import { checkShape, macCount } from '../src/tensor.js';
import { broken, WRONG_VALUES } from './support/broken.js';
import { runs, seed } from './support/runs.js';

describe('fuzz', () => {
  it('finds nothing in the machines of the registry', () => {
    const result = fuzz({ machines: MACHINES.map(({ name }) => name), runs: runs(200), seed });
    expect(result).toEqual({ runs: runs(200), seed, failure: null });
  });

  it('finds a fault, shrinks it, and replays it by its path', () => {
    const faulty = broken(tetris, WRONG_VALUES['one output off by one']);
    const options = { runs: 50, seed: 7 };
    const { failure } = fuzzKinds([faulty], options);
    expect(failure).toMatchObject({
      machine: 'tetris',
      message: expect.stringMatching(/output 0 of 1: found/),
    });
    const { shape, weights, activations, settings } = failure!.counterexample;
    expect([macCount(shape), weights.length, activations.length]).toEqual([1, 1, 1]);
    expect(settings).toMatchObject({ tiles: '1', units: '1', lanes: '1', kneadingStride: '1' });
    const replayed = fuzzKinds([faulty], { ...options, path: failure!.path });
    expect(replayed.failure?.counterexample).toEqual(failure!.counterexample);
    expect(violationsOf(faulty, failure!.counterexample)).toHaveLength(1);
    expect(fuzzKinds([tetris], { ...options, path: failure!.path }).failure).toBeNull();
  });

  it('keeps the shrunk case small where only large values fail', () => {
    const faulty = broken(tetris, () => ({
      step: ({ output }) => output.forEach((x, i) => (output[i] = Math.max(-1000, Math.min(1000, x)))),
    }));
    const { failure } = fuzzKinds([faulty], { runs: 100, seed: 3 });
    expect(macCount(failure!.counterexample.shape)).toBeLessThanOrEqual(2);
  });

  it('refuses a machine that there is not, and reports progress', () => {
    expect(() => fuzz({ machines: ['npu'], runs: 1, seed: 1 })).toThrow(/unknown machine npu/);
    const seen: number[] = [];
    fuzz({ machines: ['dadiannao'], runs: 5, seed: 1, progress: (done) => seen.push(done) });
    expect(seen).toEqual([1, 2, 3, 4, 5]);
  });
});

describe('what is drawn', () => {
  /** Shares of 1000 cases, as fc.statistics shows them. */
  function shares(classify: (c: FuzzCase) => string[]): Map<string, number> {
    const found = new Map<string, number>();
    fc.statistics(caseArbitrary(MACHINES), classify, {
      numRuns: 1000,
      seed,
      logger: (line) => {
        const match = /^(.*?)\.*(\d+\.\d+)%$/.exec(line);
        if (match) found.set(match[1], Number(match[2]));
      },
    });
    return found;
  }
  const number = (c: FuzzCase, name: string): number => Number(c.settings[name]);

  it('reaches the boundaries: widths left empty, filled and overfilled, long lists, partial pallets', () => {
    const found = shares((c) => {
      const { shape } = c;
      const channels = shape.channels / shape.groups;
      const block = number(c, 'tiles') * number(c, 'units');
      const filters = shape.filters / shape.groups;
      return [
        `lanes ${c.settings.lanes}`,
        `units ${c.settings.units}`,
        channels < number(c, 'lanes')
          ? 'absent lanes'
          : channels % number(c, 'lanes') > 0
            ? 'partial brick'
            : 'full lanes',
        filters > block ? 'several blocks' : filters === block ? 'one full block' : 'one partial block',
        filters % number(c, 'units') > 0 ? 'absent units' : 'full units',
        positionsOf(c) < number(c, 'tiles') ? 'fewer positions than tiles' : 'enough positions',
        c.weights.length > 16 ? 'long list' : 'short list',
        shape.groups > 1 ? 'groups' : 'no groups',
        shape.batch > 1 ? 'batch' : 'no batch',
        shape.strideX > 1 ? 'stride' : 'no stride',
        shape.dilationX > 1 && shape.kernelWidth > 1 ? 'dilation' : 'no dilation',
        shape.padLeft > 0 ? 'padding' : 'no padding',
        channels === 1 && shape.groups > 1 ? 'depthwise' : 'not depthwise',
        c.unsigned ? 'unsigned' : 'signed',
        positionsOf(c) % (number(c, 'columns') || 1) > 0 ? 'partial pallet' : 'no partial pallet',
      ];
    });
    for (const width of [
      'lanes 1',
      'lanes 2',
      'lanes 3',
      'lanes 4',
      'units 1',
      'units 2',
      'units 3',
      'units 4',
    ])
      expect(found.get(width)).toBeGreaterThan(5);
    expect(found.get('long list')).toBeGreaterThan(40);
    for (const boundary of [
      'absent lanes',
      'partial brick',
      'full lanes',
      'several blocks',
      'one partial block',
      'absent units',
      'full units',
      'groups',
      'batch',
      'stride',
      'dilation',
      'padding',
      'unsigned',
      'signed',
      'partial pallet',
    ])
      expect([boundary, found.get(boundary) ?? 0]).toEqual([
        boundary,
        expect.toSatisfy((share: number) => share > 10),
      ]);
    for (const rare of ['one full block', 'depthwise', 'fewer positions than tiles'])
      expect([rare, found.get(rare) ?? 0]).toEqual([rare, expect.toSatisfy((share: number) => share > 2)]);
  });

  it('is a layer that exists, with codes that the formats hold', () => {
    fc.assert(
      fc.property(caseArbitrary(MACHINES), (c) => {
        checkShape('drawn', c.shape);
        const { weights, activations } = workOf(c);
        for (const { codes, magnitudeBits } of [weights, activations!])
          expect(codes.every((code) => Math.abs(code) < 2 ** magnitudeBits)).toBe(true);
        if (c.unsigned) expect(activations!.codes.every((code) => code >= 0)).toBe(true);
      }),
    );
  });

  it('is sparse and extreme on purpose: zeros, powers of two, all ones, both signs', () => {
    const drawn = fc.sample(codeArbitrary(15, true), 1000);
    const share = (of: (x: number) => boolean): number => drawn.filter(of).length / drawn.length;
    expect(share((x) => x === 0)).toBeGreaterThan(0.2);
    expect(share((x) => x !== 0 && Number.isInteger(Math.log2(Math.abs(x))))).toBeGreaterThan(0.1);
    expect(share((x) => Math.abs(x) === 32_767)).toBeGreaterThan(0.05);
    expect(share((x) => x < 0)).toBeGreaterThan(0.2);
  });
});
