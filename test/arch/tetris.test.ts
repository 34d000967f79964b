/** Tetris: the laws of kneading, and the timing of long runs. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LayerWork } from '../../src/arch/machine.js';
import { tetris } from '../../src/arch/tetris.js';
import { workOf } from '../../src/fuzz.js';
import { configured, conv, layer, range } from '../support/layers.js';
import { longCases, naiveOf, SAC_LAWS } from '../support/sacLaws.js';

const stringsOf = (settings: Record<string, string | number>): Record<string, string> =>
  Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, String(value)]));

describe('tetris', () => {
  it.each(Object.entries(SAC_LAWS))('%s', (_, law) => {
    law(tetris);
  });

  it('is timed over long runs whose state recurs, so that periods are skipped', () => {
    const cases = fc
      .sample(longCases([tetris]), 60)
      .filter((c) => c.settings.throttleWords !== '1')
      .map((c) => ({ ...c, phase: 'forward' as const }));
    const recurring = cases.filter((c) => naiveOf(tetris, c, workOf(c)).recurs);
    expect(recurring.length).toBeGreaterThan(cases.length / 2);
  });

  it('fills windows while a tile waits for another at the end of a block', () => {
    // Two tiles of one unit, two blocks. Filter 0 is dense, the others are empty: tile 1 waits long after block 1,
    // and begins block 2 with all its slow windows loaded.
    const settings = {
      tiles: 2,
      units: 1,
      lanes: 1,
      kneadingStride: 8,
      windowSlots: 6,
      windowLoadCycles: 6,
      tileBy: 'filters',
    };
    const work = layer(conv({ channels: 160, filters: 4 }), 'int8', { weights: [0] });
    work.weights.codes.fill(127, 0, 160);
    for (const throttleWords of [0, 1, 4])
      for (const sync of ['skew', 'barrier']) {
        const c = { settings: stringsOf({ ...settings, throttleWords, sync }) };
        const machine = configured(tetris, c.settings);
        const { counters } = machine.step(work);
        expect(machine.count(work)).toEqual(counters);
        if (throttleWords !== 1) {
          expect(counters.cycles).toBe(naiveOf(tetris, c, work).cycles);
          // 160 rows; then six windows at once, of which the first frees a slot for the seventh at once.
          expect(counters.cycles).toBeLessThan(160 + 20 * 6);
        }
      }
  });

  it('is timed at once over a quarter of a thousand million positions, by whole periods', () => {
    const settings = { tiles: 1, units: 3, lanes: 2, kneadingStride: 4, windowSlots: 2 };
    const row = (width: number): LayerWork => ({
      ...layer(conv({ channels: 6, filters: 3, kernelWidth: 2 })),
      shape: conv({ channels: 6, filters: 3, kernelWidth: 2, width: width + 1 }),
      activations: null,
    });
    const c = { settings: stringsOf(settings) };
    const naive = [...range(200).map((i) => naiveOf(tetris, c, row(i + 1)).cycles)];
    const gain = naive.map((cycles, i) => cycles - (naive[i - 1] ?? 0)).slice(100);
    const period = range(50).find((p) => p > 0 && gain.slice(0, 50).every((x, i) => x === gain[i + p]))!;
    const long = 2 ** 28;
    const base = 150 + ((long - 150) % period);
    const expected = naive[base - 1] + ((long - base) / period) * (naive[149 + period] - naive[149]);
    expect(configured(tetris, settings).count(row(long)).cycles).toBe(expected);
  });
});
