/**
 * Bit-serial arrays (Bit-Pragmatic, Stripes), clock by clock: deals pallets of windows to clocked tiles, meets at
 * the end of each block.
 */
import { brickStreams, bricksOf } from '../lower/bricks.js';
import { itemsOf, workBlocks, type Block, type TileWork } from '../lower/blocks.js';
import { lowerForward, outputIndex, PaddedInput, unwrittenOutput } from '../lower/forward.js';
import { palletsOf, type Pallets } from '../lower/pallets.js';
import type { Codes } from '../quantize.js';
import { PalletTile } from '../sim/palletTile.js';
import type { Probe } from '../sim/probe.js';
import { RotatingTile } from '../sim/rotatingTile.js';
import type { SerialSource, SerialTile, SerialTileConfig } from '../sim/serialColumns.js';
import { SerialWatch } from '../sim/serialProbe.js';
import { weightsPerFilter } from '../tensor.js';
import { zeroCounters, type LayerWork, type StepResult } from './machine.js';
import { SERIAL_PIPELINE_CYCLES, type SerialConfig } from './serialConfig.js';

export function stepSerial(
  config: SerialConfig,
  work: LayerWork,
  activations: Codes,
  probe: Probe | null = null,
): StepResult {
  const { shape } = work;
  const bricks = bricksOf(lowerForward(shape, config.lanes, config.lowering));
  const input = new PaddedInput(shape, activations.codes);
  const pallets = palletsOf(shape, config.columns);
  const output = unwrittenOutput(shape);
  const perFilter = weightsPerFilter(shape);
  const counters = zeroCounters();
  const tileConfig = { ...config, storageBits: activations.storageBits };
  const watches = probe && watchTiles(probe, tileConfig);

  const sourceOf = (block: Block, tile: TileWork, weights: Int32Array): SerialSource => {
    const positionOf = (pallet: number, column: number): number =>
      pallets.first[tile.first + pallet * tile.step] + column;
    return {
      steps: bricks.steps,
      pallets: itemsOf(tile, pallets.count),
      items: bricks.items,
      activeLanes: bricks.activeLanes,
      weights,
      example: (pallet) => pallets.example[tile.first + pallet * tile.step],
      windows: (pallet) => pallets.windows[tile.first + pallet * tile.step],
      load: (pallet, step, column, codes) => {
        const base = input.base(block.group, positionOf(pallet, column));
        for (let l = 0; l < bricks.items[step]; l++)
          codes[l] = input.data[base + bricks.windowOffset[step * config.lanes + l]];
      },
      store: (pallet, column, unit, value) => {
        output[outputIndex(shape, tile.firstUnit + unit, positionOf(pallet, column))] = value;
      },
    };
  };

  for (const block of workBlocks(shape, config)) {
    const runs: { work: TileWork; tile: SerialTile; source: SerialSource; cycles: number }[] = [];
    let weights: Int32Array = new Int32Array(0);
    let chunk = -1;
    for (const [t, tileWork] of block.tiles.entries()) {
      const { units, firstUnit } = tileWork;
      counters.terms += units * windowsOf(pallets, tileWork) * perFilter;
      if (itemsOf(tileWork, pallets.count) === 0) continue;
      if (firstUnit !== chunk) {
        chunk = firstUnit;
        weights = brickStreams(bricks, work.weights.codes, units, (n) => (chunk + n) * perFilter);
      }
      const Tile = shape.op === 'linear' ? RotatingTile : PalletTile;
      const tile = new Tile({ ...tileConfig, units });
      let source = sourceOf(block, tileWork, weights);
      const watch = watches?.[t];
      if (watch) source = watch.follow(tile, source, counters.cycles);
      runs.push({ work: tileWork, tile, source, cycles: tile.run(source) });
    }
    const cycles = runs.reduce((longest, run) => Math.max(longest, run.cycles), 0);
    counters.starts.push(counters.cycles);
    counters.cycles += cycles;
    watches?.forEach((watch) => watch.rest(counters.cycles));
    let bound = 0;
    for (const { work: tileWork, tile, source, cycles: own } of runs) {
      bound = tile.columns.laneNeed.reduce((longest, need) => Math.max(longest, need), bound);
      counters.singleStreamLaneCycles += tile.columns.laneNeed.reduce((a, b) => a + b, 0) * tileWork.units;
      tile.wait(source, cycles - own);
      counters.busy += tile.columns.counters.busy * tileWork.units;
      counters.stall.imbalance += tile.columns.counters.imbalance * tileWork.units;
      counters.idle.absentLane += tile.columns.counters.absentLane * tileWork.units;
      counters.idle.empty += tile.columns.counters.empty * tileWork.units;
      counters.essentialBits += tile.columns.counters.essentialBits;
    }
    counters.boundCycles += bound;
    const slots = config.columns * config.lanes * cycles;
    for (const tileWork of block.tiles) {
      counters.idle.absentUnit += (config.units - tileWork.units) * slots;
      if (itemsOf(tileWork, pallets.count) === 0) counters.idle.empty += tileWork.units * slots;
    }
  }
  watches?.forEach((watch) => watch.rest(counters.cycles + SERIAL_PIPELINE_CYCLES));
  counters.pipelineCycles = SERIAL_PIPELINE_CYCLES;
  return { counters, output };
}

/** By tile, those that a probe looks at. */
function watchTiles(probe: Probe, config: SerialTileConfig & { tiles: number }): SerialWatch[] {
  const watched = probe.places('tile', config.tiles);
  const watches: SerialWatch[] = [];
  for (let t = 0; t < config.tiles; t++)
    if (watched(t)) watches[t] = new SerialWatch(probe, [`tile${t}`], config);
  return watches;
}

const windowsOf = (pallets: Pallets, tile: TileWork): number => {
  let windows = 0;
  if (tile.units > 0)
    for (let k = tile.first; k < pallets.count; k += tile.step) windows += pallets.windows[k];
  return windows;
};
