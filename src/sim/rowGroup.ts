/**
 * A clocked PE group of SparseTrain (SPEC section 6): row PEs that share the operations of one row, and the PPU that
 * drains finished rows. Operations go in order to the first free PE, ties to the lowest; PEs wait for each other at
 * the end of a row, and the next row may begin in the cycle after.
 *
 * SRC and MSRC rows are complete one cycle after their last operation, when the last PE has flushed: from then on the
 * PPU drains them. OSRC rows are complete in that operation's own last cycle, and leave past the PPU at once.
 */
import type { Phase } from '../lower/phase.js';
import type { RowOperations } from '../lower/rowOperations.js';
import { rowSpan } from '../sparse/rowOperation.js';
import type { CompressedRows } from '../sparse/rows.js';
import type { ConvShape } from '../tensor.js';
import { Ppu } from './ppu.js';
import type { RowOperation } from './rowPeConfig.js';
import { RowPe } from './rowPe.js';

/** A layer as the groups share it. */
export interface RowLayer {
  shape: ConvShape;
  phase: Phase;
  streamed: CompressedRows;
  gradient: CompressedRows | null;
  mask: Uint8Array | null;
  weights: Int32Array;
  /** Sums by row. */
  output: Float64Array;
}

export interface RowGroupOptions {
  pesPerGroup: number;
  taps: number;
  ports: 1 | 2;
  keepZeros: boolean;
  float32: boolean;
}

const KINDS = { forward: 'src', gradInput: 'msrc', gradWeight: 'osrc' } as const;

export class RowGroup {
  readonly pes: readonly RowPe[];
  readonly ppu: Ppu;
  /** Rows that it was given, and their operations. */
  rows = 0;
  operationCount = 0;
  /** The most that one of its rows needs on any PEs: its longest operation, or its PE-cycles shared out. */
  rowBound = 0;
  /** The coming cycle, from 0; and the cycle after its last row's end. */
  now = 0;
  rowEnd = 0;
  /** Of each PE: cycles with an operation, and the taps used in them; cycles without, while the group had a row. */
  readonly busy: Float64Array;
  readonly lanes: Float64Array;
  readonly waiting: Float64Array;
  private readonly operation: RowOperation;
  /** Of the operation that each PE runs: its taps, and its cycles until now. */
  private readonly taps: Int32Array;
  private readonly length: Int32Array;
  /** Of the row at hand: cycles of its longest operation, and PE-cycles. */
  private longest = 0;
  private peCycles = 0;
  private next = 0;
  /** Whether a PE is without an operation. */
  private free = true;
  private running = false;
  /** The row that ended in the cycle before: its last sums leave the PEs in this one. */
  private flushing = false;
  private readonly bypasses: boolean;

  /** @param operations those of the row at hand, one row after the other; groups may share them */
  constructor(
    options: RowGroupOptions,
    private readonly layer: RowLayer,
    private readonly operations: RowOperations,
  ) {
    const { pesPerGroup, taps, ports, keepZeros, float32 } = options;
    const { phase, mask } = layer;
    const span = Math.max(taps, rowSpan(operations.pieces[0].geometry));
    this.pes = Array.from({ length: pesPerGroup }, () => new RowPe({ taps, span, ports, float32 }));
    this.ppu = new Ppu({ width: operations.width, relu: phase === 'forward', keepZeros, mask });
    this.bypasses = phase === 'gradWeight';
    this.busy = new Float64Array(pesPerGroup);
    this.lanes = new Float64Array(pesPerGroup);
    this.waiting = new Float64Array(pesPerGroup);
    this.taps = new Int32Array(pesPerGroup);
    this.length = new Int32Array(pesPerGroup);
    this.operation = {
      kind: KINDS[phase],
      geometry: operations.pieces[0].geometry,
      operands: layer.streamed,
      row: 0,
      gradients: layer.gradient,
      gradientRow: 0,
      weights: layer.weights,
      weightsAt: 0,
      mask,
      maskAt: 0,
      target: this.ppu.sums,
      targetAt: 0,
    };
  }

  /**
   * A row that has operations, from the coming cycle until the first in which another could start: its PEs are done,
   * and a row buffer is free.
   */
  run(row: number): void {
    const { operations, operation, ppu } = this;
    this.operationCount += operations.load(row);
    this.next = 0;
    this.longest = this.peCycles = 0;
    this.running = this.free = true;
    this.rows++;
    operation.targetAt = ppu.claim(row) * operations.width;
    operation.maskAt = row * operations.width;
    while (this.running) this.cycle();
    this.rowEnd = this.now;
    while (!ppu.ready) this.cycle();
  }

  /** Clocks on until the last sum has left. */
  drain(): void {
    while (this.flushing || this.ppu.active) this.cycle();
  }

  /** One clock cycle. */
  cycle(): void {
    const { ppu, running, flushing } = this;
    this.now++;
    if (running && this.free) this.handOut();
    ppu.cycle();
    if (ppu.outValid) this.layer.output[ppu.outPlace] = ppu.outSum;
    this.flushing = false;
    if (running) {
      if (!this.clockPes() && this.next === this.operations.count) this.endRow();
    } else if (flushing) for (const pe of this.pes) pe.cycle();
    if (flushing) ppu.finish();
  }

  /** Operations in order to PEs without one. */
  private handOut(): void {
    const { pes, operations, operation } = this;
    this.free = false;
    for (let p = 0; p < pes.length && this.next < operations.count; p++) {
      if (pes[p].busy) continue;
      const i = this.next++;
      const { firstTap, geometry } = operations.pieces[operations.piece[i]];
      operation.geometry = geometry;
      operation.row = operations.streamed[i];
      operation.gradientRow = operations.gradient[i];
      operation.weightsAt = operations.kernel[i] + firstTap;
      if (!this.bypasses) pes[p].begin(operation);
      else {
        const buffer = operation.targetAt;
        operation.targetAt += firstTap;
        pes[p].begin(operation);
        operation.targetAt = buffer;
      }
      this.taps[p] = geometry.taps;
      this.length[p] = 0;
    }
  }

  /** Returns whether any PE has an operation left for the next cycle. */
  private clockPes(): boolean {
    const { pes, waiting, length } = this;
    let left = false;
    for (let p = 0; p < pes.length; p++) {
      const pe = pes[p];
      if (pe.busy) {
        length[p]++;
        pe.cycle();
        if (pe.busy) left = true;
        else this.endOperation(p);
      } else {
        waiting[p]++;
        if (pe.draining) pe.cycle();
      }
    }
    return left;
  }

  private endOperation(p: number): void {
    const cycles = this.length[p];
    this.free = true;
    this.busy[p] += cycles;
    this.lanes[p] += cycles * this.taps[p];
    this.peCycles += cycles;
    if (cycles > this.longest) this.longest = cycles;
  }

  private endRow(): void {
    this.running = false;
    this.rowBound = Math.max(this.rowBound, this.longest, Math.ceil(this.peCycles / this.pes.length));
    if (!this.bypasses) {
      this.flushing = true;
      return;
    }
    this.ppu.finish();
    this.ppu.bypass(this.layer.output);
  }
}
