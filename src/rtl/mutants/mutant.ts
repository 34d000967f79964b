/** A fault put into the Verilog on purpose: co-simulation must notice it (SPEC section 10). */
export interface Mutant {
  /** File in rtl/verilog. */
  file: string;
  /** What is wrong with it, in a few words. */
  what: string;
  /** Text that occurs exactly once in the file, and what stands there instead. */
  from: string;
  to: string;
}
