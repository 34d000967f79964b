/**
 * Which PEs step a Tetris array (SPEC section 3). All have the same cycles, counters and values. The general PE looks at
 * every lane in every cycle. Where words never run out, the steady one looks at a lane when its group ends, and adds
 * every word in its cycle; or the words of a group at once, in the cycle of the last.
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

/** What the word memory holds in any block, and how often. */
export interface WordBounds {
  /** Most words, and most pairs of activations that their groups have. */
  words: number;
  pairs: number;
  /** Outputs that a word serves, on average. */
  uses: number;
}

/**
 * Bytes that an array may take for what its kernels read. Addresses are 32-bit numbers with a sign, and PEs need room
 * beside it. At 64 filters per block that is beyond half a million weights per filter.
 */
const MOST_BYTES = 2 ** 30;
/** To make the table of a group pays off if it is used so often (measured at int8 and int16). */
const LEAST_USES = 8;

/** The fastest PE that a configuration allows, for window values of `windowBits` magnitude bits. */
export function fastestPe(config: SacPeConfig, windowBits: number, bounds: WordBounds): PeKind {
  const { words, pairs, uses } = bounds;
  const { magnitudeBits: B } = config;
  if (!runsSteadily(config)) return 'general';
  if (commitsGroups(config, windowBits) && uses >= LEAST_USES && tableBytes(B, pairs) <= MOST_BYTES)
    return 'perGroup';
  return wordBytes(B, words) <= MOST_BYTES ? 'perWord' : 'general';
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
