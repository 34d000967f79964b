/**
 * What local buffers keep of a layer (SPEC section 8), and how they take the rest: stationary operands where the shares of
 * two outer tiles fit, and swept operands where those of an epoch fit and it is less to send.
 */
import type { MemoryConfig } from './config.js';
import type { Nest } from './nest.js';
import { epochsOf, passesOf, type Pass, type Tiling } from './tiling.js';
import { sumBits } from './traffic.js';

/** How swept operands come: as rows that stay, as rows of which those of a pass are held, or as values. */
export type Taking = 'kept' | 'rows' | 'values';

/** Whether the stationary operands of a tile fit into its local buffer, with a little room beside them. */
export const localKeeps = ({ outers, local }: Nest, { localBytes }: MemoryConfig): boolean =>
  local.largest > 0 && Math.min(2, outers) * local.largest <= 8 * (localBytes - ROOM_BYTES);
const ROOM_BYTES = 32;

export class LocalBuffers {
  /** Bits that are left for the two halves of what comes and goes. */
  readonly roomBits: number;
  /** Whether they keep swept operands as long as the same are swept over. */
  private readonly keepsRows: boolean;

  constructor(
    private readonly nest: Nest,
    private readonly tiling: Tiling,
    { localBytes }: MemoryConfig,
  ) {
    const kept = tiling.keepsStationary === 'local' ? Math.min(2, nest.outers) * nest.local.largest : 0;
    const room = 8 * localBytes - kept;
    const rows = Math.min(2, epochsOf(nest)) * sumBits(nest.kept);
    this.keepsRows = nest.local.rows !== null && rows <= room - 8 * ROOM_BYTES && this.keepingIsLess();
    this.roomBits = this.keepsRows ? room - rows : room;
  }

  /** Rows of a pass, where both halves can hold them and it is less to send. */
  takes({ outer, from, to }: Pass): Taking {
    if (this.keepsRows) return 'kept';
    const { local } = this.nest;
    if (!local.rows) return 'values';
    const held = sumBits(this.nest.swept(outer, from, to, false));
    const again = this.tiling.keepsStationary !== 'local' && local.largest > 0;
    const fits = 2 * held <= this.roomBits - (again ? 8 * ROOM_BYTES : 0);
    return fits && this.rowBits(outer, from, to) < this.valueBits(outer, from, to) ? 'rows' : 'values';
  }

  private rowBits(outer: number, from: number, to: number): number {
    const { local } = this.nest;
    return sumBits(local.rows!(outer, from, to)) * local.buffers(outer);
  }

  private valueBits(outer: number, from: number, to: number): number {
    const { local } = this.nest;
    return sumBits(local.written(outer, from, to));
  }

  /** Kept rows go into all buffers, once per epoch; values only where they are used, each time. */
  private keepingIsLess(): boolean {
    const { nest, tiling } = this;
    let kept = 0;
    let other = 0;
    for (const { outer, from, to } of passesOf(nest, tiling.steps)) {
      kept += sumBits(nest.swept(outer, from, to, true)) * nest.local.buffers(outer);
      other += Math.min(this.rowBits(outer, from, to), this.valueBits(outer, from, to));
    }
    return kept < other;
  }
}
