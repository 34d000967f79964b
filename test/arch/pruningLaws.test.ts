/**
 * Pruning harder never adds work (SPEC section 5): with the same draws, over every machine that trains.
 *
 * Pruned floats obey it without condition. Codes do as long as the weaker threshold leaves nothing that quantisation
 * then rounds to zero: such a gradient may come back at a larger threshold, as tau itself, which has a code.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PHASES, type Counters, type LayerWork, type MachineKind } from '../../src/arch/machine.js';
import { masked } from '../../src/arch/masked.js';
import { MACHINES } from '../../src/arch/registry.js';
import { caseArbitrary, workOf, type FuzzCase } from '../../src/fuzz.js';
import { quantize, SCALE_RULES, type Codes, type ScaleRule } from '../../src/quantize.js';
import { Random } from '../../src/random.js';
import { hashDraws, type Draws } from '../../src/sparse/draws.js';
import { prune } from '../../src/sparse/prune.js';
import { exactThreshold } from '../../src/sparse/threshold.js';
import { both, broken, bump } from '../support/broken.js';
import { configured } from '../support/layers.js';
import { runs } from '../support/runs.js';

interface Pruned {
  floats: Float64Array;
  codes: Codes;
}

interface PruningCase {
  c: FuzzCase;
  scale: ScaleRule;
  seed: number;
  /** Smaller and larger target. */
  targets: [number, number];
  /** Gradients are normal values to this power, signs kept: 1 is normal, more has heavier tails. */
  tail: number;
}

const target = fc.constantFrom(0, 0.3, 0.5, 0.7, 0.9, 0.95, 0.99, 0.999);

const casesOf = (kind: MachineKind): fc.Arbitrary<PruningCase> =>
  fc
    .record({
      c: caseArbitrary([kind]),
      phase: fc.constantFrom('gradInput' as const, 'gradWeight' as const),
      scale: fc.constantFrom(...SCALE_RULES),
      seed: fc.nat(),
      p: target,
      q: target,
      tail: fc.constantFrom(1, 1, 2, 4),
    })
    .map(({ c, phase, p, q, ...rest }) => ({
      ...rest,
      c: { ...c, phase, unsigned: false },
      targets: [Math.min(p, q), Math.max(p, q)],
    }));

type DrawsOf = (seed: number, p: number) => Draws;
const common: DrawsOf = (seed) => hashDraws(seed, 0, 'layer');

/** The same recorded gradients at both targets. A tenth of them is zero. */
function prunedTwice({ c, scale, seed, targets, tail }: PruningCase, drawsOf: DrawsOf): Pruned[] {
  const { shape } = workOf(c).gradOutput!;
  const random = new Random(seed);
  const recorded = Float64Array.from({ length: shape.reduce((n, size) => n * size, 1) }, () => {
    const x = random.normal();
    return random.uniform() < 0.1 ? 0 : 1e-3 * Math.sign(x) * Math.abs(x) ** tail;
  });
  return targets.map((p) => {
    const { values } = prune(recorded, exactThreshold(recorded, p), drawsOf(seed, p));
    const options = { precision: c.precision, scale };
    const tensor = { shape, dtype: 'float64' as const, data: values };
    return { floats: values, codes: quantize(tensor, options, { file: 'drawn', place: 'layer' }) };
  });
}

/** Work that no gradient more may add, on any machine. The order of dispatch may add cycles, see SPEC section 6. */
const WORK: readonly (keyof Counters)[] = [
  'operands',
  'kneadedRows',
  'essentialBits',
  'terms',
  'busy',
  'boundCycles',
];

/** Whether quantisation made a zero of what pruning left. */
const rounds = ({ floats, codes }: Pruned): boolean =>
  floats.some((value, i) => value !== 0 && codes.codes[i] === 0);

/** @returns how many of the cases could have failed */
function neverAddsWork(kind: MachineKind, drawsOf: DrawsOf = common, options: object = {}): number {
  // Cycles follow where timing is a max-plus recurrence over the kneaded lengths.
  const names = kind.units('gradInput') === 'maskedSac' ? [...WORK, 'cycles' as const] : WORK;
  let bound = 0;
  const property = fc.property(casesOf(kind), (drawn) => {
    const [less, more] = prunedTwice(drawn, drawsOf);
    for (let i = 0; i < more.floats.length; i++) {
      if (more.floats[i] !== 0 && less.floats[i] === 0)
        throw new Error(`gradient ${i} was pruned only at the smaller p`);
      if (more.codes.codes[i] !== 0 && less.codes.codes[i] === 0 && less.floats[i] === 0)
        throw new Error(`code ${i} is new, and not one that was rounded to zero`);
    }
    if (rounds(less)) return;
    bound++;
    const work = workOf(drawn.c);
    const machine = configured(kind, drawn.c.settings);
    const count = ({ codes }: Pruned): Counters => machine.count({ ...work, gradOutput: codes } as LayerWork);
    const [before, after] = [count(less), count(more)];
    for (const name of names)
      if (after[name] > before[name])
        throw new Error(`${name} rose from ${before[name] as number} to ${after[name] as number}`);
  });
  fc.assert(property, { numRuns: runs(120), ...options });
  return bound;
}

describe.each(MACHINES.filter(({ phases }) => phases.length === PHASES.length))('p up on $name', (kind) => {
  it('never adds operands, kneaded rows, bits, terms nor lane-cycles', () => {
    expect(neverAddsWork(kind)).toBeGreaterThan(50);
  });
});

describe('the law can fail', () => {
  const rejects = (check: () => void): void => expect(check).toThrow(/Property failed/);

  it('with draws of its own for each p', () => {
    const own: DrawsOf = (seed, p) => hashDraws(seed, Math.round(1000 * p), 'layer');
    rejects(() => neverAddsWork(masked, own, { endOnFailure: true }));
  });

  it.each(WORK)('where zeros in the gradients add to %s', (name) => {
    const tampered = broken(
      masked,
      both((counters, { gradOutput }) =>
        bump(counters, name, 1e6 * gradOutput!.codes.filter((code) => code === 0).length),
      ),
    );
    rejects(() => neverAddsWork(tampered, common, { endOnFailure: true }));
  });

  it('and its condition is needed: a gradient rounded to zero comes back as tau', () => {
    // At p = 0 the small ones are a four-hundredth of the largest: less than half a code of int8.
    const recorded = Float64Array.from({ length: 64 }, (_, i) => (i === 0 ? 1 : 1 / 400));
    const nonZero = (p: number): number => {
      const { values } = prune(recorded, exactThreshold(recorded, p), common(1, p));
      const tensor = { shape: [64], dtype: 'float64' as const, data: values };
      const { codes } = quantize(tensor, { precision: 'int8' }, { file: 'drawn', place: 'layer' });
      return codes.filter((code) => code !== 0).length;
    };
    expect(nonZero(0)).toBe(1);
    expect(nonZero(0.9)).toBeGreaterThan(1);
  });
});
