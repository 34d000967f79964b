/**
 * Kneading a stream of weights into words (SPEC section 2, Tetris section III). In a group of KS weights the
 * essential bits of column b sink, in weight order, into the empty slots of that column; row t of column b holds
 * the t-th weight with bit b set. A word is one row: per column {valid, pointer, sign}, plus a pass mark on the
 * last row of a group and a flush mark on the last row of an output.
 *
 * This is the schedule that the clocked PE executes. `bit/lengths.ts` finds the number of rows without
 * building them, and shares no code with this file.
 */

/** Marks of a word. Flush implies pass. */
export const PASS = 1;
export const FLUSH = 2;

/** A slot: pointer p of a positive weight is p, of a negative weight KS + p; an empty slot is 2 KS. */
export const emptySlot = (stride: number): number => 2 * stride;

/** Rows, essential bits and flush of a group share one number: a PE that looks at a group touches memory once. */
const ROW_BITS = 9;
const FLUSH_FLAG = 1 << 30;
export const groupRows = (group: number): number => group & ((1 << ROW_BITS) - 1);
export const groupBits = (group: number): number => (group & ~FLUSH_FLAG) >>> ROW_BITS;
export const groupFlushes = (group: number): boolean => (group & FLUSH_FLAG) !== 0;

/** A word memory: rows of B slots, filled stream by stream. */
export class KneadedWords {
  /** Slots, B per word, column 0 (least significant) first. */
  slots: Uint16Array;
  /** Marks of each word. */
  marks: Uint8Array;
  /** Valid slots of each word: the essential bits it consumes. */
  valid: Uint8Array;
  /** At the first word of a kneaded group, what the group is: `groupRows`, `groupBits`, `groupFlushes`. */
  groups: Int32Array;
  count = 0;

  constructor(
    readonly magnitudeBits: number,
    readonly stride: number,
    capacity = 256,
  ) {
    this.slots = new Uint16Array(capacity * magnitudeBits);
    this.marks = new Uint8Array(capacity);
    this.valid = new Uint8Array(capacity);
    this.groups = new Int32Array(capacity);
  }

  private reserve(words: number): void {
    const needed = this.count + words;
    if (needed <= this.marks.length) return;
    const capacity = Math.max(needed, 2 * this.marks.length);
    this.slots = grown(this.slots, capacity * this.magnitudeBits);
    this.marks = grown(this.marks, capacity);
    this.valid = grown(this.valid, capacity);
    this.groups = grown(this.groups, capacity);
  }

  /** Appends one word of explicit slots (stimulus of a single PE). */
  append(slots: ArrayLike<number>, mark: number): void {
    this.reserve(1);
    const at = this.count++;
    const empty = emptySlot(this.stride);
    for (let b = 0; b < this.magnitudeBits; b++) {
      this.slots[at * this.magnitudeBits + b] = slots[b];
      if (slots[b] !== empty) this.valid[at]++;
    }
    this.marks[at] = mark;
  }

  /**
   * Kneads one group and appends its rows.
   * @param weights sign-magnitude codes of the group, 1 to KS of them
   * @param flush whether this is the last group of an output
   * @returns the number of rows, at least 1: an all-zero group is one null row
   */
  knead(weights: ArrayLike<number>, from: number, to: number, flush: boolean): number {
    const { magnitudeBits, stride } = this;
    this.reserve(Math.max(1, to - from));
    const base = this.count;
    const { slots, marks, valid } = this;
    const empty = emptySlot(stride);
    let rows = 0;
    let bits = 0;
    for (let b = 0; b < magnitudeBits; b++) {
      let row = 0;
      for (let k = from; k < to; k++) {
        const weight = weights[k];
        if (((Math.abs(weight) >>> b) & 1) === 0) continue;
        // A row seen for the first time starts empty.
        if (row === rows) {
          const at = (base + rows) * magnitudeBits;
          slots.fill(empty, at, at + magnitudeBits);
          valid[base + rows] = 0;
          rows++;
        }
        slots[(base + row) * magnitudeBits + b] = weight < 0 ? stride + (k - from) : k - from;
        valid[base + row]++;
        bits++;
        row++;
      }
    }
    if (rows === 0) {
      slots.fill(empty, base * magnitudeBits, (base + 1) * magnitudeBits);
      valid[base] = 0;
      rows = 1;
    }
    marks.fill(0, base, base + rows);
    marks[base + rows - 1] = flush ? PASS | FLUSH : PASS;
    this.groups[base] = rows | (bits << ROW_BITS) | (flush ? FLUSH_FLAG : 0);
    this.count += rows;
    return rows;
  }
}

/** A longer copy. */
function grown<T extends Uint8Array | Uint16Array | Int32Array>(old: T, size: number): T {
  const array = new (old.constructor as new (size: number) => T)(size);
  array.set(old);
  return array;
}

/** One slot for people and JSON: [pointer, sign] with sign 1 or -1, or null. */
export type SlotView = [pointer: number, sign: 1 | -1] | null;

/** Rows of a kneaded group, per row B slots from the least significant column. */
export function kneadedRows(weights: ArrayLike<number>, magnitudeBits: number, stride: number): SlotView[][] {
  const words = new KneadedWords(magnitudeBits, stride);
  const rows = words.knead(weights, 0, weights.length, true);
  return Array.from({ length: rows }, (_, t) =>
    Array.from({ length: magnitudeBits }, (_, b): SlotView => {
      const slot = words.slots[t * magnitudeBits + b];
      if (slot === emptySlot(stride)) return null;
      return slot < stride ? [slot, 1] : [slot - stride, -1];
    }),
  );
}

/** Bits of a kneaded word: {flush, pass, B x {sign, pointer, valid}}; 92 for int16 and 44 for int8 at KS 16. */
export const kneadedWordBits = (magnitudeBits: number, stride: number): number =>
  2 + magnitudeBits * (2 + pointerBits(stride));

export const pointerBits = (stride: number): number => Math.max(1, Math.ceil(Math.log2(stride)));

/**
 * A word as hardware has it: {flush, pass, B x {sign, pointer, valid}}, flush in the highest bit, the valid bit of column
 * 0 in the lowest. In an empty slot all bits are zero.
 */
export function packedWord({ slots, marks, magnitudeBits, stride }: KneadedWords, word: number): bigint {
  const pointer = BigInt(pointerBits(stride));
  let bits = ((marks[word] & FLUSH) !== 0 ? 2n : 0n) | ((marks[word] & PASS) !== 0 ? 1n : 0n);
  for (let b = magnitudeBits - 1; b >= 0; b--) {
    bits <<= pointer + 2n;
    const slot = slots[word * magnitudeBits + b];
    if (slot === emptySlot(stride)) continue;
    bits |= (slot >= stride ? 1n << (pointer + 1n) : 0n) | (BigInt(slot % stride) << 1n) | 1n;
  }
  return bits;
}
