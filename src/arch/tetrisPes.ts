/**
 * Which PEs step a Tetris array (SPEC section 3). All have the same cycles, counters and values: the general PE looks at
 * every lane in every cycle, the steady one at all registers but only moves what moves, and the one that commits
 * groups forms a segment's value when a group ends. What has to be watched runs on the general one.
 */
import type { KneadedWords } from '../bit/knead.js';
import type { WindowSource } from '../sim/activationWindows.js';
import { tableBytes } from '../sim/groupKernel.js';
import { commitsGroups, GroupMemory, GroupSacPe } from '../sim/groupSacPe.js';
import { SacPe } from '../sim/sacPe.js';
import type { SacPeConfig } from '../sim/sacRegisters.js';
import { runsSteadily } from '../sim/steadyControl.js';
import { SteadyMemory, SteadySacPe, wordBytes } from '../sim/steadySacPe.js';

export type PeKind = 'perGroup' | 'perWord' | 'general';

/** Most words, and most pairs of activations in groups, that the word memory holds in any block. */
export interface WordBounds {
  words: number;
  pairs: number;
}

/**
 * Bytes that one array may take for what its kernels read. Half of what addresses of 32 bits with a sign reach, so that
 * word memory and PEs find room beside it; layers of that size are not met at 64 filters per block.
 */
const MOST_BYTES = 2 ** 30;

/** The fastest PE that a configuration allows, for window values of `windowBits` magnitude bits. */
export function fastestPe(config: SacPeConfig, windowBits: number, bounds: WordBounds): PeKind {
  if (!runsSteadily(config)) return 'general';
  if (commitsGroups(config, windowBits) && tableBytes(config.magnitudeBits, bounds.pairs) <= MOST_BYTES)
    return 'perGroup';
  return wordBytes(config.magnitudeBits, bounds.words) <= MOST_BYTES ? 'perWord' : 'general';
}

/** The PEs of an array, which share what their kernel reads. */
export interface PeSet {
  /** Takes over what the word memory holds. To be called before the PEs run on it. */
  store(words: KneadedWords): void;
  make(words: KneadedWords, source: WindowSource, tile: number): SacPe;
}

/** @param wasm false forces kernels in TypeScript */
export function peSet(
  kind: PeKind,
  config: SacPeConfig,
  tiles: number,
  bounds: WordBounds,
  wasm = true,
): PeSet {
  if (kind === 'perGroup') {
    const memory = new GroupMemory(config, tiles, bounds.pairs, wasm);
    return {
      store: (words) => memory.store(words),
      make: (words, source, tile) => new GroupSacPe(config, words, source, memory, tile),
    };
  }
  if (kind === 'perWord') {
    const memory = new SteadyMemory(config, tiles, bounds.words, wasm);
    return {
      store: (words) => memory.store(words),
      make: (words, source, tile) => new SteadySacPe(config, words, source, memory, tile),
    };
  }
  return { store: () => undefined, make: (words, source) => new SacPe(config, words, source) };
}
