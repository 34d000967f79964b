/**
 * Tetris, timing only: kneaded lengths by bit-sliced counting, then per block and tile the exact max-plus recurrence
 * (`tetrisTiming.ts`). Shares the order of work with the stepped machine, and no timing code.
 */
import { GroupMatrix, kneadedLengths } from '../bit/lengths.js';
import { itemsOf, workBlocks } from '../lower/blocks.js';
import { weightsPerFilter } from '../tensor.js';
import { lowerForward, positionCount, type LaneTerms } from '../lower/forward.js';
import { zeroCounters, type Counters, type LayerWork } from './machine.js';
import type { TetrisConfig } from './tetris.js';
import { TileTiming } from './tetrisTiming.js';

export function countTetris(config: TetrisConfig, work: LayerWork): Counters {
  const { shape } = work;
  const terms = lowerForward(shape, config.lanes, config.lowering);
  const positions = positionCount(shape);
  const kneader = new LengthCounter(work, terms, config);
  const tiles = Array.from({ length: config.tiles }, () => new TileTiming(config, kneader.groups));
  const counters = zeroCounters();
  const termsOfOutput = terms.terms;
  let end = 0;
  for (const block of workBlocks(shape, config)) {
    const start = end;
    let bound = 0;
    let chunk = -1;
    block.tiles.forEach((tile, t) => {
      if (tile.filters === 0) return;
      if (tile.firstFilter !== chunk) {
        chunk = tile.firstFilter;
        kneader.knead(chunk, tile.filters);
        counters.kneadedRows += kneader.rows;
        counters.kneadedWeights += tile.filters * termsOfOutput;
        counters.singleStreamLaneCycles += kneader.rows * positions;
        bound = Math.max(bound, kneader.longest * itemsOf(tile, positions));
      }
      const outputs = itemsOf(tile, positions);
      if (outputs === 0) return;
      end = Math.max(end, tiles[t].run(kneader.lengths, tile.filters, outputs, start));
      counters.terms += tile.filters * termsOfOutput * outputs;
      counters.essentialBits += kneader.essentialBits * outputs;
      counters.busy += kneader.rows * outputs;
    });
    counters.boundCycles += bound;
    block.tiles.forEach((tile, t) => {
      const cycles = end - start;
      const present = tile.filters * terms.activeLanes;
      counters.idle.absentUnit += (config.units - tile.filters) * config.lanes * cycles;
      counters.idle.absentLane += (tile.filters * config.lanes - present) * cycles;
      if (itemsOf(tile, positions) === 0) counters.idle.empty += present * cycles;
      else
        for (let n = 0; n < tile.filters; n++)
          counters.stall.imbalance += terms.activeLanes * (end - tiles[t].end[n]);
    });
  }
  for (const tile of tiles) {
    counters.stall.flush += tile.flushWait;
    counters.stall.window += tile.windowWait;
    counters.stall.weights += tile.weightsWait;
  }
  counters.cycles = end;
  // The first window loads, the last sum passes pending and the LV stages of the rear tree.
  counters.pipelineCycles = 2 + Math.max(1, Math.ceil(Math.log2(work.weights.magnitudeBits)));
  return counters;
}

/** Kneaded lengths of a chunk of filters, [group of any lane][unit]. */
class LengthCounter {
  lengths: Uint16Array = new Uint16Array(0);
  /** Rows over all lanes and filters of the chunk, and of its longest lane. */
  rows = 0;
  longest = 0;
  essentialBits = 0;
  /** Groups of each lane in one output. */
  readonly groups: Int32Array;
  private readonly matrix: GroupMatrix;
  private readonly gather: Int32Array;
  private readonly perFilter: number;
  private readonly raw: Uint16Array;
  private readonly ones: Uint8Array;

  constructor(
    private readonly work: LayerWork,
    terms: LaneTerms,
    private readonly config: TetrisConfig,
  ) {
    const { kneadingStride: stride } = config;
    const { weights, shape } = work;
    this.groups = terms.items.map((items) => Math.ceil(items / stride));
    const columns = this.groups.reduce((a, b) => a + b, 0);
    this.matrix = new GroupMatrix(stride, columns, weights.magnitudeBits);
    this.perFilter = weightsPerFilter(shape);
    this.raw = new Uint16Array(this.matrix.elementsPerRow);
    this.gather = new Int32Array(stride * this.matrix.elementsPerRow).fill(-1);
    let column = 0;
    for (let l = 0; l < terms.lanes; l++)
      for (let k = 0; k < terms.items[l]; k++) {
        this.gather[(k % stride) * this.matrix.elementsPerRow + column] =
          terms.weightOffset[l * terms.stride + k];
        if ((k + 1) % stride === 0 || k + 1 === terms.items[l]) column++;
      }
    this.ones = new Uint8Array(2 ** weights.magnitudeBits);
    for (let m = 1; m < this.ones.length; m++) this.ones[m] = this.ones[m >>> 1] + (m & 1);
  }

  knead(firstFilter: number, filters: number): void {
    const { matrix, gather, raw, groups, ones } = this;
    const { emptyGroupCycles } = this.config;
    const codes = this.work.weights.codes;
    const { elements } = matrix;
    const columns = matrix.groups;
    if (this.lengths.length !== columns * filters) this.lengths = new Uint16Array(columns * filters);
    this.rows = this.longest = this.essentialBits = 0;
    for (let n = 0; n < filters; n++) {
      const base = (firstFilter + n) * this.perFilter;
      let bits = 0;
      for (let i = 0; i < gather.length; i++) {
        const from = gather[i];
        if (from < 0) continue;
        const magnitude = Math.abs(codes[base + from]);
        elements[i] = magnitude;
        bits += ones[magnitude];
      }
      this.essentialBits += bits;
      kneadedLengths(matrix, raw);
      let column = 0;
      for (let l = 0; l < groups.length; l++) {
        let rows = 0;
        for (let g = 0; g < groups[l]; g++, column++) {
          const length = raw[column] === 0 ? emptyGroupCycles : raw[column];
          this.lengths[column * filters + n] = length;
          rows += length;
        }
        this.rows += rows;
        this.longest = Math.max(this.longest, rows);
      }
    }
  }
}
