/**
 * The clocked array of PE groups (SPEC section 6): in each cycle rows go, in order, to groups that can start one, the
 * lowest first (dynamic), or each group takes every groups-th row (static). Rows without operations are rows of zeros
 * that no group is given.
 *
 * Groups share nothing but the queue of rows, so each is clocked through its row at once, and the array's clock finds
 * it again when it can start another.
 */
import { RowOperations } from '../lower/rowOperations.js';
import { RowGroup, type RowGroupOptions, type RowLayer } from './rowGroup.js';

export interface RowArrayOptions extends RowGroupOptions {
  groups: number;
  dispatch: 'dynamic' | 'static';
}

export class RowArray {
  readonly groups: readonly RowGroup[];
  /** Rows of the layer, and taps of the widest operation. */
  readonly rows: number;
  readonly rowsPerPlane: number;
  readonly widestPiece: number;
  /** From the first operation to the end of the last, and from there until the last sum has left. */
  cycles = 0;
  drainCycles = 0;
  /** Of each group, cycles without a row: while one waited for a buffer of the PPU, and while there was none. */
  readonly blocked: Float64Array;
  readonly idle: Float64Array;
  /** Rows that have operations, in order. */
  readonly work: Int32Array;
  /** Cycle in which each of them started. */
  readonly rowStart: Float64Array;

  constructor(
    private readonly options: RowArrayOptions,
    layer: RowLayer,
  ) {
    const { groups, taps } = options;
    this.blocked = new Float64Array(groups);
    this.idle = new Float64Array(groups);
    // Groups take turns: a row is clocked through its group before the next one is given.
    const operations = new RowOperations(layer.shape, layer.phase, taps);
    this.groups = Array.from({ length: groups }, () => new RowGroup(options, layer, operations));
    this.rows = operations.rows;
    this.rowsPerPlane = operations.rowsPerPlane;
    this.widestPiece = operations.widestPiece;
    const work: number[] = [];
    for (let row = 0; row < operations.rows; row++) {
      const at = row * operations.width;
      if (operations.load(row) > 0) work.push(row);
      // What has operations must be written by them.
      layer.output.fill(operations.count > 0 ? NaN : 0, at, at + operations.width);
    }
    this.work = Int32Array.from(work);
    this.rowStart = new Float64Array(work.length);
  }

  /** Runs all rows. */
  run(): void {
    const { groups, blocked, idle } = this;
    const rowCycles = new Float64Array(groups.length);
    const lastRow =
      this.options.dispatch === 'static' ? this.runStatic(rowCycles) : this.runDynamic(rowCycles);
    for (const group of groups) if (group.rowEnd > this.cycles) this.cycles = group.rowEnd;
    groups.forEach((group, g) => {
      // While rows were left, a group without one was waiting for a buffer.
      blocked[g] += Math.max(0, Math.min(group.now, lastRow) - group.rowEnd);
      idle[g] = this.cycles - rowCycles[g] - blocked[g];
      group.drain();
      if (group.rows > 0) this.drainCycles = Math.max(this.drainCycles, group.now - this.cycles);
    });
  }

  /** Gives the next-th row to a group in the cycle `now`. */
  private give(g: number, next: number, now: number, rowCycles: Float64Array): void {
    const group = this.groups[g];
    this.blocked[g] += now - group.rowEnd;
    this.rowStart[next] = now;
    group.run(this.work[next]);
    rowCycles[g] += group.rowEnd - now;
  }

  /** Returns the cycle in which the last row started. */
  private runDynamic(rowCycles: Float64Array): number {
    const { groups, work } = this;
    let last = 0;
    for (let next = 0; next < work.length; next++) {
      let first = 0;
      for (let g = 1; g < groups.length; g++) if (groups[g].now < groups[first].now) first = g;
      last = groups[first].now;
      this.give(first, next, last, rowCycles);
    }
    return last;
  }

  /** No group waits for a row after its last: returns 0. */
  private runStatic(rowCycles: Float64Array): number {
    const { groups, work } = this;
    for (let g = 0; g < groups.length; g++)
      for (let next = g; next < work.length; next += groups.length)
        this.give(g, next, groups[g].now, rowCycles);
    return 0;
  }
}
