/**
 * Fuzzing: random hardware, layers and data through `step`, `count`, the dense reference and the conservation
 * laws. Sizes are small on purpose (hardware widths from 1 to 5), so that tiles, units and lanes are left empty,
 * filled and overfilled; data mixes zeros, powers of two and extremes, which uniform integers never are.
 */
import fc from 'fast-check';
import { essentialBitUses } from './arch/bitUses.js';
import { conservationViolations } from './arch/conservation.js';
import {
  resolveConfig,
  type Counters,
  type LayerWork,
  type MachineKind,
  type Parameter,
  type Phase,
} from './arch/machine.js';
import { machineKind } from './arch/registry.js';
import { magnitudeBitsOf, PRECISIONS, type Codes, type Precision } from './quantize.js';
import { expectedOutput } from './expected.js';
import { elementCount, inputShape, outputShape, outputSize, weightShape, type ConvShape } from './tensor.js';

/** One random run; plain data, so that it can be printed and replayed. */
export interface FuzzCase {
  machine: string;
  settings: Record<string, string>;
  precision: Precision;
  shape: ConvShape;
  /** Codes are dealt from these lists by position. */
  weights: number[];
  activations: number[];
  /** Gradients by the output, in the phases that have them. */
  gradients: number[];
  phase: Phase;
  /** Whether the layer follows a ReLU, which lets through what is not zero. */
  postRelu: boolean;
  /** Unsigned activations use one magnitude bit more. */
  unsigned: boolean;
}

/** Values that a parameter takes in fuzzing: all of an enumeration, the low end of a range. */
function settingOf(p: Parameter): fc.Arbitrary<string> {
  if (p.values) return fc.constantFrom(...p.values);
  const min = p.min ?? 0;
  return fc.integer({ min, max: Math.min(p.max ?? Infinity, min + 4) }).map(String);
}

/** A bound that no hardware reaches, and sums that are rounded: neither equals the reference exactly. */
const UNDRAWN = ['emptyGroupCycles', 'arithmetic'];

function settingsOf(kind: MachineKind, precision: Precision): fc.Arbitrary<Record<string, string>> {
  const free = kind.parameters.filter((p) => !UNDRAWN.includes(p.name));
  return fc
    .record(Object.fromEntries(free.map((p) => [p.name, settingOf(p)])))
    .map((settings) =>
      precision === 'int16' && 'int8Streams' in settings ? { ...settings, int8Streams: '1' } : settings,
    );
}

/** Layers that fit: the kernel never exceeds the padded input. Groups and dilation are as likely as not. */
export const shapeArbitrary: fc.Arbitrary<ConvShape> = fc
  .record({
    rank: fc.constantFrom<1 | 2>(1, 2),
    batch: fc.integer({ min: 1, max: 2 }),
    groups: fc.integer({ min: 1, max: 3 }),
    groupChannels: fc.integer({ min: 1, max: 7 }),
    groupFilters: fc.integer({ min: 1, max: 9 }),
    extraHeight: fc.integer({ min: 0, max: 4 }),
    extraWidth: fc.integer({ min: 0, max: 5 }),
    kernelHeight: fc.integer({ min: 1, max: 3 }),
    kernelWidth: fc.integer({ min: 1, max: 3 }),
    strides: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
    dilations: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 2 })),
    padding: fc.tuple(...[0, 1, 2, 3].map(() => fc.integer({ min: 0, max: 2 }))),
    linear: fc.integer({ min: 0, max: 4 }).map((draw) => draw === 4),
  })
  .map((r): ConvShape => {
    if (r.linear) return linearShape(r.batch, r.groupChannels * r.kernelWidth, r.groupFilters);
    const flat = r.rank === 1;
    const kernelHeight = flat ? 1 : r.kernelHeight;
    const [dilationY, dilationX] = r.dilations;
    const [padTop, padBottom, padLeft, padRight] = flat ? [0, 0, r.padding[2], r.padding[3]] : r.padding;
    const needY = Math.max(1, (kernelHeight - 1) * dilationY + 1 - padTop - padBottom);
    const needX = Math.max(1, (r.kernelWidth - 1) * dilationX + 1 - padLeft - padRight);
    return {
      op: 'conv',
      rank: r.rank,
      batch: r.batch,
      channels: r.groups * r.groupChannels,
      filters: r.groups * r.groupFilters,
      groups: r.groups,
      height: flat ? 1 : needY + r.extraHeight,
      width: needX + r.extraWidth,
      kernelHeight,
      kernelWidth: r.kernelWidth,
      strideY: flat ? 1 : r.strides[0],
      strideX: r.strides[1],
      padTop,
      padBottom,
      padLeft,
      padRight,
      dilationY: flat ? 1 : dilationY,
      dilationX,
    };
  });

const linearShape = (batch: number, channels: number, filters: number): ConvShape => ({
  op: 'linear',
  rank: 2,
  batch,
  channels,
  filters,
  groups: 1,
  ...{ height: 1, width: 1, kernelHeight: 1, kernelWidth: 1, strideY: 1, strideX: 1 },
  ...{ padTop: 0, padBottom: 0, padLeft: 0, padRight: 0, dilationY: 1, dilationX: 1 },
});

/** Sign-magnitude codes: zeros, powers of two, extremes and anything between. */
export function codeArbitrary(magnitudeBits: number, signed: boolean): fc.Arbitrary<number> {
  const limit = 2 ** magnitudeBits - 1;
  const magnitude = fc.oneof(
    { weight: 3, arbitrary: fc.constant(0) },
    { weight: 2, arbitrary: fc.integer({ min: 0, max: magnitudeBits - 1 }).map((b) => 2 ** b) },
    { weight: 1, arbitrary: fc.constant(limit) },
    { weight: 4, arbitrary: fc.integer({ min: 0, max: limit }) },
  );
  if (!signed) return magnitude;
  return fc.tuple(magnitude, fc.boolean()).map(([m, negative]) => (negative && m !== 0 ? -m : m));
}

export function caseArbitrary(kinds: readonly MachineKind[]): fc.Arbitrary<FuzzCase> {
  return fc
    .record({
      kind: fc.constantFrom(...kinds),
      precision: fc.constantFrom(...PRECISIONS),
      draw: fc.nat({ max: 5 }),
      unsignedForward: fc.boolean(),
    })
    .chain(({ kind, precision, draw, unsignedForward }) => {
      const phase = kind.phases[draw % kind.phases.length];
      // Operands of training are signed.
      const unsigned = unsignedForward && phase === 'forward';
      const B = magnitudeBitsOf(precision);
      const list = { minLength: 1, maxLength: 60, size: 'max' as const };
      return fc.record({
        machine: fc.constant(kind.name),
        precision: fc.constant(precision),
        phase: fc.constant(phase),
        unsigned: fc.constant(unsigned),
        postRelu: fc.boolean(),
        settings: settingsOf(kind, precision),
        shape: shapeArbitrary,
        weights: fc.array(codeArbitrary(B, true), list),
        activations: fc.array(codeArbitrary(unsigned ? B + 1 : B, !unsigned), list),
        gradients: fc.array(codeArbitrary(B, true), list),
      });
    });
}

/** The layer of a case. Codes are dealt by a hash of the position, so that short lists still give long patterns. */
export function workOf(c: FuzzCase): LayerWork {
  const B = magnitudeBitsOf(c.precision);
  const deal = (list: number[], shape: number[], salt: number, magnitudeBits: number): Codes => ({
    shape,
    codes: Int32Array.from(
      { length: elementCount(shape) },
      (_, i) => list[((Math.imul(i + 1, 0x9e3779b1) ^ salt) >>> 8) % list.length],
    ),
    magnitudeBits,
    storageBits: c.precision === 'int8' ? 8 : 16,
    scales: Float64Array.of(1),
    saturated: 0,
  });
  const activations = deal(c.activations, inputShape(c.shape), 0x7654321, c.unsigned ? B + 1 : B);
  return {
    name: 'fuzz',
    phase: c.phase,
    shape: c.shape,
    weights: deal(c.weights, weightShape(c.shape), 0x1234567, B),
    activations,
    gradOutput: c.phase === 'forward' ? null : deal(c.gradients, outputShape(c.shape), 0x3456789, B),
    inputMask: c.postRelu ? Uint8Array.from(activations.codes, (code) => (code === 0 ? 0 : 1)) : null,
    precision: c.precision,
  };
}

/** Runs a case. Returns what does not hold, one line each. */
export function violationsOf(kind: MachineKind, c: FuzzCase): string[] {
  const machine = kind.configure(resolveConfig(kind, c.settings));
  const work = workOf(c);
  const counted = machine.count(work);
  const stepped = machine.step(work);
  const violations = conservationViolations(
    kind,
    machine,
    work,
    stepped.counters,
    essentialBitUses(kind.units(work.phase), work),
  );
  violations.push(...counterDifferences(counted, stepped.counters));
  const expected = expectedOutput(work, kind.masksGradInput === true);
  const wrong = expected.findIndex((value, i) => stepped.output[i] !== value);
  if (wrong >= 0)
    violations.push(
      `output ${wrong} of ${expected.length}: found ${stepped.output[wrong]}, expected ${expected[wrong]}`,
    );
  return violations;
}

/** Counters in which two levels disagree. */
export function counterDifferences(counted: Counters, stepped: Counters): string[] {
  const flat = (c: Counters): Record<string, number | string> => {
    const { stall, idle, starts, ...rest } = c;
    return { ...rest, ...stall, ...idle, starts: starts.join(' ') };
  };
  const a = flat(counted);
  const b = flat(stepped);
  return Object.keys(a)
    .filter((name) => a[name] !== b[name])
    .map((name) => `${name}: count says ${a[name]}, step says ${b[name]}`);
}

export interface FuzzOptions {
  machines: readonly string[];
  runs: number;
  seed: number;
  /** Replays one shrunk case of an earlier failure. */
  path?: string;
  progress?: (done: number, total: number) => void;
}

export interface FuzzResult {
  runs: number;
  seed: number;
  failure: null | { machine: string; counterexample: FuzzCase; message: string; path: string };
}

/** @throws UserError on an unknown machine */
export function fuzz(options: FuzzOptions): FuzzResult {
  return fuzzKinds(options.machines.map(machineKind), options);
}

/** As `fuzz`, for machines that are not in the registry. */
export function fuzzKinds(kinds: readonly MachineKind[], options: Omit<FuzzOptions, 'machines'>): FuzzResult {
  const { runs, seed, path, progress } = options;
  let done = 0;
  const property = fc.property(caseArbitrary(kinds), (c) => {
    progress?.(Math.min(++done, runs), runs);
    const kind = kinds.find((k) => k.name === c.machine)!;
    const violations = violationsOf(kind, c);
    if (violations.length > 0) throw new Error(violations.join('; '));
  });
  const details = fc.check(property, { numRuns: runs, seed, ...(path === undefined ? {} : { path }) });
  if (!details.failed || !details.counterexample) return { runs: details.numRuns, seed, failure: null };
  const [counterexample] = details.counterexample;
  const error = details.errorInstance;
  return {
    runs: details.numRuns,
    seed,
    failure: {
      machine: counterexample.machine,
      counterexample,
      message: error instanceof Error ? error.message : String(error),
      path: details.counterexamplePath ?? '',
    },
  };
}

/** Output positions of a case, for statistics of what is generated. */
export const positionsOf = (c: FuzzCase): number => {
  const { outHeight, outWidth } = outputSize(c.shape);
  return c.shape.batch * outHeight * outWidth;
};
