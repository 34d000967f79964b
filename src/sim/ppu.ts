/**
 * The clocked post-processing unit of a PE group (SPEC section 6; SparseTrain, arXiv:2007.13595). Two row buffers:
 * PEs add their retired accumulators to the row at hand, without port conflicts, while the row before it is drained,
 * one value per cycle, through ReLU or mask, sum of magnitudes, stochastic pruning and compression.
 *
 * A row finished in cycle t is drained from t + 1 on, or when the row before it is done, in `width` cycles; its buffer
 * takes another row in the cycle after the last. What leaves is registered: value and column of one element, valid if
 * the element is stored. Pruning compares register * tau / 2^width of the LFSR with |g|: the rule of `sparse/prune.ts`
 * with the draws of `lfsrDraws`. tau = 0 keeps all, and then no LFSR is needed.
 */
import { VerificationError } from '../errors.js';
import type { Lfsr } from '../sparse/lfsr.js';
import { named, numbered, RegisterFile } from './registers.js';

export interface PpuOptions {
  /** Values per row. */
  width: number;
  /** Negative values become zero. */
  relu: boolean;
  /** Zeros are stored too: compression off. */
  keepZeros: boolean;
  /** One byte per value of the layer, rows in order: 0 where the value is zeroed. Null: none is. */
  mask: Uint8Array | null;
}

const FREE = 0;
const FILLING = 1;
const FULL = 2;

const CONTROL = named('Claimed', 'Finished', 'Drained', 'Column');
const OUT_CONTROL = named('Valid', 'Stored', 'Column', 'Place');

export class Ppu {
  readonly registers: RegisterFile;
  private readonly width: number;
  private readonly relu: boolean;
  private readonly keepZeros: boolean;
  /** Two rows of sums: PEs add to the buffer that `claim` names, at its number times the width. */
  readonly sums: Float64Array;
  private readonly state: Int32Array;
  /** {claimed next, finished next, drained now} by buffer number, and the column that is drained. */
  private readonly control: Int32Array;
  private readonly magnitude: Float64Array;
  private readonly stored: Int32Array;
  private readonly threshold: Float64Array;
  private readonly lfsrState: Float64Array;
  private readonly out: Float64Array;
  private readonly outControl: Int32Array;
  /** Number of the row in each buffer. */
  private readonly row: Int32Array;
  private readonly mask: Uint8Array | null;
  private lfsr: Lfsr | null = null;

  constructor(options: PpuOptions) {
    const { width } = options;
    this.width = width;
    this.relu = options.relu;
    this.keepZeros = options.keepZeros;
    this.mask = options.mask;
    const wide = { bits: 53, signed: true };
    const bits = Math.max(1, Math.ceil(Math.log2(width)));
    this.registers = new RegisterFile([
      { name: 'sums', ...wide, count: 2 * width, dimensions: [numbered(2), numbered(width)] },
      { name: 'state', bits: 2, signed: false, count: 2 },
      { name: 'row', bits: 31, signed: false, count: 2 },
      { name: 'control', bits, signed: false, count: 4, dimensions: [CONTROL] },
      { name: 'magnitude', ...wide, count: 1 },
      { name: 'stored', bits: 31, signed: false, count: 1 },
      { name: 'threshold', ...wide, count: 1 },
      { name: 'lfsr', bits: 32, signed: false, count: 1 },
      { name: 'out', ...wide, count: 2, dimensions: [named('Value', 'Sum')] },
      { name: 'outControl', bits: 31, signed: false, count: 4, dimensions: [OUT_CONTROL] },
    ]);
    this.sums = this.registers.doubles('sums');
    this.state = this.registers.ints('state');
    this.row = this.registers.ints('row');
    this.control = this.registers.ints('control');
    this.magnitude = this.registers.doubles('magnitude');
    this.stored = this.registers.ints('stored');
    this.threshold = this.registers.doubles('threshold');
    this.lfsrState = this.registers.doubles('lfsr');
    this.out = this.registers.doubles('out');
    this.outControl = this.registers.ints('outControl');
  }

  /** Loads the threshold register, in the unit of the sums; `lfsr` draws for it. */
  prune(tau: number, lfsr: Lfsr): void {
    this.threshold[0] = tau;
    this.lfsr = lfsr;
    this.lfsrState[0] = lfsr.state;
  }

  /** Whether a buffer is free for another row. */
  get ready(): boolean {
    return this.state[this.control[0]] === FREE;
  }

  /** Whether rows are being filled or drained. */
  get active(): boolean {
    return this.state[0] !== FREE || this.state[1] !== FREE;
  }

  /** Gives the free buffer to the row that starts in this cycle. Returns its number. */
  claim(row: number): number {
    const buffer = this.control[0];
    if (this.state[buffer] !== FREE)
      throw new VerificationError('ppu', 'PPU: a row starts while both row buffers are taken');
    this.state[buffer] = FILLING;
    this.row[buffer] = row;
    this.control[0] = 1 - buffer;
    return buffer;
  }

  /** The oldest row that is being filled has got its last value in this cycle. */
  finish(): void {
    const buffer = this.control[1];
    if (this.state[buffer] !== FILLING)
      throw new VerificationError('ppu', 'PPU: a row is finished that has not started');
    this.state[buffer] = FULL;
    this.control[1] = 1 - buffer;
  }

  /** The sums of the row just finished leave past the unit: its buffer is free at once. */
  bypass(to: Float64Array): void {
    const buffer = 1 - this.control[1];
    if (this.state[buffer] !== FULL) throw new VerificationError('ppu', 'PPU: no finished row to let by');
    const from = buffer * this.width;
    const at = this.row[buffer] * this.width;
    for (let i = 0; i < this.width; i++) to[at + i] = this.sums[from + i];
    this.sums.fill(0, from, from + this.width);
    this.state[buffer] = FREE;
    this.control[2] = 1 - buffer;
  }

  /**
   * One clock cycle. Call it after this cycle's `claim`, which reads the state it changes, and before `finish`.
   * @param outReady false: what left in the cycle before is not taken yet; it stays, and nothing is drained
   */
  cycle(outReady = true): void {
    const { control, outControl } = this;
    if (!outReady && outControl[0] !== 0) return;
    const buffer = control[2];
    outControl[0] = 0;
    if (this.state[buffer] !== FULL) return;
    const column = control[3];
    const at = buffer * this.width + column;
    const sum = this.sums[at];
    this.sums[at] = 0;
    const place = this.row[buffer] * this.width + column;
    const { mask } = this;
    let value = (this.relu && sum < 0) || (mask !== null && mask[place] === 0) ? 0 : sum;
    const magnitude = Math.abs(value);
    this.magnitude[0] += magnitude;
    if (this.lfsr !== null) value = this.pruned(value, magnitude);
    const kept = value !== 0 || this.keepZeros;
    if (kept) this.stored[0]++;
    this.out[0] = value;
    this.out[1] = sum;
    outControl[0] = 1;
    outControl[1] = kept ? 1 : 0;
    outControl[2] = column;
    outControl[3] = place;
    if (column + 1 < this.width) control[3] = column + 1;
    else {
      control[3] = 0;
      control[2] = 1 - buffer;
      this.state[buffer] = FREE;
    }
  }

  /** One draw per element, used or not. */
  private pruned(value: number, magnitude: number): number {
    const lfsr = this.lfsr!;
    const tau = this.threshold[0];
    const u = lfsr.next() * 2 ** -lfsr.width;
    this.lfsrState[0] = lfsr.state;
    if (magnitude >= tau) return value;
    if (!(u * tau < magnitude)) return 0;
    return value < 0 ? -tau : tau;
  }

  /** Whether an element was drained in the last cycle. */
  get outValid(): boolean {
    return this.outControl[0] !== 0;
  }
  /** Whether it is stored in the compressed row. */
  get outStored(): boolean {
    return this.outControl[1] !== 0;
  }
  get outColumn(): number {
    return this.outControl[2];
  }
  /** Its place in the layer: row number times width, plus column. */
  get outPlace(): number {
    return this.outControl[3];
  }
  /** The element after ReLU, mask and pruning, and the sum as the PEs left it. */
  get outValue(): number {
    return this.out[0];
  }
  get outSum(): number {
    return this.out[1];
  }
  /** Sum of the magnitudes before pruning, and elements stored, of all rows since reset. */
  get magnitudeSum(): number {
    return this.magnitude[0];
  }
  get storedCount(): number {
    return this.stored[0];
  }
}
