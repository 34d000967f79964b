/**
 * A SAC PE behind on-line kneaders (SPEC section 7): words of each unit and lane come from its kneader, one per cycle,
 * through its throttle buffer (or straight, where there is none). Everything else is the PE of `sacPe.ts`.
 *
 * A lane is looked at in a cycle only if a register of it may change. It sleeps while its kneader waits for room and
 * it has flushed, until its unit begins the next output; or while it waits for a window, of which only the count is
 * looked at.
 */
import { FLUSH, KneadedWords } from '../bit/knead.js';
import type { LaneLowering } from '../lower/lowering.js';
import type { LaneOperands } from '../lower/phases.js';
import type { WindowSource } from './activationWindows.js';
import type { GroupWalk } from './groupWalk.js';
import { OnlineKneaders } from './onlineKneader.js';
import { SacPe, type OutputPlan } from './sacPe.js';
import type { SacPeConfig } from './sacRegisters.js';
import { addSlots } from './segmentAdders.js';

/** Some of the lanes of each unit: the first `count[n]` of lane[n L ...], in any order. */
interface LaneLists {
  count: Int32Array;
  lane: Int32Array;
}

const laneLists = (units: number, lanes: number): LaneLists => ({
  count: new Int32Array(units),
  lane: new Int32Array(units * lanes),
});

export class KneadingPe extends SacPe {
  readonly kneaders: OnlineKneaders;
  /** Groups that were loaded, and terms and rows in them. */
  groups = 0;
  items = 0;
  rows = 0;
  /** Words that each unit and lane has accepted. */
  readonly accepted: Float64Array;
  /** Next place of each stream's ring in the word memory. */
  private readonly tail: Int32Array;
  private readonly pendingSum: Int32Array;
  /** Per unit: lanes that have work at some time, those awake, and those asleep that wait for a window. */
  private readonly stream: LaneLists;
  private readonly awake: LaneLists;
  private readonly waiting: LaneLists;
  /** Of the lanes that accept in this cycle: their words and windows. */
  private readonly acceptedWord: Int32Array;
  private readonly acceptedWindow: Int32Array;

  constructor(
    config: SacPeConfig,
    private readonly lowering: LaneLowering,
    private readonly operands: LaneOperands,
    source: WindowSource,
    private readonly walk: GroupWalk,
  ) {
    const { units, lanes } = config;
    const kneaders = units * lanes;
    // The words of a full throttle buffer, the offered one, and the one that follows it.
    const ring = config.throttleWords + 2;
    super(config, new KneadedWords(config.magnitudeBits, config.kneadingStride, kneaders * ring), source);
    this.ring = ring;
    this.kneaders = new OnlineKneaders(kneaders, config.magnitudeBits, config.kneadingStride, units);
    this.tail = Int32Array.from({ length: kneaders }, (_, i) => i * ring);
    this.wordPointer.set(this.tail);
    this.pendingSum = this.registers.ints('pending');
    this.stream = laneLists(units, lanes);
    this.awake = laneLists(units, lanes);
    this.waiting = laneLists(units, lanes);
    for (let i = 0; i < kneaders; i++) {
      const n = Math.floor(i / lanes);
      if (walk.more[i] !== 0) this.stream.lane[n * lanes + this.stream.count[n]++] = i % lanes;
    }
    for (let n = 0; n < units; n++) this.wakeAll(n);
    this.acceptedWord = new Int32Array(lanes);
    this.acceptedWindow = new Int32Array(lanes);
    this.accepted = new Float64Array(kneaders);
  }

  override setUnits(outputs: ArrayLike<number>, plan: OutputPlan | null = null): void {
    super.setUnits(outputs, plan);
    for (let n = 0; n < this.config.units; n++) this.wakeAll(n);
  }

  override hasWord(i: number): boolean {
    return this.config.throttleWords === 0 ? this.kneaders.valid[i] !== 0 : super.hasWord(i);
  }

  /** Place in the word memory of the word that a kneader offers, -1 if it has none. */
  offeredWord(i: number): number {
    if (this.kneaders.valid[i] === 0) return -1;
    const next = this.tail[i];
    return next === i * this.ring ? next + this.ring - 1 : next - 1;
  }

  protected override finishOutput(n: number): void {
    super.finishOutput(n);
    this.wakeAll(n);
  }

  private wakeAll(n: number): void {
    const { stream, awake, waiting } = this;
    const base = n * this.config.lanes;
    awake.count[n] = stream.count[n];
    for (let j = base; j < base + stream.count[n]; j++) awake.lane[j] = stream.lane[j];
    waiting.count[n] = 0;
  }

  protected override runUnit(n: number): void {
    const { lanes, throttleWords, magnitudeBits } = this.config;
    const { counters, windows, throttleCount, flushed, wordPointer, ring, words } = this;
    const { acceptedWord, acceptedWindow, kneaders } = this;
    // A finished sum that the tree could not take keeps the segments occupied.
    const go = this.pendingSum[n] === 0;
    if (go) {
      counters.flush += this.flushedLanes[n];
      this.wakeWithWindow(n);
    } else counters.output += this.activeLanes;
    const base = n * lanes;
    const { lane, count } = this.awake;
    const looked = count[n];
    let accepting = 0;
    let kept = 0;
    for (let j = 0; j < looked; j++) {
      const l = lane[base + j];
      const i = base + l;
      const held = throttleCount[i];
      let accepts = false;
      if (go && flushed[i] === 0) {
        if (windows.waits(i, l)) counters.window++;
        else if (throttleWords === 0 ? kneaders.valid[i] === 0 : held === 0) counters.weights++;
        else accepts = true;
      }
      if (accepts) {
        const word = wordPointer[i];
        acceptedWord[accepting] = word * magnitudeBits;
        acceptedWindow[accepting++] = windows.at(i, l);
        counters.essentialBits += words.valid[word];
        wordPointer[i] = word + 1 === (i + 1) * ring ? i * ring : word + 1;
        this.accepted[i]++;
        if (throttleWords !== 0) throttleCount[i]--;
        const mark = words.marks[word];
        if (mark !== 0) {
          // Either mark ends the group: flush implies pass.
          windows.pass(i, l);
          if ((mark & FLUSH) !== 0) this.flushLane(n, i);
        }
      }
      const moves = this.knead(i, throttleWords === 0 ? accepts : held !== throttleWords);
      if (moves) lane[base + kept++] = l;
      else if (flushed[i] !== 0) continue;
      else if (windows.waits(i, l)) this.waiting.lane[base + this.waiting.count[n]++] = l;
      else lane[base + kept++] = l;
    }
    count[n] = kept;
    if (accepting === 0) return;
    this.lastAccept = this.clock;
    counters.busy += accepting;
    const { table } = windows;
    const at = n * magnitudeBits;
    addSlots(magnitudeBits, this.segments, at, words.slots, acceptedWord, table, acceptedWindow, accepting);
    if (this.flushedLanes[n] === this.activeLanes) this.finishOutput(n);
  }

  /** Lanes whose window has come are looked at again. */
  private wakeWithWindow(n: number): void {
    const { windows, waiting, awake } = this;
    const waits = waiting.count[n];
    if (waits === 0) return;
    const base = n * this.config.lanes;
    let kept = 0;
    for (let j = 0; j < waits; j++) {
      const l = waiting.lane[base + j];
      if (windows.waits(base + l, l)) waiting.lane[base + kept++] = l;
      else awake.lane[base + awake.count[n]++] = l;
    }
    waiting.count[n] = kept;
    this.counters.window += kept;
  }

  /** The kneaders of a unit without outputs still fill its throttle buffers. */
  protected override refill(n: number): void {
    const { throttleWords } = this.config;
    const base = n * this.config.lanes;
    const { lane, count } = this.awake;
    const looked = count[n];
    let kept = 0;
    for (let j = 0; j < looked; j++) {
      const i = base + lane[base + j];
      const room = throttleWords !== 0 && this.throttleCount[i] !== throttleWords;
      if (this.knead(i, room)) lane[base + kept++] = lane[base + j];
    }
    count[n] = kept;
  }

  /**
   * One cycle of a kneader. Its word goes into the throttle buffer, or straight to the lane.
   * @param room whether a word that it offers is taken
   * @returns whether it may move in the next cycle, whatever its lane does
   */
  private knead(i: number, room: boolean): boolean {
    const { kneaders, throttleCount } = this;
    const { throttleWords } = this.config;
    const offered = kneaders.valid[i] !== 0;
    if (offered && room) {
      this.rows++;
      if (throttleWords !== 0) throttleCount[i]++;
      if (!kneaders.taken(i)) this.offer(i);
      else if (this.walk.more[i] !== 0) this.load(i);
    } else if (!offered && this.walk.more[i] !== 0) this.load(i);
    return kneaders.valid[i] !== 0 && throttleCount[i] !== throttleWords;
  }

  /** The kneader's next group. */
  private load(i: number): void {
    const { walk, lowering, operands } = this;
    const { streamOffset, windowOffset, stride } = lowering.kinds[walk.kind[i]];
    const items = walk.items(i);
    this.kneaders.load(
      i,
      operands.stream,
      walk.streamBase[i],
      streamOffset,
      operands.window,
      walk.windowBase[i],
      windowOffset,
      (i % this.config.lanes) * stride + walk.item[i],
      items,
      walk.isLast(i),
    );
    this.groups++;
    this.items += items;
    walk.next(i);
    this.offer(i);
  }

  private offer(i: number): void {
    const at = this.tail[i];
    this.kneaders.offer(i, this.words, at);
    this.tail[i] = at + 1 === (i + 1) * this.ring ? i * this.ring : at + 1;
  }
}
