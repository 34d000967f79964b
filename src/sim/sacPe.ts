/**
 * The clocked split-and-accumulate PE of Tetris (SPEC section 3): N units (filters) of L lanes that share one
 * activation window per lane, each unit and lane behind a throttle buffer, each unit with B segment adders and a
 * rear adder tree.
 *
 * One call of `cycle` is one clock edge. Everything is decided from registered state: what a unit owns is
 * committed as the unit is evaluated, what units share (window slots) is committed after all of them.
 * The PE knows nothing of layers: words come from a word memory through `wordPointer`, windows from a source, and a
 * plan says which of several kinds each output is.
 */
import { FLUSH, type KneadedWords } from '../bit/knead.js';
import { ActivationWindows, type WindowSource } from './activationWindows.js';
import type { OutputPlan, SacCounters } from './outputPlan.js';
import { RegisterFile } from './registers.js';
import { moveTree, treeStages, treeWidth } from './rearTree.js';
import { sacRegisters, type SacPeConfig } from './sacRegisters.js';
import { addSlots } from './segmentAdders.js';

export type { OutputPlan, SacCounters };

export class SacPe {
  readonly registers: RegisterFile;
  readonly counters: SacCounters = {
    busy: 0,
    output: 0,
    flush: 0,
    window: 0,
    weights: 0,
    finished: 0,
    essentialBits: 0,
  };
  /** Inputs of the coming cycle: word offered per unit and lane, output port ready. */
  readonly wordValid: Uint8Array;
  readonly outReady: Uint8Array;
  /** Next word of each unit and lane: the oldest in its throttle buffer, or the one offered. */
  readonly wordPointer: Int32Array;
  /** Outputs that each unit may still sum before it has to wait for others. */
  readonly outputsLeft: Int32Array;
  /** Terms of the outputs that were summed by a plan. */
  terms = 0;
  /** Outputs that left in the last cycle. */
  readonly emittedUnit: Int32Array;
  readonly emittedValue: Float64Array;
  emitted = 0;
  /** Cycles since reset. */
  clock = 0;
  /** Cycle of the latest accepted word, -1 before the first. */
  lastAccept = -1;
  /** Words of a stream are written in turn to so many places of its own; 0 where a stream lies in one piece. */
  ring = 0;
  /** Units with outputs left. */
  runningUnits = 0;

  protected readonly windows: ActivationWindows;
  protected readonly throttleCount: Int32Array;
  readonly flushed: Int32Array;
  private readonly pending: Int32Array;
  protected readonly segments: Int32Array | Float64Array;
  private readonly treeValid: Int32Array;
  private readonly treeSum: Float64Array;
  private readonly stages: number;

  // Derived from the registers, kept up to date so that no cycle has to search for them.
  readonly unitActive: Uint8Array;
  readonly laneActive: Uint8Array;
  protected activeUnits = 0;
  protected activeLanes = 0;
  protected readonly flushedLanes: Int32Array;
  private readonly treeBusy: Int32Array;

  plan: OutputPlan | null = null;
  /** Outputs of the share that each unit has begun. */
  readonly begun: Int32Array;
  private readonly wordAt: Int32Array;
  private readonly windowAt: Int32Array;

  constructor(
    readonly config: SacPeConfig,
    readonly words: KneadedWords,
    source: WindowSource,
    home?: { buffer: ArrayBuffer; at: number },
  ) {
    const { units: N, lanes: L, magnitudeBits: B } = config;
    const r = (this.registers = new RegisterFile(sacRegisters(config), home));
    this.windows = new ActivationWindows(config, r, source);
    this.throttleCount = r.ints('throttleCount');
    this.flushed = r.ints('flushed');
    this.pending = r.ints('pending');
    this.segments = r.view('segment');
    this.treeValid = r.ints('treeValid');
    this.treeSum = r.doubles('treeSum');
    this.stages = treeStages(B);
    this.wordValid = new Uint8Array(N * L).fill(1);
    this.outReady = new Uint8Array(N).fill(1);
    this.wordPointer = new Int32Array(N * L);
    this.outputsLeft = new Int32Array(N);
    this.emittedUnit = new Int32Array(N);
    this.emittedValue = new Float64Array(N);
    this.unitActive = new Uint8Array(N);
    this.laneActive = new Uint8Array(L);
    this.flushedLanes = new Int32Array(N);
    this.treeBusy = new Int32Array(N);
    this.begun = new Int32Array(N);
    this.wordAt = new Int32Array(L);
    this.windowAt = new Int32Array(L);
  }

  /** Stages of the rear adder tree; the output leaves at flush + 1 + stages. */
  get latency(): number {
    return 1 + this.stages;
  }

  /** Windows offered per lane in the coming cycle. */
  get windowValid(): Uint8Array {
    return this.windows.valid;
  }

  /** Lets flags that a source keeps up to date say which lanes have a window to offer. */
  offerWindows(flags: Uint8Array): void {
    this.windows.valid = flags;
  }

  /** Lanes that carry items. A lane without counts as flushed. To be called before the first cycle. */
  setLanes(active: (lane: number) => boolean): void {
    const { lanes } = this.config;
    this.activeLanes = 0;
    for (let l = 0; l < lanes; l++) {
      this.laneActive[l] = active(l) ? 1 : 0;
      this.activeLanes += this.laneActive[l];
    }
  }

  /**
   * Hands out new work: the first `outputs.length` units sum that many outputs each; the rest are absent and
   * count as having passed every window. To be called when no window is half read.
   * @param plan what the outputs are; without one, all lanes take part in each, and words simply go on
   */
  setUnits(outputs: ArrayLike<number>, plan: OutputPlan | null = null): void {
    const { units } = this.config;
    this.activeUnits = this.runningUnits = 0;
    for (let n = 0; n < units; n++) {
      const left = n < outputs.length ? outputs[n] : 0;
      this.unitActive[n] = left > 0 ? 1 : 0;
      this.outputsLeft[n] = left;
      if (left > 0) this.activeUnits++;
    }
    this.runningUnits = this.activeUnits;
    this.windows.restart(this.activeUnits);
    this.plan = plan;
    this.begun.fill(0);
    for (let n = 0; n < units; n++) if (this.unitActive[n] !== 0) this.beginOutput(n);
  }

  /** Output port of a unit, registered: valid in the coming cycle. */
  outValid(unit: number): boolean {
    return this.treeValid[unit * this.stages + this.stages - 1] !== 0;
  }

  /** The value at the output port, meaningful when valid. */
  outValue(unit: number): number {
    return this.treeSum[(unit * this.stages + this.stages - 1) * treeWidth(this.config.magnitudeBits)];
  }

  /** Whether the throttle buffer of a unit and lane takes a word in the coming cycle (throttleWords > 0). */
  wordReady(unit: number, lane: number): boolean {
    return this.throttleCount[unit * this.config.lanes + lane] !== this.config.throttleWords;
  }

  /** Whether a lane's window port takes a window in the coming cycle. */
  windowReady(lane: number): boolean {
    return this.windows.ready(lane);
  }

  /** Whether unit and lane i = n L + l has a word that it could accept in the coming cycle. */
  hasWord(i: number): boolean {
    return this.config.throttleWords === 0 ? this.wordValid[i] !== 0 : this.throttleCount[i] !== 0;
  }

  /** Whether a lane will accept its word in the coming cycle: the rule of `runUnit` for one lane. */
  accepts(n: number, l: number): boolean {
    const i = n * this.config.lanes + l;
    if (this.outputsLeft[n] === 0 || this.laneActive[l] === 0 || this.flushed[i] !== 0) return false;
    const go = this.pending[n] === 0 || !this.outValid(n) || this.outReady[n] !== 0;
    return go && this.hasWord(i) && !this.windows.waits(i, l);
  }

  /** One clock cycle. */
  cycle(): void {
    const { units } = this.config;
    this.windows.take();
    this.emitted = 0;
    for (let n = 0; n < units; n++) {
      this.moveOutput(n);
      if (this.outputsLeft[n] > 0) this.runUnit(n);
      else {
        if (this.unitActive[n] !== 0) this.counters.finished += this.activeLanes;
        this.refill(n);
      }
    }
    this.windows.commit(this.unitActive);
    this.clock++;
  }

  /** Lets `cycles` pass in which nothing can change: no unit has outputs left and all buffers have settled. */
  skip(cycles: number): void {
    if (this.runningUnits > 0) throw new Error('cycles can be skipped only while all units wait');
    this.clock += cycles;
    this.counters.finished += cycles * this.activeUnits * this.activeLanes;
  }

  /** Output port and rear adder tree of a unit: all stages move, unless a full port holds them up. */
  protected moveOutput(n: number): void {
    if (this.treeBusy[n] === 0 && this.pending[n] === 0) return;
    const { magnitudeBits } = this.config;
    const { stages } = this;
    const width = treeWidth(magnitudeBits);
    const last = n * stages + stages - 1;
    if (this.treeValid[last] !== 0) {
      if (this.outReady[n] === 0) return;
      this.emittedUnit[this.emitted] = n;
      this.emittedValue[this.emitted++] = this.treeSum[last * width];
      this.treeBusy[n]--;
    }
    const take = this.pending[n] !== 0;
    const base = n * magnitudeBits;
    const { treeValid, treeSum, segments } = this;
    const sumsAt = n * stages * width;
    moveTree(treeValid, n * stages, treeSum, sumsAt, magnitudeBits, segments, base, take, stages);
    if (take) {
      this.treeBusy[n]++;
      this.pending[n] = 0;
      for (let b = 0; b < magnitudeBits; b++) segments[base + b] = 0;
    }
  }

  /** Accepts words in all lanes of a unit that has outputs left. */
  protected runUnit(n: number): void {
    const { lanes, throttleWords } = this.config;
    const { throttleCount, windows, flushed, wordPointer, wordValid, laneActive } = this;
    const { wordAt, windowAt, counters } = this;
    const { slots, marks, valid, magnitudeBits } = this.words;
    const { ring } = this;
    // `go`: a finished sum that the tree could not take keeps the segments occupied.
    const go = this.pending[n] === 0;
    let accepted = 0;
    let bits = 0;
    let waitFlush = 0;
    let waitWindow = 0;
    let waitWeights = 0;
    for (let l = 0, i = n * lanes; l < lanes; l++, i++) {
      if (laneActive[l] === 0) continue;
      const held = throttleCount[i];
      const offered = wordValid[i];
      if (throttleWords !== 0 && offered !== 0 && held !== throttleWords) throttleCount[i]++;
      if (!go) continue;
      if (flushed[i] !== 0) {
        waitFlush++;
        continue;
      }
      if (windows.waits(i, l)) {
        waitWindow++;
        continue;
      }
      if (throttleWords === 0 ? offered === 0 : held === 0) {
        waitWeights++;
        continue;
      }
      if (throttleWords !== 0) throttleCount[i]--;
      const word = wordPointer[i];
      wordAt[accepted] = word * magnitudeBits;
      windowAt[accepted] = windows.at(i, l);
      accepted++;
      bits += valid[word];
      const mark = marks[word];
      const next = word + 1;
      wordPointer[i] = ring !== 0 && next % ring === 0 ? next - ring : next;
      if (mark === 0) continue;
      // Either mark ends the group: flush implies pass.
      windows.pass(i, l);
      if ((mark & FLUSH) !== 0) this.flushLane(n, i);
    }
    if (!go) counters.output += this.activeLanes;
    counters.flush += waitFlush;
    counters.window += waitWindow;
    counters.weights += waitWeights;
    if (accepted === 0) return;
    this.lastAccept = this.clock;
    counters.busy += accepted;
    counters.essentialBits += bits;
    const base = n * magnitudeBits;
    addSlots(magnitudeBits, this.segments, base, slots, wordAt, windows.table, windowAt, accepted);
    if (this.flushedLanes[n] === this.activeLanes) this.finishOutput(n);
  }

  /** Lane l of unit n has consumed its part of an output. */
  protected flushLane(n: number, i: number): void {
    this.flushed[i] = 1;
    this.flushedLanes[n]++;
  }

  /** Points the lanes of unit n at the words of its next output. Lanes without items count as flushed. */
  private beginOutput(n: number): void {
    const { plan } = this;
    if (!plan) return;
    const { lanes } = this.config;
    const kinds = plan.lanes.length;
    const kind = kinds === 1 ? 0 : plan.kindOf[plan.first + this.begun[n]++ * plan.step];
    const present = plan.lanes[kind];
    this.terms += plan.terms[kind];
    if (plan.streams) {
      const from = (n * kinds + kind) * lanes;
      for (let l = 0; l < present; l++) this.wordPointer[n * lanes + l] = plan.streams[from + l];
    }
    for (let l = present; l < this.activeLanes; l++) {
      this.flushed[n * lanes + l] = 1;
      this.flushedLanes[n]++;
    }
  }

  /** All lanes of a unit have flushed: the sum is complete, the tree takes it in the next cycle. */
  protected finishOutput(n: number): void {
    const { lanes } = this.config;
    for (let i = n * lanes; i < (n + 1) * lanes; i++) this.flushed[i] = 0;
    this.flushedLanes[n] = 0;
    this.pending[n] = 1;
    if (--this.outputsLeft[n] === 0) this.runningUnits--;
    else this.beginOutput(n);
  }

  /** A waiting unit still fills its throttle buffers. */
  protected refill(n: number): void {
    const { lanes, throttleWords } = this.config;
    if (throttleWords === 0) return;
    for (let l = 0, i = n * lanes; l < lanes; l++, i++)
      if (this.laneActive[l] !== 0 && this.wordValid[i] !== 0 && this.throttleCount[i] !== throttleWords)
        this.throttleCount[i]++;
  }
}
