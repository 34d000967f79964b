/**
 * Kneads the streams of a block off-line into a word memory, for the stepped Tetris. Which words serve which kind of
 * output is told by the streams; how many each stream takes gives the bound.
 */
import { KneadedWords } from '../bit/knead.js';
import { itemsOf, type Block } from '../lower/blocks.js';
import type { LaneLowering } from '../lower/lowering.js';
import { pairsOf } from '../sim/groupKernel.js';
import type { Counters } from './machine.js';
import type { SacConfig } from './sacConfig.js';
import type { WordBounds } from './tetrisPes.js';

/** Kneads the streams of a block into the word memory, every distinct one once. */
export class BlockKneader {
  readonly words: KneadedWords;
  /** Words of the longest stream over all outputs that it serves. */
  longestStream = 0;
  private kneadedRows = 0;
  private kneadedWeights = 0;
  private readonly items: Int32Array;

  constructor(
    private readonly config: SacConfig,
    private readonly lowering: LaneLowering,
    private readonly stream: Int32Array,
  ) {
    this.words = new KneadedWords(config.magnitudeBits, config.kneadingStride);
    this.items = new Int32Array(Math.max(0, ...lowering.kinds.map(({ stride }) => stride)));
  }

  /** A group takes at most one row per weight. */
  bounds(): WordBounds {
    const { lowering } = this;
    const units = lowering.blocks.map(({ tiles }) =>
      tiles.reduce((sum, tile, t) => sum + (tile.firstUnit === tiles[t - 1]?.firstUnit ? 0 : tile.units), 0),
    );
    const most = units.reduce((a, b) => Math.max(a, b), 0);
    const perUnit = lowering.kinds.reduce((sum, { terms }) => sum + terms, 0);
    const uses = lowering.positions / lowering.kinds.length;
    return { words: most * perUnit, pairs: most * this.pairsPerUnit(), uses };
  }

  /** Pairs of activations that the groups of a unit have, over all kinds. */
  private pairsPerUnit(): number {
    const { kneadingStride: stride } = this.config;
    const pairsOfLane = (items: number): number =>
      Math.floor(items / stride) * pairsOf(stride) + pairsOf(items % stride);
    return this.lowering.kinds.reduce((sum, { items }) => items.reduce((s, n) => s + pairsOfLane(n), sum), 0);
  }

  /** Returns, per tile, the first word of [unit][kind][lane]. */
  knead(block: Block): Int32Array[] {
    const { words, lowering } = this;
    words.count = 0;
    this.longestStream = 0;
    let streams = new Int32Array(0);
    let rowsOf = new Float64Array(0);
    return block.tiles.map((tile, t) => {
      if (tile.units > 0 && tile.firstUnit !== block.tiles[t - 1]?.firstUnit) {
        streams = new Int32Array(tile.units * lowering.kinds.length * this.config.lanes);
        rowsOf = new Float64Array(streams.length);
        for (let n = 0; n < tile.units; n++) this.kneadUnit(tile.firstUnit + n, n, streams, rowsOf);
      }
      this.longestStream = Math.max(this.longestStream, this.longestOf(rowsOf, tile));
      return streams;
    });
  }

  report(counters: Counters): void {
    counters.kneadedRows = this.kneadedRows;
    counters.kneadedWeights = this.kneadedWeights;
  }

  private kneadUnit(unit: number, n: number, streams: Int32Array, rowsOf: Float64Array): void {
    const { words, lowering, config, items } = this;
    const { kneadingStride: stride, lanes } = config;
    const base = lowering.unitStream(unit);
    lowering.kinds.forEach((kind, k) => {
      for (let l = 0; l < lanes; l++) {
        const at = (n * lowering.kinds.length + k) * lanes + l;
        const count = kind.items[l];
        streams[at] = words.count;
        for (let i = 0; i < count; i++) items[i] = this.stream[base + kind.streamOffset[l * kind.stride + i]];
        for (let i = 0; i < count; i += stride)
          words.knead(items, i, Math.min(count, i + stride), i + stride >= count);
        rowsOf[at] = words.count - streams[at];
        this.kneadedRows += rowsOf[at];
        this.kneadedWeights += count;
      }
    });
  }

  /** Words that the longest (unit, lane) of a tile takes over the tile's outputs. */
  private longestOf(rowsOf: Float64Array, tile: Block['tiles'][number]): number {
    const { kinds, kindOf, positions } = this.lowering;
    const outputs = new Float64Array(kinds.length);
    if (kinds.length === 1) outputs[0] = itemsOf(tile, positions);
    else if (tile.units > 0) for (let p = tile.first; p < positions; p += tile.step) outputs[kindOf[p]]++;
    let longest = 0;
    for (let n = 0; n < tile.units; n++)
      for (let l = 0; l < this.config.lanes; l++) {
        let rows = 0;
        for (let k = 0; k < kinds.length; k++)
          rows += rowsOf[(n * kinds.length + k) * this.config.lanes + l] * outputs[k];
        longest = Math.max(longest, rows);
      }
    return longest;
  }
}
