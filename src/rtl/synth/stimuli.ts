/**
 * Work by which energy is measured: random weights of 31 % bit density (SPEC section 9), uniformly random activations and
 * gradients, no stalls. SAC and MAC units get the same weights and the same activations.
 */
import { kneadedRows } from '../../bit/knead.js';
import { Random } from '../../random.js';
import { osrcCycles } from '../../sparse/rowOperation.js';
import type { RtlUnit } from '../unit.js';
import { kneaderUnit } from '../units/kneader.js';
import { macUnit } from '../units/mac.js';
import { ppuUnit } from '../units/ppu.js';
import { rowUnit } from '../units/row.js';
import { sacUnit } from '../units/sac.js';

export const BIT_DENSITY = 0.31;
export const KNEADING_STRIDE = 16;
/** Share of non-zero values in the rows of a row PE and in the masks of a kneader. */
export const VALUE_DENSITY = 0.5;
export const TAPS = 3;
/** Columns of a row: the widest of the bundled traces. */
export const ROW_WIDTH = 28;
const SEED = 45;

/** What a bench reads, and how many operations it makes. */
export interface EnergyStimulus {
  packed: string;
  operations: number;
  /** How often it does what energy is split by (`split.ts`). */
  counts: Record<string, number>;
  /** What the model prints for it, and so must the bench. */
  lines: () => string[];
}

function stimulusOf<S>(
  unit: RtlUnit<S>,
  json: unknown,
  operations: number,
  counts: Record<string, number>,
): EnergyStimulus {
  const stimulus = unit.parse(json, 'energy stimulus');
  return { packed: unit.pack(stimulus), operations, counts, lines: () => unit.trace(stimulus, false) };
}

export interface Terms {
  outputs: number;
  /** Groups of KS weights per output and lane. */
  groups: number;
}

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

function weightOf(random: Random, bits: number): number {
  let magnitude = 0;
  for (let b = 0; b < bits; b++) if (random.uniform() < BIT_DENSITY) magnitude += 2 ** b;
  return random.int(2) === 0 || magnitude === 0 ? magnitude : -magnitude;
}

function codeOf(random: Random, bits: number): number {
  const magnitude = random.int(2 ** bits);
  return random.int(2) === 0 || magnitude === 0 ? magnitude : -magnitude;
}

/** [output][group][lane] of weights and activations, KS each. */
function drawTerms(lanes: number, bits: number, { outputs, groups }: Terms): [number[], number[]][][][] {
  const random = new Random(SEED);
  return range(outputs).map(() =>
    range(groups).map(() =>
      range(lanes).map((): [number[], number[]] => [
        range(KNEADING_STRIDE).map(() => weightOf(random, bits)),
        range(KNEADING_STRIDE).map(() => codeOf(random, bits)),
      ]),
    ),
  );
}

/** A weight as a word of its own: all its essential bits point at its activation. */
const rawRow = (weight: number, pointer: number, bits: number): ReturnType<typeof kneadedRows>[number] =>
  range(bits).map((b) => ((Math.abs(weight) >> b) & 1 ? [pointer, weight < 0 ? -1 : 1] : null));

/**
 * A SAC PE of one unit: its operation is a word, kneaded or raw (dense work on the same lanes). Equal numbers of groups
 * in all are equal words and windows, however they are cut into outputs.
 */
export function sacStimulus(lanes: number, bits: number, work: Terms, kneaded = true): EnergyStimulus {
  const terms = drawTerms(lanes, bits, work);
  const words = range(lanes).map((l) =>
    terms.flatMap((groups) =>
      groups.flatMap((group, g) => {
        const rows = kneaded
          ? kneadedRows(group[l][0], bits, KNEADING_STRIDE)
          : group[l][0].map((weight, k) => rawRow(weight, k, bits));
        return rows.map((columns, t) => {
          const last = t === rows.length - 1;
          return { pass: last, flush: last && g === groups.length - 1, columns };
        });
      }),
    ),
  );
  const count = words.reduce((sum, { length }) => sum + length, 0);
  return stimulusOf(
    sacUnit,
    {
      units: 1,
      lanes,
      magnitudeBits: bits,
      activationBits: bits,
      kneadingStride: KNEADING_STRIDE,
      windowSlots: 2,
      throttleWords: 4,
      sync: 'skew',
      words,
      windows: range(lanes).map((l) => terms.flatMap((groups) => groups.map((group) => group[l][1]))),
    },
    count,
    { [kneaded ? 'word' : 'rawWord']: count, output: work.outputs },
  );
}

/** A MAC unit: its operation is a cycle, one product per lane. */
export function macStimulus(lanes: number, bits: number, work: Terms): EnergyStimulus {
  const terms = drawTerms(lanes, bits, work);
  const bricks = terms.flatMap((groups) =>
    groups.flatMap((group, g) =>
      range(KNEADING_STRIDE).map((k) => ({
        weights: [group.map(([weights]) => weights[k])],
        activations: group.map(([, activations]) => activations[k]),
        last: g === groups.length - 1 && k === KNEADING_STRIDE - 1 ? 1 : 0,
      })),
    ),
  );
  return stimulusOf(
    macUnit,
    { units: 1, lanes, magnitudeBits: bits, activationBits: bits, bricks },
    bricks.length,
    { cycle: bricks.length },
  );
}

/** A row PE: its operation is an operand of the streamed row. Kernel rows have the density of weights. */
export function rowStimulus(kind: 'src' | 'msrc' | 'osrc', bits: number, rows: number): EnergyStimulus {
  const random = new Random(SEED);
  const geometry = {
    taps: TAPS,
    stride: 1,
    dilation: 1,
    padLeft: 1,
    inputWidth: ROW_WIDTH,
    outputWidth: ROW_WIDTH,
  };
  const row = (): { columns: number[]; values: number[] } => {
    const columns = range(ROW_WIDTH).filter(() => random.uniform() < VALUE_DENSITY);
    return { columns, values: columns.map(() => codeOf(random, bits) || 1) };
  };
  const operations = range(rows).map(() => {
    const operands = row();
    if (kind === 'osrc') return { kind, geometry, operands, gradients: row() };
    const weights = range(TAPS).map(() => weightOf(random, bits));
    return kind === 'src'
      ? { kind, geometry, operands, weights }
      : { kind, geometry, operands, weights, mask: null };
  });
  const streamed = operations.reduce((sum, { operands }) => sum + operands.values.length, 0);
  // An operand takes a cycle; in OSRC, where two rows are streamed, cycles are what the row takes.
  const cycles = operations.reduce((sum, { operands, ...other }) => {
    if (!('gradients' in other)) return sum + operands.columns.length;
    const [x, g] = [operands, other.gradients].map(({ columns }) => Int32Array.from(columns));
    return sum + osrcCycles(x, 0, x.length, g, 0, g.length, geometry, 2);
  }, 0);
  return stimulusOf(
    rowUnit,
    {
      taps: TAPS,
      span: TAPS,
      ports: 2,
      magnitudeBits: bits,
      accumulatorBits: 2 * bits + 17,
      columnBits: 12,
      operations,
    },
    streamed,
    { [kind]: cycles },
  );
}

/** An on-line kneader: its operation is a word. */
export function kneaderStimulus(bits: number, groups: number): EnergyStimulus {
  const random = new Random(SEED);
  const drawn = range(groups).map(() => ({
    codes: range(KNEADING_STRIDE).map(() => weightOf(random, bits)),
    mask: range(KNEADING_STRIDE).map(() => (random.uniform() < VALUE_DENSITY ? 1 : 0)),
  }));
  const left = drawn.map(({ codes, mask }) => codes.map((code, k) => code * mask[k]));
  const words = left.reduce(
    (sum, codes) => sum + Math.max(1, kneadedRows(codes, bits, KNEADING_STRIDE).length),
    0,
  );
  return stimulusOf(
    kneaderUnit,
    {
      magnitudeBits: bits,
      kneadingStride: KNEADING_STRIDE,
      groups: drawn.map(({ codes }) => ({ codes, flush: 0 })),
      masks: drawn.map(({ mask }) => mask),
    },
    words,
    { word: words },
  );
}

/** A PPU behind three row PEs: its operation is a value of a finished row, the sum of so many that PEs add to it. */
export function ppuStimulus(bits: number, sumBits: number, rows: number, adds: number): EnergyStimulus {
  const random = new Random(SEED);
  // Sums of K = 3 rows of products, and a threshold that prunes about half of them.
  const productBits = 2 * bits;
  return stimulusOf(
    ppuUnit,
    {
      width: ROW_WIDTH,
      adders: 3,
      sumBits,
      relu: true,
      threshold: 2 ** (productBits - 1),
      rows: range(rows).map(() => ({
        adds: range(adds).flatMap(() =>
          range(ROW_WIDTH).map((column): [number, number] => [column, codeOf(random, productBits)]),
        ),
      })),
    },
    rows * ROW_WIDTH,
    { value: rows * ROW_WIDTH, add: rows * ROW_WIDTH * adds },
  );
}
