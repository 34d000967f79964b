/**
 * The row-convolution PE (SPEC section 6) as a twin: `sim/rowPe.ts` and `rtl/verilog/row_pe.v` under one stimulus.
 *
 * The bench gets compressed rows, masks and geometries as they stand in the stimulus. It works out by itself, in Verilog,
 * what the feeder offers and how the PE is set.
 */
import { mask } from '../stimulus.js';
import type { RtlUnit, VerilogParameters } from '../unit.js';
import { drawRow } from './row/draw.js';
import { accumulatorBitsOf, parseRow, type RowStimulus, type StimulusRow } from './row/form.js';
import { traceRow } from './row/trace.js';

/** Entries that a row puts on a port at most: its values, and its end. */
const entriesOf = (row: StimulusRow): number => row.values.length + 1;

const sumOf = (values: number[]): number => values.reduce((sum, value) => sum + value, 0);

const operandsOf = (s: RowStimulus): number => sumOf(s.operations.map(({ operands }) => entriesOf(operands)));
const gradientsOf = (s: RowStimulus): number =>
  sumOf(s.operations.map((op) => (op.kind === 'osrc' ? entriesOf(op.gradients) : 0)));

/** What the bench can hold of operations, port entries, mask bits or ready rows: a power of two. */
function depthOf(s: RowStimulus): number {
  const widest = Math.max(...s.operations.map(({ geometry }) => geometry.inputWidth));
  const needed = Math.max(widest, operandsOf(s), gradientsOf(s), s.operations.length, s.ready.length);
  return Math.max(1024, 2 ** Math.ceil(Math.log2(needed)));
}

const parameters = (s: RowStimulus): VerilogParameters => ({
  TAPS: s.taps,
  SPAN: s.span,
  PORTS: s.ports,
  MAGNITUDE_BITS: s.magnitudeBits,
  ACCUMULATOR_BITS: accumulatorBitsOf(s),
  COLUMN_BITS: s.columnBits,
  DEPTH: depthOf(s),
});

const KIND_NUMBER = { src: 0, msrc: 1, osrc: 2 } as const;

const packRow = ({ values, columns }: StimulusRow): number[] => [
  values.length,
  ...values.flatMap((value, i) => [columns[i], value]),
];

function pack(s: RowStimulus): string {
  // Every ready row may be wasted; after that each entry takes a cycle at most, and each operation its start and end.
  const limit = s.ready.length + operandsOf(s) + gradientsOf(s) + 2 * s.operations.length + 2;
  const lines = [[limit, s.operations.length, s.ready.length]];
  for (const op of s.operations) {
    const { taps, stride, dilation, padLeft, inputWidth, outputWidth } = op.geometry;
    lines.push([KIND_NUMBER[op.kind], taps, stride, dilation, padLeft, inputWidth, outputWidth]);
    if (op.kind !== 'osrc') lines.push(op.weights);
    if (op.kind === 'msrc') lines.push([op.mask === null ? 0 : 1, ...(op.mask ?? [])]);
    lines.push(packRow(op.operands));
    if (op.kind === 'osrc') lines.push(packRow(op.gradients));
  }
  const ready = s.ready.map((row) => mask(row ?? [1, 1, 1]));
  return [...lines.map((line) => line.join(' ')), ...ready, ''].join('\n');
}

export const rowUnit: RtlUnit<RowStimulus> = {
  name: 'row',
  aliases: ['row_pe'],
  summary: 'row-convolution PE of SparseTrain: SRC, MSRC and OSRC with one or two ports',
  sources: ['row_pe.v', 'row_accumulators.v', 'gradient_window.v'],
  bench: 'tb_row_pe.v',
  parse: parseRow,
  random: drawRow,
  parameters,
  pack,
  trace: traceRow,
};
