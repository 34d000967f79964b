/**
 * The datapath of a bit-serial tile (SPEC section 4), clocked: C columns of L lanes; in each cycle a lane feeds one
 * bit of its activation and N units add their weight, or not, to the column's sums. Bit-Pragmatic feeds essential
 * bits: the column's least remaining bit position m goes to the second-stage shifter, and a lane drops its lowest
 * set bit if it lies in [m, m + 2^b - 1] (first-stage shifter of b bits). Stripes feeds bit 0, 1, 2 ... of the
 * storage width. Which column takes which brick, and when, is decided by the tiles (`palletTile`, `rotatingTile`).
 */
import { popcount32 } from '../bit/planes.js';
import { members, RegisterFile, type RegisterSpec } from './registers.js';

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
  /** Activation codes of a window's brick. */
  load(pallet: number, step: number, window: number, codes: Int32Array): void;
  /** Takes a finished output. */
  store(pallet: number, window: number, unit: number, value: number): void;
}

/** A tile in control of its columns. */
export interface SerialTile {
  readonly columns: SerialColumns;
  /** Cycles of the block until now. */
  readonly clock: number;
  /** One clock cycle of the block that is running. */
  cycle(source: SerialSource): void;
  /** Runs a block. Returns the cycles that it took. */
  run(source: SerialSource): number;
  /** Counts `cycles` of waiting for other tiles after the block. */
  wait(source: SerialSource, cycles: number): void;
}

/** Column-lane-cycles of one unit, and essential bits times units. */
export interface SerialCounters {
  busy: number;
  imbalance: number;
  absentLane: number;
  empty: number;
  essentialBits: number;
}

export function serialRegisters({ columns, lanes, units, storageBits }: SerialTileConfig): RegisterSpec[] {
  const column = members('column', columns);
  const perLane = { count: columns * lanes, dimensions: [column, members('lane', lanes)] };
  const perUnit = { count: columns * units, dimensions: [column, members('unit', units)] };
  const perColumn = { count: columns, dimensions: [column] };
  return [
    { name: 'magnitude', bits: storageBits, signed: false, ...perLane },
    { name: 'sign', bits: 2, signed: true, ...perLane },
    { name: 'accumulator', bits: 53, signed: true, ...perUnit },
    { name: 'executing', bits: 1, signed: false, ...perColumn },
    { name: 'bit', bits: 5, signed: false, ...perColumn },
  ];
}

export class SerialColumns {
  readonly registers: RegisterFile;
  readonly counters: SerialCounters = { busy: 0, imbalance: 0, absentLane: 0, empty: 0, essentialBits: 0 };
  /** Cycles that each (column, lane) would need alone: its bits, at least one cycle per item. */
  readonly laneNeed: Float64Array;
  /** Whether a column has a brick. */
  readonly executing: Int32Array;
  private readonly magnitude: Int32Array;
  private readonly sign: Int32Array;
  private readonly accumulator: Float64Array;
  private readonly bit: Int32Array;
  private readonly codes: Int32Array;
  private readonly firing: Int32Array;
  private readonly factor: Float64Array;

  constructor(readonly config: SerialTileConfig) {
    const { columns, lanes } = config;
    this.registers = new RegisterFile(serialRegisters(config));
    const r = this.registers;
    this.magnitude = r.ints('magnitude');
    this.sign = r.ints('sign');
    this.accumulator = r.doubles('accumulator');
    this.executing = r.ints('executing');
    this.bit = r.ints('bit');
    this.laneNeed = new Float64Array(columns * lanes);
    this.codes = new Int32Array(lanes);
    this.firing = new Int32Array(lanes);
    this.factor = new Float64Array(lanes);
  }

  /** Column c takes the brick of a window. */
  begin(source: SerialSource, c: number, pallet: number, step: number, window: number): void {
    const { lanes, firstStageBits, storageBits } = this.config;
    source.load(pallet, step, window, this.codes);
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

  /** One cycle of a column that has a brick. Returns whether the brick is done. */
  execute(source: SerialSource, c: number, step: number): boolean {
    const { lanes, units, firstStageBits, storageBits } = this.config;
    const { magnitude, sign, firing, factor, counters } = this;
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
    if (rest === 0) this.executing[c] = 0;
    return rest === 0;
  }

  /** The sum of a column for a unit, which starts again from zero. */
  takeSum(c: number, unit: number): number {
    const at = c * this.config.units + unit;
    const sum = this.accumulator[at];
    this.accumulator[at] = 0;
    return sum;
  }

  /** A column without a brick waits for others, or has nothing to do at all. */
  countWait(source: SerialSource, empty: boolean, cycles: number): void {
    const { lanes } = this.config;
    if (empty) this.counters.empty += lanes * cycles;
    else {
      this.counters.imbalance += source.activeLanes * cycles;
      this.counters.absentLane += (lanes - source.activeLanes) * cycles;
    }
  }
}
