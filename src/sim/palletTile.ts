/**
 * A bit-serial tile on a convolution, clocked: column c holds window c of the pallet. Columns take steps (bricks)
 * in order; column c may start step q when all columns have completed step q - 1 - R. With R = 0 column registers
 * they walk in lock-step, with more they run ahead of each other. They meet between examples, as in the public
 * simulator that this peer is checked against.
 */
import { SerialColumns, type SerialSource, type SerialTile, type SerialTileConfig } from './serialColumns.js';

export class PalletTile implements SerialTile {
  readonly columns: SerialColumns;
  /** Steps that each column has completed, and that every column has, registered. */
  private readonly completed: Int32Array;
  private slowest = 0;
  clock = 0;

  constructor(private readonly config: SerialTileConfig) {
    this.columns = new SerialColumns(config);
    this.completed = new Int32Array(config.columns);
  }

  run(source: SerialSource): number {
    const total = source.pallets * source.steps;
    this.completed.fill(0);
    for (let c = 0; c < this.config.columns; c++) this.passAbsent(source, c);
    this.slowest = this.completed.reduce((least, steps) => Math.min(least, steps), total);
    for (this.clock = 0; this.slowest < total;) this.cycle(source);
    return this.clock;
  }

  wait(source: SerialSource, cycles: number): void {
    for (let c = 0; c < this.config.columns; c++) this.countWait(source, c, cycles);
  }

  cycle(source: SerialSource): void {
    const { columns, completed } = this;
    const total = source.pallets * source.steps;
    this.clock++;
    const gate = Math.min(
      this.slowest + this.config.columnRegisters,
      this.lastStepOfExample(source, this.slowest),
    );
    let slowest = total;
    for (let c = 0; c < this.config.columns; c++) {
      const step = completed[c] % source.steps;
      if (columns.executing[c] === 0 && completed[c] < total && completed[c] <= gate)
        columns.begin(source, c, Math.floor(completed[c] / source.steps), step, c);
      if (columns.executing[c] === 0) this.countWait(source, c, 1);
      else if (columns.execute(source, c, step)) this.complete(source, c, step);
      if (completed[c] < slowest) slowest = completed[c];
    }
    this.slowest = slowest;
  }

  /** The last step of the example that step `q` belongs to. */
  private lastStepOfExample(source: SerialSource, q: number): number {
    if (this.config.columnRegisters === 0) return q;
    let pallet = Math.floor(q / source.steps);
    const example = source.example(pallet);
    while (pallet + 1 < source.pallets && source.example(pallet + 1) === example) pallet++;
    return (pallet + 1) * source.steps - 1;
  }

  private complete(source: SerialSource, c: number, step: number): void {
    const done = this.completed[c]++;
    if (step !== source.steps - 1) return;
    const pallet = Math.floor(done / source.steps);
    for (let n = 0; n < this.config.units; n++) source.store(pallet, c, n, this.columns.takeSum(c, n));
    this.passAbsent(source, c);
  }

  /** A column that has no window in the coming pallets has nothing to do there, and nobody waits for it. */
  private passAbsent(source: SerialSource, c: number): void {
    const total = source.pallets * source.steps;
    while (this.completed[c] < total && c >= source.windows(Math.floor(this.completed[c] / source.steps)))
      this.completed[c] += source.steps;
  }

  /** A column that has no window in its latest pallet is empty. */
  private countWait(source: SerialSource, c: number, cycles: number): void {
    const latest = Math.floor((this.completed[c] - 1) / source.steps);
    this.columns.countWait(source, c >= source.windows(latest), cycles);
  }
}
