/**
 * What a kneaded group adds to the segments of its unit, at once. Over the rows of a group, segment b adds or subtracts
 * the activations that column b's slots point to; which these are does not depend on the window, so the slots are
 * sorted once into a table m[p][b] of how often, and with which sign, column b takes activation p:
 * S_b += sum over p of m[p][b] * a[p].
 *
 * Two rows of the table lie interleaved, [pair of activations][column][2], for an instruction that multiplies eight
 * pairs of 16-bit numbers and adds neighbours. Two bodies of one meaning: WebAssembly with vectors, and TypeScript.
 */
import { emptySlot } from '../bit/knead.js';
import { kernelModule, op, V128 } from './wasm.js';

/** Activations must fit the 16 bits of a factor: magnitude bits. */
export const FACTOR_BITS = 15;

/** Columns of a table: those of a word, in whole vectors of four segments. */
export const tableColumns = (magnitudeBits: number): number => 4 * Math.ceil(magnitudeBits / 4);
/** Bytes of a table per pair of activations. */
export const pairBytes = (magnitudeBits: number): number => 4 * tableColumns(magnitudeBits);
/** Bytes of the tables of groups that have so many pairs together. */
export const tableBytes = (magnitudeBits: number, pairs: number): number => pairs * pairBytes(magnitudeBits);
/** Pairs that groups of so many weights need at most. */
export const pairsOf = (weights: number): number => Math.ceil(weights / 2);

/**
 * @param segmentsAt B segments of the unit. Columns beyond B are zero in all tables: what lies behind stays as it is
 * @param tableAt table of the group
 * @param windowAt signed window table; only its first entries, the activations, are used
 * @param pairs pairs of activations that the table has
 */
export type GroupKernel = (segmentsAt: number, tableAt: number, windowAt: number, pairs: number) => void;

/** Sorts the slots of kneaded groups into tables. */
export class GroupTables {
  private readonly columns: number;
  /** Of each slot value: where in the table its activation stands, and what the table counts. */
  private readonly placeOf: Int32Array;
  private readonly countOf: Int8Array;
  private readonly pairOf: Int32Array;
  private readonly halvesOfGroup: number;

  constructor(
    private readonly magnitudeBits: number,
    stride: number,
  ) {
    this.columns = tableColumns(magnitudeBits);
    const values = emptySlot(stride) + 1;
    this.placeOf = new Int32Array(values);
    this.countOf = new Int8Array(values);
    this.pairOf = new Int32Array(values);
    for (let slot = 0; slot < emptySlot(stride); slot++) {
      const pointer = slot % stride;
      this.pairOf[slot] = (pointer >>> 1) + 1;
      this.placeOf[slot] = (pointer >>> 1) * 2 * this.columns + (pointer & 1);
      this.countOf[slot] = slot < stride ? 1 : -1;
    }
    this.halvesOfGroup = pairsOf(stride) * 2 * this.columns;
  }

  /**
   * @param halves tables, two bytes per entry; that of the group is written from `at` on
   * @param slots word memory; the group has the slots from `from` up to `to`
   * @returns pairs of activations that the table has; its size is that times `pairBytes`
   */
  write(halves: Int16Array, at: number, slots: Uint16Array, from: number, to: number): number {
    const { magnitudeBits, placeOf, countOf, pairOf } = this;
    halves.fill(0, at, at + this.halvesOfGroup);
    let pairs = 0;
    for (let word = from; word < to; word += magnitudeBits)
      for (let b = 0; b < magnitudeBits; b++) {
        const slot = slots[word + b];
        // An empty slot counts nothing.
        halves[at + placeOf[slot] + 2 * b] += countOf[slot];
        if (pairOf[slot] > pairs) pairs = pairOf[slot];
      }
    return pairs;
  }
}

/** The kernel in TypeScript. */
export function plainGroupKernel(buffer: ArrayBuffer, magnitudeBits: number): GroupKernel {
  const ints = new Int32Array(buffer);
  const halves = new Int16Array(buffer);
  const rowHalves = 2 * tableColumns(magnitudeBits);
  return (segmentsAt, tableAt, windowAt, pairs) => {
    const segments = segmentsAt >>> 2;
    let row = tableAt >>> 1;
    for (let pair = 0, a = windowAt >>> 2; pair < pairs; pair++, a += 2, row += rowHalves) {
      const first = ints[a];
      const second = ints[a + 1];
      for (let b = 0, m = row; b < magnitudeBits; b++, m += 2)
        ints[segments + b] = (ints[segments + b] + halves[m] * first + halves[m + 1] * second) | 0;
    }
  };
}

/** Bytes that pair p of four pairs of numbers has, four times. */
const broadcastPair = (p: number): number[] => Array.from({ length: 16 }, (_, k) => 4 * p + (k % 4));

/** The kernel as a WebAssembly module, for groups of up to `stride` weights. */
export function groupModule(magnitudeBits: number, stride: number): Uint8Array {
  const [segments, table, window, pairs] = [0, 1, 2, 3];
  const [values, pair] = [4, 5];
  const sum = (q: number): number => 6 + q;
  const vectors = Array.from({ length: tableColumns(magnitudeBits) / 4 }, (_, q) => q);
  // Four pairs of activations as 16-bit numbers. Behind the window's end they meet zeros of the table.
  const loadValues = (a: number): number[] => [
    ...[...op.get(window), ...op.loadVector(4 * a)],
    ...[...op.get(window), ...op.loadVector(4 * a + 16)],
    ...[...op.narrowToI16, ...op.set(values)],
  ];
  const addPair = (p: number): number[] => [
    ...[...op.get(pairs), ...op.constant(p), ...op.lessOrEqual, ...op.brIf(0)],
    ...(p % 4 === 0 ? loadValues(2 * p) : []),
    ...[...op.get(values), ...op.get(values), ...op.shuffle(broadcastPair(p % 4)), ...op.set(pair)],
    ...vectors.flatMap((q) => [
      ...[...op.get(pair), ...op.get(table), ...op.loadVector(p * pairBytes(magnitudeBits) + 16 * q)],
      ...[...op.dotI16, ...op.get(sum(q)), ...op.addI32, ...op.set(sum(q))],
    ]),
  ];
  const body = [
    ...vectors.flatMap((q) => [...op.get(segments), ...op.loadVector(16 * q), ...op.set(sum(q))]),
    ...op.block,
    ...Array.from({ length: pairsOf(stride) }, (_, p) => addPair(p)).flat(),
    ...op.end,
    ...vectors.flatMap((q) => [...op.get(segments), ...op.get(sum(q)), ...op.storeVector(16 * q)]),
  ];
  return kernelModule(4, new Array<number>(2 + vectors.length).fill(V128), body);
}
