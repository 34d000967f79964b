/**
 * The PPU of a PE group (SPEC sections 5 and 6) as a twin: `sim/ppu.ts` with `sparse/lfsr.ts`, and `rtl/verilog/ppu.v`
 * under one stimulus.
 */
import { mask } from '../stimulus.js';
import type { RtlUnit, VerilogParameters } from '../unit.js';
import { drawPpu } from './ppu/draw.js';
import { capacityOf, lfsrOf, parsePpu, portsOf, thresholdBitsOf, type PpuStimulus } from './ppu/form.js';
import { tracePpu } from './ppu/trace.js';

const addsOf = ({ rows }: PpuStimulus): number => rows.reduce((sum, { adds }) => sum + adds.length, 0);

/** What the bench can hold of rows, sums, mask bits or ready rows: a power of two. */
function depthOf(s: PpuStimulus): number {
  const needed = Math.max(s.rows.length * s.width, addsOf(s), s.ready.length);
  return Math.max(1024, 2 ** Math.ceil(Math.log2(needed)));
}

function parameters(s: PpuStimulus): VerilogParameters {
  const { width, polynomial } = lfsrOf(s);
  return {
    WIDTH: capacityOf(s),
    ADDERS: s.adders,
    SUM_BITS: s.sumBits,
    THRESHOLD_BITS: thresholdBitsOf(s),
    LFSR_WIDTH: width,
    // The topmost bit is always set. Without it the number fits into what simulators take as a parameter.
    LFSR_TAPS: polynomial - 2 ** (width - 1),
    DEPTH: depthOf(s),
  };
}

function pack(s: PpuStimulus): string {
  const { width, relu, keepZeros, bypass, threshold, rows, ready } = s;
  const flag = (value: boolean): number => (value ? 1 : 0);
  // Every ready row may be wasted; after that a row takes at most as many cycles as it has sums, and is drained.
  const limit = ready.length + addsOf(s) + rows.length * (width + 2) + 4;
  const lines = [
    [limit, rows.length, ready.length],
    [width, flag(relu), flag(keepZeros), flag(bypass), threshold, lfsrOf(s).state],
    ...rows.flatMap(({ adds, mask: live }) => [
      [flag(live !== null), ...(live ?? [])],
      [adds.length, ...adds.flat()],
    ]),
  ];
  const open = new Array<number>(portsOf(s)).fill(1);
  return [...lines.map((line) => line.join(' ')), ...ready.map((row) => mask(row ?? open)), ''].join('\n');
}

export const ppuUnit: RtlUnit<PpuStimulus> = {
  name: 'ppu',
  aliases: [],
  summary: 'post-processing unit of SparseTrain: row buffers, ReLU, mask, LFSR pruning, compression',
  sources: ['ppu.v', 'row_buffers.v', 'lfsr.v'],
  bench: 'tb_ppu.v',
  parse: parsePpu,
  random: drawPpu,
  parameters,
  pack,
  trace: tracePpu,
};
