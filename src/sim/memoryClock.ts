/**
 * The memory system clocked (SPEC section 8): a plan of moves carried out cycle by cycle, as hardware would. Two ports
 * with integer credits, the queue of transfers at the DRAM port, and the array, which counts down the cycles of its move.
 * The order of transfers and what each waits for stand in `movePlan.ts`.
 *
 *   cycle      an array that waits notes the first cause that holds; both ports get credits, the array counts down
 *   boundary   transfers under way take the credits that are there. When one has its last byte, or the array the last
 *              cycle of its move, whatever has become possible happens at once, until nothing more does
 *
 * Every byte is followed (SPEC section 10): of a buffer's two halves, what came in is what went out and what is there.
 */
import { broken, Buffer, Port } from './memoryParts.js';
import type { MovePlan, MoveTiming, PortConfig } from './movePlan.js';

/**
 * Cycles and stalls of a plan, by going through all of its cycles.
 * @throws VerificationError where bytes are lost, a buffer overflows, or nothing moves any more
 */
export function clockMoves(plan: MovePlan, dram: PortConfig, global: PortConfig): MoveTiming {
  return new MemoryClock(plan, new Port(dram), new Port(global)).run();
}

/** Transfers around move i, in the order of the DRAM port; 3 are the next activations. The drain is that of move i - 2. */
const OWN_WEIGHTS = 0;
const OWN_ACTIVATIONS = 1;
const NEXT_WEIGHTS = 2;
const DRAIN = 4;

type Cause = keyof MoveTiming['stall'];

class MemoryClock {
  /** The head of the DRAM queue: around which move, and which transfer. Whether it is under way. */
  private around = 0;
  private transfer = OWN_WEIGHTS - 1;
  private loading = false;
  /** Bytes of weights and of activations that have come in, own and next. */
  private weights = 0;
  private activations = 0;
  /** How many must have come in for move j: own up to its own, next before it. After the last move stand all of them. */
  private readonly weightsUntil: Float64Array;
  private readonly activationsUntil: Float64Array;
  /** Fills that are done, and whether the one after them is under way. */
  private filled = 0;
  private filling = false;
  /** Moves that the array has finished, whether it is in the one after them, and the cycles left of that. */
  private finished = 0;
  private running = false;
  private cyclesLeft = 0;
  /** Loads and outputs in the global buffer, and the local buffer: all local ones are alike. */
  private readonly loads = new Buffer('the global buffer');
  private readonly outputs = new Buffer('the global buffer for outputs');
  private readonly local = new Buffer('a local buffer');

  constructor(
    private readonly plan: MovePlan,
    private readonly dram: Port,
    private readonly global: Port,
  ) {
    const { moves, ownWeights, ownActivations, nextWeights, nextActivations } = plan;
    const until = (own: Float64Array, next: Float64Array): Float64Array => {
      const sums = new Float64Array(moves + 1);
      let sum = 0;
      for (let j = 0; j < moves; j++) {
        sums[j] = sum += own[j];
        sum += next[j];
      }
      sums[moves] = sum;
      return sums;
    };
    this.weightsUntil = until(ownWeights, nextWeights);
    this.activationsUntil = until(ownActivations, nextActivations);
    this.advanceQueue();
  }

  run(): MoveTiming {
    const { plan, dram, global } = this;
    const { moves } = plan;
    const sum = (values: Float64Array): number => values.reduce((a, b) => a + b, 0);
    // What the last move loads for an outer tile after it, nobody waits for.
    const unwanted = this.nextOf(moves - 1);
    const wanted = this.weightsUntil[moves] + this.activationsUntil[moves] - unwanted;
    const outputs = sum(plan.outputs);
    const fills = sum(plan.fill);
    // In each cycle the array counts down or a byte moves.
    const most = sum(plan.cycles) + wanted + unwanted + outputs + fills;
    const stall = { weights: 0, activations: 0, refill: 0, output: 0 };
    let cycles = 0;
    this.settle();
    while (this.finished < moves || this.outputs.resident > 0) {
      const cause = this.cause();
      const from = cycles;
      do {
        if (++cycles > most) throw broken(`nothing moves in cycle ${cycles}`, `an end by cycle ${most}`);
      } while (!this.cycle());
      if (cause) stall[cause] += cycles - from;
      this.settle();
    }
    if (global.passed !== fills) throw broken(`${global.passed} bytes passed the global port`, `${fills}`);
    const underWay = dram.left > 0 ? this.bytesOf(this.around, this.transfer) - dram.left : 0;
    this.loads.end(dram.passed - wanted - outputs - underWay);
    this.outputs.end(0);
    this.local.end(0);
    return { cycles, stall };
  }

  /** A cycle and the boundary after it. Returns whether something has come to its end there. */
  private cycle(): boolean {
    const { dram, global } = this;
    dram.tick();
    global.tick();
    let ends = this.running && --this.cyclesLeft === 0;
    if (this.loading && dram.move()) ends = true;
    if (this.filling && global.move()) ends = true;
    return ends;
  }

  /** Ends and begins what it can, until there is nothing more at this boundary. */
  private settle(): void {
    let again: boolean;
    do {
      again = this.load();
      if (this.fill()) again = true;
      if (this.compute()) again = true;
    } while (again);
  }

  /** Why the array waits, until something comes to its end; null if it does not. */
  private cause(): Cause | null {
    if (this.running) return null;
    const j = this.finished;
    if (j === this.plan.moves) return 'output';
    if (this.weights < this.weightsUntil[j]) return 'weights';
    if (this.activations < this.activationsUntil[j]) return 'activations';
    return this.filled <= j ? 'refill' : 'output';
  }

  /** The DRAM port. Returns whether a transfer is done. */
  private load(): boolean {
    const { dram } = this;
    if (!this.loading && dram.left > 0 && this.mayPass()) {
      this.loading = true;
      dram.move();
    }
    if (!this.loading || dram.left > 0) return false;
    this.loading = false;
    const bytes = this.bytesOf(this.around, this.transfer);
    if (this.transfer === DRAIN) this.outputs.free(bytes);
    else {
      if (this.transfer === OWN_WEIGHTS || this.transfer === NEXT_WEIGHTS) this.weights += bytes;
      else this.activations += bytes;
      this.loads.put(bytes, this.roomForLoads());
    }
    this.advanceQueue();
    return true;
  }

  /** Whether the side of the transfer at the head of the queue is free. */
  private mayPass(): boolean {
    const { around, filled, finished } = this;
    if (this.transfer === DRAIN) return finished > around - 2;
    return this.transfer < NEXT_WEIGHTS ? filled > around - 2 : filled > around - 1;
  }

  /** Next transfer that has bytes. */
  private advanceQueue(): void {
    const { dram } = this;
    while (dram.left === 0 && this.around < this.plan.moves + 2) {
      if (++this.transfer > DRAIN) {
        this.transfer = OWN_WEIGHTS;
        this.around++;
      }
      dram.left = this.bytesOf(this.around, this.transfer);
    }
  }

  private bytesOf(around: number, transfer: number): number {
    const { plan } = this;
    if (transfer === DRAIN) return around < 2 || around >= plan.moves + 2 ? 0 : plan.outputs[around - 2];
    if (around >= plan.moves) return 0;
    if (transfer === OWN_WEIGHTS) return plan.ownWeights[around];
    if (transfer === OWN_ACTIVATIONS) return plan.ownActivations[around];
    return transfer === NEXT_WEIGHTS ? plan.nextWeights[around] : plan.nextActivations[around];
  }

  /** Both halves: own of the move to be filled and of that after it, next beside them and of the move before. */
  private roomForLoads(): number {
    const { filled } = this;
    return this.ownOf(filled) + this.ownOf(filled + 1) + this.nextOf(filled - 1) + this.nextOf(filled);
  }

  private ownOf(j: number): number {
    const { moves, ownWeights, ownActivations } = this.plan;
    return j < moves ? ownWeights[j] + ownActivations[j] : 0;
  }

  private nextOf(j: number): number {
    const { moves, nextWeights, nextActivations } = this.plan;
    return j >= 0 && j < moves ? nextWeights[j] + nextActivations[j] : 0;
  }

  /** The global port. Returns whether a fill is done. */
  private fill(): boolean {
    const { plan, global, filled } = this;
    if (!this.filling) {
      if (filled === plan.moves || this.finished < filled - 1) return false;
      if (this.weights < this.weightsUntil[filled] || this.activations < this.activationsUntil[filled])
        return false;
      this.filling = true;
      global.left = plan.fill[filled];
      global.move();
    }
    if (global.left > 0) return false;
    this.filling = false;
    this.local.put(plan.fill[filled], plan.fill[filled] + (filled > 0 ? plan.fill[filled - 1] : 0));
    // What the move before kept for an outer tile is sent with it, or stands in the half that is now written over.
    this.loads.free(this.ownOf(filled) + this.nextOf(filled - 1));
    this.filled++;
    return true;
  }

  /** The array. Returns whether it finished or began a move. */
  private compute(): boolean {
    const { plan, finished, outputs } = this;
    if (this.running) {
      if (this.cyclesLeft > 0) return false;
      this.running = false;
      this.finished++;
      this.local.free(plan.fill[finished]);
      const last = finished > 0 ? plan.outputs[finished - 1] : 0;
      outputs.put(plan.outputs[finished], plan.outputs[finished] + last);
      return true;
    }
    if (finished === plan.moves || this.filled <= finished) return false;
    // Of outputs, those of the move before may still be there.
    if (finished > 0 && outputs.resident > plan.outputs[finished - 1]) return false;
    this.running = true;
    this.cyclesLeft = plan.cycles[finished];
    return true;
  }
}
