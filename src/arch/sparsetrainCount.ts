/**
 * Row PEs, timing only: cycles, operands and products of each row operation in closed form, rows dealt to groups as
 * events. Rows that run the same operations on the same streams (the filters of a group) are counted once.
 */
import { RowOperations } from '../lower/rowOperations.js';
import {
  liveOperands,
  liveProducts,
  msrcTargets,
  osrcCycles,
  osrcProducts,
  srcOperands,
  srcProducts,
} from '../sparse/rowOperation.js';
import { zeroCounters, type Counters, type LayerWork } from './machine.js';
import type { RowArrayConfig } from './sparsetrain.js';
import { RowDispatch, RowMakespan } from './sparsetrainDispatch.js';
import { rowOperands, type RowOperands } from './sparsetrainOperands.js';

/** What a row takes and consumes, beside its time on a group. */
interface RowFacts {
  time: RowMakespan;
  operands: number;
  terms: number;
  /** Cycles of each operation, times the taps that it uses. */
  lanes: number;
}

export function countRows(config: RowArrayConfig, work: LayerWork): Counters {
  const rows = new RowOperations(work.shape, work.phase, config.taps);
  const costs = new OperationCosts(rows, rowOperands(work, config.dense), config.ports);
  const dispatch = new RowDispatch({
    ...config,
    // Rows of gradWeight bypass the PPU. The others are complete when the PEs have flushed.
    drainCycles: work.phase === 'gradWeight' ? 0 : rows.width,
    retireCycles: work.phase === 'gradWeight' ? 0 : 1,
  });
  // A mask tells the channels of a group apart; gradWeight has no two rows of the same streams.
  const shared = work.phase === 'forward' || (work.phase === 'gradInput' && costs.operands.mask === null);
  const known = new Map<number, RowFacts>();
  const fresh = (): RowFacts => ({
    time: new RowMakespan(config.pesPerGroup),
    operands: 0,
    terms: 0,
    lanes: 0,
  });
  const only = fresh();
  const counters = zeroCounters();
  const firstStart = new Float64Array(rows.rows / rows.rowsPerPlane).fill(Infinity);
  let rowBound = 0;
  let peCycles = 0;
  for (let row = 0; row < rows.rows; row++) {
    const same = shared ? rows.sameStreams(row) : -1;
    let facts = known.get(same);
    if (!facts) {
      rows.load(row);
      facts = shared ? fresh() : only;
      costs.total(facts);
      if (shared) known.set(same, facts);
    }
    const { time } = facts;
    if (time.operations === 0) continue;
    const plane = Math.floor(row / rows.rowsPerPlane);
    firstStart[plane] = Math.min(firstStart[plane], dispatch.place(time));
    counters.rowOperations += time.operations;
    counters.operands += facts.operands;
    counters.terms += facts.terms;
    counters.busy += facts.lanes;
    peCycles += time.sum;
    rowBound = Math.max(rowBound, time.bound);
  }
  dispatch.finish();
  counters.cycles = dispatch.cycles;
  counters.pipelineCycles = dispatch.pipelineCycles;
  // Dealt out round robin, a later plane may start first: it counts from then on.
  let next = counters.cycles;
  for (let plane = firstStart.length - 1; plane >= 0; plane--)
    firstStart[plane] = next = Math.min(firstStart[plane], next);
  counters.starts = [...firstStart];
  counters.boundCycles = Math.max(rowBound, Math.ceil(peCycles / (config.groups * config.pesPerGroup)));
  counters.singleStreamLaneCycles = counters.busy;
  countWaiting(counters, config, rows, dispatch, peCycles);
  return counters;
}

/** Lane-cycles that were not busy, from what each group did. */
function countWaiting(
  counters: Counters,
  { groups, pesPerGroup, taps }: RowArrayConfig,
  rows: RowOperations,
  dispatch: RowDispatch,
  peCycles: number,
): void {
  const { cycles, stall, idle } = counters;
  const used = rows.widestPiece;
  idle.absentLane = (taps - used) * pesPerGroup * groups * cycles + used * peCycles - counters.busy;
  for (const group of dispatch.groups) {
    if (group.rows === 0) {
      idle.empty += used * pesPerGroup * cycles;
      continue;
    }
    idle.absentUnit += used * (pesPerGroup - group.pes) * cycles;
    stall.ppu += used * group.pes * group.ppuCycles;
    stall.imbalance += used * (group.pes * (cycles - group.ppuCycles) - group.busy);
  }
}

/** Cycles, operands and products of row operations. */
class OperationCosts {
  /** Of each streamed row and piece, where no second row nor mask has a say; 0 cycles where not yet known. */
  private readonly table: { cycles: Int32Array; operands: Int32Array; products: Int32Array } | null;
  /** Live targets of each gradient column under the mask of the row at hand, by piece. */
  private readonly targets: Int32Array[];
  private cycles = 0;
  private operandCount = 0;
  private products = 0;

  constructor(
    private readonly rows: RowOperations,
    readonly operands: RowOperands,
    private readonly ports: 1 | 2,
  ) {
    const alone = rows.phase !== 'gradWeight' && operands.mask === null;
    const size = operands.streamed.rows * rows.pieces.length;
    const table = (): Int32Array => new Int32Array(size);
    this.targets = rows.pieces.map(({ geometry }) => new Int32Array(geometry.outputWidth));
    this.table = alone ? { cycles: table(), operands: table(), products: table() } : null;
  }

  /** Of the row that is loaded. */
  total(facts: RowFacts): void {
    const { rows } = this;
    facts.time.clear();
    facts.operands = facts.terms = facts.lanes = 0;
    this.meetMask();
    for (let i = 0; i < rows.count; i++) {
      this.look(i);
      facts.time.add(this.cycles);
      facts.operands += this.operandCount;
      facts.terms += this.products;
      facts.lanes += this.cycles * rows.pieces[rows.piece[i]].geometry.taps;
    }
  }

  /** Many gradient rows meet the mask of one row. */
  private meetMask(): void {
    const { rows, operands, targets } = this;
    if (rows.phase !== 'gradInput') return;
    const maskAt = rows.row * rows.width;
    rows.pieces.forEach(({ geometry }, p) => msrcTargets(geometry, operands.mask, maskAt, targets[p]));
  }

  private look(i: number): void {
    const { table, rows } = this;
    if (!table) return this.compute(i);
    const at = rows.streamed[i] * rows.pieces.length + rows.piece[i];
    if (table.cycles[at] === 0) {
      this.compute(i);
      table.cycles[at] = this.cycles;
      table.operands[at] = this.operandCount;
      table.products[at] = this.products;
    }
    this.cycles = table.cycles[at];
    this.operandCount = table.operands[at];
    this.products = table.products[at];
  }

  private compute(i: number): void {
    const { rows, operands } = this;
    const { geometry } = rows.pieces[rows.piece[i]];
    const { columns, start } = operands.streamed;
    const from = start[rows.streamed[i]];
    const to = start[rows.streamed[i] + 1];
    if (rows.phase === 'gradWeight') {
      const other = operands.gradient!;
      const otherFrom = other.start[rows.gradient[i]];
      const otherTo = other.start[rows.gradient[i] + 1];
      this.operandCount = to - from + otherTo - otherFrom;
      this.products = osrcProducts(columns, from, to, other.columns, otherFrom, otherTo, geometry);
      this.cycles = osrcCycles(columns, from, to, other.columns, otherFrom, otherTo, geometry, this.ports);
      return;
    }
    if (rows.phase === 'forward') {
      this.operandCount = srcOperands(columns, from, to, geometry);
      this.products = srcProducts(columns, from, to, geometry);
    } else {
      const targets = this.targets[rows.piece[i]];
      this.operandCount = liveOperands(targets, columns, from, to);
      this.products = liveProducts(targets, columns, from, to);
    }
    this.cycles = Math.max(1, this.operandCount);
  }
}
