/**
 * Tetris, clock by clock: kneads the weights of each block into words, lets the tiles' SAC PEs consume them, and
 * meets at the block's end. Cycles, stalls and values all come from the clocked PEs.
 */
import { KneadedWords } from '../bit/knead.js';
import { itemsOf, workBlocks, type Block } from '../lower/blocks.js';
import { lowerForward, PaddedInput, positionCount, unwrittenOutput } from '../lower/forward.js';
import type { Codes } from '../quantize.js';
import { SacTile, type SacLayer } from '../sim/sacTile.js';
import { runsSteadily, SteadyMemory } from '../sim/steadySacPe.js';
import { weightsPerFilter } from '../tensor.js';
import { zeroCounters, type Counters, type LayerWork, type StepResult } from './machine.js';
import type { TetrisConfig } from './tetris.js';

export function stepTetris(config: TetrisConfig, work: LayerWork, activations: Codes): StepResult {
  const { shape } = work;
  const terms = lowerForward(shape, config.lanes, config.lowering);
  const B = work.weights.magnitudeBits;
  const words = new KneadedWords(B, config.kneadingStride);
  const layer: SacLayer = {
    shape,
    terms,
    input: new PaddedInput(shape, activations.codes),
    blocks: [...workBlocks(shape, config)],
    positions: positionCount(shape),
    words,
    streams: new Int32Array(0),
    firstFilter: 0,
    output: unwrittenOutput(shape),
  };
  const pe = {
    units: config.units,
    lanes: config.lanes,
    magnitudeBits: B,
    kneadingStride: config.kneadingStride,
    windowSlots: config.windowSlots,
    throttleWords: config.throttleWords,
    barrier: config.sync === 'barrier',
    windowLoadCycles: config.windowLoadCycles,
    wideSegments: terms.terms * 2 ** activations.magnitudeBits >= 2 ** 31,
  };
  const filters = Math.min(shape.filters / shape.groups, config.tiles * config.units);
  // A group of weights never takes more rows than it has weights.
  const memory = runsSteadily(pe) ? new SteadyMemory(pe, config.tiles, filters * terms.terms) : null;
  const tiles = Array.from({ length: config.tiles }, (_, t) => new SacTile(pe, layer, t, memory));
  const counters = zeroCounters();
  let blockEnd = 0;
  for (const block of layer.blocks) {
    kneadBlock(layer, work.weights.codes, block, counters);
    memory?.store(words);
    for (const tile of tiles) tile.startBlock(block);
    const blockStart = blockEnd;
    for (const tile of tiles) blockEnd = Math.max(blockEnd, tile.runBlock());
    for (const tile of tiles) tile.hold(blockEnd + 1);
    countIdle(counters, layer, config, block, blockEnd - blockStart);
  }
  counters.cycles = blockEnd;
  // One cycle to load the first window, and the way of the last sum through the tree.
  counters.pipelineCycles = 1 + tiles[0].pe.latency;
  for (const { pe: sac } of tiles) {
    counters.busy += sac.counters.busy;
    counters.essentialBits += sac.counters.essentialBits;
    counters.stall.output += sac.counters.output;
    counters.stall.flush += sac.counters.flush;
    counters.stall.window += sac.counters.window;
    counters.stall.weights += sac.counters.weights;
    counters.stall.imbalance += sac.counters.finished;
    for (let l = 0; l < config.lanes; l++) counters.terms += sac.flushes[l] * terms.items[l];
  }
  for (const tile of tiles) tile.drain();
  return { counters, output: layer.output };
}

/** Kneads the block's filters, lane by lane, into the word memory; adds what they tell about the bound. */
function kneadBlock(layer: SacLayer, weights: Int32Array, block: Block, counters: Counters): void {
  const { words, terms, shape, positions } = layer;
  const { stride } = words;
  const lanes = terms.lanes;
  const perFilter = weightsPerFilter(shape);
  const present = block.tiles.filter((t) => t.filters > 0);
  const first = present[0].firstFilter;
  const last = Math.max(...present.map((t) => t.firstFilter + t.filters));
  layer.firstFilter = first;
  layer.streams = new Int32Array((last - first) * lanes);
  words.count = 0;
  const stream = new Int32Array(terms.stride);
  const outputsOf = new Float64Array(last - first);
  for (const tile of present) {
    const outputs = itemsOf(tile, positions);
    for (let n = 0; n < tile.filters; n++) {
      const f = tile.firstFilter + n - first;
      outputsOf[f] = Math.max(outputsOf[f], outputs);
    }
  }
  let bound = 0;
  for (let f = 0; f < last - first; f++) {
    const from = words.count;
    for (let l = 0; l < lanes; l++) {
      const items = terms.items[l];
      const start = (layer.streams[f * lanes + l] = words.count);
      for (let i = 0; i < items; i++)
        stream[i] = weights[(first + f) * perFilter + terms.weightOffset[l * terms.stride + i]];
      for (let k = 0; k < items; k += stride)
        words.knead(stream, k, Math.min(items, k + stride), k + stride >= items);
      bound = Math.max(bound, (words.count - start) * outputsOf[f]);
      counters.kneadedWeights += items;
    }
    counters.kneadedRows += words.count - from;
    counters.singleStreamLaneCycles += (words.count - from) * positions;
  }
  counters.boundCycles += bound;
}

/** Lane-cycles without work, from the shares of the block. */
function countIdle(
  counters: Counters,
  layer: SacLayer,
  config: { units: number; lanes: number },
  block: Block,
  cycles: number,
): void {
  const { activeLanes } = layer.terms;
  for (const tile of block.tiles) {
    counters.idle.absentUnit += (config.units - tile.filters) * config.lanes * cycles;
    counters.idle.absentLane += tile.filters * (config.lanes - activeLanes) * cycles;
    if (itemsOf(tile, layer.positions) === 0) counters.idle.empty += tile.filters * activeLanes * cycles;
  }
}
