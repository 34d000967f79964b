/**
 * The on-line kneaders of a SAC PE (SPEC section 7, masked kneading): one per unit and lane. A kneader takes a group of
 * KS raw magnitudes and signs together with the mask of the window (KS bits, on a port of its own, ahead of the
 * window), keeps B bit planes of what the mask leaves, and from the next cycle on offers one kneaded word per
 * cycle: in each column the lowest bit that is left. A word that is taken clears its bits; with the last word of a
 * group taken, the next group is loaded at the same edge, so that no bubble arises.
 *
 * Throughput: one word, and one group, per cycle. Latency: a group loaded at t offers its first word at t + 1.
 * No register is wider than KS bits; planes of more than 32 bits are held in several numbers.
 */
import { emptySlot, FLUSH, PASS, type KneadedWords } from '../bit/knead.js';
import { planeWords } from '../bit/planes.js';
import { members, numbered, RegisterFile } from './registers.js';

export class OnlineKneaders {
  readonly registers: RegisterFile;
  /** Whether each kneader offers a word in the coming cycle. */
  readonly valid: Int32Array;
  private readonly plane: Int32Array;
  private readonly sign: Int32Array;
  /** Whether the group ends an output. */
  private readonly flush: Int32Array;
  private readonly planeWords: number;
  /** Follows from the planes: whether the offered word is the last of its group. */
  private readonly last: Uint8Array;

  /** @param units that the kneaders are shared out to, each with as many lanes */
  constructor(
    kneaders: number,
    private readonly magnitudeBits: number,
    private readonly stride: number,
    units = 1,
  ) {
    const W = (this.planeWords = planeWords(stride));
    const mask = { bits: Math.min(32, stride), signed: stride >= 32 };
    const flag = { bits: 1, signed: false };
    const each = [members('unit', units), members('lane', kneaders / units)];
    const parts = W === 1 ? [] : [numbered(W)];
    const planes = [...each, numbered(magnitudeBits), ...parts];
    this.registers = new RegisterFile([
      { name: 'kneaderPlane', ...mask, count: kneaders * magnitudeBits * W, dimensions: planes },
      { name: 'kneaderSign', ...mask, count: kneaders * W, dimensions: [...each, ...parts] },
      { name: 'kneaderFlush', ...flag, count: kneaders, dimensions: each },
      { name: 'kneaderValid', ...flag, count: kneaders, dimensions: each },
    ]);
    this.plane = this.registers.ints('kneaderPlane');
    this.sign = this.registers.ints('kneaderSign');
    this.flush = this.registers.ints('kneaderFlush');
    this.valid = this.registers.ints('kneaderValid');
    this.last = new Uint8Array(kneaders);
  }

  /**
   * Loads a group: item k is codes[from + offsets[at + k]], under the mask values[base + windowOffsets[at + k]] != 0.
   * @returns nothing; the first word is offered from the next cycle on
   */
  load(
    i: number,
    codes: Int32Array,
    from: number,
    offsets: Int32Array,
    values: Int32Array,
    base: number,
    windowOffsets: Int32Array,
    at: number,
    items: number,
    flush: boolean,
  ): void {
    const { plane, sign, planeWords: W, magnitudeBits: B } = this;
    const planeAt = i * B * W;
    // So few that a loop is faster than a call of fill.
    for (let at = planeAt; at < planeAt + B * W; at++) plane[at] = 0;
    for (let w = i * W; w < (i + 1) * W; w++) sign[w] = 0;
    for (let k = 0; k < items; k++) {
      if (values[base + windowOffsets[at + k]] === 0) continue;
      const code = codes[from + offsets[at + k]];
      const bit = 1 << (k & 31);
      const w = k >>> 5;
      if (code < 0) sign[i * W + w] |= bit;
      for (let magnitude = Math.abs(code); magnitude !== 0; magnitude &= magnitude - 1)
        plane[planeAt + (31 - Math.clz32(magnitude & -magnitude)) * W + w] |= bit;
    }
    this.flush[i] = flush ? 1 : 0;
    this.valid[i] = 1;
  }

  /** The offered word was taken: its bits are cleared. @returns whether it was the last of its group */
  taken(i: number): boolean {
    if (this.last[i] !== 0) {
      this.valid[i] = 0;
      return true;
    }
    const { plane, planeWords: W, magnitudeBits: B } = this;
    if (W === 1) {
      for (let at = i * B; at < (i + 1) * B; at++) plane[at] &= plane[at] - 1;
      return false;
    }
    for (let b = 0, at = i * B * W; b < B; b++, at += W)
      for (let w = at; w < at + W; w++)
        if (plane[w] !== 0) {
          plane[w] &= plane[w] - 1;
          break;
        }
    return false;
  }

  /** Writes the offered word, a function of the planes, to place `word` of the word memory. */
  offer(i: number, words: KneadedWords, word: number): void {
    const left = this.planeWords === 1 ? this.lowestBits(i, words, word) : this.lowestOfWide(i, words, word);
    this.last[i] = left ? 0 : 1;
    words.marks[word] = left ? 0 : this.flush[i] !== 0 ? PASS | FLUSH : PASS;
  }

  /** The lowest bit of each plane, for planes of one number. Returns whether others are left. */
  private lowestBits(i: number, words: KneadedWords, word: number): boolean {
    const { plane, magnitudeBits: B, stride } = this;
    const { slots } = words;
    const sign = this.sign[i];
    const empty = emptySlot(stride);
    const to = word * B;
    const from = i * B;
    let valid = 0;
    let rest = 0;
    for (let b = 0; b < B; b++) {
      const bits = plane[from + b];
      if (bits === 0) {
        slots[to + b] = empty;
        continue;
      }
      const low = bits & -bits;
      rest |= bits ^ low;
      const pointer = 31 - Math.clz32(low);
      slots[to + b] = (sign & low) === 0 ? pointer : pointer + stride;
      valid++;
    }
    words.valid[word] = valid;
    return rest !== 0;
  }

  /** The same for planes of several numbers. */
  private lowestOfWide(i: number, words: KneadedWords, word: number): boolean {
    const { plane, sign, planeWords: W, magnitudeBits: B, stride } = this;
    const { slots } = words;
    let valid = 0;
    let rest = 0;
    for (let b = 0, at = i * B * W; b < B; b++, at += W) {
      let slot = emptySlot(stride);
      for (let w = 0; w < W; w++) {
        const bits = plane[at + w];
        if (bits === 0) continue;
        if (slot !== emptySlot(stride)) {
          rest |= bits;
          continue;
        }
        const low = bits & -bits;
        rest |= bits ^ low;
        slot = 32 * w + 31 - Math.clz32(low);
        if ((sign[i * W + w] & low) !== 0) slot += stride;
        valid++;
      }
      slots[word * B + b] = slot;
    }
    words.valid[word] = valid;
    return rest !== 0;
  }
}
