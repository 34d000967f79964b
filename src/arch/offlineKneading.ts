/**
 * Kneading off-line, as Tetris does (SPEC section 2), timing only: every distinct stream is kneaded once, by bit-sliced
 * counting; all outputs of a kind use the same words again.
 */
import { GroupMatrix, kneadedLengths } from '../bit/lengths.js';
import type { TileWork } from '../lower/blocks.js';
import type { LaneLowering } from '../lower/lowering.js';
import type { LaneTerms } from '../lower/terms.js';
import type { Counters } from './machine.js';
import type { SacConfig } from './sacConfig.js';
import type { KneadedOutput, Kneading } from './sacCount.js';

export class OfflineKneading implements Kneading {
  readonly repeats = true;
  readonly delay = 0;
  readonly groups: Int32Array[];
  private readonly kneaders: KindKneader[];
  /** Kneaded kinds of the tile; consecutive tiles with the same units share them. */
  private known: (KneadedOutput | undefined)[] = [];
  private units: number[] = [];
  private chunk = -1;
  private kneadedRows = 0;
  private kneadedWeights = 0;

  constructor(
    config: SacConfig,
    private readonly lowering: LaneLowering,
    private readonly stream: Int32Array,
  ) {
    this.kneaders = lowering.kinds.map((kind) => new KindKneader(config, kind));
    this.groups = this.kneaders.map(({ groups }) => groups);
  }

  take(tile: TileWork): void {
    if (tile.firstUnit === this.chunk) return;
    this.chunk = tile.firstUnit;
    this.known = [];
    this.units = Array.from({ length: tile.units }, (_, n) => this.lowering.unitStream(tile.firstUnit + n));
  }

  output(kind: number): KneadedOutput {
    let kneaded = this.known[kind];
    if (!kneaded) {
      kneaded = this.known[kind] = this.kneaders[kind].knead(this.stream, this.units);
      this.kneadedRows += kneaded.rows;
      this.kneadedWeights += this.units.length * this.lowering.kinds[kind].terms;
    }
    return kneaded;
  }

  report(counters: Counters): void {
    counters.kneadedRows = this.kneadedRows;
    counters.kneadedWeights = this.kneadedWeights;
  }
}

/** Kneaded rows of each unit of a layer, over all kinds of outputs: what is stored of its weights. */
export function kneadedRowsByUnit(
  config: SacConfig,
  lowering: LaneLowering,
  stream: Int32Array,
  units: number,
): Float64Array {
  const kneaders = lowering.kinds.map((kind) => new KindKneader(config, kind));
  return Float64Array.from({ length: units }, (_, unit) =>
    kneaders.reduce((sum, kneader) => sum + kneader.knead(stream, [lowering.unitStream(unit)]).rows, 0),
  );
}

/** Kneads streams of one kind of output. */
class KindKneader {
  /** Groups of each lane in one output. */
  readonly groups: Int32Array;
  private readonly matrix: GroupMatrix;
  /** Stream offset of each element of the matrix, -1 where there is none. */
  private readonly gather: Int32Array;
  private readonly raw: Uint16Array;
  private readonly ones: Uint8Array;

  constructor(
    private readonly config: SacConfig,
    terms: LaneTerms,
  ) {
    const { kneadingStride: stride, magnitudeBits } = config;
    this.groups = terms.items.map((items) => Math.ceil(items / stride));
    const columns = this.groups.reduce((a, b) => a + b, 0);
    this.matrix = new GroupMatrix(stride, columns, magnitudeBits);
    this.raw = new Uint16Array(this.matrix.elementsPerRow);
    this.gather = new Int32Array(stride * this.matrix.elementsPerRow).fill(-1);
    let column = 0;
    for (let l = 0; l < terms.lanes; l++)
      for (let k = 0; k < terms.items[l]; k++) {
        this.gather[(k % stride) * this.matrix.elementsPerRow + column] =
          terms.streamOffset[l * terms.stride + k];
        if ((k + 1) % stride === 0 || k + 1 === terms.items[l]) column++;
      }
    this.ones = new Uint8Array(2 ** magnitudeBits);
    for (let m = 1; m < this.ones.length; m++) this.ones[m] = this.ones[m >>> 1] + (m & 1);
  }

  /** @param units where the stream of each unit begins */
  knead(codes: Int32Array, units: readonly number[]): KneadedOutput {
    const { matrix, gather, raw, groups, ones } = this;
    const { emptyGroupCycles } = this.config;
    const { elements } = matrix;
    const lengths = new Uint16Array(matrix.groups * units.length);
    const laneRows = new Int32Array(groups.length * units.length);
    let total = 0;
    let essentialBits = 0;
    for (let n = 0; n < units.length; n++) {
      const base = units[n];
      for (let i = 0; i < gather.length; i++) {
        const from = gather[i];
        if (from < 0) continue;
        const magnitude = Math.abs(codes[base + from]);
        elements[i] = magnitude;
        essentialBits += ones[magnitude];
      }
      kneadedLengths(matrix, raw);
      let column = 0;
      for (let l = 0; l < groups.length; l++) {
        let rows = 0;
        for (let g = 0; g < groups[l]; g++, column++) {
          const length = raw[column] === 0 ? emptyGroupCycles : raw[column];
          lengths[column * units.length + n] = length;
          rows += length;
        }
        laneRows[l * units.length + n] = rows;
        total += rows;
      }
    }
    return { lengths, laneRows, rows: total, essentialBits };
  }
}
