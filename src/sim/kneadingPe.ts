/**
 * A SAC PE behind on-line kneaders (SPEC section 7): words of each unit and lane come from its kneader, one per cycle,
 * through its throttle buffer (or straight, where there is none). Everything else is the PE of `sacPe.ts`.
 */
import { KneadedWords } from '../bit/knead.js';
import type { LaneLowering } from '../lower/lowering.js';
import type { LaneOperands } from '../lower/phases.js';
import type { WindowSource } from './activationWindows.js';
import type { GroupWalk } from './groupWalk.js';
import { OnlineKneaders } from './onlineKneader.js';
import { SacPe } from './sacPe.js';
import type { SacPeConfig } from './sacRegisters.js';

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
  /** Units and lanes that have work at some time. */
  private readonly streams: Int32Array;
  /** At the beginning of the cycle: the word each stream points at, and whether its throttle buffer has room. */
  private readonly before: Int32Array;
  private readonly room: Uint8Array;

  constructor(
    config: SacPeConfig,
    private readonly lowering: LaneLowering,
    private readonly operands: LaneOperands,
    source: WindowSource,
    private readonly walk: GroupWalk,
  ) {
    const kneaders = config.units * config.lanes;
    // The words of a full throttle buffer, the offered one, and the one that follows it.
    const ring = config.throttleWords + 2;
    super(config, new KneadedWords(config.magnitudeBits, config.kneadingStride, kneaders * ring), source);
    this.ring = ring;
    this.kneaders = new OnlineKneaders(kneaders, config.magnitudeBits, config.kneadingStride);
    this.tail = Int32Array.from({ length: kneaders }, (_, i) => i * ring);
    this.wordPointer.set(this.tail);
    this.streams = Int32Array.from(walk.more.keys()).filter((i) => walk.more[i] !== 0);
    this.before = new Int32Array(kneaders);
    this.room = new Uint8Array(kneaders);
    this.accepted = new Float64Array(kneaders);
    this.wordValid.fill(0);
  }

  override cycle(): void {
    const { streams, kneaders, wordValid, throttleCount, wordPointer, room, before, walk } = this;
    const { throttleWords } = this.config;
    for (let s = 0; s < streams.length; s++) {
      const i = streams[s];
      wordValid[i] = kneaders.valid[i];
      before[i] = wordPointer[i];
      room[i] = throttleCount[i] === throttleWords ? 0 : 1;
    }
    super.cycle();
    for (let s = 0; s < streams.length; s++) {
      const i = streams[s];
      const accepted = wordPointer[i] !== before[i];
      if (accepted) this.accepted[i]++;
      if (wordValid[i] !== 0) {
        if (throttleWords === 0 ? !accepted : room[i] === 0) continue;
        this.rows++;
        if (!kneaders.taken(i)) {
          this.offer(i);
          continue;
        }
      }
      if (walk.more[i] !== 0) this.load(i);
    }
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
    this.tail[i] = (at + 1) % this.ring === 0 ? at + 1 - this.ring : at + 1;
  }
}
