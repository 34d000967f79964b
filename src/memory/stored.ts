/**
 * Operands as they are stored (SPEC sections 2, 6 and 8). Bits of an operand = elements x elementBits + rows x rowBits:
 *
 *   raw              every code in its storage width, sign included
 *   kneaded words    elements are words: {flush, pass, B x {sign, pointer, valid}}
 *   compressed rows  elements are non-zero codes with their column, ceil(log2 W) bits; each row has a count of them,
 *                    ceil(log2 (W + 1)) bits
 *   mask             a bit per value
 *   sums             finished outputs, in the width in which they are stored
 */
import type { CompressedRows } from '../sparse/rows.js';
import { bytesOf } from './traffic.js';

export const FORMS = ['raw', 'kneaded words', 'compressed rows', 'mask', 'sums'] as const;
export type Form = (typeof FORMS)[number];

export interface Stored {
  form: Form;
  elements: number;
  elementBits: number;
  /** Compressed rows, and the bits that each has beside its elements; 0 in other forms. */
  rows: number;
  rowBits: number;
  bits: number;
  bytes: number;
}

function stored(form: Form, elements: number, elementBits: number, rows = 0, rowBits = 0): Stored {
  const bits = elements * elementBits + rows * rowBits;
  return { form, elements, elementBits, rows, rowBits, bits, bytes: bytesOf(bits) };
}

export const rawCodes = ({
  codes,
  storageBits,
}: {
  codes: { length: number };
  storageBits: number;
}): Stored => stored('raw', codes.length, storageBits);

/** Bits of an index below `count`. */
const indexBits = (count: number): number => Math.ceil(Math.log2(count));

export const kneadedWords = (words: number, wordBits: number): Stored =>
  stored('kneaded words', words, wordBits);

/** Bits of a row that holds `count` values. */
export interface RowFormat {
  elementBits: number;
  rowBits: number;
}

/** @param dense compression off: values alone, all of them */
export const rowFormat = (width: number, storageBits: number, dense: boolean): RowFormat =>
  dense
    ? { elementBits: storageBits, rowBits: 0 }
    : { elementBits: storageBits + indexBits(width), rowBits: indexBits(width + 1) };

export const storedRows = (
  rows: CompressedRows,
  { elementBits, rowBits }: RowFormat,
  dense: boolean,
): Stored =>
  dense
    ? stored('raw', rows.values.length, elementBits)
    : stored('compressed rows', rows.values.length, elementBits, rows.rows, rowBits);

export const maskOf = (values: number): Stored => stored('mask', values, 1);

export const finishedSums = (sums: number, bits: number): Stored => stored('sums', sums, bits);
