/** Each law rejects machines that break it, in each machine of the registry. */
import { describe, expect, it } from 'vitest';
import { zeroCounters, type MachineKind } from '../../src/arch/machine.js';
import { MACHINES } from '../../src/arch/registry.js';
import { tetris } from '../../src/arch/tetris.js';
import * as breaks from '../support/broken.js';
import * as laws from '../support/laws.js';
import { SAC_LAWS } from '../support/sacLaws.js';

/** The first failing case is proof enough: it need not be made small. */
function rejects(law: laws.Law, kind: MachineKind, tamper: breaks.Tamper): void {
  expect(() => law(breaks.broken(kind, tamper), { endOnFailure: true })).toThrow(/Property failed/);
}

describe.each(MACHINES)('a broken $name is rejected', (kind) => {
  const proofs: [laws.Law, Record<string, breaks.Tamper>][] = [
    [laws.outputIsReference, breaks.WRONG_VALUES],
    [laws.conserves, breaks.LEAKS],
    [laws.isDeterministic, breaks.FICKLE],
    [laws.splitsByOutputs, breaks.NOT_ADDITIVE_BY_FILTERS],
    [laws.splitsByExamples, breaks.NOT_ADDITIVE_BY_EXAMPLES],
    [laws.orderIsIrrelevant, breaks.ORDER_MATTERS],
  ];
  for (const [law, tamperings] of proofs)
    it.each(Object.entries(tamperings))('%s', (_, tamper) => rejects(law, kind, tamper));

  it.each(breaks.counterPaths(zeroCounters()))('%s off by one in count alone, and in step alone', (path) => {
    rejects(laws.countIsStep, kind, () => ({ count: (c) => breaks.bump(c, path) }));
    rejects(laws.countIsStep, kind, () => ({ step: ({ counters }) => breaks.bump(counters, path, -1) }));
  });

  it.runIf(kind.units(kind.phases[0]) !== 'mac')('essential bits miscounted at both levels', () => {
    rejects(laws.conserves, kind, breaks.MISCOUNTED_BITS);
  });
});

describe('a broken tetris is rejected', () => {
  it('a row undercounted in count alone', () => {
    rejects(laws.countIsStep, tetris, breaks.ROW_UNDERCOUNTED);
    rejects(
      SAC_LAWS['cycles of both levels follow the recurrence of SPEC section 3'],
      tetris,
      breaks.ROW_UNDERCOUNTED,
    );
  });

  const byLaw: Record<string, breaks.Tamper> = {
    'cycles of both levels follow the recurrence of SPEC section 3': breaks.both((c) =>
      breaks.bump(c, 'cycles'),
    ),
    'also over long runs of positions': breaks.both((c, { shape }) =>
      breaks.bump(c, 'cycles', Math.floor(shape.width / 128)),
    ),
    'clearing an essential bit never adds rows nor cycles': breaks.both((c, { weights }) =>
      breaks.bump(c, 'kneadedRows', weights.codes.filter((w) => w === 0).length),
    ),
    'a multiple of the kneading stride never adds rows': ({ kneadingStride }) => ({
      count: (c) => breaks.bump(c, 'kneadedRows', kneadingStride as number),
    }),
    'all-ones magnitudes make kneading dense': breaks.both((c) => breaks.bump(c, 'kneadedRows', -1)),
    'one lane and one unit take the sum of lengths': breaks.both((c) => breaks.bump(c, 'cycles')),
  };
  it.each(Object.entries(SAC_LAWS))('%s', (name, law) => rejects(law, tetris, byLaw[name]));
});
