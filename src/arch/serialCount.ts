/**
 * Bit-serial arrays, timing only: times each tile's share of a block (`serialTiming.ts`), and adds up what the
 * blocks and their tiles tell.
 */
import { bricksOf } from '../lower/bricks.js';
import { itemsOf, workBlocks } from '../lower/blocks.js';
import { lowerForward, PaddedInput } from '../lower/forward.js';
import { palletsOf } from '../lower/pallets.js';
import type { Codes } from '../quantize.js';
import { weightsPerFilter } from '../tensor.js';
import { zeroCounters, type Counters, type LayerWork } from './machine.js';
import { TileTiming } from './serialTiming.js';
import { SERIAL_PIPELINE_CYCLES, type SerialConfig } from './serialConfig.js';

export function countSerial(config: SerialConfig, work: LayerWork, activations: Codes): Counters {
  const { shape } = work;
  const bricks = bricksOf(lowerForward(shape, config.lanes, config.lowering));
  const input = new PaddedInput(shape, activations.codes);
  const pallets = palletsOf(shape, config.columns);
  const perFilter = weightsPerFilter(shape);
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
      if (!timing) {
        timing = new TileTiming(config, bricks, input, activations.storageBits);
        if (shape.op === 'linear') timing.rotate(pallets, group, tile);
        else timing.walk(pallets, group, tile);
        known.set(key, timing);
      }
      return timing;
    });
    const cycles = timings.reduce((longest, t) => Math.max(longest, t?.cycles ?? 0), 0);
    counters.starts.push(counters.cycles);
    counters.cycles += cycles;
    counters.boundCycles += timings.reduce((longest, t) => Math.max(longest, t?.longestNeed ?? 0), 0);
    const slots = config.columns * config.lanes * cycles;
    block.tiles.forEach(({ units }, t) => {
      counters.idle.absentUnit += (config.units - units) * slots;
      const timing = timings[t];
      if (!timing) {
        counters.idle.empty += units * slots;
        return;
      }
      counters.terms += units * timing.windows * perFilter;
      counters.essentialBits += units * timing.ones;
      counters.singleStreamLaneCycles += units * timing.need;
      counters.busy += units * timing.busy;
      let { imbalance, absentLane, empty } = timing;
      for (let c = 0; c < config.columns; c++) {
        const wait = cycles - timing.end[c];
        if (timing.present[c] === 0) empty += config.lanes * wait;
        else {
          imbalance += bricks.activeLanes * wait;
          absentLane += (config.lanes - bricks.activeLanes) * wait;
        }
      }
      counters.stall.imbalance += units * imbalance;
      counters.idle.absentLane += units * absentLane;
      counters.idle.empty += units * empty;
    });
  }
  counters.pipelineCycles = SERIAL_PIPELINE_CYCLES;
  return counters;
}
