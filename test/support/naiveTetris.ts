/**
 * The exact recurrence of SPEC section 3 as written there, over every position, group and unit, with whole
 * histories in plain arrays: the oracle of both levels of Tetris. For throttle buffers other than one word.
 * Shares no code with src/arch, src/lower and src/bit.
 */
import type { LayerWork } from '../../src/arch/machine.js';
import { naiveLengths } from './naiveKnead.js';

export interface NaiveTetrisConfig {
  tiles: number;
  units: number;
  lanes: number;
  tileBy: string;
  lowering: string;
  kneadingStride: number;
  windowSlots: number;
  sync: string;
  windowLoadCycles: number;
}

export interface NaiveTetris {
  cycles: number;
  boundCycles: number;
  kneadedRows: number;
  /** Whether some tile's timing repeated itself within a block, so that a clever counter could skip. */
  recurs: boolean;
}

/** Times of one tile: all of them, since reset. */
interface TileHistory {
  load: number[][];
  passed: number[][];
  finish: number[][];
}

export function naiveTetris(c: NaiveTetrisConfig, work: LayerWork): NaiveTetris {
  const { shape, weights } = work;
  const outHeight = sizeOf(
    shape.height + shape.padTop + shape.padBottom,
    shape.kernelHeight,
    shape.dilationY,
    shape.strideY,
  );
  const outWidth = sizeOf(
    shape.width + shape.padLeft + shape.padRight,
    shape.kernelWidth,
    shape.dilationX,
    shape.strideX,
  );
  const positions = shape.batch * outHeight * outWidth;
  const perGroup = shape.filters / shape.groups;
  const tiles = Array.from({ length: c.tiles }, (): TileHistory => {
    const lanes = (): number[][] => Array.from({ length: c.lanes }, () => []);
    return { load: lanes(), passed: lanes(), finish: Array.from({ length: c.units * c.lanes }, () => []) };
  });
  const result = { cycles: 0, boundCycles: 0, kneadedRows: 0, recurs: false };
  for (let group = 0; group < shape.groups; group++)
    for (let first = 0; first < perGroup; first += c.tiles * c.units) {
      const chunks: number[][] = [];
      for (let f = first; f < Math.min(perGroup, first + c.tiles * c.units); f++) {
        if ((f - first) % c.units === 0) chunks.push([]);
        chunks[chunks.length - 1].push(group * perGroup + f);
      }
      const replicas = c.tileBy === 'positions' ? Math.floor(c.tiles / chunks.length) : 1;
      const blockStart = result.cycles;
      let bound = 0;
      chunks.forEach((filters, chunk) => {
        const lengths = filters.map((f) =>
          laneStreams(work, c, f).map((stream) =>
            naiveLengths(stream, weights.magnitudeBits, c.kneadingStride),
          ),
        );
        for (const lane of lengths.flat()) result.kneadedRows += sum(lane);
        for (let r = 0; r < replicas; r++) {
          let outputs = 0;
          for (let p = r; p < positions; p += replicas) outputs++;
          if (outputs === 0) continue;
          const run = runTile(c, tiles[chunk * replicas + r], lengths, outputs, blockStart);
          result.cycles = Math.max(result.cycles, run.end);
          result.recurs ||= run.recurs;
          for (const lane of lengths.flat()) bound = Math.max(bound, sum(lane) * outputs);
        }
      });
      result.boundCycles += bound;
    }
  return result;
}

const sizeOf = (padded: number, kernel: number, dilation: number, stride: number): number =>
  Math.floor((padded - (kernel - 1) * dilation - 1) / stride) + 1;
const sum = (x: number[]): number => x.reduce((a, b) => a + b, 0);

/** Weights of a filter, dealt to lanes: kernel row, kernel column, then channels. */
function laneStreams({ shape, weights }: LayerWork, c: NaiveTetrisConfig, filter: number): number[][] {
  const lanes: number[][] = Array.from({ length: c.lanes }, () => []);
  const channels = shape.channels / shape.groups;
  let turn = 0;
  for (let r = 0; r < shape.kernelHeight; r++)
    for (let s = 0; s < shape.kernelWidth; s++)
      for (let channel = 0; channel < channels; channel++) {
        const at = ((filter * channels + channel) * shape.kernelHeight + r) * shape.kernelWidth + s;
        lanes[(c.lowering === 'flattened' ? turn++ : channel) % c.lanes].push(weights.codes[at]);
      }
  return lanes;
}

/** @param lengths [unit][lane][group] of one output; all outputs are alike in the forward phase */
function runTile(
  c: NaiveTetrisConfig,
  tile: TileHistory,
  lengths: number[][][],
  outputs: number,
  blockStart: number,
): { end: number; recurs: boolean } {
  const lanes = lengths[0].map((groups, l) => (groups.length > 0 ? l : -1)).filter((l) => l >= 0);
  let ends = lengths.map(() => blockStart);
  const seen = new Set<string>();
  let recurs = false;
  for (let o = 0; o < outputs; o++) {
    const next = lengths.map(() => 0);
    for (const l of lanes) {
      const load = tile.load[l];
      const passed = tile.passed[l];
      for (let g = 0; g < lengths[0][l].length; g++) {
        const slotFree = passed.length >= c.windowSlots ? passed[passed.length - c.windowSlots] + 1 : 0;
        const loaded = load.length > 0 ? Math.max(load[load.length - 1] + c.windowLoadCycles, slotFree) : 0;
        const everyone: number[] = [];
        lengths.forEach((unit, n) => {
          const finish = tile.finish[n * c.lanes + l];
          const times = [loaded + 1, (finish[finish.length - 1] ?? 0) + 1];
          if (g === 0) times.push(ends[n] + 1);
          if (c.sync === 'barrier' && passed.length > 0) times.push(passed[passed.length - 1] + 1);
          finish.push(Math.max(...times) + unit[l][g] - 1);
          everyone.push(finish[finish.length - 1]);
        });
        load.push(loaded);
        passed.push(Math.max(...everyone));
      }
      lengths.forEach((_, n) => (next[n] = Math.max(next[n], tile.finish[n * c.lanes + l].at(-1)!)));
    }
    ends = next;
    const state = [
      ends,
      ...lanes.map((l) => [tile.load[l].at(-1)!, ...tile.passed[l].slice(-c.windowSlots)]),
    ];
    const relative = JSON.stringify(state.map((times) => times.map((t) => t - ends[0])));
    if (seen.has(relative)) recurs = true;
    seen.add(relative);
  }
  return { end: Math.max(...ends), recurs };
}
