/** What a row PE is told to do, how it is built, and what it counts (SPEC section 6). The PE is sim/rowPe.ts. */
import type { RowGeometry } from '../sparse/rowOperation.js';
import type { CompressedRows } from '../sparse/rows.js';
import type { RegisterSpec } from './registers.js';

export interface RowPeConfig {
  /** Multipliers: taps that work in parallel. */
  taps: number;
  /** Accumulators, enough for the widest operation: rowSpan(geometry) suffices for every kind. */
  span: number;
  /** OSRC: loads and multiplications share a port, or have one each. */
  ports: 1 | 2;
  /** Operands and weights are float32 values, and every product and every sum is rounded to float32. */
  float32?: boolean;
}

type Rows = CompressedRows | CompressedRows<Float32Array>;

/** SRC (forward), MSRC (gradInput), OSRC (gradWeight). May be reused: the PE copies what it needs. */
export interface RowOperation {
  kind: 'src' | 'msrc' | 'osrc';
  geometry: RowGeometry;
  /** The row that is streamed: inputs in src and osrc, gradients in msrc. */
  operands: Rows;
  row: number;
  /** OSRC: the row of gradients that the inputs meet. */
  gradients: Rows | null;
  gradientRow: number;
  /** SRC and MSRC: the piece of the kernel row, tap k at weightsAt + k. */
  weights: Int32Array | Float32Array;
  weightsAt: number;
  /** MSRC: live input columns from maskAt (1: live); null: all are. */
  mask: Uint8Array | null;
  maskAt: number;
  /** Row buffer to which sums are added, column c (OSRC: tap c) at targetAt + c. Exact integers up to 2^53. */
  target: Float64Array;
  targetAt: number;
}

/** Since construction. */
export interface RowCounters {
  /** Cycles of operations, OSRC's end cycles, null operands and waiting for a late source included. */
  cycles: number;
  /** Stored operands consumed, dropped ones excluded; in OSRC gradients loaded and inputs multiplied. */
  operands: number;
  /** Multiplications by a tap whose target is live. */
  products: number;
}

export function rowRegisters(c: RowPeConfig): RegisterSpec[] {
  const bitsFor = (values: number): number => Math.max(1, Math.ceil(Math.log2(values)));
  // Codes are a sign and up to 16 magnitude bits; float32 values are held as doubles.
  const code = { bits: c.float32 ? 53 : 17, signed: true };
  const slots = c.span + 1;
  return [
    { name: 'active', bits: 1, signed: false, count: 1 },
    { name: 'weight', ...code, count: c.taps },
    { name: 'accumulator', bits: 53, signed: true, count: c.span },
    { name: 'touched', bits: 1, signed: false, count: c.span },
    { name: 'newest', bits: 32, signed: true, count: 1 },
    { name: 'newestSlot', bits: bitsFor(c.span), signed: false, count: 1 },
    { name: 'flush', bits: 1, signed: false, count: 1 },
    { name: 'gradientAt', bits: 32, signed: true, count: slots },
    { name: 'gradientValue', ...code, count: slots },
    { name: 'windowHead', bits: bitsFor(slots), signed: false, count: 1 },
    { name: 'windowCount', bits: bitsFor(slots + 1), signed: false, count: 1 },
  ];
}
