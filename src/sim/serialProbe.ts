/**
 * What a probe sees of a bit-serial tile (SPEC section 4): the registers of its columns, and the outputs, in the cycle
 * after the one that made them. A tile is built for each block with the units that have a filter there; the probe sees
 * the tile as the array has it, and knows nothing of the units that are left out.
 */
import { beforeEach, registersOf, type Probe, type Sample, type Signals } from './probe.js';
import { members, RegisterFile, type RegisterSpec } from './registers.js';
import {
  serialRegisters,
  type SerialSource,
  type SerialTile,
  type SerialTileConfig,
} from './serialColumns.js';

export class SerialWatch {
  private readonly registers: RegisterFile;
  private readonly outValid: Uint8Array;
  private readonly outValue: Float64Array;
  private readonly accumulator: Float64Array;
  private readonly sample: Sample;
  private tile: SerialTile | null = null;
  /** The last cycle that is over. */
  private seen = -1;

  /** @param config of a tile all of whose units have a filter */
  constructor(
    probe: Probe,
    path: readonly string[],
    private readonly config: SerialTileConfig,
  ) {
    const { columns, units } = config;
    this.registers = new RegisterFile(serialRegisters(config));
    this.accumulator = this.registers.doubles('accumulator').fill(NaN);
    this.outValid = new Uint8Array(columns);
    this.outValue = new Float64Array(columns * units).fill(NaN);
    const column = members('column', columns);
    const perUnit = { count: columns * units, dimensions: [column, members('unit', units)] };
    const port = (spec: RegisterSpec, values: Signals['values']): Signals => ({ spec, kind: 'port', values });
    const ports = [
      port({ name: 'outValid', bits: 1, signed: false, count: columns, dimensions: [column] }, this.outValid),
      port({ name: 'outValue', bits: 53, signed: true, ...perUnit }, this.outValue),
    ];
    this.sample = probe.component(path, [...registersOf(this.registers), ...ports], () => this.refresh());
  }

  /** Follows a tile through a block. Returns the source that the tile has to run with. */
  follow(tile: SerialTile, source: SerialSource, blockStart: number): SerialSource {
    this.tile = tile;
    beforeEach<'cycle'>(tile, ['cycle'], () => this.look(blockStart + tile.clock));
    return {
      ...source,
      store: (pallet, column, unit, value) => {
        source.store(pallet, column, unit, value);
        this.outValid[column] = 1;
        this.outValue[column * this.config.units + unit] = value;
      },
    };
  }

  /** The tile has nothing more to do before the cycle `to`. */
  rest(to: number): void {
    // Outputs that were made last show for one cycle.
    const settled = Math.min(to, this.seen + 3);
    while (this.seen + 1 < settled) this.look(this.seen + 1);
    if (this.seen + 1 < to) this.look(to - 1);
  }

  private look(cycle: number): void {
    this.seen = cycle;
    this.sample(cycle);
    // Outputs are there for one cycle.
    this.outValid.fill(0);
    this.outValue.fill(NaN);
  }

  private refresh(): void {
    if (!this.tile) return;
    const { registers, config } = this.tile.columns;
    for (const { name } of registers.specs) {
      if (name === 'accumulator') continue;
      this.registers.ints(name).set(registers.ints(name));
    }
    const sums = registers.doubles('accumulator');
    for (let c = 0; c < config.columns; c++)
      for (let n = 0; n < this.config.units; n++)
        this.accumulator[c * this.config.units + n] = n < config.units ? sums[c * config.units + n] : NaN;
  }
}
