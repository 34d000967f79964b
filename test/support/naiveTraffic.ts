/**
 * DRAM traffic by brute force: every row or plane of an operand is an item with a name, every step of the work says which
 * items it needs, and a pass of steps loads those that are not there. What a tiling keeps stands in src/memory/tiling.ts.
 * Shares no code with src/memory.
 */
import type { Source } from '../../src/memory/traffic.js';
import { range } from './layers.js';

export interface Item {
  name: string;
  operand: Source;
  bits: number;
  /** Wanted by no other step, so that it is never kept. */
  once?: boolean;
}

/** A block of units, or an example or filter of row PEs. */
export interface OuterTile {
  /** Tiles of an epoch sweep over the same operands. */
  epoch: number;
  stationary: Item[];
  steps: { items: Item[]; outputBits: number }[];
}

export interface NaiveTiling {
  keepsStationary: 'local' | 'global' | 'none';
  keepsSwept: boolean;
  steps: number;
}

type Bits = Record<Source, number> & { outputs: number };

const total = (items: Iterable<Item>): number => [...items].reduce((bits, item) => bits + item.bits, 0);

/** Distinct items of steps. */
const union = (steps: OuterTile['steps']): Item[] => [
  ...new Map(steps.flatMap(({ items }) => items.map((item) => [item.name, item]))).values(),
];

/** In runs of `size`. */
export const passesOf = <T>(steps: T[], size: number): T[][] =>
  range(Math.ceil(steps.length / size)).map((p) => steps.slice(p * size, (p + 1) * size));

/** Bits through the DRAM port. */
export function naiveDram(tiles: OuterTile[], { keepsStationary, keepsSwept, steps }: NaiveTiling): Bits {
  const bits: Bits = { weights: 0, inputs: 0, gradients: 0, masks: 0, outputs: 0 };
  const load = (items: Item[]): void => items.forEach((item) => (bits[item.operand] += item.bits));
  let kept = new Set<string>();
  tiles.forEach(({ epoch, stationary, steps: all }, t) => {
    if (t > 0 && tiles[t - 1].epoch !== epoch) kept = new Set();
    if (keepsStationary !== 'none') load(stationary);
    for (const pass of passesOf(all, steps)) {
      const items = union(pass);
      load(items.filter(({ name, once }) => once || !kept.has(name)));
      if (keepsSwept) for (const { name } of items) kept.add(name);
      if (keepsStationary === 'none') load(stationary);
      bits.outputs += pass.reduce((sum, { outputBits }) => sum + outputBits, 0);
    }
  });
  return bits;
}

/** Whether a tiling fits: what is kept, double where there are several, and two halves of what passes. */
export function naiveFits(tiles: OuterTile[], tiling: NaiveTiling, capacityBits: number): boolean {
  const { keepsStationary, keepsSwept, steps } = tiling;
  const epochs = [...new Set(tiles.map(({ epoch }) => epoch))];
  const ofEpoch = (epoch: number): number =>
    total(
      union(tiles.filter((tile) => tile.epoch === epoch).flatMap((tile) => tile.steps)).filter(
        ({ once }) => !once,
      ),
    );
  let kept = 0;
  if (keepsStationary === 'global')
    kept += Math.min(2, tiles.length) * Math.max(0, ...tiles.map(({ stationary }) => total(stationary)));
  if (keepsSwept) kept += Math.min(2, epochs.length) * Math.max(0, ...epochs.map(ofEpoch));
  if (kept > capacityBits) return false;
  // Single steps go through in pieces.
  if (steps === 1)
    return kept < capacityBits || tiles.every((tile) => largestPass(tiles, tile, tiling) === 0);
  return tiles.every((tile) => 2 * largestPass(tiles, tile, tiling) <= capacityBits - kept);
}

function largestPass(
  tiles: OuterTile[],
  tile: OuterTile,
  { keepsStationary, keepsSwept, steps }: NaiveTiling,
): number {
  const next = tiles[tiles.indexOf(tile) + 1];
  return Math.max(
    0,
    ...passesOf(tile.steps, steps).map((pass) => {
      let bits = total(union(pass).filter(({ once }) => once || !keepsSwept));
      for (const { outputBits } of pass) bits += outputBits;
      if (keepsStationary === 'none') bits += total(tile.stationary);
      if (keepsStationary === 'local' && next)
        bits += Math.ceil((total(next.stationary) * pass.length) / tile.steps.length);
      return bits;
    }),
  );
}

/** Without operands that stay on chip. */
export const withoutOperands = (tiles: OuterTile[], operands: readonly string[]): OuterTile[] => {
  const left = (items: Item[]): Item[] => items.filter(({ operand }) => !operands.includes(operand));
  return tiles.map(({ epoch, stationary, steps }) => ({
    epoch,
    stationary: left(stationary),
    steps: steps.map(({ items, outputBits }) => ({
      items: left(items),
      outputBits: operands.includes('outputs') ? 0 : outputBits,
    })),
  }));
};
