/**
 * Synthetic streams of a whole PE of 16 x 16, output after output (SPEC section 3): kneaded lengths through the
 * recurrence, and the same weights through the clocked PE. Traces cannot say this: there, units meet after a filter.
 */
import { bitPlanes, lengthOfPlanes } from '../../src/bit/planes.js';
import type { SacConfig } from '../../src/arch/sacConfig.js';
import { TileTiming } from '../../src/arch/sacTiming.js';
import { magnitudeBitsOf, type Precision } from '../../src/quantize.js';
import { Random } from '../../src/random.js';
import { range } from '../support/layers.js';
import { peConfig, runPe } from '../support/pe.js';
import { drawCode, STREAM_STRIDE, STREAM_UNITS } from './made.js';

export interface Streams {
  precision: Precision;
  /** Probability of each magnitude bit. */
  density: number;
  lanes: number;
  groupsPerOutput: number;
  outputs: number;
  windowSlots: number;
  seed: number;
}

/** Weights of output o as [lane][group][unit][weight]; every call draws the next output. */
function drawer({ precision, density, lanes, groupsPerOutput, seed }: Streams): () => number[][][][] {
  const random = new Random(seed);
  const B = magnitudeBitsOf(precision);
  return () =>
    range(lanes).map(() =>
      range(groupsPerOutput).map(() =>
        range(STREAM_UNITS).map(() => range(STREAM_STRIDE).map(() => drawCode(random, B, density))),
      ),
    );
}

/** Cycles by the recurrence, skewed units. */
export function streamCycles(streams: Streams): number {
  const { precision, lanes, groupsPerOutput, outputs, windowSlots } = streams;
  const magnitudeBits = magnitudeBitsOf(precision);
  const config: SacConfig = {
    ...{ tiles: 1, units: STREAM_UNITS, lanes, tileBy: 'positions', lowering: 'channelBlock' },
    ...{ kneadingStride: STREAM_STRIDE, windowSlots, throttleWords: 4, sync: 'skew', windowLoadCycles: 1 },
    ...{ emptyGroupCycles: 1, magnitudeBits },
  };
  const timing = new TileTiming(config, lanes);
  timing.begin(STREAM_UNITS, 0);
  const groups = new Int32Array(lanes).fill(groupsPerOutput);
  const draw = drawer(streams);
  for (let o = 0; o < outputs; o++) {
    const lengths = draw().flatMap((lane) =>
      lane.flatMap((group) =>
        group.map((weights) =>
          Math.max(
            1,
            lengthOfPlanes(bitPlanes(weights, magnitudeBits, STREAM_STRIDE), magnitudeBits, STREAM_STRIDE),
          ),
        ),
      ),
    );
    timing.run(Uint16Array.from(lengths), groups, STREAM_UNITS, 1);
  }
  return timing.latest(STREAM_UNITS);
}

/** Weights of a lane per cycle. */
export const streamSpeed = (streams: Streams): number =>
  (STREAM_STRIDE * streams.groupsPerOutput * streams.outputs) / streamCycles(streams);

/** Cycles from the first to the last accepted word on the clocked PE, whose sums are those of the weights. */
export function steppedCycles(streams: Streams): number {
  const { precision, lanes, groupsPerOutput, outputs, windowSlots } = streams;
  const draw = drawer(streams);
  const drawn = range(outputs).map(draw);
  const weights = range(STREAM_UNITS).map((n) =>
    range(lanes).map((l) => drawn.map((output) => output[l].map((group) => group[n]))),
  );
  const windows = range(lanes).map(() =>
    range(outputs * groupsPerOutput).map((g) => range(STREAM_STRIDE).map((k) => g + k + 1)),
  );
  const magnitudeBits = magnitudeBitsOf(precision);
  const config = peConfig({
    ...{ units: STREAM_UNITS, lanes, magnitudeBits, kneadingStride: STREAM_STRIDE, windowSlots },
    wideSegments: true,
  });
  const accepts = runPe({ config, weights, windows }).accepts.flat(2);
  const [from, to] = accepts.reduce(([a, b], c) => [Math.min(a, c), Math.max(b, c)], [Infinity, 0]);
  return to - from + 1;
}
