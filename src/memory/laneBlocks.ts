/** Blocks of tiles (SPEC section 3) as far as data is concerned: how many units, tiles and copies each has. */
import type { Block } from '../lower/blocks.js';

export class LaneBlocks {
  /** By block: bits of its units' weights, units, distinct chunks of units, tiles with work, and tiles per chunk. */
  readonly stationary: Float64Array;
  readonly units: Int32Array;
  readonly chunks: Int32Array;
  readonly tiles: Int32Array;
  readonly replicas: Int32Array;
  /** Most bits of weights in a tile. */
  largestTile = 0;

  /**
   * @param unitBits bits of the weights of each unit of the layer; null where units keep none
   * @param items positions, or pallets, that the tiles of a chunk take in turn
   */
  constructor(
    blocks: readonly Block[],
    private readonly starts: readonly number[],
    private readonly cycles: number,
    unitBits: Float64Array | null,
    private readonly items: number,
  ) {
    const count = blocks.length;
    this.stationary = new Float64Array(count);
    this.units = new Int32Array(count);
    this.chunks = new Int32Array(count);
    this.tiles = new Int32Array(count);
    this.replicas = new Int32Array(count);
    blocks.forEach(({ tiles }, b) => {
      let chunk = -1;
      for (const { firstUnit, units, first, step } of tiles) {
        if (units === 0) continue;
        this.replicas[b] = Math.max(1, Math.min(step, items));
        if (first < Math.max(1, items)) this.tiles[b]++;
        if (firstUnit === chunk) continue;
        chunk = firstUnit;
        this.chunks[b]++;
        this.units[b] += units;
        let bits = 0;
        if (unitBits) for (let n = 0; n < units; n++) bits += unitBits[firstUnit + n];
        this.stationary[b] += bits;
        this.largestTile = Math.max(this.largestTile, bits);
      }
    });
  }

  /** PE cycle in which one of a block's steps begins: steps share its cycles evenly. */
  startOf(block: number, step: number, steps: number): number {
    const start = this.starts[block];
    const end = block + 1 < this.starts.length ? this.starts[block + 1] : this.cycles;
    return start + Math.floor(((end - start) * step) / steps);
  }

  /** Outputs that each tile of a chunk takes in steps from..to. */
  turns(block: number, from: number, to: number, steps: number): number {
    const all = Math.ceil(this.items / this.replicas[block]);
    return Math.floor((all * to) / steps) - Math.floor((all * from) / steps);
  }
}
