/**
 * Random stimuli of a PPU. A series of runs goes through 1 to 4 adders, rows of 1 to 6 values and all modes: ReLU, mask,
 * pruning by LFSRs of several widths, compression off, and rows that leave past the unit.
 */
import type { Random } from '../../../random.js';
import { boundaryMagnitude, randomReady } from '../../stimulus.js';
import type { Hardware } from '../../unit.js';
import { portsOf, thresholdBitsOf, type PpuStimulus } from './form.js';

/** Two of them with the sparse polynomials that textbooks have; the others with ours. */
const LFSRS = [
  { width: 8 },
  { width: 8, polynomial: 0xb8 },
  { width: 12 },
  { width: 16 },
  { width: 16, polynomial: 0xb400 },
  { width: 32 },
];

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

const LOWER = 20;

/** A magnitude wider than a draw: both halves are at a boundary often. */
const magnitudeOf = (random: Random, bits: number): number =>
  bits <= LOWER
    ? boundaryMagnitude(random, bits)
    : boundaryMagnitude(random, bits - LOWER) * 2 ** LOWER + boundaryMagnitude(random, LOWER);

function codeOf(random: Random, bits: number): number {
  const magnitude = magnitudeOf(random, bits);
  return random.int(2) === 0 || magnitude === 0 ? magnitude : -magnitude;
}

export function drawPpu(random: Random, run: number, given: Hardware = {}): PpuStimulus {
  const flip = (): boolean => random.int(2) === 0;
  const hardware = { capacity: [2, 3, 6][random.int(3)], adders: 1 + (run % 4), ...given };
  const { capacity } = hardware;
  const width = 1 + random.int(capacity);
  // A PPU that is asked for has the other widths that the Verilog has by default.
  const asked = Object.keys(given).length > 0;
  const sumBits = asked ? 40 : [16, 40][random.int(2)];
  const lfsr = asked ? { width: 16 } : LFSRS[random.int(LFSRS.length)];
  // Sums stay below 2^(sumBits - 1) even if all of a row go to one column.
  const bits = 1 + random.int(sumBits - 1 - Math.ceil(Math.log2(3 * width + 1)));
  const bypass = random.int(4) === 0;
  const masked = flip();
  const live = random.uniform();
  const dense = random.uniform();
  const rows = range(1 + random.int(8)).map(() => ({
    adds: range(random.int(3 * width + 1)).flatMap((): [number, number][] =>
      random.uniform() < dense ? [[random.int(width), codeOf(random, bits)]] : [],
    ),
    mask: masked ? range(width).map((): 0 | 1 => (random.uniform() < live ? 1 : 0)) : null,
  }));
  const s: PpuStimulus = {
    ...hardware,
    width,
    sumBits,
    relu: flip(),
    keepZeros: random.int(4) === 0,
    bypass,
    threshold: 0,
    lfsr: flip() ? lfsr : { ...lfsr, seed: 1 + random.int(2 ** lfsr.width - 1) },
    rows,
    ready: [],
  };
  if (random.int(4) > 0) s.threshold = magnitudeOf(random, Math.min(bits + 1, thresholdBitsOf(s)));
  if (random.int(4) > 0) s.ready = randomReady(random, random.int(100), portsOf(s));
  return s;
}
