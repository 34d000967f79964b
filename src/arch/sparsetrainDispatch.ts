/**
 * Rows on PE groups as events, for timing only (SPEC section 6): operations of a row in order to the first free PE of
 * a group, rows in order to the first free group or round robin, and the two row buffers of the PPU. All times are
 * cycles of the layer, the first of which is 0; ends are exclusive.
 */

export interface DispatchOptions {
  groups: number;
  pesPerGroup: number;
  dispatch: 'dynamic' | 'static';
  /** Cycles in which the PPU drains a row; 0 where rows bypass it. */
  drainCycles: number;
  /** Cycles from the end of a row's last operation until its buffer holds every sum. */
  retireCycles: number;
}

/** The operations of one row on the PEs of a group that has nothing else to do. */
export class RowMakespan {
  private readonly free: Float64Array;
  /** Cycles from the first operation's begin to the last one's end; sum and largest of the operations' cycles. */
  cycles = 0;
  sum = 0;
  longest = 0;
  operations = 0;

  constructor(readonly pes: number) {
    this.free = new Float64Array(pes);
  }

  clear(): void {
    this.free.fill(0);
    this.cycles = this.sum = this.longest = this.operations = 0;
  }

  /** The next operation, to the first free PE. */
  add(cycles: number): void {
    const { free, pes } = this;
    let first = 0;
    for (let p = 1; p < pes; p++) if (free[p] < free[first]) first = p;
    const end = (free[first] += cycles);
    if (end > this.cycles) this.cycles = end;
    if (cycles > this.longest) this.longest = cycles;
    this.sum += cycles;
    this.operations++;
  }

  /** No group can take fewer cycles for the row: its longest operation, and its share if PEs never waited. */
  get bound(): number {
    return Math.max(this.longest, Math.ceil(this.sum / this.pes));
  }
}

/** What a group has done. Cycles are those of the group, not times its PEs. */
interface GroupTimes {
  rows: number;
  /** PEs that have ever had an operation. */
  pes: number;
  /** PE-cycles with an operation. */
  busy: number;
  /** Cycles in which it waited for a row buffer. */
  ppuCycles: number;
}

export class RowDispatch {
  readonly groups: GroupTimes[];
  /** Of each group: end of its last row, when it can start the next, and when the PPU is done with its last. */
  private readonly end: Float64Array;
  private readonly available: Float64Array;
  private readonly drained: Float64Array;
  private next = 0;
  private lastStart = 0;

  constructor(private readonly options: DispatchOptions) {
    const { groups } = options;
    this.groups = Array.from({ length: groups }, () => ({ rows: 0, pes: 0, busy: 0, ppuCycles: 0 }));
    this.end = new Float64Array(groups);
    this.available = new Float64Array(groups);
    this.drained = new Float64Array(groups);
  }

  /** The next row that has operations. Returns the cycle in which it starts. */
  place(row: RowMakespan): number {
    const { end, available, drained, options } = this;
    const g = options.dispatch === 'static' ? this.next++ % options.groups : this.firstFree();
    const group = this.groups[g];
    const start = available[g];
    if (group.rows > 0) group.ppuCycles += start - end[g];
    end[g] = start + row.cycles;
    available[g] = end[g];
    if (options.drainCycles > 0) {
      // The next row takes the buffer of the row before this one.
      available[g] = Math.max(end[g], drained[g]);
      drained[g] = Math.max(end[g] + options.retireCycles, drained[g]) + options.drainCycles;
    }
    group.rows++;
    group.pes = Math.max(group.pes, Math.min(row.operations, options.pesPerGroup));
    group.busy += row.sum;
    if (start > this.lastStart) this.lastStart = start;
    return start;
  }

  private firstFree(): number {
    const { available } = this;
    let first = 0;
    for (let g = 1; g < available.length; g++) if (available[g] < available[first]) first = g;
    return first;
  }

  /** After the last row: groups that wait for a buffer still do so until the last row has gone to another group. */
  finish(): void {
    if (this.options.dispatch === 'static') return;
    this.groups.forEach((group, g) => {
      if (group.rows === 0) return;
      group.ppuCycles += Math.max(0, Math.min(this.available[g], this.lastStart) - this.end[g]);
    });
  }

  /** End of the last operation. */
  get cycles(): number {
    return this.end.reduce((a, b) => Math.max(a, b), 0);
  }

  /** From the end of the last operation until the last sum has left. */
  get pipelineCycles(): number {
    const { cycles } = this;
    if (cycles === 0) return 0;
    if (this.options.drainCycles === 0) return this.options.retireCycles;
    return this.drained.reduce((a, b) => Math.max(a, b), 0) - cycles;
  }
}
