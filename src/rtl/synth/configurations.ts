/**
 * What is synthesised: each unit at int8 and int16, as SPEC section 9 lists them, and whole PEs of 16 units x 16 lanes with
 * their buffers. Sums of all units hold 2^16 products, so that none of them is spared registers.
 */
import type { Coefficient } from '../../arch/coefficient.js';
import { magnitudeBitsOf, PRECISIONS, type Precision } from '../../quantize.js';
import type { RtlUnit, VerilogParameters } from '../unit.js';
import { kneaderUnit } from '../units/kneader.js';
import { macUnit } from '../units/mac.js';
import { ppuUnit } from '../units/ppu.js';
import { rowUnit } from '../units/row.js';
import { sacUnit } from '../units/sac.js';
import type { Concerns } from './split.js';
import {
  KNEADING_STRIDE,
  kneaderStimulus,
  macStimulus,
  ppuStimulus,
  ROW_WIDTH,
  rowStimulus,
  sacStimulus,
  TAPS,
  type EnergyStimulus,
  type Terms,
} from './stimuli.js';

/** log2 of the products that a sum holds. */
export const TERM_BITS = 16;

export type UnitName = Coefficient['unit'];

export interface EnergyRun {
  /** What is counted as one operation. */
  operation: string;
  stimulus: () => EnergyStimulus;
  /** Parameters of the bench. */
  bench: VerilogParameters;
}

export interface Configuration {
  name: UnitName;
  precision: Precision;
  units: number;
  lanes: number;
  /** What it is, in words. */
  what: string;
  /** Where sources and the bench are from. */
  rtl: RtlUnit;
  /** Top module. */
  module: string;
  parameters: VerilogParameters;
  /** Instance of the module in its bench. */
  instance: string;
  /** A PE of many units is too large for timing in one piece. */
  timing: boolean;
  energy: Record<string, EnergyRun>;
  concerns?: Concerns;
}

/** An RtlUnit forgets the type of its stimulus here: it is only asked for sources and its bench. */
const anyUnit = (unit: unknown): RtlUnit => unit as RtlUnit;

/** What energy is measured by, the same for MAC and SAC. */
const workOf = (lanes: number): Terms =>
  lanes === 1 ? { outputs: 3, groups: 12 } : { outputs: 2, groups: 6 };
/** The same groups, each an output of its own: what differs is the work of outputs. */
const shortOutputs = ({ outputs, groups }: Terms): Terms => ({ outputs: outputs * groups, groups: 1 });

function mac(precision: Precision, units: number, lanes: number): Configuration {
  const bits = magnitudeBitsOf(precision);
  const parameters = { UNITS: units, LANES: lanes, MAGNITUDE_BITS: bits, ACTIVATION_BITS: bits, TERM_BITS };
  return {
    name: units === 1 ? 'macUnit' : 'macPe',
    precision,
    units,
    lanes,
    what: units === 1 ? 'dense MAC unit: multipliers, sum over lanes, accumulator' : 'whole dense MAC PE',
    rtl: anyUnit(macUnit),
    module: 'mac_pe',
    parameters,
    instance: 'dut',
    timing: units === 1,
    energy:
      units === 1
        ? {
            cycle: {
              operation: 'cycle: a product in each lane',
              stimulus: () => macStimulus(lanes, bits, workOf(lanes)),
              bench: parameters,
            },
          }
        : {},
  };
}

/** Segments of 2^16 activations, an activation being a sign and `bits`. */
const segmentBits = (bits: number): number => bits + 1 + TERM_BITS;

function sacPe(precision: Precision, units: number, lanes: number): Configuration {
  const bits = magnitudeBitsOf(precision);
  const parameters = {
    UNITS: units,
    LANES: lanes,
    MAGNITUDE_BITS: bits,
    ACTIVATION_BITS: bits,
    KNEADING_STRIDE,
    WINDOW_SLOTS: 2,
    THROTTLE_WORDS: 4,
    BARRIER: 0,
    SEGMENT_BITS: segmentBits(bits),
  };
  const bench = { ...parameters, DEPTH: 4096 };
  return {
    name: 'sacPe',
    precision,
    units,
    lanes,
    what: 'whole split-and-accumulate PE: throttle buffers of 4 words, 2 window slots of 16 activations, units',
    rtl: anyUnit(sacUnit),
    module: 'sac_pe',
    parameters,
    instance: 'pe',
    timing: units === 1,
    energy:
      units === 1
        ? {
            word: {
              operation: 'kneaded word',
              stimulus: () => sacStimulus(lanes, bits, workOf(lanes)),
              bench,
            },
            shortOutput: {
              operation: 'kneaded word, every group an output',
              stimulus: () => sacStimulus(lanes, bits, shortOutputs(workOf(lanes))),
              bench,
            },
            rawWord: {
              operation: 'raw word: one weight, not kneaded',
              stimulus: () => sacStimulus(lanes, bits, workOf(lanes), false),
              bench,
            },
          }
        : {},
    // That sums begin anew changes what segment adders and buffers switch by a few percent, up or down, as values happen
    // to be: a mean of the runs is nearer to the truth than their difference.
    concerns: { output: ['rear_tree', 'sac_unit'] },
  };
}

function sac(precision: Precision, lanes: number): Configuration {
  const bits = magnitudeBitsOf(precision);
  return {
    ...sacPe(precision, 1, lanes),
    name: 'sacUnit',
    what: 'split-and-accumulate unit without throttle buffers and windows',
    module: 'sac_unit',
    parameters: {
      LANES: lanes,
      MAGNITUDE_BITS: bits,
      ACTIVATION_BITS: bits,
      KNEADING_STRIDE,
      SEGMENT_BITS: segmentBits(bits),
    },
    // Its energy is a part of the PE's, which is simulated with the buffers that feed it.
    energy: {},
  };
}

function row(precision: Precision): Configuration {
  const bits = magnitudeBitsOf(precision);
  const parameters = {
    TAPS,
    SPAN: TAPS,
    PORTS: 2,
    MAGNITUDE_BITS: bits,
    ACCUMULATOR_BITS: 2 * bits + 1 + TERM_BITS,
    COLUMN_BITS: 12,
  };
  const run = (kind: 'src' | 'msrc' | 'osrc'): EnergyRun => ({
    operation: 'operand of the streamed row',
    stimulus: () => rowStimulus(kind, bits, 24),
    bench: { ...parameters, DEPTH: 1024 },
  });
  return {
    name: 'rowPe',
    precision,
    units: 1,
    lanes: TAPS,
    what: 'row PE of 3 taps, 3 accumulators, two operand ports in OSRC',
    rtl: anyUnit(rowUnit),
    module: 'row_pe',
    parameters,
    instance: 'dut',
    timing: true,
    energy: { src: run('src'), msrc: run('msrc'), osrc: run('osrc') },
  };
}

function kneader(precision: Precision): Configuration {
  const bits = magnitudeBitsOf(precision);
  const parameters = { MAGNITUDE_BITS: bits, KNEADING_STRIDE };
  return {
    name: 'kneader',
    precision,
    units: 1,
    lanes: 1,
    what: 'on-line kneader of one unit and lane, groups of 16',
    rtl: anyUnit(kneaderUnit),
    module: 'kneader',
    parameters,
    instance: 'dut',
    timing: true,
    energy: {
      word: {
        operation: 'kneaded word',
        stimulus: () => kneaderStimulus(bits, 60),
        bench: { ...parameters, DEPTH: 1024 },
      },
    },
  };
}

function ppu(precision: Precision): Configuration {
  const bits = magnitudeBitsOf(precision);
  const sumBits = 2 * bits + 1 + TERM_BITS;
  // A draw times the threshold stays below 2^53, as in the model.
  const parameters = {
    WIDTH: ROW_WIDTH,
    ADDERS: 3,
    SUM_BITS: sumBits,
    THRESHOLD_BITS: Math.min(sumBits - 1, 37),
    LFSR_WIDTH: 16,
  };
  return {
    name: 'ppu',
    precision,
    units: 1,
    lanes: 1,
    what: `post-processing unit with two row buffers of ${ROW_WIDTH} sums, held in registers`,
    rtl: anyUnit(ppuUnit),
    module: 'ppu',
    parameters,
    instance: 'dut',
    timing: true,
    energy: {
      value: {
        operation: 'value of a finished row',
        stimulus: () => ppuStimulus(bits, sumBits, 8, 3),
        bench: { ...parameters, DEPTH: 1024 },
      },
      longValue: {
        operation: 'value of a finished row, of twice as many additions',
        stimulus: () => ppuStimulus(bits, sumBits, 8, 6),
        bench: { ...parameters, DEPTH: 2048 },
      },
    },
  };
}

/** Small ones first. */
export const CONFIGURATIONS: readonly Configuration[] = PRECISIONS.flatMap((precision) => [
  mac(precision, 1, 1),
  kneader(precision),
  sac(precision, 1),
  sacPe(precision, 1, 1),
  row(precision),
  mac(precision, 1, 16),
  sac(precision, 16),
  ppu(precision),
  mac(precision, 16, 16),
  sacPe(precision, 16, 16),
  sacPe(precision, 1, 16),
]);
