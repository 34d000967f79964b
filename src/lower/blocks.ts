/**
 * Order of work over tiles (SPEC section 3): convolution groups one after another, then filter blocks. Tiles
 * drift freely inside a block and meet at its end.
 */
import type { ConvShape } from '../tensor.js';

export const TILE_BYS = ['positions', 'filters'] as const;
/**
 * filters: a block is tiles x units filters, all tiles at the same positions (published). positions: tiles that
 * the block's filter chunks leave over take further positions, dealt in turn.
 */
export type TileBy = (typeof TILE_BYS)[number];

/** What one tile does in one block. */
export interface TileWork {
  /** First output unit (filter, of the whole layer) and how many: at most the tile's units. 0: the tile is absent. */
  firstUnit: number;
  units: number;
  /** The tile takes work items first, first + step, first + 2 step ... below the block's total. */
  first: number;
  step: number;
}

export interface Block {
  group: number;
  tiles: TileWork[];
}

/** What one tile takes of the outputs: at most as many as it has units. */
export interface Chunk {
  firstUnit: number;
  units: number;
}

/** Blocks of the forward phase, by filters (or, with channels in their place, of gradInput). */
export function* workBlocks(
  shape: Pick<ConvShape, 'filters' | 'groups'>,
  machine: { tiles: number; units: number; tileBy: TileBy },
): Generator<Block> {
  const groupFilters = shape.filters / shape.groups;
  const chunksOf = (group: number): Chunk[] => {
    const chunks: Chunk[] = [];
    for (let first = 0; first < groupFilters; first += machine.units)
      chunks.push({
        firstUnit: group * groupFilters + first,
        units: Math.min(machine.units, groupFilters - first),
      });
    return chunks;
  };
  yield* dealBlocks(shape.groups, chunksOf, machine.tiles, machine.tileBy === 'positions');
}

/**
 * Deals the chunks of each group to tiles, block after block.
 * @param replicate whether tiles beyond the chunks of a block take further positions
 */
export function* dealBlocks(
  groups: number,
  chunksOf: (group: number) => Chunk[],
  tiles: number,
  replicate: boolean,
): Generator<Block> {
  for (let group = 0; group < groups; group++) {
    const chunks = chunksOf(group);
    for (let from = 0; from < chunks.length; from += tiles) {
      const inBlock = chunks.slice(from, from + tiles);
      const replicas = replicate ? Math.floor(tiles / inBlock.length) : 1;
      const work: TileWork[] = [];
      for (let tile = 0; tile < tiles; tile++) {
        const mine = Math.floor(tile / replicas);
        const absent = { firstUnit: -1, units: 0 };
        work.push({ ...(inBlock[mine] ?? absent), first: tile % replicas, step: replicas });
      }
      yield { group, tiles: work };
    }
  }
}

/** Work items of a tile when the block has `total` of them (positions, or pallets). */
export const itemsOf = (tile: TileWork, total: number): number =>
  tile.units === 0 || tile.first >= total ? 0 : Math.ceil((total - tile.first) / tile.step);
