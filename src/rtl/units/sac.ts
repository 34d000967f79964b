/** The split-and-accumulate PE (SPEC section 3) as a twin: `sim/sacPe.ts` and `rtl/verilog/sac_pe.v` under one stimulus. */
import { pointerBits } from '../../bit/knead.js';
import { field } from '../stimulus.js';
import type { RtlUnit, VerilogParameters } from '../unit.js';
import { drawSac } from './sac/draw.js';
import { activeOf, isWide, outputsOf, parseSac, type SacStimulus, type SacWord } from './sac/form.js';
import { traceSac } from './sac/trace.js';
import { mask } from '../stimulus.js';

/** What the bench can hold of words, windows or ready rows: the next power of two. */
function depthOf({ words, windows, ready }: SacStimulus): number {
  const total = (streams: { length: number }[]): number => streams.reduce((sum, s) => sum + s.length, 0);
  const needed = 1 + Math.max(total(words), total(windows), ready.length);
  return Math.max(1024, 2 ** Math.ceil(Math.log2(needed)));
}

const parameters = (s: SacStimulus): VerilogParameters => ({
  UNITS: s.units,
  LANES: s.lanes,
  MAGNITUDE_BITS: s.magnitudeBits,
  ACTIVATION_BITS: s.activationBits,
  KNEADING_STRIDE: s.kneadingStride,
  WINDOW_SLOTS: s.windowSlots,
  THROTTLE_WORDS: s.throttleWords,
  BARRIER: s.sync === 'barrier' ? 1 : 0,
  WINDOW_LOAD_CYCLES: s.windowLoadCycles,
  SEGMENT_BITS: isWide(s) ? 53 : 32,
  DEPTH: depthOf(s),
});

/** {flush, pass, B x {sign, pointer, valid}}, the valid bit of column 0 lowest. */
function packWord({ flush, pass, columns }: SacWord, pointer: number): string {
  const slotBits = BigInt(pointer + 2);
  let bits = (flush ? 2n : 0n) | (pass ? 1n : 0n);
  for (let b = columns.length - 1; b >= 0; b--) {
    const column = columns[b];
    bits <<= slotBits;
    if (column === null) continue;
    bits |= (column[1] < 0 ? 1n << (slotBits - 1n) : 0n) | (BigInt(column[0]) << 1n) | 1n;
  }
  return bits.toString(16);
}

function packWindow(window: number[], bits: number): string {
  let packed = 0n;
  for (let p = window.length - 1; p >= 0; p--) packed = (packed << BigInt(bits)) | field(window[p], bits);
  return packed.toString(16);
}

function pack(s: SacStimulus): string {
  const { activeUnits, activeLanes } = activeOf(s);
  const left = outputsOf(s).reduce((a, b) => a + b, 0);
  const words = s.words.reduce((sum, { length }) => sum + length, 0);
  const windows = s.windows.reduce((sum, { length }) => sum + length, 0);
  // Far beyond what any stimulus needs that can end.
  const limit = s.ready.length + 4 * (words + windows * s.windowLoadCycles) + 64;
  const pointer = pointerBits(s.kneadingStride);
  const ports = s.units * s.lanes + s.lanes + s.units;
  const ones = new Array<number>(ports).fill(1);
  return [
    `${limit} ${left} ${mask(activeUnits)} ${mask(activeLanes)}`,
    ...s.words.map((stream) => [stream.length, ...stream.map((word) => packWord(word, pointer))].join(' ')),
    ...s.windows.map((lane) =>
      [lane.length, ...lane.map((window) => packWindow(window, s.activationBits + 1))].join(' '),
    ),
    [s.ready.length, ...s.ready.map((row) => mask(row ?? ones))].join(' '),
    '',
  ].join('\n');
}

export const sacUnit: RtlUnit<SacStimulus> = {
  name: 'sac',
  aliases: ['sac_pe'],
  summary: 'split-and-accumulate PE of Tetris: throttle buffers, windows, splitters, segments, rear tree',
  sources: [
    'sac_pe.v',
    'sac_unit.v',
    'splitter.v',
    'segment_adder.v',
    'rear_tree.v',
    'throttle_buffer.v',
    'activation_window.v',
    'window_reader.v',
  ],
  bench: 'tb_sac_pe.v',
  parse: parseSac,
  random: drawSac,
  parameters,
  pack,
  trace: traceSac,
};
