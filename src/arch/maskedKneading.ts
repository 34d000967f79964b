/**
 * Kneading on-line under the mask of the window (SPEC sections 2 and 7), timing only: a group is as long as the fullest
 * column of P_b & m, and each output has masks of its own. Bit planes of the streams are made once and kept.
 */
import { bitPlanes, lengthOfPlanes, planeWords, popcount32 } from '../bit/planes.js';
import type { TileWork } from '../lower/blocks.js';
import type { LaneLowering } from '../lower/lowering.js';
import type { LaneOperands } from '../lower/phases.js';
import type { LaneTerms } from '../lower/terms.js';
import type { Counters } from './machine.js';
import type { SacConfig } from './sacConfig.js';
import type { KneadedOutput, Kneading } from './sacCount.js';

/** Planes that are kept for tiles to come, in 32-bit words; beyond it they are made again. */
const KEPT_WORDS = 2 ** 24;

export class MaskedKneading implements Kneading {
  readonly repeats = false;
  readonly groups: Int32Array[];
  /** A kneader's first word comes a cycle after its group; without a throttle buffer the window hides it. */
  readonly delay: number;
  private readonly words: number;
  private readonly kept = new Map<string, Uint32Array>();
  private keptWords = 0;
  private planes: Uint32Array[] = [];
  private tileWindow = 0;
  private units = 0;
  private readonly mask: Uint32Array;
  private rows = 0;
  private terms = 0;
  private kneadedGroups = 0;
  private result: KneadedOutput[] = [];

  constructor(
    private readonly config: SacConfig,
    private readonly lowering: LaneLowering,
    private readonly operands: LaneOperands,
  ) {
    const { kneadingStride, throttleWords } = config;
    this.groups = lowering.kinds.map(({ items }) => items.map((n) => Math.ceil(n / kneadingStride)));
    this.delay = throttleWords === 0 ? 0 : 1;
    this.words = planeWords(kneadingStride);
    this.mask = new Uint32Array(this.words);
  }

  take(tile: TileWork): void {
    const { lowering } = this;
    this.tileWindow = lowering.unitWindow(tile.firstUnit);
    this.planes = lowering.kinds.map((terms, kind) => this.planesOf(terms, kind, tile));
    if (tile.units === this.units) return;
    this.units = tile.units;
    this.result = this.groups.map((groups) => ({
      lengths: new Uint16Array(groups.reduce((a, b) => a + b, 0) * tile.units),
      laneRows: new Int32Array(groups.length * tile.units),
      rows: 0,
      essentialBits: 0,
    }));
  }

  output(kind: number, position: number): KneadedOutput {
    const { config, lowering, words, mask, units } = this;
    const { magnitudeBits, kneadingStride } = config;
    const terms = lowering.kinds[kind];
    const groups = this.groups[kind];
    const planes = this.planes[kind];
    const result = this.result[kind];
    const { lengths, laneRows } = result;
    const base = this.tileWindow + lowering.positionWindow(position);
    laneRows.fill(0);
    result.rows = result.essentialBits = 0;
    for (let l = 0, column = 0; l < groups.length; l++)
      for (let g = 0; g < groups[l]; g++, column++) {
        this.maskOf(terms, l, g, base);
        for (let n = 0; n < units; n++) {
          const at = (column * units + n) * magnitudeBits * words;
          let length = 0;
          if (words === 1) {
            const m = mask[0];
            for (let b = 0; b < magnitudeBits; b++) {
              const count = popcount32(planes[at + b] & m);
              result.essentialBits += count;
              if (count > length) length = count;
            }
          } else {
            const group = planes.subarray(at, at + magnitudeBits * words);
            length = lengthOfPlanes(group, magnitudeBits, kneadingStride, mask);
            for (let i = 0; i < group.length; i++)
              result.essentialBits += popcount32(group[i] & mask[i % words]);
          }
          // No non-zero bit is left: one null row carries the pass mark.
          if (length === 0) length = 1;
          lengths[column * units + n] = length;
          laneRows[l * units + n] += length;
          result.rows += length;
        }
        this.kneadedGroups += units;
      }
    this.rows += result.rows;
    this.terms += units * terms.terms;
    return result;
  }

  report(counters: Counters): void {
    counters.kneadedRows = this.rows;
    counters.kneadedWeights = this.terms;
    counters.kneaderBits = this.kneadedGroups * groupBits(this.config);
  }

  /** Which values of a group's window are not zero. */
  private maskOf(terms: LaneTerms, lane: number, group: number, base: number): void {
    const { mask, operands, config } = this;
    const from = group * config.kneadingStride;
    const to = Math.min(from + config.kneadingStride, terms.items[lane]);
    mask.fill(0);
    for (let k = from; k < to; k++)
      if (operands.window[base + terms.windowOffset[lane * terms.stride + k]] !== 0)
        mask[(k - from) >>> 5] |= 1 << ((k - from) & 31);
  }

  /** Bit planes of the tile's streams, [group of any lane][unit][plane]. */
  private planesOf(terms: LaneTerms, kind: number, tile: TileWork): Uint32Array {
    const { kept, lowering, config, operands, words } = this;
    const starts = Array.from({ length: tile.units }, (_, n) => lowering.unitStream(tile.firstUnit + n));
    const key = `${kind}:${starts.join()}`;
    const known = kept.get(key);
    if (known) return known;
    const { kneadingStride: stride, magnitudeBits } = config;
    const columns = this.groups[kind].reduce((a, b) => a + b, 0);
    const planes = new Uint32Array(columns * tile.units * magnitudeBits * words);
    const group: number[] = [];
    for (let l = 0, column = 0; l < terms.lanes; l++)
      for (let k = 0; k < terms.items[l]; k += stride, column++)
        starts.forEach((start, n) => {
          group.length = 0;
          for (let i = k; i < Math.min(k + stride, terms.items[l]); i++)
            group.push(operands.stream[start + terms.streamOffset[l * terms.stride + i]]);
          const at = (column * tile.units + n) * magnitudeBits * words;
          planes.set(bitPlanes(group, magnitudeBits, stride), at);
        });
    if (this.keptWords + planes.length <= KEPT_WORDS) {
      kept.set(key, planes);
      this.keptWords += planes.length;
    }
    return planes;
  }
}

/** Raw bits that a kneader reads per group: KS magnitudes and signs. */
export const groupBits = (c: { kneadingStride: number; magnitudeBits: number }): number =>
  c.kneadingStride * (c.magnitudeBits + 1);
