/**
 * What a SAC PE (SPEC section 3) was given during a run, so that its Verilog can be given the same: words and windows of
 * every stream in order, and in each cycle what was offered and the units that were held or absent, since an array hands
 * out work block by block.
 */
import { FLUSH, packedWord } from '../../bit/knead.js';
import { KneadingPe } from '../../sim/kneadingPe.js';
import type { OutputPlan } from '../../sim/outputPlan.js';
import { beforeEach } from '../../sim/probe.js';
import type { SacPe } from '../../sim/sacPe.js';
import { field, mask } from '../stimulus.js';

/** Magnitude bits of the activations that windows are declared for. */
export const WINDOW_BITS = 17;

/** Ports and units of a cycle, hexadecimal. */
interface CycleInputs {
  /** Words, windows, outputs, as in the `ready` rows of a stimulus. */
  ready: string;
  holds: string;
  active: string;
}

export class SacCapture {
  /** Hexadecimal, by stream (unit by unit) and by lane. */
  readonly words: string[][];
  readonly windows: string[][];
  /** By cycle. */
  readonly inputs: CycleInputs[] = [];
  private readonly loading: Uint8Array;
  private readonly tail: Int32Array;
  private readonly table: Int32Array;
  private readonly kneading: KneadingPe | null;
  /** Words of kneaders that were on offer in the last cycle and were not taken. */
  private readonly untaken: (string | null)[];

  /**
   * @param pe before its first cycle
   * @param cycles that the Verilog will run: nothing is kept that these cannot take
   */
  constructor(
    readonly pe: SacPe,
    private readonly cycles: number,
  ) {
    const { units, lanes } = pe.config;
    this.words = Array.from({ length: units * lanes }, () => []);
    this.windows = Array.from({ length: lanes }, () => []);
    this.untaken = this.words.map(() => null);
    this.loading = new Uint8Array(lanes);
    this.tail = new Int32Array(lanes);
    this.table = pe.registers.ints('window');
    this.kneading = pe instanceof KneadingPe ? pe : null;
    beforeEach(pe, ['cycle', 'skip'], () => this.look());
    if (this.kneading) return;
    const setUnits = pe.setUnits.bind(pe);
    pe.setUnits = (outputs, plan = null) => {
      setUnits(outputs, plan);
      this.takeWords(outputs, plan);
    };
  }

  /** Lanes that have items. */
  get laneMask(): string {
    return mask(this.pe.laneActive);
  }

  /** Ends the capture. A word memory offers words without end; those beyond its work are null words, which no unit takes. */
  finish(): void {
    this.takeWindows();
    const { throttleWords, lanes } = this.pe.config;
    this.words.forEach((stream, i) => {
      const untaken = this.untaken[i];
      if (untaken !== null) stream.push(untaken);
      if (this.kneading || this.pe.laneActive[i % lanes] === 0) return;
      for (let w = 0; w < Math.max(1, throttleWords); w++) stream.push('0');
    });
  }

  private look(): void {
    const { pe, cycles, inputs, loading } = this;
    const { units, lanes } = pe.config;
    this.takeWindows();
    for (let l = 0; l < lanes; l++) loading[l] = pe.windowValid[l] !== 0 && pe.windowReady(l) ? 1 : 0;
    if (pe.clock >= cycles) return;
    const offered = this.offerWords();
    // Cycles that were passed over changed nothing.
    while (inputs.length > 0 && inputs.length < pe.clock) inputs.push(inputs[inputs.length - 1]);
    const range = Array.from({ length: units }, (_, n) => n);
    inputs[pe.clock] = {
      ready: mask([...offered, ...pe.windowValid, ...pe.outReady]),
      holds: mask(range.map((n) => pe.outputsLeft[n] === 0)),
      active: mask(pe.unitActive),
    };
  }

  /** Streams that offer a word in this cycle. The words of kneaders are taken down as they are taken. */
  private offerWords(): ArrayLike<number> & Iterable<number> {
    const { pe, kneading, words } = this;
    if (!kneading) return pe.wordValid;
    const { units, lanes, throttleWords } = pe.config;
    const offered = new Uint8Array(units * lanes);
    for (let n = 0, i = 0; n < units; n++)
      for (let l = 0; l < lanes; l++, i++) {
        const place = kneading.offeredWord(i);
        this.untaken[i] = null;
        if (place < 0) continue;
        offered[i] = 1;
        const word = packedWord(pe.words, place).toString(16);
        if (throttleWords === 0 ? pe.accepts(n, l) : pe.wordReady(n, l)) words[i].push(word);
        else this.untaken[i] = word;
      }
    return offered;
  }

  /** Windows that loaded at the last edge, as the slots now hold them. */
  private takeWindows(): void {
    const { windowSlots, kneadingStride: KS } = this.pe.config;
    this.loading.forEach((loaded, l) => {
      if (loaded === 0) return;
      this.loading[l] = 0;
      const slot = this.tail[l];
      this.tail[l] = (slot + 1) % windowSlots;
      if (this.windows[l].length > this.cycles) return;
      const at = (l * windowSlots + slot) * (2 * KS + 1);
      let packed = 0n;
      for (let p = KS - 1; p >= 0; p--)
        packed = (packed << BigInt(WINDOW_BITS + 1)) | field(this.table[at + p], WINDOW_BITS + 1);
      this.windows[l].push(packed.toString(16));
    });
  }

  /** The words of all outputs that were handed out just now. */
  private takeWords(outputs: ArrayLike<number>, plan: OutputPlan | null): void {
    const { pe, cycles } = this;
    const { words } = pe;
    const { lanes, throttleWords } = pe.config;
    if (!plan?.streams) throw new Error('capture: words of a PE without streams');
    const kinds = plan.lanes.length;
    for (let n = 0; n < outputs.length; n++)
      for (let l = 0; l < lanes; l++) {
        if (pe.laneActive[l] === 0) continue;
        const stream = this.words[n * lanes + l];
        for (let o = 0; o < outputs[n] && stream.length <= cycles + throttleWords; o++) {
          const kind = kinds === 1 ? 0 : plan.kindOf[plan.first + o * plan.step];
          if (l >= plan.lanes[kind]) continue;
          let word = plan.streams[(n * kinds + kind) * lanes + l];
          do stream.push(packedWord(words, word).toString(16));
          while ((words.marks[word++] & FLUSH) === 0);
        }
      }
  }
}
