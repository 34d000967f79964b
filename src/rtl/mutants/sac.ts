/** Faults of the SAC PE (SPEC section 3) that co-simulation must notice. */
import type { Mutant } from './mutant.js';

const of =
  (file: string) =>
  (what: string, from: string, to: string): Mutant => ({ file, what, from, to });
const throttle = of('throttle_buffer.v');
const windows = of('activation_window.v');
const reader = of('window_reader.v');
const splitter = of('splitter.v');
const segment = of('segment_adder.v');
const tree = of('rear_tree.v');
const unit = of('sac_unit.v');
const pe = of('sac_pe.v');

export const SAC_MUTANTS: readonly Mutant[] = [
  throttle(
    'a full buffer takes a word',
    'assign in_ready  = throttle_count != FULL[COUNT_BITS-1:0]',
    "assign in_ready  = 1'b1",
  ),
  throttle(
    'a full buffer takes a word when one leaves',
    'throttle_count != FULL[COUNT_BITS-1:0]',
    'throttle_count != FULL[COUNT_BITS-1:0] || out_take',
  ),
  throttle('the count does not fall while a word is pushed', 'if (push && !out_take)', 'if (push)'),
  throttle('the head stays where it is', 'if (out_take) head', "if (1'b0) head"),
  throttle(
    'the word port is always ready without a buffer',
    'assign in_ready  = out_take',
    "assign in_ready  = 1'b1",
  ),
  windows(
    'a slot is loaded a cycle early: while it is freed',
    'window_count != FULL[COUNT_BITS-1:0] &&',
    '(window_count != FULL[COUNT_BITS-1:0] || free) &&',
  ),
  windows('absent units hold the window', 'passed | ~unit_active', 'passed'),
  windows(
    'a window is freed by the first unit that has passed it',
    '&(passed | ~unit_active)',
    '|(passed & unit_active)',
  ),
  windows('windows are loaded into the head slot', 'window_tail == OWN', 'window_head == OWN'),
  windows('the count is lost when a load meets a free', 'else if (!load && free)', 'else if (free)'),
  reader(
    'units run ahead of the barrier',
    "lead == {COUNT_BITS{1'b0}} && window_count",
    'lead < window_count && window_count',
  ),
  reader(
    'units wait for each other though they may skew',
    'slot_valid = lead < window_count',
    "slot_valid = lead < window_count && lead == {COUNT_BITS{1'b0}}",
  ),
  reader(
    'a unit reads a window that is not there',
    'slot_valid = lead < window_count',
    'slot_valid = lead <= window_count',
  ),
  reader(
    'the lead falls though the unit passes at the same edge',
    'else if (!pass && free)',
    'else if (free)',
  ),
  reader(
    'a unit that has passed in an earlier cycle holds the window',
    "lead != {COUNT_BITS{1'b0}} || pass",
    'pass',
  ),
  reader('the next slot is not entered after a pass', 'if (pass) read_slot', 'if (pass && free) read_slot'),
  splitter('the pointer loses its lowest bit', 'activation[pointer]', 'activation[pointer >> 1]'),
  splitter(
    'signs are those of the neighbour column',
    'columns[b*SLOT_BITS+POINTER_BITS+1]',
    'columns[(b == 0 ? 0 : b - 1)*SLOT_BITS+POINTER_BITS+1]',
  ),
  segment('the sign of a slot is lost', 'negative[i] ? -value : value', 'value'),
  segment('a sum that is taken goes on', "(take ? {SEGMENT_BITS{1'b0}} : segment) + sum", 'segment + sum'),
  segment('a segment is cleared only if something is added', 'if (take || |add)', 'if (|add)'),
  segment(
    'what is added while the sum is taken is lost',
    "(take ? {SEGMENT_BITS{1'b0}} : segment) + sum",
    "take ? {SEGMENT_BITS{1'b0}} : segment + sum",
  ),
  segment(
    'the last lane of an odd number is lost',
    'assign sums[(i+1)*BITS-1:i*BITS] = {low[BELOW-1], low};',
    "assign sums[(i+1)*BITS-1:i*BITS] = {BITS{1'b0}};",
  ),
  segment(
    'activations are extended without their sign',
    'activations[(i+1)*VALUE_BITS-1], activations',
    "1'b0, activations",
  ),
  tree(
    'the tree moves while the output waits',
    'else if (advance) tree_valid <= moves',
    'else tree_valid <= moves',
  ),
  tree('a stage shifts by one column too few', '<< (1 << k)', '<< ((1 << k) - (k == 2 ? 1 : 0))'),
  tree(
    'segments are extended without their sign',
    '{(SUM_BITS - SEGMENT_BITS) {segment[SEGMENT_BITS-1]}}',
    "{(SUM_BITS - SEGMENT_BITS) {1'b0}}",
  ),
  tree(
    'the highest column is lost where columns are odd',
    'assign terms = stage[k-1].sums;',
    "assign terms = stage[k-1].sums & {{SUM_BITS{INPUTS == 1}}, {((INPUTS-1)*SUM_BITS){1'b1}}};",
  ),
  unit('an output that waits does not stall the lanes', 'wire go = !pending || advance', "wire go = 1'b1"),
  unit('lanes stall for a cycle after each output', 'wire go = !pending || advance', 'wire go = !pending'),
  unit('a lane goes on after its flush', ' & ~flushed;', ';'),
  unit('the first flush ends the output', '&flushed_now;', "1'b1;"),
  unit('absent lanes are waited for', '(accept & flush) | ~lane_active;', '(accept & flush);'),
  unit(
    'flush without pass does not pass the window',
    '(own[WORD_BITS-1] || own[WORD_BITS-2])',
    'own[WORD_BITS-2]',
  ),
  unit('lanes stay flushed in the next output', "done ? {LANES{1'b0}} : flushed", 'flushed'),
  unit(
    'an output that follows at once is lost',
    'done || (pending && !take)',
    'done && !take || (pending && !take)',
  ),
  unit('a full output port does not stall', 'wire advance = !out_valid || out_ready', "wire advance = 1'b1"),
  unit(
    'the output port takes only when it is ready',
    'wire advance = !out_valid || out_ready',
    'wire advance = out_ready',
  ),
  pe(
    'all lanes of a unit read the windows of the first',
    '.window      (lane[l].window)',
    '.window      (lane[0].window)',
  ),
  pe(
    'all units get the words of the first',
    'word_data[(I+1)*WORD_BITS-1:I*WORD_BITS]',
    'word_data[(l+1)*WORD_BITS-1:l*WORD_BITS]',
  ),
];
