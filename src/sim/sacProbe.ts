/**
 * What a probe sees of a SAC PE (SPEC section 3): its registers, and at its ports the word that each lane has, whether
 * the lane accepts it in this cycle, and the outputs.
 */
import { FLUSH, kneadedWordBits, packedWord, PASS } from '../bit/knead.js';
import { VerificationError } from '../errors.js';
import { laterStream } from './outputPlan.js';
import { lookAt, registersOf, type Probe, type Signals } from './probe.js';
import { members, type RegisterFile, type RegisterSpec } from './registers.js';
import type { SacPe } from './sacPe.js';

/**
 * Lets a probe see a PE from its coming cycle on. Cycles are those of its clock.
 * @param others registers that stand before the PE
 */
export function watchSac(
  probe: Probe,
  path: readonly string[],
  pe: SacPe,
  others: readonly RegisterFile[] = [],
): void {
  const ports = new SacPorts(pe);
  const signals = [...registersOf(pe.registers, ...others), ...ports.signals];
  probe.sac?.(path, pe);
  const sample = probe.component(path, signals, () => ports.refresh());
  lookAt(pe, sample);
}

class SacPorts {
  readonly signals: Signals[];
  private readonly wordValid: Uint8Array;
  private readonly word: string[];
  private readonly pass: Float64Array;
  private readonly flush: Float64Array;
  private readonly accept: Uint8Array;
  private readonly outValid: Uint8Array;
  private readonly outValue: Float64Array;
  private clock = -1;
  private accepting = 0;
  private busy = 0;

  constructor(private readonly pe: SacPe) {
    const { units: N, lanes: L, magnitudeBits, kneadingStride } = pe.config;
    const unit = members('unit', N);
    const perUnitAndLane = { count: N * L, dimensions: [unit, members('lane', L)], signed: false };
    const perUnit = { count: N, dimensions: [unit] };
    this.wordValid = new Uint8Array(N * L);
    this.word = new Array<string>(N * L).fill('');
    // NaN where no word is known.
    this.pass = new Float64Array(N * L);
    this.flush = new Float64Array(N * L);
    this.accept = new Uint8Array(N * L);
    this.outValid = new Uint8Array(N);
    this.outValue = new Float64Array(N);
    const port = (spec: RegisterSpec, values: Signals['values']): Signals => ({ spec, kind: 'port', values });
    const wordBits = kneadedWordBits(magnitudeBits, kneadingStride);
    this.signals = [
      port({ name: 'wordValid', bits: 1, ...perUnitAndLane }, this.wordValid),
      port({ name: 'word', bits: wordBits, ...perUnitAndLane }, this.word),
      port({ name: 'pass', bits: 1, ...perUnitAndLane }, this.pass),
      port({ name: 'flush', bits: 1, ...perUnitAndLane }, this.flush),
      port({ name: 'accept', bits: 1, ...perUnitAndLane }, this.accept),
      port({ name: 'outValid', bits: 1, signed: false, ...perUnit }, this.outValid),
      port({ name: 'outValue', bits: 53, signed: true, ...perUnit }, this.outValue),
    ];
  }

  refresh(): void {
    const { pe, clock } = this;
    const { units, lanes } = pe.config;
    const follows = pe.clock === clock + 1;
    // The marks of a cycle are those that the PE then goes by: it has to accept what they say.
    if (follows && pe.counters.busy - this.busy !== this.accepting)
      throw new VerificationError(
        'probe',
        `probe: cycle ${clock}: ${this.accepting} lanes were to accept a word, ${pe.counters.busy - this.busy} did`,
      );
    this.clock = pe.clock;
    this.busy = pe.counters.busy;
    this.accepting = 0;
    for (let n = 0, i = 0; n < units; n++) {
      for (let l = 0; l < lanes; l++, i++) {
        const before = this.accept[i];
        this.accepting += this.accept[i] = pe.accepts(n, l) ? 1 : 0;
        // A word that stays where it is stays what it is.
        const place = headWord(pe, n, l);
        const stays = follows && before === 0 && this.word[i] !== '' && place >= 0;
        this.wordValid[i] = pe.hasWord(i) && pe.laneActive[l] !== 0 ? 1 : 0;
        if (!stays) this.show(i, place);
      }
      this.outValid[n] = pe.outValid(n) ? 1 : 0;
      this.outValue[n] = pe.outValid(n) ? pe.outValue(n) : NaN;
    }
  }

  private show(i: number, place: number): void {
    const { words } = this.pe;
    this.word[i] = place < 0 ? '' : packedWord(words, place).toString(2);
    this.pass[i] = place < 0 ? NaN : words.marks[place] & PASS ? 1 : 0;
    this.flush[i] = place < 0 ? NaN : words.marks[place] & FLUSH ? 1 : 0;
  }
}

/** Place in the word memory of the word that a lane has, -1 where none is there or it is not known yet. */
function headWord(pe: SacPe, n: number, l: number): number {
  const { plan, config, outputsLeft } = pe;
  const i = n * config.lanes + l;
  if (!pe.hasWord(i) || pe.laneActive[l] === 0) return -1;
  // Words in a ring have been made; those of work that has not been handed out are not known.
  if (pe.ring !== 0) return pe.wordPointer[i];
  if (outputsLeft[n] === 0) return -1;
  if (!plan?.streams || pe.flushed[i] === 0) return pe.wordPointer[i];
  // A lane that is done holds the first word of a later output.
  return laterStream(plan, pe.begun[n], outputsLeft[n] - 1, n, l, config.lanes);
}
