/** Masked kneading: the laws of kneading, and what the mask adds to them. */
import { describe, expect, it } from 'vitest';
import type { MachineKind } from '../../src/arch/machine.js';
import { masked } from '../../src/arch/masked.js';
import { tetris } from '../../src/arch/tetris.js';
import { workOf, type FuzzCase } from '../../src/fuzz.js';
import { configured, conv, layer } from '../support/layers.js';
import { law, unhurried } from '../support/laws.js';
import { SAC_LAWS } from '../support/sacLaws.js';

/** The off-line machine on the same array. */
const offline = (c: FuzzCase) => configured(tetris, { ...c.settings, int8Streams: 1 });

/** Never more rows than off-line kneading issues, nor cycles on the same array with the same synchronisation. */
const neverAboveTetris = law((kind, drawn) => {
  const c: FuzzCase = drawn.phase === 'gradWeight' ? { ...drawn, phase: 'forward' } : drawn;
  const work = workOf(c);
  const mine = configured(kind, c.settings).count(work);
  const theirs = offline(c).count(work);
  return (['busy', 'cycles', 'boundCycles'] as const)
    .filter((name) => mine[name] > theirs[name])
    .map((name) => `${name}: ${mine[name]} masked, ${theirs[name]} off-line`);
}, 150);

/** A window value that becomes zero never adds rows, nor cycles. */
const zeroingNeverAdds = law((kind, c, salt) => {
  const work = workOf(c);
  const shared = c.phase === 'forward' ? 'activations' : 'gradOutput';
  const codes = work[shared]!.codes.slice();
  codes[salt % codes.length] = 0;
  const machine = configured(kind, c.settings);
  const before = machine.count(work);
  const after = machine.count({ ...work, [shared]: { ...work[shared], codes } });
  return (['kneadedRows', 'cycles', 'boundCycles', 'essentialBits'] as const)
    .filter((name) => after[name] > before[name])
    .map((name) => `${name} rose from ${before[name]} to ${after[name]} when a value became zero`);
}, 150);

/** With no zero in the window there is nothing to mask. */
const fullWindowsAreTetris = law((kind, drawn) => {
  const c: FuzzCase = {
    // Windows begin to load a cycle earlier against the first word, which shows where they are slow.
    ...unhurried(drawn),
    phase: drawn.phase === 'gradWeight' ? 'forward' : drawn.phase,
    activations: drawn.activations.map((x) => x || 1),
    gradients: drawn.gradients.map((x) => x || 1),
    shape: { ...drawn.shape, padTop: 0, padBottom: 0, padLeft: 0, padRight: 0, height: 9, width: 9 },
  };
  const work = workOf(c);
  const mine = configured(kind, c.settings).count(work);
  const theirs = offline(c).count(work);
  return (['busy', 'cycles', 'boundCycles', 'essentialBits'] as const)
    .filter((name) => mine[name] !== theirs[name])
    .map((name) => `${name}: ${mine[name]} masked, ${theirs[name]} off-line`);
});

/** In gradWeight Tetris runs dense: a group never has more rows than items, nor more cycles where windows keep up. */
const neverAboveDense = law((kind, drawn) => {
  const c: FuzzCase = { ...unhurried(drawn), phase: 'gradWeight', unsigned: false };
  const work = workOf(c);
  const mine = configured(kind, c.settings).count(work);
  const theirs = offline(c).count(work);
  return (['busy', 'cycles', 'boundCycles'] as const)
    .filter((name) => mine[name] > theirs[name])
    .map((name) => `${name}: ${mine[name]} masked, ${theirs[name]} dense`);
}, 150);

const LAWS: Record<string, (kind: MachineKind) => void> = {
  'rows and cycles never exceed those of off-line kneading': neverAboveTetris,
  'a zero more in the window never adds': zeroingNeverAdds,
  'nor, in gradWeight, those of the dense lanes of Tetris': neverAboveDense,
  'windows without zeros leave the rows and cycles of off-line kneading': fullWindowsAreTetris,
};

describe('masked', () => {
  it.each(Object.entries({ ...SAC_LAWS, ...LAWS }))('%s', (_, check) => {
    check(masked);
  });

  it('reads KS (B + 1) raw bits per group, again for every output', () => {
    // 20 channels on 2 lanes: 10 items a lane, three groups of KS = 4; 3 filters at 6 positions.
    const work = layer(conv({ channels: 20, filters: 3, width: 6 }), 'int8');
    const machine = configured(masked, { tiles: 1, units: 2, lanes: 2, kneadingStride: 4 });
    const bits = 3 * 6 * 2 * 3 * 4 * 8;
    expect(machine.count(work).kneaderBits).toBe(bits);
    expect(machine.step(work).counters.kneaderBits).toBe(bits);
  });

  it('takes one cycle more to fill than off-line kneading: that of the kneader', () => {
    const work = layer(conv({ channels: 20, filters: 3, width: 6 }), 'int8');
    const array = { tiles: 1, units: 2, lanes: 2 };
    const fill = (kind: MachineKind, throttleWords: number): number =>
      configured(kind, { ...array, throttleWords }).step(work).counters.pipelineCycles;
    expect(fill(masked, 4)).toBe(fill(tetris, 4) + 1);
    expect(fill(masked, 0)).toBe(fill(tetris, 0));
  });
});
