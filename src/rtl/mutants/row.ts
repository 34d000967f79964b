/** Faults of the row PE (SPEC section 6) that co-simulation must notice. */
import type { Mutant } from './mutant.js';

const pe = (what: string, from: string, to: string): Mutant => ({ file: 'row_pe.v', what, from, to });
const ring = (what: string, from: string, to: string): Mutant => ({
  file: 'row_accumulators.v',
  what,
  from,
  to,
});
const queue = (what: string, from: string, to: string): Mutant => ({
  file: 'gradient_window.v',
  what,
  from,
  to,
});

export const ROW_MUTANTS: readonly Mutant[] = [
  pe(
    'OSRC multiplies before a gradient at its own position is loaded',
    'gradient_at > operand_at',
    'gradient_at >= operand_at',
  ),
  pe(
    'OSRC multiplies although the source of gradients is late',
    '(gradient_ended | (',
    '(~gradient_left | (',
  ),
  pe(
    'a late source of inputs counts as a row that has ended',
    'input_ended = gathering & operand_valid & operand_null',
    'input_ended = gathering & (~operand_valid | operand_null)',
  ),
  pe('OSRC loads into a full window', 'gradient_left & room &', 'gradient_left &'),
  pe('one port does the work of two', 'PORTS == 2', 'PORTS != 0'),
  pe('two ports do the work of one', 'PORTS == 2', 'PORTS == 3'),
  pe(
    'OSRC ends with the row of inputs',
    'gather_end = input_ended & gradient_ended',
    'gather_end = input_ended',
  ),
  pe(
    'an operation cannot follow without a gap',
    'operation_ready = ~active | ends',
    'operation_ready = ~active',
  ),
  pe('all taps add, live or not', ': {TAPS{feed}} & operand_taps', ': {TAPS{feed}}'),
  pe('a null operand is multiplied', 'take & ~operand_null', 'take'),
  pe(
    'products lose the sign of the operand',
    'factor * operand_value',
    '$unsigned(factor) * $unsigned(operand_value)',
  ),
  pe('a null operand leaves the row open', 'ends_row(take & operand_last)', 'ends_row(feed & operand_last)'),
  ring(
    'the flush takes the operand of its cycle along',
    "retire ? {ACCUMULATOR_BITS{1'b0}} : accumulator;",
    "retire && !moves ? {ACCUMULATOR_BITS{1'b0}} : accumulator;",
  ),
  ring(
    'retired accumulators go on',
    "retire ? {ACCUMULATOR_BITS{1'b0}}",
    "retire && flush ? {ACCUMULATOR_BITS{1'b0}}",
  ),
  ring('a column that falls out waits for the next move', 'back_then >= {', 'back_then > {'),
  ring('a move of a whole window goes on from its slot', 'moves && !far ?', 'moves ?'),
  ring(
    'what was retired in this cycle is not touched by it',
    '(touched & ~retire) | hit',
    '(touched | hit) & ~retire',
  ),
  ring(
    'slots are counted from the newest in the other direction',
    'backward(newest_slot, HERE)',
    'backward(HERE, newest_slot)',
  ),
  ring('OSRC sums lie as the window lies', 'gathers ? OWN :', "1'b0 ? OWN :"),
  ring('the ring is one slot longer', 'RING = SPAN[S:0]', "RING = SPAN[S:0] + 1'b1"),
  queue(
    'a gradient at the far end is dropped',
    "> {{(COLUMN_BITS-S){1'b0}}, reach}",
    ">= {{(COLUMN_BITS-S){1'b0}}, reach}",
  ),
  queue(
    'gradients of the row before stay in the window',
    "else if (clear) window_count <= {S{1'b0}};",
    'else if (clear) window_count <= window_count;',
  ),
  queue('nothing is dropped after the row of inputs', '(p_infinite | (p_known', "(1'b0 | (p_known"),
  queue('places that are empty are matched', 'meets[s*TAPS + k] = held &&', "meets[s*TAPS + k] = 1'b1 &&"),
  queue(
    'a gradient is loaded over the newest',
    'load_slot = forward(window_head, window_count)',
    'load_slot = forward(window_head, held_count)',
  ),
  ring(
    'the window opens as far to the left as it can',
    'slot_next = opens ? window_end',
    "slot_next = opens ? {S{1'b0}}",
  ),
  queue('a gradient is kept for the first tap alone', "{1'b0}}, reach};", "{1'b0}}, distance[S-1:0]};"),
];
