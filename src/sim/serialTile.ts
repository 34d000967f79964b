/**
 * One tile of a bit-serial array (SPEC section 4), clocked: C columns (output windows) of L lanes; in each cycle a
 * lane feeds one bit of its activation, N units add their weight or not. Bit-Pragmatic feeds essential bits: the
 * column's least remaining bit position m goes to the second-stage shifter, a lane drops its lowest set bit if it
 * lies in [m, m + 2^b - 1] (first-stage shifter of b bits). Stripes feeds bit 0, 1, 2 ... of the storage width.
 *
 * Columns take steps (bricks) in order. Column c may start step q when all columns have completed step
 * q - 1 - R: with R = 0 column registers they walk in lock-step, with more they run ahead of each other. They
 * meet between examples, as in the public simulator that this peer is checked against.
 */
import { popcount32 } from '../bit/planes.js';
import { RegisterFile } from './registers.js';

export interface SerialTileConfig {
  columns: number;
  lanes: number;
  units: number;
  /** R: steps that a column may run ahead of the slowest. */
  columnRegisters: number;
  /** Bits of the first-stage shifter (Pragmatic), or null to feed every bit of `storageBits` (Stripes). */
  firstStageBits: number | null;
  storageBits: number;
}

/** Where a tile's operands come from and its sums go to. */
export interface SerialSource {
  /** Steps of one pallet, and pallets of the tile in this block. */
  steps: number;
  pallets: number;
  /** Lanes with an item in each step; they are the first ones. */
  items: Int32Array;
  activeLanes: number;
  /** [step][unit][lane]. */
  weights: Int32Array;
  /** Windows of a pallet; the columns beyond are absent. */
  windows(pallet: number): number;
  /** Example of a pallet: columns meet between examples. */
  example(pallet: number): number;
  /** Activation codes of a column's brick. */
  load(pallet: number, step: number, column: number, codes: Int32Array): void;
  /** Takes a finished output. */
  store(pallet: number, column: number, unit: number, value: number): void;
}

/** Column-lane-cycles of one unit, and essential bits times units. */
export interface SerialCounters {
  busy: number;
  imbalance: number;
  absentLane: number;
  empty: number;
  essentialBits: number;
}

export class SerialTile {
  readonly registers: RegisterFile;
  readonly counters: SerialCounters = { busy: 0, imbalance: 0, absentLane: 0, empty: 0, essentialBits: 0 };
  clock = 0;
  /** Cycles that each (column, lane) would need alone: its bits, at least one cycle per item. */
  readonly laneNeed: Float64Array;
  private readonly magnitude: Int32Array;
  private readonly sign: Int32Array;
  private readonly accumulator: Float64Array;
  private readonly executing: Int32Array;
  private readonly bit: Int32Array;
  private readonly completed: Int32Array;
  private readonly codes: Int32Array;
  private readonly firing: Int32Array;
  private readonly factor: Float64Array;
  /** Steps that every column has completed, registered. */
  private slowest = 0;

  constructor(private readonly config: SerialTileConfig) {
    const { columns, lanes, units, storageBits } = config;
    this.registers = new RegisterFile([
      { name: 'magnitude', bits: storageBits, signed: false, count: columns * lanes },
      { name: 'sign', bits: 2, signed: true, count: columns * lanes },
      { name: 'accumulator', bits: 53, signed: true, count: columns * units },
      { name: 'executing', bits: 1, signed: false, count: columns },
      { name: 'bit', bits: 5, signed: false, count: columns },
      { name: 'completed', bits: 31, signed: false, count: columns },
    ]);
    const r = this.registers;
    this.magnitude = r.ints('magnitude');
    this.sign = r.ints('sign');
    this.accumulator = r.doubles('accumulator');
    this.executing = r.ints('executing');
    this.bit = r.ints('bit');
    this.completed = r.ints('completed');
    this.laneNeed = new Float64Array(columns * lanes);
    this.codes = new Int32Array(lanes);
    this.firing = new Int32Array(lanes);
    this.factor = new Float64Array(lanes);
  }

  /** Runs all pallets of a block. Returns the cycles that it took. */
  run(source: SerialSource): number {
    const total = source.pallets * source.steps;
    this.registers.reset();
    for (let c = 0; c < this.config.columns; c++) this.passAbsent(source, c);
    this.slowest = this.completed.reduce((least, steps) => Math.min(least, steps), total);
    const from = this.clock;
    while (this.slowest < total) this.cycle(source, total);
    return this.clock - from;
  }

  /** Counts `cycles` of waiting for other tiles after a block. */
  wait(source: SerialSource, cycles: number): void {
    const last = source.pallets * source.steps;
    for (let c = 0; c < this.config.columns; c++) this.countWait(source, c, last, cycles);
  }

  private cycle(source: SerialSource, total: number): void {
    const { columns, columnRegisters } = this.config;
    const gate = Math.min(this.slowest + columnRegisters, this.lastStepOfExample(source, this.slowest));
    let slowest = total;
    for (let c = 0; c < columns; c++) {
      if (this.executing[c] === 0 && this.completed[c] < total && this.completed[c] <= gate)
        this.begin(source, c);
      if (this.executing[c] !== 0) this.execute(source, c);
      else this.countWait(source, c, this.completed[c], 1);
      if (this.completed[c] < slowest) slowest = this.completed[c];
    }
    this.slowest = slowest;
    this.clock++;
  }

  /** The last step of the example that step `q` belongs to. */
  private lastStepOfExample(source: SerialSource, q: number): number {
    if (this.config.columnRegisters === 0) return q;
    let pallet = Math.floor(q / source.steps);
    const example = source.example(pallet);
    while (pallet + 1 < source.pallets && source.example(pallet + 1) === example) pallet++;
    return (pallet + 1) * source.steps - 1;
  }

  private begin(source: SerialSource, c: number): void {
    const { lanes, firstStageBits, storageBits } = this.config;
    const step = this.completed[c] % source.steps;
    const pallet = Math.floor(this.completed[c] / source.steps);
    source.load(pallet, step, c, this.codes);
    const present = source.items[step];
    for (let l = 0, i = c * lanes; l < lanes; l++, i++) {
      const code = l < present ? this.codes[l] : 0;
      this.magnitude[i] = Math.abs(code);
      this.sign[i] = code < 0 ? -1 : 1;
      if (l < present)
        this.laneNeed[i] += firstStageBits === null ? storageBits : Math.max(1, popcount32(Math.abs(code)));
    }
    this.executing[c] = 1;
    this.bit[c] = 0;
  }

  /** One cycle of a column that has a brick. */
  private execute(source: SerialSource, c: number): void {
    const { lanes, units, firstStageBits, storageBits } = this.config;
    const { magnitude, sign, firing, factor, counters } = this;
    const step = this.completed[c] % source.steps;
    const present = source.items[step];
    const base = c * lanes;
    let fired = 0;
    let rest = 0;
    let shift: number;
    if (firstStageBits === null) {
      shift = this.bit[c]++;
      for (let l = 0; l < present; l++)
        if ((magnitude[base + l] >>> shift) & 1) {
          firing[fired] = l;
          factor[fired++] = sign[base + l];
        }
      rest = storageBits - this.bit[c];
      counters.busy += present;
    } else {
      let any = 0;
      for (let l = 0; l < present; l++) any |= magnitude[base + l];
      shift = any === 0 ? 0 : 31 - Math.clz32(any & -any);
      const reach = shift + 2 ** firstStageBits;
      for (let l = 0; l < present; l++) {
        const m = magnitude[base + l];
        if (m === 0) continue;
        const lowest = 31 - Math.clz32(m & -m);
        if (lowest < reach) {
          firing[fired] = l;
          factor[fired++] = sign[base + l] * 2 ** (lowest - shift);
          magnitude[base + l] = m & (m - 1);
        }
        rest |= magnitude[base + l];
      }
      counters.busy += fired;
      counters.imbalance += present - fired;
    }
    counters.absentLane += lanes - present;
    counters.essentialBits += fired * units;
    // First stage and adder tree per unit, then the second-stage shift by m.
    const scale = 2 ** shift;
    for (let n = 0; n < units; n++) {
      const weightsAt = (step * units + n) * lanes;
      let sum = 0;
      for (let i = 0; i < fired; i++) sum += source.weights[weightsAt + firing[i]] * factor[i];
      this.accumulator[c * units + n] += sum * scale;
    }
    if (rest === 0) this.finish(source, c, step);
  }

  private finish(source: SerialSource, c: number, step: number): void {
    const { units } = this.config;
    this.executing[c] = 0;
    const done = this.completed[c]++;
    if (step !== source.steps - 1) return;
    const pallet = Math.floor(done / source.steps);
    for (let n = 0; n < units; n++) {
      source.store(pallet, c, n, this.accumulator[c * units + n]);
      this.accumulator[c * units + n] = 0;
    }
    this.passAbsent(source, c);
  }

  /** A column that has no window in the coming pallets has nothing to do there, and nobody waits for it. */
  private passAbsent(source: SerialSource, c: number): void {
    const total = source.pallets * source.steps;
    while (this.completed[c] < total && c >= source.windows(Math.floor(this.completed[c] / source.steps)))
      this.completed[c] += source.steps;
  }

  /** A column without a brick waits for the others; one that has no window in its latest pallet is empty. */
  private countWait(source: SerialSource, c: number, completed: number, cycles: number): void {
    const { lanes } = this.config;
    const pallet = Math.floor((completed - 1) / source.steps);
    if (c >= source.windows(pallet)) this.counters.empty += lanes * cycles;
    else {
      this.counters.imbalance += source.activeLanes * cycles;
      this.counters.absentLane += (lanes - source.activeLanes) * cycles;
    }
  }
}
