/** Faults of the PPU (SPEC sections 5 and 6) that co-simulation must notice. */
import type { Mutant } from './mutant.js';

const ppu = (what: string, from: string, to: string): Mutant => ({ file: 'ppu.v', what, from, to });
const buffers = (what: string, from: string, to: string): Mutant => ({
  file: 'row_buffers.v',
  what,
  from,
  to,
});
const lfsr = (what: string, from: string, to: string): Mutant => ({ file: 'lfsr.v', what, from, to });

export const PPU_MUTANTS: readonly Mutant[] = [
  ppu('values above the threshold snap to it', 'size >= tau', 'size >= tau && !snaps'),
  ppu('a draw equal to the value snaps', 'snaps = bar < size', 'snaps = bar <= size'),
  ppu('small negative values snap to the positive threshold', 'negative ? -tau : tau', 'tau'),
  ppu(
    'pruned magnitudes are summed',
    "{{(TOTAL_BITS-SUM_BITS){1'b0}}, size};",
    "{{(TOTAL_BITS-SUM_BITS){1'b0}}, pruned[SUM_BITS-1] ? -pruned : pruned};",
  ),
  ppu(
    'ReLU lets negative values through in masked rows',
    'relu & sum[SUM_BITS-1]',
    'relu & sum[SUM_BITS-1] & ~mask_live',
  ),
  ppu('the mask is not looked at', '| ~mask_live', ''),
  ppu('zeros that are kept are not counted', 'keep_zeros | (pruned', '(pruned'),
  ppu('a value that is not taken is overwritten', 'advance = ~out_valid | out_ready', "advance = 1'b1"),
  ppu(
    'only values that are taken at once are drained',
    'advance = ~out_valid | out_ready',
    'advance = out_ready',
  ),
  ppu('both rows are drained from one buffer', 'drained <= drained ^ ends', 'drained <= drained'),
  ppu(
    'a buffer is free a cycle late',
    'else if (leaves) state_after = FREE',
    'else if (leaves) state_after = FULL',
  ),
  ppu(
    'a row buffer is drained while it is filled',
    '(drained ? state_1 : state_0) == FULL',
    '(drained ? state_1 : state_0) != FREE',
  ),
  ppu('rows that pass by are drained too', 'state_after = passes ? FREE : FULL', 'state_after = FULL'),
  ppu('draws are for stored values only', '.step(drain)', '.step(drain & stores)'),
  buffers(
    'of two sums for one place in a cycle one is lost',
    '        sum = held;\n',
    "        sum = {SUM_BITS{1'b0}};\n",
  ),
  buffers('a sum that is not offered is added', '(add_valid[other] && own ==', '(own =='),
  buffers('a row that passes by lacks the sums of its last cycle', '== own)', '== own && !pass)'),
  buffers(
    'drained places keep their sums',
    "if (drain) filled[drain_at] <= 1'b0;",
    'if (drain) filled[drain_at] <= filled[drain_at];',
  ),
  buffers('additions go to the other buffer', 'own = {add_buffer[a],', 'own = {~add_buffer[a],'),
  lfsr('the register shifts once per clock', 'n < SHIFTS[31:0]', 'n < 1'),
  lfsr(
    'a clock is as many shifts as bits, whatever the period',
    'localparam [63:0] SHIFTS = least_shifts(WIDTH);',
    'localparam [31:0] SHIFTS = WIDTH;',
  ),
  lfsr(
    'the register shifts towards its topmost bit',
    "{1'b0, clocked[WIDTH-1:1]} ^ (clocked[0]",
    "{clocked[WIDTH-2:0], 1'b0} ^ (clocked[WIDTH-1]",
  ),
];
