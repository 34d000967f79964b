/** Faults of the dense MAC PE (SPEC section 4) that co-simulation must notice. */
import type { Mutant } from './mutant.js';

const lane = (what: string, from: string, to: string): Mutant => ({ file: 'mac_lane.v', what, from, to });
const pe = (what: string, from: string, to: string): Mutant => ({ file: 'mac_pe.v', what, from, to });

export const MAC_MUTANTS: readonly Mutant[] = [
  lane('weights are taken as unsigned', '<= weight * activation', '<= $unsigned(weight) * activation'),
  lane('products move while the PE is stalled', 'if (enable) product', 'product'),
  pe('a full output port does not stall', 'wire enable = !out_valid || out_ready', "wire enable = 1'b1"),
  pe('the last mark comes a stage early', 'sum_valid && sum_last', 'product_valid && product_last'),
  pe('a last mark counts without its brick', 'sum_valid && sum_last', 'sum_last'),
  pe('the first accumulation of an output is lost', '(out_valid || sum_valid)', '(!out_valid && sum_valid)'),
  pe(
    'accumulators go on into the next output',
    "out_valid ? {ACCUMULATOR_BITS{1'b0}} : accumulator",
    'accumulator',
  ),
  pe('accumulators add sums of bubbles', 'sum_valid ? {{(ACC', "1'b1 ? {{(ACC"),
  pe('products are extended without their sign', '{product[PRODUCT_BITS-1]}}', "{1'b0}}"),
  pe('all lanes of a unit get the weight of its first', '(n*LANES+l)*WEIGHT_BITS', '(n*LANES)*WEIGHT_BITS'),
  pe('all units get the weights of the first', '[(n*LANES+l)*WEIGHT_BITS', '[l*WEIGHT_BITS'),
];
