/**
 * Control of the SAC PE of `sacPe.ts` for an array whose words never run out and whose outputs are always taken: the
 * same clock, windows, flushes, throttle buffers, tree and counters in every cycle, but a lane that has entered a group
 * is only looked at again when the group's last row is consumed. The cycle in which that happens is known beforehand,
 * since nothing can hold the lane up in between: the lane goes into the bucket of that cycle on a wheel.
 *
 * How words become segment values is left to two classes: `steadySacPe.ts` adds each word in its cycle,
 * `groupSacPe.ts` a whole group in the cycle of its last word.
 */
import { groupBits, groupFlushes, groupRows, type KneadedWords } from '../bit/knead.js';
import type { WindowSource } from './activationWindows.js';
import { SacPe, type OutputPlan } from './sacPe.js';
import type { SacPeConfig } from './sacRegisters.js';

/** Whether a PE of this configuration can be run steadily: one throttle word runs empty; kernels have 32-bit sums. */
export const runsSteadily = (c: SacPeConfig): boolean => c.throttleWords !== 1 && !c.wideSegments;

export abstract class SteadyControl extends SacPe {
  /** Unit and lane of stream i = n L + l. */
  protected readonly unitOf: Int32Array;
  protected readonly laneOf: Int32Array;
  /** Streams that are in a group. */
  private readonly inGroup: Uint8Array;
  private running = 0;
  /** Streams that wait for their next window. */
  private readonly waiting: Int32Array;
  private waits = 0;
  /** Streams whose throttle buffers are not full and accept nothing. */
  private readonly filling: Int32Array;
  private fills = 0;
  /** Lanes that have flushed, of all units. */
  private flushes = 0;
  /** First stream that ends its group in cycle t, at t modulo the wheel's size; then stream by stream. -1: none. */
  private readonly ends: Int32Array;
  private readonly nextEnd: Int32Array;
  /** Cycle in which a sum was last complete. */
  private lastSum = -Infinity;

  constructor(
    config: SacPeConfig,
    words: KneadedWords,
    source: WindowSource,
    home: { buffer: ArrayBuffer; at: number },
  ) {
    super(config, words, source, home);
    const { lanes, kneadingStride, throttleWords } = config;
    const streams = config.units * lanes;
    this.unitOf = Int32Array.from({ length: streams }, (_, i) => Math.floor(i / lanes));
    this.laneOf = Int32Array.from({ length: streams }, (_, i) => i % lanes);
    this.inGroup = new Uint8Array(streams);
    this.waiting = new Int32Array(streams);
    this.filling = Int32Array.from({ length: streams }, (_, i) => i);
    if (throttleWords > 0) this.fills = streams;
    // A power of two beyond the longest group.
    this.ends = new Int32Array(2 ** Math.ceil(Math.log2(kneadingStride + 1))).fill(-1);
    this.nextEnd = new Int32Array(streams);
  }

  override setUnits(outputs: ArrayLike<number>, plan: OutputPlan | null = null): void {
    super.setUnits(outputs, plan);
    this.waits = this.flushes = 0;
    for (let n = 0; n < this.config.units; n++) {
      this.flushes += this.flushedLanes[n];
      if (this.unitActive[n] !== 0) this.awaitAll(n);
    }
  }

  override cycle(): void {
    const { units } = this.config;
    const { counters } = this;
    this.windows.take();
    this.emitted = 0;
    if (this.clock <= this.lastSum + this.latency) for (let n = 0; n < units; n++) this.moveOutput(n);
    if (this.waits > 0) this.beginGroups();
    if (this.fills > 0) this.fillThrottles();
    counters.finished += (this.activeUnits - this.runningUnits) * this.activeLanes;
    counters.window += this.waits;
    counters.flush += this.flushes;
    if (this.running > 0) {
      counters.busy += this.running;
      this.lastAccept = this.clock;
      this.addWords();
      this.endGroups();
    }
    this.windows.commit(this.unitActive);
    this.clock++;
  }

  /** All lanes in a group consume a word. */
  protected abstract addWords(): void;
  /** A stream will consume the words from its word pointer on: the first in this cycle, or in the next one. */
  protected abstract enter(i: number): void;
  protected abstract goOn(i: number): void;
  /** A stream accepts nothing after this cycle. */
  protected abstract leave(i: number): void;

  /** Lanes whose window has come enter their next group. */
  private beginGroups(): void {
    const { waiting, laneOf, windows, throttleCount } = this;
    const { throttleWords } = this.config;
    const { waits } = this;
    this.waits = 0;
    for (let j = 0; j < waits; j++) {
      const i = waiting[j];
      if (windows.waits(i, laneOf[i])) {
        waiting[this.waits++] = i;
        continue;
      }
      this.running++;
      this.inGroup[i] = 1;
      // A full buffer takes no word in the cycle that gives one; from then on one comes for each that goes.
      if (throttleWords > 0 && throttleCount[i] === throttleWords) throttleCount[i]--;
      this.endIn(i, groupRows(this.words.groups[this.wordPointer[i]]) - 1);
      this.enter(i);
    }
  }

  /** The stream will consume the last row of its group so many cycles from now. */
  private endIn(i: number, cycles: number): void {
    const bucket = (this.clock + cycles) & (this.ends.length - 1);
    this.nextEnd[i] = this.ends[bucket];
    this.ends[bucket] = i;
  }

  private endGroups(): void {
    const bucket = this.clock & (this.ends.length - 1);
    let i = this.ends[bucket];
    this.ends[bucket] = -1;
    while (i >= 0) {
      const next = this.nextEnd[i];
      this.endGroup(i);
      i = next;
    }
  }

  /** A stream consumes the last row of its group in this cycle. */
  protected endGroup(i: number): void {
    const { windows } = this;
    const { groups } = this.words;
    const l = this.laneOf[i];
    const word = this.wordPointer[i];
    const group = groups[word];
    const next = (this.wordPointer[i] = word + groupRows(group));
    this.counters.essentialBits += groupBits(group);
    windows.pass(i, l);
    const flush = groupFlushes(group);
    if (!flush && windows.comes(i, l)) {
      this.endIn(i, groupRows(groups[next]));
      this.goOn(i);
      return;
    }
    this.leave(i);
    this.running--;
    this.inGroup[i] = 0;
    if (this.throttleCount[i] < this.config.throttleWords) this.filling[this.fills++] = i;
    if (!flush) {
      this.waiting[this.waits++] = i;
      return;
    }
    const n = this.unitOf[i];
    this.flushLane(n, i);
    this.flushes++;
    if (this.flushedLanes[n] === this.activeLanes) this.finishOutput(n);
  }

  protected override finishOutput(n: number): void {
    this.flushes -= this.flushedLanes[n];
    super.finishOutput(n);
    this.flushes += this.flushedLanes[n];
    this.lastSum = this.clock;
    if (this.outputsLeft[n] > 0) this.awaitAll(n);
  }

  /** All lanes that take part in an output look for its first window. */
  private awaitAll(n: number): void {
    const { lanes } = this.config;
    for (let l = 0, i = n * lanes; l < lanes; l++, i++)
      if (this.laneActive[l] !== 0 && this.flushed[i] === 0) this.waiting[this.waits++] = i;
  }

  /** Buffers that give no word take one. Nobody offers words to an absent lane. */
  private fillThrottles(): void {
    const { filling, throttleCount, inGroup, laneActive, laneOf } = this;
    const { throttleWords } = this.config;
    let kept = 0;
    for (let j = 0; j < this.fills; j++) {
      const i = filling[j];
      if (inGroup[i] !== 0 || laneActive[laneOf[i]] === 0) continue;
      if (++throttleCount[i] < throttleWords) filling[kept++] = i;
    }
    this.fills = kept;
  }
}
