/**
 * One block of a Tetris array, ready to run again and again on each of the PEs that the simulator has: the words
 * are kneaded once, so that only the clocked PEs are timed. For layers whose filters fit one block.
 */
import { BlockKneader } from '../src/arch/blockKneader.js';
import { resolveConfig, type LayerWork } from '../src/arch/machine.js';
import type { SacConfig } from '../src/arch/sacConfig.js';
import { peConfig } from '../src/arch/sacStep.js';
import { peSet, type PeKind, type WordBounds } from '../src/arch/tetrisPes.js';
import { tetris } from '../src/arch/tetris.js';
import type { KneadedWords } from '../src/bit/knead.js';
import { PaddedInput } from '../src/lower/forward.js';
import { lowerPhase } from '../src/lower/phases.js';
import type { LaneTerms } from '../src/lower/terms.js';
import { GroupWalk } from '../src/sim/groupWalk.js';
import { sacLayer, SacTile, WindowPort, type SacLayer } from '../src/sim/sacTile.js';
import type { ConvShape } from '../src/tensor.js';

/** The PEs that the simulator has, by name: values per group or every register in its cycle, with either kernel. */
const PE_OF = {
  'per group, WebAssembly': ['perGroup', true],
  'per group, TypeScript': ['perGroup', false],
  'every register, WebAssembly': ['perWord', true],
  'every register, TypeScript': ['perWord', false],
  'general PE': ['general', false],
} as const satisfies Record<string, readonly [PeKind, boolean]>;
export type PeName = keyof typeof PE_OF;
export const PES = Object.keys(PE_OF) as PeName[];

type ArrayConfig = Omit<SacConfig, 'magnitudeBits'>;

export const tetrisConfig = (settings: Record<string, string> = {}): ArrayConfig =>
  resolveConfig(tetris, settings) as unknown as ArrayConfig;

export interface SacArray {
  /** Runs the block. Returns its cycles. */
  run(): number;
  readonly output: Float64Array;
}

/** Everything of a block that does not depend on the PE. */
export interface BlockWork {
  config: SacConfig;
  shape: ConvShape;
  terms: LaneTerms;
  input: PaddedInput;
  layer: SacLayer;
  words: KneadedWords;
  bounds: WordBounds;
  /** First word of [filter][lane]. */
  streams: Int32Array;
}

export function blockWork(array: ArrayConfig, work: LayerWork): BlockWork {
  const { shape, weights, activations } = work;
  const config = { ...array, magnitudeBits: weights.magnitudeBits };
  const lowering = lowerPhase('forward', shape, config);
  if (lowering.blocks.length !== 1 || !activations) throw new Error(`${work.name} does not fit one block`);
  const kneader = new BlockKneader(config, lowering, weights.codes);
  const [streams] = kneader.knead(lowering.blocks[0]);
  const input = new PaddedInput(shape, activations.codes);
  const layer = sacLayer(lowering, input.data);
  const { words } = kneader;
  return {
    ...{ config, shape, input, layer, words, streams },
    terms: lowering.kinds[0],
    bounds: kneader.bounds(),
  };
}

export function sacArray(work: BlockWork, name: PeName): SacArray {
  const { config, layer, words, streams } = work;
  const { lowering } = layer;
  const pe = { ...peConfig(config, lowering, 0), wideSegments: false };
  // One memory for all runs: WebAssembly memories reserve much address space, and are slow to be given back.
  const [kind, wasm] = PE_OF[name];
  const pes = peSet(kind, pe, config.tiles, work.bounds, wasm);
  pes.store(words);
  return {
    output: layer.output,
    run() {
      layer.output.fill(NaN);
      const tiles = Array.from({ length: config.tiles }, (_, t) => {
        const walk = new GroupWalk(lowering, t, config.lanes, 1, config.kneadingStride);
        const port = new WindowPort(layer, walk, config.kneadingStride);
        const sac = pes.make(words, port, t);
        sac.registers.reset();
        return new SacTile(sac, layer, t, walk, 1);
      });
      for (const tile of tiles) tile.startBlock(lowering.blocks[0], streams);
      const end = Math.max(...tiles.map((tile) => tile.runBlock()));
      for (const tile of tiles) tile.drain();
      return end;
    },
  };
}
