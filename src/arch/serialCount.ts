/**
 * Bit-serial arrays, timing only. The cost of a brick is found from its activations alone:
 *   Stripes       the storage width
 *   Pragmatic     b = 0: bit positions that any lane has set; 2^b at least the width: most bits of any lane;
 *                 else iterate: lanes drop their lowest bit within 2^b of the least remaining; at least 1
 * and columns follow a recurrence: start[c,q] = max(end[c,q-1], max over columns of end[., q-1-R]), except that
 * they meet between examples.
 */
import { popcount32 } from '../bit/planes.js';
import { bricksOf, type Bricks } from '../lower/bricks.js';
import { itemsOf, workBlocks, type TileWork } from '../lower/blocks.js';
import { lowerForward, PaddedInput } from '../lower/forward.js';
import { palletsOf, type Pallets } from '../lower/pallets.js';
import type { Codes } from '../quantize.js';
import { zeroCounters, type Counters, type LayerWork } from './machine.js';
import { SERIAL_PIPELINE_CYCLES, type SerialConfig } from './serialConfig.js';

/** Column-lane-cycles of one unit of a tile in a block, before it waits for other tiles. */
interface TileTiming {
  cycles: number;
  windows: number;
  busy: number;
  imbalance: number;
  absentLane: number;
  empty: number;
  ones: number;
  /** Sum over, and maximum of, what each (column, lane) would need alone. */
  need: number;
  longestNeed: number;
  /** Per column: whether its latest pallet gave it a window. */
  present: boolean[];
  /** Per column: end of its last step. */
  end: Float64Array;
}

export function countSerial(config: SerialConfig, work: LayerWork, activations: Codes): Counters {
  const { shape } = work;
  const bricks = bricksOf(lowerForward(shape, config.lanes, config.lowering));
  const input = new PaddedInput(shape, activations.codes);
  const pallets = palletsOf(shape, config.columns);
  const perFilter = work.weights.codes.length / shape.filters;
  const counters = zeroCounters();
  // Blocks of one convolution group see the same activations: equal shares of pallets have equal timing.
  let group = -1;
  const known = new Map<string, TileTiming>();
  for (const block of workBlocks(shape, config)) {
    if (block.group !== group) known.clear();
    group = block.group;
    const timings = block.tiles.map((tile) => {
      if (itemsOf(tile, pallets.count) === 0) return null;
      const key = `${tile.first}/${tile.step}`;
      let timing = known.get(key);
      if (!timing)
        known.set(key, (timing = timeTile(config, bricks, input, pallets, group, tile, activations)));
      return timing;
    });
    const cycles = timings.reduce((longest, t) => Math.max(longest, t?.cycles ?? 0), 0);
    counters.cycles += cycles;
    counters.boundCycles += timings.reduce((longest, t) => Math.max(longest, t?.longestNeed ?? 0), 0);
    const slots = config.columns * config.lanes * cycles;
    block.tiles.forEach(({ filters }, t) => {
      counters.idle.absentUnit += (config.units - filters) * slots;
      const timing = timings[t];
      if (!timing) {
        counters.idle.empty += filters * slots;
        return;
      }
      counters.terms += filters * timing.windows * perFilter;
      counters.essentialBits += filters * timing.ones;
      counters.singleStreamLaneCycles += filters * timing.need;
      counters.busy += filters * timing.busy;
      let { imbalance, absentLane, empty } = timing;
      for (let c = 0; c < config.columns; c++) {
        const wait = cycles - timing.end[c];
        if (!timing.present[c]) empty += config.lanes * wait;
        else {
          imbalance += bricks.activeLanes * wait;
          absentLane += (config.lanes - bricks.activeLanes) * wait;
        }
      }
      counters.stall.imbalance += filters * imbalance;
      counters.idle.absentLane += filters * absentLane;
      counters.idle.empty += filters * empty;
    });
  }
  counters.pipelineCycles = SERIAL_PIPELINE_CYCLES;
  return counters;
}

function timeTile(
  config: SerialConfig,
  bricks: Bricks,
  input: PaddedInput,
  pallets: Pallets,
  group: number,
  tile: TileWork,
  { storageBits }: Codes,
): TileTiming {
  const { columns, lanes, columnRegisters, firstStageBits } = config;
  const { steps, items, inputOffset, activeLanes } = bricks;
  const { data } = input;
  const end = new Float64Array(columns);
  const present = new Array<boolean>(columns).fill(false);
  const bases = new Int32Array(columns);
  const need = new Float64Array(columns * lanes);
  const magnitudes = new Int32Array(lanes);
  // When all columns have completed a step and all before it, for the last R + 1 steps.
  const ends = new Float64Array(columnRegisters + 1);
  let turn = 0;
  let example = -1;
  let latest = 0;
  let busy = 0;
  let imbalance = 0;
  let absentLane = 0;
  let empty = 0;
  let ones = 0;
  let windows = 0;
  for (let k = tile.first; k < pallets.count; k += tile.step) {
    const width = pallets.windows[k];
    windows += width;
    for (let c = 0; c < width; c++) bases[c] = input.base(group, pallets.first[k] + c);
    for (let s = 0; s < steps; s++) {
      // Examples do not overlap: columns meet before the first step of the next one.
      const gate = s === 0 && pallets.example[k] !== example ? latest : ends[turn];
      example = pallets.example[k];
      const count = items[s];
      for (let c = 0; c < columns; c++) {
        if (c >= width) {
          // Nothing to do here, and nobody waits for it.
          present[c] = false;
          continue;
        }
        const start = Math.max(end[c], gate);
        const wait = start - end[c];
        if (wait > 0) {
          if (!present[c]) empty += lanes * wait;
          else {
            imbalance += activeLanes * wait;
            absentLane += (lanes - activeLanes) * wait;
          }
        }
        present[c] = true;
        let bits = 0;
        for (let l = 0; l < count; l++) {
          const m = Math.abs(data[bases[c] + inputOffset[s * lanes + l]]);
          const pop = popcount32(m);
          magnitudes[l] = m;
          bits += pop;
          need[c * lanes + l] += firstStageBits === null ? storageBits : Math.max(1, pop);
        }
        const cost = firstStageBits === null ? storageBits : brickCost(magnitudes, count, firstStageBits);
        const issued = firstStageBits === null ? cost * count : bits;
        ones += bits;
        busy += issued;
        imbalance += cost * count - issued;
        absentLane += cost * (lanes - count);
        end[c] = start + cost;
        if (end[c] > latest) latest = end[c];
      }
      ends[turn] = latest;
      turn = turn === columnRegisters ? 0 : turn + 1;
    }
  }
  let cycles = 0;
  for (let c = 0; c < columns; c++) cycles = Math.max(cycles, end[c]);
  const total = need.reduce((a, b) => a + b, 0);
  const longestNeed = need.reduce((a, b) => Math.max(a, b), 0);
  return {
    cycles,
    windows,
    busy,
    imbalance,
    absentLane,
    empty,
    ones,
    need: total,
    longestNeed,
    present,
    end,
  };
}

/** Cycles of one Pragmatic brick. */
export function brickCost(magnitudes: Int32Array, count: number, firstStageBits: number): number {
  let any = 0;
  let most = 0;
  for (let l = 0; l < count; l++) {
    any |= magnitudes[l];
    most = Math.max(most, popcount32(magnitudes[l]));
  }
  if (firstStageBits === 0) return Math.max(1, popcount32(any));
  const reach = 2 ** firstStageBits;
  // All lanes always drop a bit if the first stage spans every position.
  if (reach >= 16) return Math.max(1, most);
  let cost = 0;
  const left = magnitudes.slice(0, count);
  while (any !== 0) {
    // Bits in [m, m + 2^b - 1], m the least position left.
    const within = ((any & -any) * 2 ** reach - (any & -any)) | 0;
    any = 0;
    for (let l = 0; l < count; l++) {
      const droppable = left[l] & within;
      left[l] ^= droppable & -droppable;
      any |= left[l];
    }
    cost++;
  }
  return Math.max(1, cost);
}
