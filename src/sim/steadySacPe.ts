/**
 * The SAC PE of `sacPe.ts` for an array whose words never run out and whose outputs are always taken: the same
 * clock, windows, flushes and tree, but a lane that has entered a group is only looked at again when the group's
 * last row is consumed. In between, the kernel moves it by one word per cycle. Throttle buffers of no words or of
 * two and more never run empty then, so their counts are not tracked.
 *
 * test/sim/steadySacPe.test.ts holds it equal to SacPe, cycle by cycle.
 */
import { groupBits, groupFlushes, groupRows, type KneadedWords } from '../bit/knead.js';
import type { WindowSource } from './activationWindows.js';
import { SacPe, type OutputPlan } from './sacPe.js';
import { registerBytes } from './registers.js';
import { sacRegisters, type SacPeConfig } from './sacRegisters.js';
import { RECORD_BYTES, steadyBuffer, type SteadyKernel } from './steadyKernel.js';

/** Whether a PE of this configuration can be run steadily: the kernel has 32-bit sums and a 32-lane mask. */
export const runsSteadily = (c: SacPeConfig): boolean =>
  c.throttleWords !== 1 && !c.wideSegments && c.lanes <= 32;

/** One buffer for the word memory and all PEs of an array, so that the kernel reaches them. */
export class SteadyMemory {
  readonly buffer: ArrayBuffer;
  readonly kernel: SteadyKernel;
  private readonly slots: Uint16Array;
  private readonly perPe: number;
  private readonly firstPe: number;

  /** @param words most words that the word memory will hold */
  constructor(
    private readonly config: SacPeConfig,
    pes: number,
    words: number,
    wasm = true,
  ) {
    const { units, lanes, magnitudeBits } = config;
    const slots = words * magnitudeBits;
    this.firstPe = Math.ceil((2 * slots) / 8) * 8;
    this.perPe = registerBytes(sacRegisters(config)) + Math.ceil((units * lanes * RECORD_BYTES) / 8) * 8;
    const made = steadyBuffer(this.firstPe + pes * this.perPe, magnitudeBits, wasm);
    this.buffer = made.buffer;
    this.kernel = made.kernel;
    this.slots = new Uint16Array(this.buffer, 0, slots);
  }

  /** Where the registers of a PE live; its lane records follow them. */
  home(pe: number): { buffer: ArrayBuffer; at: number } {
    return { buffer: this.buffer, at: this.firstPe + pe * this.perPe };
  }

  recordsAt(pe: number): number {
    return this.home(pe).at + registerBytes(sacRegisters(this.config));
  }

  /** Takes the words over, slots as byte offsets into a window table. */
  store(words: KneadedWords): void {
    const count = words.count * words.magnitudeBits;
    if (count > this.slots.length) throw new Error(`${words.count} words are more than was provided for`);
    for (let i = 0; i < count; i++) this.slots[i] = 4 * words.slots[i];
  }
}

export class SteadySacPe extends SacPe {
  private readonly records: Int32Array;
  private readonly recordsAt: number;
  /** Byte addresses of the segments and window tables. */
  private readonly segmentsAt: number;
  private readonly tableAt: number;
  /** Per unit: lanes in a group (one record each), and lanes that wait for their next window. */
  private readonly running: Int32Array;
  private readonly waiting: Int32Array;
  private readonly runningLane: Int32Array;
  private readonly waitingLane: Int32Array;
  private readonly kernel: SteadyKernel;

  constructor(
    config: SacPeConfig,
    words: KneadedWords,
    source: WindowSource,
    memory: SteadyMemory,
    pe: number,
  ) {
    super(config, words, source, memory.home(pe));
    const { units, lanes } = config;
    this.kernel = memory.kernel;
    this.recordsAt = memory.recordsAt(pe);
    this.segmentsAt = this.segments.byteOffset;
    this.tableAt = this.windows.table.byteOffset;
    this.records = new Int32Array(memory.buffer, this.recordsAt, (units * lanes * RECORD_BYTES) / 4);
    this.running = new Int32Array(units);
    this.waiting = new Int32Array(units);
    this.runningLane = new Int32Array(units * lanes);
    this.waitingLane = new Int32Array(units * lanes);
  }

  override setUnits(outputs: ArrayLike<number>, plan: OutputPlan | null = null): void {
    super.setUnits(outputs, plan);
    this.running.fill(0);
    this.waiting.fill(0);
    for (let n = 0; n < this.config.units; n++) if (this.unitActive[n] !== 0) this.awaitAll(n);
  }

  protected override runUnit(n: number): void {
    this.beginGroups(n);
    const running = this.running[n];
    this.counters.window += this.waiting[n];
    this.counters.flush += this.flushedLanes[n];
    if (running === 0) return;
    this.counters.busy += running;
    this.lastAccept = this.clock;
    const { lanes, magnitudeBits } = this.config;
    let ended = this.kernel(
      this.segmentsAt + 4 * n * magnitudeBits,
      this.recordsAt + n * lanes * RECORD_BYTES,
      running,
    );
    // From the last record down, so that the record that fills a gap has had its turn.
    while (ended !== 0) {
      const k = 31 - Math.clz32(ended);
      ended ^= 1 << k;
      this.endGroup(n, k);
    }
    if (this.flushedLanes[n] === this.activeLanes) this.finishOutput(n);
  }

  /** Lanes whose window has come enter their next group. */
  private beginGroups(n: number): void {
    const waits = this.waiting[n];
    if (waits === 0) return;
    const { lanes, magnitudeBits } = this.config;
    const { waitingLane, windows, wordPointer, records } = this;
    const base = n * lanes;
    let kept = 0;
    for (let j = 0; j < waits; j++) {
      const l = waitingLane[base + j];
      const i = base + l;
      if (windows.waits(i, l)) {
        waitingLane[base + kept++] = l;
        continue;
      }
      const k = this.running[n]++;
      const word = wordPointer[i];
      const record = 3 * (base + k);
      records[record] = 2 * word * magnitudeBits;
      records[record + 1] = this.tableAt + 4 * windows.at(i, l);
      records[record + 2] = groupRows(this.words.groups[word]);
      this.runningLane[base + k] = l;
    }
    this.waiting[n] = kept;
  }

  /** Record k of unit n has consumed the last row of its group. */
  private endGroup(n: number, k: number): void {
    const { records, windows, wordPointer } = this;
    const { groups } = this.words;
    const base = n * this.config.lanes;
    const l = this.runningLane[base + k];
    const i = base + l;
    const word = wordPointer[i];
    const group = groups[word];
    const next = word + groupRows(group);
    wordPointer[i] = next;
    this.counters.essentialBits += groupBits(group);
    windows.pass(i, l);
    const flush = groupFlushes(group);
    const record = 3 * (base + k);
    if (!flush && windows.comes(i, l)) {
      // The word address is already that of the next group.
      records[record + 1] = this.tableAt + 4 * windows.at(i, l);
      records[record + 2] = groupRows(groups[next]);
      return;
    }
    const last = --this.running[n];
    if (k !== last) {
      const moved = 3 * (base + last);
      records[record] = records[moved];
      records[record + 1] = records[moved + 1];
      records[record + 2] = records[moved + 2];
      this.runningLane[base + k] = this.runningLane[base + last];
    }
    if (flush) this.flushLane(n, i);
    else this.waitingLane[base + this.waiting[n]++] = l;
  }

  protected override finishOutput(n: number): void {
    super.finishOutput(n);
    this.awaitAll(n);
  }

  /** All lanes that take part in an output look for its first window. */
  private awaitAll(n: number): void {
    const { lanes } = this.config;
    let waits = 0;
    for (let l = 0; l < lanes; l++)
      if (this.laneActive[l] !== 0 && this.flushed[n * lanes + l] === 0)
        this.waitingLane[n * lanes + waits++] = l;
    this.waiting[n] = waits;
  }

  protected override refill(): void {
    // Nothing to do: the counts of throttle buffers that never run empty are not tracked.
  }
}
