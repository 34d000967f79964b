/** The stimulus of a row PE: its form as a JSON file, and the checks that a form cannot express. */
import { z } from 'zod';
import { rowSpan } from '../../../sparse/rowOperation.js';
import { checkForm, faultsOf, type Fault } from '../../stimulus.js';

const bit = z.union([z.literal(0), z.literal(1)], { error: '0 or 1' });
const size = z.int().min(1).max(65536);

/** A compressed row: values, and the column of each. */
const row = z.strictObject({ values: z.array(z.int()), columns: z.array(z.int().min(0)) });

const geometry = z.strictObject({
  taps: z.int().min(1).max(16),
  stride: z.int().min(1).max(64),
  dilation: z.int().min(1).max(64),
  padLeft: z.int().min(-65536).max(65536),
  inputWidth: size,
  outputWidth: size,
});

const weights = z.array(z.int());
const operation = z.discriminatedUnion(
  'kind',
  [
    z.strictObject({ kind: z.literal('src'), geometry, operands: row, weights }),
    z.strictObject({
      kind: z.literal('msrc'),
      geometry,
      operands: row,
      weights,
      mask: z.array(bit).nullable().default(null),
    }),
    z.strictObject({ kind: z.literal('osrc'), geometry, operands: row, gradients: row }),
  ],
  { error: ({ code }) => (code === 'invalid_union' ? '"src", "msrc" or "osrc"' : undefined) },
);

const schema = z.strictObject({
  taps: z.int().min(1).max(16),
  span: z.int().min(1).max(64),
  ports: z.union([z.literal(1), z.literal(2)], { error: '1 or 2' }),
  magnitudeBits: z.int().min(1).max(16),
  accumulatorBits: z.int().min(4).max(53).optional(),
  columnBits: z.int().min(8).max(31).default(16),
  operations: z.array(operation).min(1),
  /** [cycle][operation, operand, gradient]; a row that is missing means all ones. */
  ready: z.array(z.tuple([bit, bit, bit]).nullable()).default([]),
});

export type RowStimulus = z.output<typeof schema>;
export type RowStimulusOperation = RowStimulus['operations'][number];
export type StimulusRow = z.output<typeof row>;

/** By default a sum holds 255 products of the largest codes. */
export const accumulatorBitsOf = (s: RowStimulus): number =>
  s.accumulatorBits ?? Math.min(53, 2 * s.magnitudeBits + 9);

/** @throws UserError naming the file, the place, what was found and what was expected */
export function parseRow(json: unknown, file: string): RowStimulus {
  const s = checkForm(schema, json, file);
  const fault = faultsOf(file);
  if (s.span < s.taps) throw fault('span', `${s.span} accumulators`, `at least ${s.taps}, one per tap`);
  const bits = accumulatorBitsOf(s);
  if (bits < 2 * s.magnitudeBits + 2)
    throw fault('accumulatorBits', `${bits}`, `at least ${2 * s.magnitudeBits + 2}, more than a product`);
  s.operations.forEach((op, i) => checkOperation(op, s, `operations[${i}]`, fault));
  return s;
}

function checkOperation(op: RowStimulusOperation, s: RowStimulus, at: string, fault: Fault): void {
  const { geometry: g } = op;
  if (g.taps > s.taps) throw fault(`${at}.geometry.taps`, `${g.taps}`, `at most ${s.taps}, those of the PE`);
  if (rowSpan(g) > s.span)
    throw fault(`${at}.geometry`, `${rowSpan(g)} columns from first to last tap`, `at most ${s.span} (span)`);
  const farthest = Math.abs(g.padLeft) + Math.max(g.inputWidth, g.stride * g.outputWidth) + s.span;
  if (farthest >= 2 ** (s.columnBits - 1))
    throw fault(
      `${at}.geometry`,
      `columns up to ${farthest}`,
      `less than ${2 ** (s.columnBits - 1)} (columnBits)`,
    );
  const [from, to] = op.kind === 'msrc' ? [g.outputWidth, 'outputWidth'] : [g.inputWidth, 'inputWidth'];
  checkRow(op.operands, from as number, to as string, s.magnitudeBits, `${at}.operands`, fault);
  let terms = g.taps;
  if (op.kind === 'osrc') {
    checkRow(op.gradients, g.outputWidth, 'outputWidth', s.magnitudeBits, `${at}.gradients`, fault);
    terms = Math.min(op.operands.values.length, op.gradients.values.length);
  } else {
    if (op.weights.length !== g.taps)
      throw fault(`${at}.weights`, `${op.weights.length} weights`, `${g.taps}, one per tap`);
    checkCodes(op.weights, s.magnitudeBits, `${at}.weights`, fault);
  }
  if (op.kind === 'msrc' && op.mask !== null && op.mask.length !== g.inputWidth)
    throw fault(`${at}.mask`, `${op.mask.length} bits`, `${g.inputWidth}, one per input column`);
  const most = 2 ** (accumulatorBitsOf(s) - 1);
  if (terms * (2 ** s.magnitudeBits - 1) ** 2 >= most)
    throw fault(at, `sums of ${terms} products`, `less than ${most} in size (accumulatorBits)`);
}

function checkCodes(values: number[], bits: number, place: string, fault: Fault): void {
  const most = 2 ** bits - 1;
  values.forEach((value, i) => {
    if (Math.abs(value) > most) throw fault(`${place}[${i}]`, `${value}`, `${-most} to ${most}`);
  });
}

function checkRow(
  { values, columns }: StimulusRow,
  width: number,
  named: string,
  bits: number,
  place: string,
  fault: Fault,
): void {
  if (columns.length !== values.length)
    throw fault(`${place}.columns`, `${columns.length} columns`, `${values.length}, one per value`);
  checkCodes(values, bits, `${place}.values`, fault);
  columns.forEach((column, i) => {
    if (column >= width) throw fault(`${place}.columns[${i}]`, `${column}`, `less than ${width} (${named})`);
    if (i > 0 && column <= columns[i - 1])
      throw fault(
        `${place}.columns[${i}]`,
        `${column} after ${columns[i - 1]}`,
        'columns in increasing order',
      );
  });
}
