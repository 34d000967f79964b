/**
 * The hot loop of a SAC PE that is fed steadily: all running lanes of all units consume one word each. Per unit, a
 * count of running lanes; per running lane, a record of two 32-bit numbers {word address, window address}. Every lane's
 * B slots go through its window table into the unit's B segments, and the word addresses move on.
 *
 * Slots are stored as byte offsets into the signed window table, so that a slot costs two loads and an addition. Two
 * bodies of one meaning: WebAssembly (no bounds checks; measured at two to four times the other) and TypeScript.
 */
import { I32, kernelModule, op } from './wasm.js';

/** Bytes of a lane record. */
export const RECORD_BYTES = 8;

/**
 * @param countsAt running lanes of each unit
 * @param recordsAt [unit][lane], the running lanes first
 * @param segmentsAt [unit][column]
 */
export type SteadyKernel = (countsAt: number, recordsAt: number, segmentsAt: number) => void;

export interface SteadySizes {
  units: number;
  lanes: number;
  magnitudeBits: number;
}

/** The kernel in TypeScript. */
export function plainSteadyKernel(
  buffer: ArrayBuffer,
  { units, lanes, magnitudeBits }: SteadySizes,
): SteadyKernel {
  const ints = new Int32Array(buffer);
  const halves = new Uint16Array(buffer);
  return (countsAt, recordsAt, segmentsAt) => {
    for (let n = 0; n < units; n++) {
      const segments = (segmentsAt >>> 2) + n * magnitudeBits;
      const first = (recordsAt >>> 2) + 2 * n * lanes;
      const end = first + 2 * ints[(countsAt >>> 2) + n];
      for (let r = first; r < end; r += 2) {
        const word = ints[r] >>> 1;
        const window = ints[r + 1];
        for (let b = 0; b < magnitudeBits; b++)
          ints[segments + b] = (ints[segments + b] + ints[(window + halves[word + b]) >>> 2]) | 0;
        ints[r] += 2 * magnitudeBits;
      }
    }
  };
}

/** The kernel as a WebAssembly module. */
export function steadyModule({ units, lanes, magnitudeBits }: SteadySizes): Uint8Array {
  const [counts, records, segments] = [0, 1, 2];
  const [countsEnd, left, record, word, window, pair] = [3, 4, 5, 6, 7, 8];
  const sum = (b: number): number => 9 + b;
  const columns = Array.from({ length: magnitudeBits }, (_, b) => b);
  const advance = (local: number, by: number): number[] => [
    ...op.get(local),
    ...op.constant(by),
    ...op.add,
    ...op.set(local),
  ];
  // sum[b] += table[window + slot b of the word], two slots per load
  const addSlot = (b: number): number[] => [
    ...(b % 2 === 0 && b + 1 < magnitudeBits
      ? [...op.get(word), ...op.loadUnaligned(2 * b), ...op.set(pair)]
      : []),
    ...op.get(sum(b)),
    ...op.get(window),
    ...(b % 2 === 1
      ? [...op.get(pair), ...op.constant(16), ...op.shrU]
      : b + 1 < magnitudeBits
        ? [...op.get(pair), ...op.constant(0xffff), ...op.and]
        : [...op.get(word), ...op.load16(2 * b)]),
    ...op.add,
    ...op.load(0),
    ...op.add,
    ...op.set(sum(b)),
  ];
  const body = [
    ...[...op.get(counts), ...op.constant(4 * units), ...op.add, ...op.set(countsEnd)],
    ...op.loop, // units
    ...op.block,
    ...[...op.get(counts), ...op.load(0), ...op.tee(left), ...op.eqz, ...op.brIf(0)],
    ...[...op.get(records), ...op.set(record)],
    ...columns.flatMap((b) => [...op.get(segments), ...op.load(4 * b), ...op.set(sum(b))]),
    ...op.loop, // running lanes
    ...[...op.get(record), ...op.load(0), ...op.set(word)],
    ...[...op.get(record), ...op.load(4), ...op.set(window)],
    ...columns.flatMap(addSlot),
    ...[...op.get(record), ...op.get(word), ...op.constant(2 * magnitudeBits), ...op.add, ...op.store(0)],
    ...advance(record, RECORD_BYTES),
    ...[...op.get(left), ...op.constant(1), ...op.sub, ...op.tee(left), ...op.brIf(0)],
    ...op.end,
    ...columns.flatMap((b) => [...op.get(segments), ...op.get(sum(b)), ...op.store(4 * b)]),
    ...op.end,
    ...advance(records, RECORD_BYTES * lanes),
    ...advance(segments, 4 * magnitudeBits),
    ...advance(counts, 4),
    ...[...op.get(counts), ...op.get(countsEnd), ...op.sub, ...op.brIf(0)],
    ...op.end,
  ];
  return kernelModule(3, new Array<number>(6 + magnitudeBits).fill(I32), body);
}
