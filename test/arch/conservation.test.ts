/** What conservation expects is itself counted naively; and each of its lines can be provoked. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { essentialBitUses, termCount } from '../../src/arch/bitUses.js';
import { conservationViolations } from '../../src/arch/conservation.js';
import { dadiannao } from '../../src/arch/dadiannao.js';
import { PHASES, type Counters, type UnitKind } from '../../src/arch/machine.js';
import { MACHINES } from '../../src/arch/registry.js';
import { shapeArbitrary } from '../../src/fuzz.js';
import { outputSize, type ConvShape } from '../../src/tensor.js';
import { bump } from '../support/broken.js';
import { configured, layer } from '../support/layers.js';
import { naiveOnes } from '../support/naiveKnead.js';
import { runs } from '../support/runs.js';

/** Calls `use` for every product of the layer that is not padding, with the indices of its operands. */
function eachProduct(
  s: ConvShape,
  use: (weight: number, activation: number | null, output: number) => void,
): void {
  const { outHeight, outWidth } = outputSize(s);
  const C = s.channels / s.groups;
  let output = -1;
  for (let n = 0; n < s.batch; n++)
    for (let f = 0; f < s.filters; f++)
      for (let oy = 0; oy < outHeight; oy++)
        for (let ox = 0; ox < outWidth; ox++) {
          output++;
          for (let i = 0; i < C * s.kernelHeight * s.kernelWidth; i++) {
            const kx = i % s.kernelWidth;
            const ky = Math.floor(i / s.kernelWidth) % s.kernelHeight;
            const c =
              Math.floor(f / (s.filters / s.groups)) * C + Math.floor(i / (s.kernelWidth * s.kernelHeight));
            const y = oy * s.strideY + ky * s.dilationY - s.padTop;
            const x = ox * s.strideX + kx * s.dilationX - s.padLeft;
            const inside = y >= 0 && x >= 0 && y < s.height && x < s.width;
            use(
              f * C * s.kernelHeight * s.kernelWidth + i,
              inside ? ((n * s.channels + c) * s.height + y) * s.width + x : null,
              output,
            );
          }
        }
}

describe('terms and essential bits', () => {
  it.each(PHASES)('are those of every operand of every product, %s', (phase) => {
    fc.assert(
      fc.property(shapeArbitrary, fc.nat(), (shape, seed) => {
        const sparse = (n: number): number[] => [0, 3, 0, -5, 127].map((x, i) => ((i + n) % 3 ? x : 0));
        const given = { phase, activations: sparse(seed), gradients: sparse(seed + 1) };
        const work = layer(shape, 'int8', { seed, ...given });
        const bits: Record<UnitKind, number> = {
          mac: 0,
          sac: 0,
          maskedSac: 0,
          serial: 0,
          row: 0,
          denseRow: 0,
        };
        let terms = 0;
        eachProduct(shape, (weight, activation, output) => {
          if (phase === 'gradInput' && activation === null) return;
          terms++;
          const a = activation === null ? 0 : work.activations!.codes[activation];
          const g = phase === 'forward' ? 0 : work.gradOutput!.codes[output];
          const streamed = naiveOnes(phase === 'gradWeight' ? a : work.weights.codes[weight]);
          bits.sac += streamed;
          if ((phase === 'forward' ? a : g) !== 0) bits.maskedSac += streamed;
          bits.serial += naiveOnes(a);
        });
        expect(termCount(work)).toBe(terms);
        for (const units of ['sac', 'maskedSac'] as const)
          expect(essentialBitUses(units, work)).toBe(bits[units]);
        expect(essentialBitUses('mac', work)).toBe(bits.sac);
        if (phase === 'forward') expect(essentialBitUses('serial', work)).toBe(bits.serial);
      }),
      { numRuns: runs(40) },
    );
  });
});

describe('violations', () => {
  const drawn = fc.sample(shapeArbitrary, 1)[0];
  it.each(MACHINES)('of $name are told apart', (kind) => {
    const machine = configured(
      kind,
      'tiles' in configured(kind).config ? { tiles: 2, units: 3, lanes: 2 } : {},
    );
    const work = layer(drawn);
    const uses = essentialBitUses(kind.units('forward'), work);
    const after = (tamper: (c: Counters) => void): string[] => {
      const { counters } = machine.step(work);
      tamper(counters);
      return conservationViolations(kind, machine, work, counters, uses).map((line) =>
        line.replace(/: found.*/, ''),
      );
    };
    const at = `${kind.name}, layer layer, forward: `;
    expect(after(() => {})).toEqual([]);
    expect(after((c) => bump(c, 'terms'))).toEqual([`${at}terms issued = terms of the layer`]);
    expect(after((c) => bump(c, 'stall.window'))).toEqual([`${at}issued + stalled + idle = lanes x cycles`]);
    if (kind.units('forward') !== 'mac')
      expect(after((c) => bump(c, 'essentialBits', -1))).toEqual([`${at}essential bits consumed`]);
    if (kind.name === 'tetris')
      expect(after((c) => bump(c, 'kneadedWeights', -1))).toEqual([`${at}weights kneaded`]);
    const negative = (c: Counters): void => {
      bump(c, 'idle.empty', -1 - c.idle.empty);
      bump(
        c,
        'idle.absentLane',
        1 +
          machine.laneSlots('forward') * c.cycles -
          c.busy -
          [c.stall, c.idle].flatMap((x) => Object.values(x)).reduce((a, b) => a + b, 0) -
          1,
      );
    };
    expect(after(negative)).toEqual([`${at}empty is negative: -1`]);
  });

  it('compare with the layer, not with the machine', () => {
    const work = layer(drawn);
    const machine = configured(dadiannao);
    const other = layer({ ...drawn, filters: 2 * drawn.filters });
    expect(conservationViolations(dadiannao, machine, other, machine.count(work), 0)).not.toEqual([]);
  });
});
