/**
 * The work of a SAC PE as `sacPe.cpp` reads it: the kneaded words and the windows of one layer, packed as the ports of
 * sac_pe.v have them. Words and windows are those of the simulator; nothing is kneaded again.
 */
import { kneadedWordBits, packedWord, type KneadedWords } from '../../src/bit/knead.js';
import type { WindowSource } from '../../src/sim/activationWindows.js';

export interface PackedWork {
  units: number;
  lanes: number;
  activationBits: number;
  outputs: number;
  words: KneadedWords;
  /** First word of [unit][lane]; they lie one after the other. */
  streams: Int32Array;
  source: WindowSource;
  /** Windows of each lane. */
  windows: number;
}

const NUMBER = 32n;
const numbersOf = (bits: number): number => Math.ceil(bits / 32);

export function packWork(work: PackedWork): Uint32Array {
  const { units, lanes, words, streams, source, windows, activationBits } = work;
  const KS = words.stride;
  const packed: number[] = [units, lanes, words.count, windows, work.outputs];
  const count = (i: number): number => (streams[i + 1] ?? words.count) - streams[i];
  for (let i = 0; i < units * lanes; i++) packed.push(count(i));
  for (let l = 0; l < lanes; l++) packed.push(windows);
  const wordBits = kneadedWordBits(words.magnitudeBits, KS);
  for (let i = 0; i < units * lanes; i++)
    for (let w = 0; w < count(i); w++)
      // A word that begins at the last bit of a number reaches one further.
      push(
        packed,
        packedWord(words, streams[i] + w) << BigInt((i * wordBits) % 32),
        numbersOf(wordBits + 31),
      );
  const valueBits = activationBits + 1;
  const table = new Int32Array(2 * KS + 1);
  for (let l = 0; l < lanes; l++)
    for (let g = 0; g < windows; g++) {
      table.fill(0);
      source.load(l, table, 0);
      let bits = 0n;
      for (let p = KS - 1; p >= 0; p--)
        bits = (bits << BigInt(valueBits)) | BigInt.asUintN(valueBits, BigInt(table[p]));
      push(packed, bits, numbersOf(KS * valueBits));
    }
  return Uint32Array.from(packed);
}

function push(numbers: number[], bits: bigint, count: number): void {
  for (let k = 0; k < count; k++, bits >>= NUMBER) numbers.push(Number(BigInt.asUintN(32, bits)));
}
