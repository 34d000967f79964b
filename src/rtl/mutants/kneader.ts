/** Faults of the on-line kneader (SPEC section 7) that co-simulation must notice. */
import type { Mutant } from './mutant.js';

const fault = (what: string, from: string, to: string): Mutant => ({ file: 'kneader.v', what, from, to });

export const KNEADER_MUTANTS: readonly Mutant[] = [
  fault('a bubble after each group', '|| (taken && last);', ';'),
  fault(
    'the next group is loaded before the last word is taken',
    '(taken && last);\n  wire load',
    'last;\n  wire load',
  ),
  fault('a group is loaded without its mask', 'room && group_valid && mask_valid;', 'room && group_valid;'),
  fault('the mask is not looked at', '&& mask_bits[k];', ';'),
  fault('signs of masked codes stay', 'group_signs & mask_bits', 'group_signs'),
  fault('bits are cleared though the word waits', 'else if (taken && !last)', 'else if (!last)'),
  fault('only the first word of a group is marked', 'wire last = ~|more;', 'wire last = |more;'),
  fault('every word of the last group flushes', 'last && kneader_flush', 'kneader_flush'),
  fault('the highest bit sinks first', 'kneader_plane & ~rest', 'kneader_plane & ~(kneader_plane >> 1)'),
  fault('pointers are taken from what is left', 'if (lowest[i]) pointer', 'if (rest[i]) pointer'),
  fault('empty columns are valid', '|kneader_plane};', "1'b1};"),
  fault(
    'columns are exchanged',
    'group_magnitudes[k*MAGNITUDE_BITS+b]',
    'group_magnitudes[k*MAGNITUDE_BITS+MAGNITUDE_BITS-1-b]',
  ),
];
