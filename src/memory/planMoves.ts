/**
 * From a nest and its tiling to the list of moves (see `sim/movePlan.ts`), and to the bytes that each level sees (SPEC
 * section 8). A pass is cut into moves so that both the global and the local halves hold what a move takes; cycles, loads
 * and outputs of a pass are shared out evenly over its moves, so that sums are exact.
 */
import { UserError } from '../errors.js';
import type { MemoryConfig } from './config.js';
import type { MovePlan } from '../sim/movePlan.js';
import type { Nest } from './nest.js';
import { epochsOf, passesOf, passingBits, piecesOf, type Pass, type Tiling } from './tiling.js';
import { addBits, bytesOf, noBits, SOURCES, sumBits, type Bits, type Source } from './traffic.js';

/** A plan of so many moves takes longer to make than the layer to simulate. */
const MOST_MOVES = 1 << 23;

/**
 * Bits by operand: through the DRAM port, from the global buffer, into local buffers (copies included), and out of them
 * into PEs of what PEs take once.
 */
export interface MovedBits {
  dram: Bits;
  sent: Bits;
  local: Bits;
  read: Bits;
  dramOutputs: number;
}

/**
 * Bits that PEs read from local buffers of the operand that each unit streams, in the whole layer, spread over its
 * cycles; null where PEs take each value once, as they do of all other operands.
 */
export interface LocalReads {
  operand: 'weights' | 'inputs';
  bits: number | null;
}

export interface PlannedMoves {
  plan: MovePlan;
  moved: MovedBits;
}

/**
 * @param nest as PEs see it
 * @param outside what of it passes the DRAM port
 * @param reads what PEs read from local buffers
 */
export function planMoves(
  nest: Nest,
  outside: Nest,
  tiling: Tiling,
  config: MemoryConfig,
  cycles: number,
  reads: LocalReads,
  layer: string,
): PlannedMoves {
  return new Planner(nest, outside, tiling, config, cycles, reads, layer).run();
}

/** Whether the stationary operands of a tile fit into its local buffer, with a little room beside them. */
export const localKeeps = ({ outers, local }: Nest, { localBytes }: MemoryConfig): boolean =>
  local.largest > 0 && Math.min(2, outers) * local.largest <= 8 * (localBytes - ROOM_BYTES);
const ROOM_BYTES = 32;

/** Part `i` of `parts` parts as equal as whole numbers can be. */
const part = (whole: number, i: number, parts: number): number =>
  first(whole, i + 1, parts) - first(whole, i, parts);
const first = (whole: number, i: number, parts: number): number =>
  i === parts ? whole : Math.floor((whole * i) / parts);

class Planner {
  private readonly moved: MovedBits = {
    dram: noBits(),
    sent: noBits(),
    local: noBits(),
    read: noBits(),
    dramOutputs: 0,
  };
  private readonly rows: { [K in keyof Omit<MovePlan, 'moves'>]: number[] } = {
    ownWeights: [],
    ownActivations: [],
    nextWeights: [],
    nextActivations: [],
    fill: [],
    outputs: [],
    cycles: [],
  };
  private localRoomBits: number;
  /** Whether local buffers keep swept operands as long as the same are swept over. */
  private readonly keepsRows: boolean;
  /** Stationary bits that came with the move before and go into local buffers with this one. */
  private arrived = noBits();

  constructor(
    private readonly nest: Nest,
    private readonly outside: Nest,
    private readonly tiling: Tiling,
    private readonly config: MemoryConfig,
    private readonly totalCycles: number,
    private readonly reads: LocalReads,
    private readonly layer: string,
  ) {
    const kept = tiling.keepsStationary === 'local' ? Math.min(2, nest.outers) * nest.local.largest : 0;
    this.localRoomBits = 8 * config.localBytes - kept;
    const rows = Math.min(2, epochsOf(nest)) * sumBits(nest.kept);
    this.keepsRows =
      nest.local.rows !== null && rows <= this.localRoomBits - 8 * ROOM_BYTES && this.keepingIsLess();
    if (this.keepsRows) this.localRoomBits -= rows;
  }

  run(): PlannedMoves {
    const { nest, tiling } = this;
    let outer = -1;
    let moves: Move[] = [];
    for (const pass of passesOf(nest, tiling.steps)) {
      if (pass.outer !== outer) {
        this.emit(outer, moves);
        moves = [];
        outer = pass.outer;
      }
      const pieces = this.piecesOf(pass);
      for (let i = 0; i < pieces; i++) moves.push({ ...pass, i, pieces });
      if (this.rows.cycles.length + moves.length > MOST_MOVES) throw this.tooMany();
    }
    this.emit(outer, moves);
    const arrays = Object.fromEntries(
      Object.entries(this.rows).map(([name, values]) => [name, Float64Array.from(values)]),
    ) as Omit<MovePlan, 'moves'>;
    return { plan: { moves: this.rows.cycles.length, ...arrays }, moved: this.moved };
  }

  private piecesOf({ outer, from, to }: Pass): number {
    const { nest, outside, tiling, localRoomBits } = this;
    const { local } = nest;
    const passing = passingBits(outside, { outer, from, to }, tiling);
    const how = this.takes(outer, from, to);
    let perBuffer = 0;
    if (how === 'values') perBuffer = this.valueBits(outer, from, to) / Math.max(1, local.buffers(outer));
    const held = how === 'rows' ? 2 * sumBits(nest.swept(outer, from, to, false)) : 0;
    // What is not kept by local buffers comes again for each turn of outputs.
    if (tiling.keepsStationary !== 'local') perBuffer += local.largest * local.turns(outer, from, to);
    return Math.max(
      passing > 0 ? piecesOf(passing, tiling.roomBits) : 1,
      perBuffer > 0 ? piecesOf(perBuffer, localRoomBits - held) : 1,
    );
  }

  /**
   * How local buffers take swept operands: rows that they keep, rows of which they hold those of a pass, or values. Rows
   * where both halves can hold them and it is less to send.
   */
  private takes(outer: number, from: number, to: number): 'kept' | 'rows' | 'values' {
    if (this.keepsRows) return 'kept';
    const { local } = this.nest;
    if (!local.rows) return 'values';
    const held = sumBits(this.nest.swept(outer, from, to, false));
    const again = this.tiling.keepsStationary !== 'local' && local.largest > 0;
    const fits = 2 * held <= this.localRoomBits - (again ? 8 * ROOM_BYTES : 0);
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

  private emit(outer: number, moves: readonly Move[]): void {
    const { nest, outside, tiling } = this;
    const ahead = tiling.keepsStationary !== 'none';
    const next = ahead && outer + 1 < nest.outers ? outer + 1 : -1;
    moves.forEach((move, m) => {
      const { from, to, i, pieces } = move;
      const own = outside.swept(outer, from, to, tiling.keepsSwept);
      if (!ahead) addBits(own, outside.stationary(outer));
      const now = partOf(own, i, pieces);
      // Nothing overlaps with the first load of a layer.
      if (ahead && outer === 0 && m === 0) addBits(now, outside.stationary(0));
      const later = next < 0 ? noBits() : this.shareOf(outside.stationary(next), move);
      const outputs = part(outside.outputs(outer, from, to), i, pieces);
      const { rows, moved } = this;
      const [ownWeights, ownActivations] = this.pack(now);
      const [nextWeights, nextActivations] = this.pack(later);
      rows.ownWeights.push(ownWeights);
      rows.ownActivations.push(ownActivations);
      rows.nextWeights.push(nextWeights);
      rows.nextActivations.push(nextActivations);
      rows.outputs.push(bytesOf(moved.dramOutputs + outputs) - bytesOf(moved.dramOutputs));
      moved.dramOutputs += outputs;
      rows.fill.push(this.fill(move, outer, m, next));
      rows.cycles.push(this.cyclesOf(move));
    });
  }

  /** What comes with a move of what the next outer tile keeps: steps share it evenly, as `passingBits` has it. */
  private shareOf(bits: Bits, { outer, from, to, i, pieces }: Move): Bits {
    const steps = this.nest.steps(outer);
    const share = noBits();
    for (const source of SOURCES)
      share[source] = part(first(bits[source], to, steps) - first(bits[source], from, steps), i, pieces);
    return share;
  }

  /** Bytes of weights and of all others; bits of a byte that is part full go on with the next load. */
  private pack(bits: Bits): [weights: number, activations: number] {
    const { dram } = this.moved;
    const bytes = { weights: 0, activations: 0 };
    for (const source of SOURCES) {
      const before = bytesOf(dram[source]);
      dram[source] += bits[source];
      bytes[source === 'weights' ? 'weights' : 'activations'] += bytesOf(dram[source]) - before;
    }
    return [bytes.weights, bytes.activations];
  }

  /** Bytes that go into each local buffer with a move. */
  private fill(move: Move, outer: number, m: number, next: number): number {
    const { from, to, i, pieces } = move;
    const { moved, tiling } = this;
    const { local } = this.nest;
    const buffers = local.buffers(outer);
    let perBuffer = 0;
    // The next outer tile may have other buffers.
    const send = (bits: Bits, into: Bits, tile = outer): void => {
      addBits(moved.sent, bits);
      addBits(moved.local, into);
      perBuffer += Math.ceil(sumBits(into) / Math.max(1, local.buffers(tile)));
    };
    const copied = (bits: Bits, copies: number, tile = outer): void =>
      send(bits, addBits(noBits(), bits, copies), tile);
    const how = this.takes(outer, from, to);
    if (how === 'kept') copied(partOf(this.nest.swept(outer, from, to, true), i, pieces), buffers);
    else if (how === 'rows') copied(partOf(local.rows!(outer, from, to), i, pieces), buffers);
    else
      send(
        partOf(local.streamed(outer, from, to), i, pieces),
        partOf(local.written(outer, from, to), i, pieces),
      );
    if (tiling.keepsStationary === 'local') {
      // It comes in with the moves of the outer tile before, and goes on a move later.
      const tile = m === 0 ? outer : Math.max(next, outer);
      copied(outer === 0 && m === 0 ? local.stationary(0) : this.arrived, local.stationaryCopies(tile), tile);
      this.arrived = next < 0 ? noBits() : this.shareOf(local.stationary(next), move);
    } else {
      // A turn may take several moves.
      const again = addBits(noBits(), local.stationary(outer), local.turns(outer, from, to));
      copied(partOf(again, i, pieces), local.stationaryCopies(outer));
    }
    return bytesOf(perBuffer);
  }

  /** PE cycles of a move, or as many as its local buffers need to deliver their share. */
  private cyclesOf({ outer, from, to, i, pieces }: Move): number {
    const { nest, config, moved, totalCycles, reads } = this;
    const { local } = nest;
    const cycles = part(nest.startOf(outer, to) - nest.startOf(outer, from), i, pieces);
    const once = partOf(local.written(outer, from, to), i, pieces);
    if (reads.bits !== null) once[reads.operand] = 0;
    addBits(moved.read, once);
    if (config.localBytesPerCycle === Infinity || totalCycles === 0) return cycles;
    const bits = sumBits(once) + ((reads.bits ?? 0) * cycles) / totalCycles;
    const perCycle = 8 * config.localBytesPerCycle * Math.max(1, local.buffers(outer));
    return Math.max(cycles, Math.ceil(bits / perCycle));
  }

  private tooMany(): UserError {
    const { localBytes, globalBytes } = this.config;
    return new UserError(
      'memory-too-small',
      `layer ${this.layer}: found buffers of ${globalBytes} bytes and, per tile or group, ${localBytes} bytes, which ` +
        `would be filled more than ${MOST_MOVES} times; expected larger ones: --set memory.localBytes=N, or ` +
        '--set memory.globalBytes=N',
    );
  }
}

interface Move extends Pass {
  /** Which of how many pieces of the pass. */
  i: number;
  pieces: number;
}

function partOf(bits: Bits, i: number, parts: number): Bits {
  const share = noBits();
  for (const source of SOURCES as readonly Source[]) share[source] = part(bits[source], i, parts);
  return share;
}
