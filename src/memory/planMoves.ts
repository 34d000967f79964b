/**
 * From a nest and its tiling to the list of moves (see `sim/movePlan.ts`), and to the bytes that each level sees (SPEC
 * section 8). A pass is cut into moves so that both the global and the local halves hold what a move takes; cycles, loads
 * and outputs of a pass are shared out evenly over its moves, so that sums are exact.
 */
import { UserError } from '../errors.js';
import type { MemoryConfig } from './config.js';
import type { MovePlan } from '../sim/movePlan.js';
import { LocalBuffers, type Taking } from './localBuffers.js';
import type { Nest } from './nest.js';
import { passesOf, passingBits, piecesOf, type Pass, type Tiling } from './tiling.js';
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
  private readonly local: LocalBuffers;
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
    this.local = new LocalBuffers(nest, tiling, config);
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
      const load = this.loadOf(pass);
      const pieces = this.piecesOf(load);
      for (let i = 0; i < pieces; i++) moves.push({ load, i, pieces });
      if (this.rows.cycles.length + moves.length > MOST_MOVES) throw this.tooMany();
    }
    this.emit(outer, moves);
    const arrays = Object.fromEntries(
      Object.entries(this.rows).map(([name, values]) => [name, Float64Array.from(values)]),
    ) as Omit<MovePlan, 'moves'>;
    return { plan: { moves: this.rows.cycles.length, ...arrays }, moved: this.moved };
  }

  /** What a pass moves as a whole. */
  private loadOf(pass: Pass): Load {
    const { nest, outside, tiling } = this;
    const { local } = nest;
    const { outer, from, to } = pass;
    const own = outside.swept(outer, from, to, tiling.keepsSwept);
    if (tiling.keepsStationary === 'none') addBits(own, outside.stationary(outer));
    const how = this.local.takes(pass);
    const sent = {
      kept: () => nest.swept(outer, from, to, true),
      rows: () => local.rows!(outer, from, to),
      values: () => local.streamed(outer, from, to),
    }[how]();
    return {
      ...pass,
      own,
      outputs: outside.outputs(outer, from, to),
      cycles: nest.startOf(outer, to) - nest.startOf(outer, from),
      how,
      sent,
      values: local.written(outer, from, to),
      turns: tiling.keepsStationary === 'local' ? 0 : local.turns(outer, from, to),
    };
  }

  private piecesOf({ how, values, turns, ...pass }: Load): number {
    const { nest, outside, tiling } = this;
    const { outer, from, to } = pass;
    const { local } = nest;
    const passing = passingBits(outside, pass, tiling);
    const held = how === 'rows' ? 2 * sumBits(nest.swept(outer, from, to, false)) : 0;
    const streamed = how === 'values' ? sumBits(values) / Math.max(1, local.buffers(outer)) : 0;
    // What is not kept by local buffers comes again for each turn of outputs.
    const perBuffer = streamed + local.largest * turns;
    return Math.max(
      passing > 0 ? piecesOf(passing, tiling.roomBits) : 1,
      perBuffer > 0 ? piecesOf(perBuffer, this.local.roomBits - held) : 1,
    );
  }

  private emit(outer: number, moves: readonly Move[]): void {
    const { nest, outside, tiling } = this;
    const ahead = tiling.keepsStationary !== 'none';
    const next = ahead && outer + 1 < nest.outers ? outer + 1 : -1;
    moves.forEach((move, m) => {
      const { load, i, pieces } = move;
      const now = partOf(load.own, i, pieces);
      // Nothing overlaps with the first load of a layer.
      if (ahead && outer === 0 && m === 0) addBits(now, outside.stationary(0));
      const later = next < 0 ? noBits() : this.shareOf(outside.stationary(next), move);
      const outputs = part(load.outputs, i, pieces);
      const { rows, moved } = this;
      const [ownWeights, ownActivations] = this.pack(now);
      const [nextWeights, nextActivations] = this.pack(later);
      rows.ownWeights.push(ownWeights);
      rows.ownActivations.push(ownActivations);
      rows.nextWeights.push(nextWeights);
      rows.nextActivations.push(nextActivations);
      rows.outputs.push(bytesOf(moved.dramOutputs + outputs) - bytesOf(moved.dramOutputs));
      moved.dramOutputs += outputs;
      rows.fill.push(this.fill(move, m, next));
      rows.cycles.push(this.cyclesOf(move));
    });
  }

  /** What comes with a move of what the next outer tile keeps: steps share it evenly, as `passingBits` has it. */
  private shareOf(bits: Bits, { load: { outer, from, to }, i, pieces }: Move): Bits {
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
  private fill(move: Move, m: number, next: number): number {
    const { load, i, pieces } = move;
    const { outer } = load;
    const { moved, tiling } = this;
    const { local } = this.nest;
    let perBuffer = 0;
    // The next outer tile may have other buffers.
    const send = (bits: Bits, into: Bits, tile = outer): void => {
      addBits(moved.sent, bits);
      addBits(moved.local, into);
      perBuffer += Math.ceil(sumBits(into) / Math.max(1, local.buffers(tile)));
    };
    const copied = (bits: Bits, copies: number, tile = outer): void =>
      send(bits, addBits(noBits(), bits, copies), tile);
    const sent = partOf(load.sent, i, pieces);
    if (load.how === 'values') send(sent, partOf(load.values, i, pieces));
    else copied(sent, local.buffers(outer));
    if (tiling.keepsStationary === 'local') {
      // It comes in with the moves of the outer tile before, and goes on a move later.
      const tile = m === 0 ? outer : Math.max(next, outer);
      copied(outer === 0 && m === 0 ? local.stationary(0) : this.arrived, local.stationaryCopies(tile), tile);
      this.arrived = next < 0 ? noBits() : this.shareOf(local.stationary(next), move);
    } else {
      // A turn may take several moves.
      const again = addBits(noBits(), local.stationary(outer), load.turns);
      copied(partOf(again, i, pieces), local.stationaryCopies(outer));
    }
    return bytesOf(perBuffer);
  }

  /** PE cycles of a move, or as many as its local buffers need to deliver their share. */
  private cyclesOf({ load, i, pieces }: Move): number {
    const { nest, config, moved, totalCycles, reads } = this;
    const cycles = part(load.cycles, i, pieces);
    const once = partOf(load.values, i, pieces);
    if (reads.bits !== null) once[reads.operand] = 0;
    addBits(moved.read, once);
    if (config.localBytesPerCycle === Infinity || totalCycles === 0) return cycles;
    const bits = sumBits(once) + ((reads.bits ?? 0) * cycles) / totalCycles;
    const perCycle = 8 * config.localBytesPerCycle * Math.max(1, nest.local.buffers(load.outer));
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

/** A pass with what it moves. */
interface Load extends Pass {
  own: Bits;
  outputs: number;
  cycles: number;
  how: Taking;
  /** Bits sent to local buffers; and, as values, into all of them, which is what PEs take. */
  sent: Bits;
  values: Bits;
  /** How often stationary operands are sent. */
  turns: number;
}

interface Move {
  load: Load;
  /** Which of how many pieces of the pass. */
  i: number;
  pieces: number;
}

function partOf(bits: Bits, i: number, parts: number): Bits {
  const share = noBits();
  for (const source of SOURCES as readonly Source[]) share[source] = part(bits[source], i, parts);
  return share;
}
