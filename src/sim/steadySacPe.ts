/**
 * The SAC PE of `sacPe.ts`, steadily fed (`steadyControl.ts`), with every word in its cycle: all registers, segments
 * included, change in the cycle in which they do in hardware. A kernel moves all lanes that are in a group by a word.
 *
 * test/sim/steadySacPe.test.ts holds it equal to SacPe, register by register and cycle by cycle.
 */
import type { KneadedWords } from '../bit/knead.js';
import type { WindowSource } from './activationWindows.js';
import { PeMemory } from './peMemory.js';
import type { SacPeConfig } from './sacRegisters.js';
import { SteadyControl } from './steadyControl.js';
import { plainSteadyKernel, RECORD_BYTES, steadyModule, type SteadyKernel } from './steadyKernel.js';

/** Bytes of so many words. */
export const wordBytes = (magnitudeBits: number, words: number): number => 2 * magnitudeBits * words;

/** One buffer for the word memory and all PEs of an array, so that the kernel reaches them. */
export class SteadyMemory extends PeMemory<SteadyKernel> {
  private readonly slots: Uint16Array;

  /** @param words most words that the word memory will hold */
  constructor(config: SacPeConfig, pes: number, words: number, wasm = true) {
    const sharedBytes = wordBytes(config.magnitudeBits, words);
    super(config, {
      pes,
      sharedBytes,
      // Running lanes of each unit, and a record of each.
      bytesPerPe: config.units * (4 + config.lanes * RECORD_BYTES),
      module: () => steadyModule(config),
      plain: (buffer) => plainSteadyKernel(buffer, config),
      wasm,
    });
    this.slots = new Uint16Array(this.buffer, 0, sharedBytes / 2);
  }

  /** Takes the words over, slots as byte offsets into a window table. */
  store(words: KneadedWords): void {
    const count = words.count * words.magnitudeBits;
    if (count > this.slots.length) throw new Error(`${words.count} words are more than was provided for`);
    for (let i = 0; i < count; i++) this.slots[i] = 4 * words.slots[i];
  }
}

export class SteadySacPe extends SteadyControl {
  private readonly kernel: SteadyKernel;
  /** Byte addresses. */
  private readonly segmentsAt: number;
  private readonly tableAt: number;
  private readonly countsAt: number;
  private readonly recordsAt: number;
  /** Per unit, its running lanes; their records are [unit][lane], the running ones first. */
  private readonly counts: Int32Array;
  private readonly records: Int32Array;
  /** Stream of each record, and record of each running stream. */
  private readonly streamOf: Int32Array;
  private readonly recordOf: Int32Array;

  constructor(
    config: SacPeConfig,
    words: KneadedWords,
    source: WindowSource,
    memory: SteadyMemory,
    pe: number,
  ) {
    super(config, words, source, memory.home(pe));
    const { units, lanes } = config;
    const streams = units * lanes;
    this.kernel = memory.kernel;
    this.segmentsAt = this.segments.byteOffset;
    this.tableAt = this.windows.table.byteOffset;
    this.countsAt = memory.behind(pe);
    this.recordsAt = this.countsAt + 4 * units;
    this.counts = new Int32Array(memory.buffer, this.countsAt, units);
    this.records = new Int32Array(memory.buffer, this.recordsAt, (streams * RECORD_BYTES) / 4);
    this.streamOf = new Int32Array(streams);
    this.recordOf = new Int32Array(streams);
  }

  protected override addWords(): void {
    this.kernel(this.countsAt, this.recordsAt, this.segmentsAt);
  }

  protected override enter(i: number): void {
    const n = this.unitOf[i];
    const record = n * this.config.lanes + this.counts[n]++;
    this.streamOf[record] = i;
    this.recordOf[i] = record;
    this.records[2 * record] = 2 * this.wordPointer[i] * this.config.magnitudeBits;
    this.goOn(i);
  }

  protected override goOn(i: number): void {
    // The word address is already that of the next group.
    this.records[2 * this.recordOf[i] + 1] = this.tableAt + 4 * this.windows.at(i, this.laneOf[i]);
  }

  protected override leave(i: number): void {
    const { records, recordOf, streamOf } = this;
    const n = this.unitOf[i];
    const record = recordOf[i];
    const last = n * this.config.lanes + --this.counts[n];
    records[2 * record] = records[2 * last];
    records[2 * record + 1] = records[2 * last + 1];
    const moved = (streamOf[record] = streamOf[last]);
    recordOf[moved] = record;
  }
}
