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
  /** First filter (of the whole layer) and number of filters: at most `units`. 0 filters: the tile is absent. */
  firstFilter: number;
  filters: number;
  /** The tile takes work items first, first + step, first + 2 step ... below the block's total. */
  first: number;
  step: number;
}

export interface Block {
  group: number;
  tiles: TileWork[];
}

export function* workBlocks(
  shape: ConvShape,
  machine: { tiles: number; units: number; tileBy: TileBy },
): Generator<Block> {
  const groupFilters = shape.filters / shape.groups;
  const chunks = Math.ceil(groupFilters / machine.units);
  for (let group = 0; group < shape.groups; group++)
    for (let chunk = 0; chunk < chunks; chunk += machine.tiles) {
      const inBlock = Math.min(machine.tiles, chunks - chunk);
      const replicas = machine.tileBy === 'positions' ? Math.floor(machine.tiles / inBlock) : 1;
      const tiles: TileWork[] = [];
      for (let tile = 0; tile < machine.tiles; tile++) {
        const mine = Math.floor(tile / replicas);
        const first = (chunk + mine) * machine.units;
        tiles.push({
          firstFilter: group * groupFilters + first,
          filters: mine < inBlock ? Math.min(machine.units, groupFilters - first) : 0,
          first: tile % replicas,
          step: replicas,
        });
      }
      yield { group, tiles };
    }
}

/** Work items of a tile when the block has `total` of them (positions, or pallets). */
export const itemsOf = (tile: TileWork, total: number): number =>
  tile.filters === 0 || tile.first >= total ? 0 : Math.ceil((total - tile.first) / tile.step);
