/** Laws of machines that knead, beyond those that every machine obeys. Same form as laws.ts. */
import fc from 'fast-check';
import { dadiannao } from '../../src/arch/dadiannao.js';
import type { LayerWork, MachineKind } from '../../src/arch/machine.js';
import { caseArbitrary, workOf, type FuzzCase } from '../../src/fuzz.js';
import { magnitudeBitsOf } from '../../src/quantize.js';
import { configured, conv } from './layers.js';
import { law, unhurried, type Law } from './laws.js';
import { naiveSac, type NaiveSac, type NaiveSacConfig } from './naiveSac.js';

/** The naive recurrence of a case. */
export function naiveOf(kind: MachineKind, c: Pick<FuzzCase, 'settings'>, work: LayerWork): NaiveSac {
  const { int8Streams = 1, ...config } = configured(kind, c.settings).config as unknown as NaiveSacConfig & {
    int8Streams?: number;
  };
  const masked = kind.units(work.phase) === 'maskedSac';
  return naiveSac({ ...config, units: config.units * int8Streams }, work, masked);
}

/** Forward, where SAC units knead in every machine, instead of a phase that runs dense. */
const kneading = (kind: MachineKind, c: FuzzCase): FuzzCase =>
  kind.units(c.phase) === 'mac' ? { ...c, phase: 'forward' } : c;

/** Throttle buffers of one word have their own rhythm, which the recurrence leaves out. */
const neverStarved = (c: FuzzCase): FuzzCase =>
  c.settings.throttleWords === '1' ? { ...c, settings: { ...c.settings, throttleWords: '0' } } : c;

function againstNaive(kind: MachineKind, c: FuzzCase, step: boolean): string[] {
  const machine = configured(kind, c.settings);
  const work = workOf(c);
  const naive = naiveOf(kind, c, work);
  const found = { count: machine.count(work), ...(step ? { step: machine.step(work).counters } : {}) };
  return Object.entries(found).flatMap(([level, counters]) =>
    (['cycles', 'boundCycles', 'kneadedRows'] as const)
      .filter((name) => counters[name] !== naive[name])
      .map((name) => `${name} of ${level}: ${counters[name]}, the recurrence says ${naive[name]}`),
  );
}

export const followsRecurrence = law(
  (kind, c) => againstNaive(kind, neverStarved(kneading(kind, c)), true),
  100,
);

/** Rows of 64 to 200 outputs with few terms: long enough that the timing of a tile repeats itself. */
export const longCases = (kinds: MachineKind[]): fc.Arbitrary<FuzzCase> =>
  fc
    .record({
      c: caseArbitrary(kinds),
      width: fc.integer({ min: 64, max: 200 }),
      channels: fc.integer({ min: 1, max: 12 }),
      filters: fc.integer({ min: 1, max: 10 }),
    })
    .map(({ c, width, channels, filters }) => ({
      ...c,
      settings: { ...c.settings, kneadingStride: String(1 + (Number(c.settings.kneadingStride) % 3)) },
      shape: conv({ width: width * 2, strideX: 2, channels, filters, batch: 1, kernelWidth: 2 }),
    }));

export const followsRecurrenceForLong = law(
  (kind, c) => againstNaive(kind, neverStarved(kneading(kind, c)), true),
  40,
  longCases,
);

/** Clearing one essential bit of one kneaded code never adds kneaded rows, nor cycles. */
export const clearingNeverAdds = law((kind, drawn, salt) => {
  const c = kneading(kind, drawn);
  const machine = configured(kind, c.settings);
  const work = workOf(c);
  const kneaded = c.phase === 'gradWeight' ? 'activations' : 'weights';
  const codes = work[kneaded]!.codes;
  const set = [...codes.keys()].filter((i) => codes[i] !== 0);
  if (set.length === 0) return [];
  const cleared = codes.slice();
  const at = set[salt % set.length];
  const bits = Math.abs(codes[at]);
  const highest = 1 << (31 - Math.clz32(bits));
  cleared[at] = Math.sign(codes[at]) * (salt % 2 === 0 ? bits - highest : bits & (bits - 1));
  const before = machine.count(work);
  const after = machine.count({ ...work, [kneaded]: { ...work[kneaded], codes: cleared } });
  return (['kneadedRows', 'cycles', 'boundCycles', 'singleStreamLaneCycles'] as const)
    .filter((name) => after[name] > before[name])
    .map((name) => `${name} rose from ${before[name]} to ${after[name]} when a bit was cleared`);
}, 150);

/** A kneading stride that is a multiple never adds kneaded rows. */
export const multiplesNeverAdd = law((kind, drawn, salt) => {
  const c = kneading(kind, drawn);
  const work = workOf(c);
  const stride = Number(c.settings.kneadingStride);
  const wide = stride * (2 + (salt % 4));
  const rows = (kneadingStride: number) =>
    configured(kind, { ...c.settings, kneadingStride }).count(work).kneadedRows;
  return rows(wide) > rows(stride)
    ? [`${rows(wide)} rows at stride ${wide}, ${rows(stride)} at ${stride}`]
    : [];
}, 100);

/** All-ones magnitudes leave nothing to knead: length = KS, and the dense machine's cycles. */
export const allOnesAreDense = law((kind, drawn) => {
  const all = 2 ** magnitudeBitsOf(drawn.precision) - 1;
  const full = (list: number[]): number[] => list.map((x) => (x < 0 ? -all : all));
  const operands = { weights: full(drawn.weights), activations: full(drawn.activations) };
  const c = unhurried(kneading(kind, { ...drawn, ...operands, gradients: full(drawn.gradients) }));
  // Padding is a zero, which only a dense unit multiplies.
  const { padTop, padBottom, padLeft, padRight, height, width } = c.shape;
  const padding = { padTop: 0, padBottom: 0, padLeft: 0, padRight: 0 };
  c.shape = {
    ...c.shape,
    ...padding,
    height: height + padTop + padBottom,
    width: width + padLeft + padRight,
  };
  const work = workOf(c);
  const { tiles, tileBy, lanes, lowering } = c.settings;
  const units = Number(c.settings.units) * Number(c.settings.int8Streams ?? 1);
  const dense = configured(dadiannao, { tiles, tileBy, lanes, lowering, units }).count(work);
  const machine = configured(kind, c.settings);
  return [machine.count(work), machine.step(work).counters].flatMap((counters) => [
    ...(counters.cycles === dense.cycles ? [] : [`${counters.cycles} cycles, dense takes ${dense.cycles}`]),
    ...(counters.kneadedRows === counters.kneadedWeights
      ? []
      : [`${counters.kneadedRows} rows for ${counters.kneadedWeights} codes`]),
  ]);
});

/** One lane and one unit, nothing stalls: positions times the sum of kneaded lengths. */
export const loneLaneIsSum = law((kind, drawn) => {
  const c = unhurried(kneading(kind, drawn));
  const one = 'int8Streams' in c.settings ? { int8Streams: '1' } : {};
  c.settings = { ...c.settings, tiles: '1', units: '1', lanes: '1', ...one };
  const work = workOf(c);
  const { boundCycles } = naiveOf(kind, c, work);
  const machine = configured(kind, c.settings);
  return [machine.count(work), machine.step(work).counters]
    .filter(({ cycles, busy }) => cycles !== busy || cycles !== boundCycles)
    .map(({ cycles }) => `${cycles} cycles for ${boundCycles} rows`);
});

export const SAC_LAWS: Record<string, Law> = {
  'cycles of both levels follow the recurrence of SPEC section 3': followsRecurrence,
  'also over long runs of positions': followsRecurrenceForLong,
  'clearing an essential bit never adds rows nor cycles': clearingNeverAdds,
  'a multiple of the kneading stride never adds rows': multiplesNeverAdd,
  'all-ones magnitudes make kneading dense': allOnesAreDense,
  'one lane and one unit take the sum of lengths': loneLaneIsSum,
};
