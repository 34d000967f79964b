/**
 * The activation windows of a SAC PE (SPEC section 3): per lane D slots of KS activations, shared by the N units.
 * A slot loads when it is free, is readable in the next cycle, and is freed when all active units have passed it.
 * A freed slot can be loaded again in the next cycle.
 *
 * Units read registered counts: loads and frees of a cycle take effect in `commit`, after all units have looked.
 */
import type { RegisterFile } from './registers.js';
import type { SacPeConfig } from './sacRegisters.js';

/** Fills windows: writes +a at p and -a at KS + p for the lane's next group of activations; 2 KS stays zero. */
export interface WindowSource {
  load(lane: number, table: Int32Array, at: number): void;
}

export class ActivationWindows {
  /** Windows offered to each lane in the coming cycle. */
  valid: Uint8Array;
  /** Signed window tables, [lane][slot][2 KS + 1]. */
  readonly table: Int32Array;
  readonly tableSize: number;
  private readonly count: Int32Array;
  private readonly head: Int32Array;
  private readonly loadTimer: Int32Array;
  private readonly lead: Int32Array;
  private readonly readSlot: Int32Array;
  /** Active units that still read the head window of a lane; follows from `lead`. */
  private readonly behind: Int32Array;
  private readonly slots: number;
  private readonly barrier: boolean;
  private taken = 0;
  private passes = 0;

  constructor(
    private readonly config: SacPeConfig,
    registers: RegisterFile,
    private readonly source: WindowSource,
  ) {
    this.count = registers.ints('windowCount');
    this.head = registers.ints('windowHead');
    this.loadTimer = registers.ints('loadTimer');
    this.lead = registers.ints('lead');
    this.readSlot = registers.ints('readSlot');
    this.table = registers.ints('window');
    this.tableSize = 2 * config.kneadingStride + 1;
    this.valid = new Uint8Array(config.lanes);
    this.behind = new Int32Array(config.lanes);
    this.slots = config.windowSlots;
    this.barrier = config.barrier;
  }

  /** Whether a lane's port takes a window in the coming cycle. */
  ready(lane: number): boolean {
    return this.count[lane] !== this.slots && this.loadTimer[lane] === 0;
  }

  /** Whether unit and lane i = n L + l finds no window to read. */
  waits(i: number, l: number): boolean {
    return this.barrier ? this.lead[i] !== 0 || this.count[l] === 0 : this.lead[i] >= this.count[l];
  }

  /**
   * Whether unit and lane i, which has just passed a window, is sure to find one in the next cycle: a window that is
   * there now stays, and a free moves lead and count together. Under a barrier the free itself has to be awaited.
   */
  comes(i: number, l: number): boolean {
    return !this.barrier && this.lead[i] < this.count[l];
  }

  /** Index into `table` of the window that unit and lane i reads. */
  at(i: number, l: number): number {
    return (l * this.slots + this.readSlot[i]) * this.tableSize;
  }

  /** Loads what is offered to free ports. */
  take(): void {
    const { lanes } = this.config;
    for (let l = 0; l < lanes; l++) {
      if (this.loadTimer[l] > 0) this.loadTimer[l]--;
      else if (this.valid[l] !== 0 && this.count[l] !== this.slots) {
        const slot = (this.head[l] + this.count[l]) % this.slots;
        this.source.load(l, this.table, (l * this.slots + slot) * this.tableSize);
        // Within the cycle only: the edge has not come.
        this.loadTimer[l] = -1;
        this.taken++;
      }
    }
  }

  /** Unit and lane i has consumed its group and moves to the next window. */
  pass(i: number, l: number): void {
    const slot = this.readSlot[i] + 1;
    this.readSlot[i] = slot === this.slots ? 0 : slot;
    if (this.lead[i]++ === 0) this.behind[l]--;
    this.passes++;
  }

  /** End of the cycle: frees head windows that all active units have passed, counts loaded ones. */
  commit(unitActive: Uint8Array): void {
    if (this.passes > 0) this.free(unitActive);
    this.passes = 0;
    if (this.taken === 0) return;
    const { lanes, windowLoadCycles } = this.config;
    for (let l = 0; l < lanes; l++)
      if (this.loadTimer[l] < 0) {
        this.loadTimer[l] = windowLoadCycles - 1;
        this.count[l]++;
      }
    this.taken = 0;
  }

  /** At most one window per lane and cycle: the last unit passes one group per cycle. Absent units stay at the head. */
  private free(unitActive: Uint8Array): void {
    const { units, lanes } = this.config;
    for (let l = 0; l < lanes; l++) {
      if (this.behind[l] !== 0 || this.count[l] === 0) continue;
      this.head[l] = this.head[l] + 1 === this.slots ? 0 : this.head[l] + 1;
      this.count[l]--;
      let behind = 0;
      for (let n = 0, i = l; n < units; n++, i += lanes)
        if (unitActive[n] === 0) this.readSlot[i] = this.head[l];
        else if (--this.lead[i] === 0) behind++;
      this.behind[l] = behind;
    }
  }

  /** All units begin at the head windows; `active` of them have to pass each. */
  restart(active: number): void {
    const { units, lanes } = this.config;
    for (let l = 0; l < lanes; l++) {
      this.behind[l] = active;
      for (let n = 0; n < units; n++) {
        this.lead[n * lanes + l] = 0;
        this.readSlot[n * lanes + l] = this.head[l];
      }
    }
  }
}
