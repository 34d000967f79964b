/**
 * The clocked array of PE groups (SPEC section 6): in each cycle rows go, in order, to groups that can start one, the
 * lowest first (dynamic), or each group takes every groups-th row (static); then every group is clocked. Rows without
 * operations are rows of zeros that no group is given.
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
  readonly widestPiece: number;
  /** From the first operation to the end of the last, and from there until the last sum has left. */
  cycles = 0;
  drainCycles = 0;
  /** Of each group, cycles without a row: while one waited for a buffer of the PPU, and while there was none. */
  readonly blocked: Float64Array;
  readonly idle: Float64Array;
  /** Rows that have operations, in order, and places of the first of them not yet given, by group if static. */
  readonly work: Int32Array;
  private readonly next: Int32Array;

  constructor(
    private readonly options: RowArrayOptions,
    layer: RowLayer,
  ) {
    this.groups = Array.from({ length: options.groups }, () => new RowGroup(options, layer));
    this.blocked = new Float64Array(options.groups);
    this.idle = new Float64Array(options.groups);
    const operations = new RowOperations(layer.shape, layer.phase, options.taps);
    this.rows = operations.rows;
    this.widestPiece = operations.widestPiece;
    const work: number[] = [];
    for (let row = 0; row < operations.rows; row++) {
      const at = row * operations.width;
      if (operations.load(row) > 0) work.push(row);
      // What has operations must be written by them.
      layer.output.fill(operations.count > 0 ? NaN : 0, at, at + operations.width);
    }
    this.work = Int32Array.from(work);
    this.next = Int32Array.from({ length: options.dispatch === 'static' ? options.groups : 1 }, (_, g) => g);
  }

  /** Runs all rows. */
  run(): void {
    const { groups, work, next } = this;
    const shared = this.options.dispatch === 'dynamic';
    const stride = next.length;
    let working = true;
    while (working) {
      working = false;
      // All groups look before any is clocked: a row that is given in this cycle is no longer waiting.
      for (let g = 0; g < groups.length; g++) {
        const queue = shared ? 0 : g;
        const group = groups[g];
        if (next[queue] < work.length && group.free) {
          group.start(work[next[queue]]);
          next[queue] += stride;
        }
        if (group.hasRow || next[queue] < work.length) working = true;
      }
      if (!working) break;
      for (let g = 0; g < groups.length; g++) {
        const group = groups[g];
        if (!group.hasRow)
          if (next[shared ? 0 : g] < work.length) this.blocked[g]++;
          else this.idle[g]++;
        group.cycle();
      }
      this.cycles++;
    }
    this.drain();
  }

  /** Groups are clocked on until their PPUs are done. */
  private drain(): void {
    for (;;) {
      let active = false;
      for (const group of this.groups)
        if (group.active) {
          group.cycle();
          active = true;
        }
      if (!active) return;
      this.drainCycles++;
    }
  }
}
