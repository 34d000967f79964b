/**
 * A bit-serial tile on a linear layer, clocked. An example has one window, which would leave all columns but one
 * without work; as in the public simulator that this peer is checked against, the columns take the steps of the
 * window in turn instead: step s goes to column s mod C. The weight port serves one new step per cycle, columns
 * sum what they took, and the sums of all columns make the output. Examples follow each other.
 */
import { SerialColumns, type SerialSource, type SerialTile, type SerialTileConfig } from './serialColumns.js';

export class RotatingTile implements SerialTile {
  readonly columns: SerialColumns;
  /** Step that each column took last. */
  private readonly step: Int32Array;
  /** Of the example at hand: its number, and steps begun and done. */
  private pallet = 0;
  private issued = 0;
  private done = 0;
  clock = 0;

  constructor(private readonly config: SerialTileConfig) {
    this.columns = new SerialColumns(config);
    this.step = new Int32Array(config.columns);
  }

  run(source: SerialSource): number {
    this.clock = 0;
    for (let pallet = 0; pallet < source.pallets; pallet++) this.runExample(source, pallet);
    return this.clock;
  }

  wait(source: SerialSource, cycles: number): void {
    for (let c = 0; c < this.config.columns; c++) this.columns.countWait(source, c >= source.steps, cycles);
  }

  private runExample(source: SerialSource, pallet: number): void {
    const { columns } = this;
    const { columns: width, units } = this.config;
    this.pallet = pallet;
    this.issued = this.done = 0;
    while (this.done < source.steps) this.cycle(source);
    for (let n = 0; n < units; n++) {
      let sum = 0;
      for (let c = 0; c < width; c++) sum += columns.takeSum(c, n);
      source.store(pallet, 0, n, sum);
    }
  }

  cycle(source: SerialSource): void {
    const { columns, step } = this;
    const { columns: width } = this.config;
    const next = this.issued % width;
    this.clock++;
    if (this.issued < source.steps && columns.executing[next] === 0) {
      columns.begin(source, next, this.pallet, this.issued, 0);
      step[next] = this.issued++;
    }
    for (let c = 0; c < width; c++)
      if (columns.executing[c] === 0) columns.countWait(source, c >= source.steps, 1);
      else if (columns.execute(source, c, step[c])) this.done++;
  }
}
