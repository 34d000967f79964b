/** Tetris: the laws of kneading, and the timing of long runs. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LayerWork } from '../../src/arch/machine.js';
import { tetris } from '../../src/arch/tetris.js';
import { workOf } from '../../src/fuzz.js';
import { configured, conv, layer, range } from '../support/layers.js';
import { longCases, naiveOf, TETRIS_LAWS } from '../support/tetrisLaws.js';

describe('tetris', () => {
  it.each(Object.entries(TETRIS_LAWS))('%s', (_, law) => {
    law(tetris);
  });

  it('is timed over long runs whose state recurs, so that periods are skipped', () => {
    const cases = fc.sample(longCases([tetris]), 60).filter((c) => c.settings.throttleWords !== '1');
    const recurring = cases.filter((c) => naiveOf(tetris, c, workOf(c)).recurs);
    expect(recurring.length).toBeGreaterThan(cases.length / 2);
  });

  it('is timed at once over a quarter of a thousand million positions, by whole periods', () => {
    const settings = { tiles: 1, units: 3, lanes: 2, kneadingStride: 4, windowSlots: 2 };
    const row = (width: number): LayerWork => ({
      ...layer(conv({ channels: 6, filters: 3, kernelWidth: 2 })),
      shape: conv({ channels: 6, filters: 3, kernelWidth: 2, width: width + 1 }),
      activations: null,
    });
    const c = { settings: Object.fromEntries(Object.entries(settings).map(([k, v]) => [k, `${v}`])) };
    const naive = [...range(200).map((i) => naiveOf(tetris, c, row(i + 1)).cycles)];
    const gain = naive.map((cycles, i) => cycles - (naive[i - 1] ?? 0)).slice(100);
    const period = range(50).find((p) => p > 0 && gain.slice(0, 50).every((x, i) => x === gain[i + p]))!;
    const long = 2 ** 28;
    const base = 150 + ((long - 150) % period);
    const expected = naive[base - 1] + ((long - base) / period) * (naive[149 + period] - naive[149]);
    expect(configured(tetris, settings).count(row(long)).cycles).toBe(expected);
  });
});
