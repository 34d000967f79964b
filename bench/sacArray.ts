/**
 * One block of a Tetris array, ready to run again and again on each of the PEs that the simulator has: the words
 * are kneaded once, so that only the clocked PEs are timed. For layers whose filters fit one block.
 */
import { resolveConfig, type LayerWork } from '../src/arch/machine.js';
import { tetris, type TetrisConfig } from '../src/arch/tetris.js';
import { KneadedWords } from '../src/bit/knead.js';
import { workBlocks } from '../src/lower/blocks.js';
import { lowerForward, PaddedInput, positionCount } from '../src/lower/forward.js';
import type { SacPeConfig } from '../src/sim/sacRegisters.js';
import { SacTile, type SacLayer } from '../src/sim/sacTile.js';
import { SteadyMemory } from '../src/sim/steadySacPe.js';
import { elementCount, outputShape } from '../src/tensor.js';

/** Steady PE with the WebAssembly or the TypeScript kernel; the PE that checks everything in every cycle. */
export const PES = ['steady PE, WebAssembly', 'steady PE, TypeScript', 'general PE'] as const;
export type PeKind = (typeof PES)[number];

export const tetrisConfig = (settings: Record<string, string> = {}): TetrisConfig =>
  resolveConfig(tetris, settings) as unknown as TetrisConfig;

export interface SacArray {
  /** Runs the block. Returns its cycles. */
  run(): number;
  readonly output: Float64Array;
}

/** Everything of a block that does not depend on the PE. */
export function sacLayer(config: TetrisConfig, work: LayerWork): SacLayer {
  const { shape, weights, activations } = work;
  const blocks = [...workBlocks(shape, config)];
  if (blocks.length !== 1 || !activations) throw new Error(`${work.name} does not fit one block`);
  const terms = lowerForward(shape, config.lanes, config.lowering);
  const words = new KneadedWords(weights.magnitudeBits, config.kneadingStride);
  const streams = new Int32Array(shape.filters * (config.lanes + 1));
  const stream = new Int32Array(terms.stride);
  for (let f = 0; f < shape.filters; f++) {
    for (let l = 0; l < config.lanes; l++) {
      streams[f * (config.lanes + 1) + l] = words.count;
      const items = terms.items[l];
      for (let i = 0; i < items; i++)
        stream[i] = weights.codes[f * terms.terms + terms.weightOffset[l * terms.stride + i]];
      for (let k = 0; k < items; k += config.kneadingStride) {
        const end = Math.min(items, k + config.kneadingStride);
        words.knead(stream, k, end, end === items);
      }
    }
    streams[f * (config.lanes + 1) + config.lanes] = words.count;
  }
  return {
    shape,
    terms,
    input: new PaddedInput(shape, activations.codes),
    blocks,
    positions: positionCount(shape),
    words,
    streams,
    firstFilter: 0,
    output: new Float64Array(elementCount(outputShape(shape))),
  };
}

export function sacArray(config: TetrisConfig, layer: SacLayer, kind: PeKind): SacArray {
  const { words } = layer;
  const pe: SacPeConfig = {
    units: config.units,
    lanes: config.lanes,
    magnitudeBits: words.magnitudeBits,
    kneadingStride: config.kneadingStride,
    windowSlots: config.windowSlots,
    throttleWords: config.throttleWords,
    barrier: config.sync === 'barrier',
    windowLoadCycles: config.windowLoadCycles,
    wideSegments: false,
  };
  // One memory for all runs: WebAssembly memories reserve much address space, and are slow to be given back.
  const memory =
    kind === 'general PE'
      ? null
      : new SteadyMemory(pe, config.tiles, words.count, kind === 'steady PE, WebAssembly');
  memory?.store(words);
  const registers = memory && new Uint8Array(memory.buffer, memory.home(0).at);
  return {
    output: layer.output,
    run() {
      layer.output.fill(NaN);
      registers?.fill(0);
      const tiles = Array.from({ length: config.tiles }, (_, t) => new SacTile(pe, layer, t, memory));
      for (const tile of tiles) tile.startBlock(layer.blocks[0]);
      const end = Math.max(...tiles.map((tile) => tile.runBlock()));
      for (const tile of tiles) tile.drain();
      return end;
    },
  };
}
