/**
 * The clocked memory system against the closed form, on random plans and on those of real layers: the same cycles and the
 * same cause for every cycle of waiting. The two share no code. And small plans by hand, which tie both to the contract.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MACHINES } from '../../src/arch/registry.js';
import { VerificationError } from '../../src/errors.js';
import { caseArbitrary } from '../../src/fuzz.js';
import { timeMoves } from '../../src/memory/moveTiming.js';
import { clockMoves } from '../../src/sim/memoryClock.js';
import { Buffer, Port } from '../../src/sim/memoryParts.js';
import type { MovePlan, MoveTiming, PortConfig } from '../../src/sim/movePlan.js';
import { counted, inMemory, memoryArbitrary, planArbitrary, portArbitrary } from '../support/memory.js';
import { runs } from '../support/runs.js';

const UNLIMITED: PortConfig = { bytesPerCycle: Infinity, burstBytes: Infinity };
const port = (bytesPerCycle: number, burstBytes = bytesPerCycle): PortConfig => ({
  bytesPerCycle,
  burstBytes,
});

/** Moves by hand; what is not given is zero. */
function planOf(...moves: Partial<Record<Exclude<keyof MovePlan, 'moves'>, number>>[]): MovePlan {
  const column = (name: keyof (typeof moves)[number]): Float64Array =>
    Float64Array.from(moves, (move) => move[name] ?? 0);
  return {
    moves: moves.length,
    ownWeights: column('ownWeights'),
    ownActivations: column('ownActivations'),
    nextWeights: column('nextWeights'),
    nextActivations: column('nextActivations'),
    fill: column('fill'),
    outputs: column('outputs'),
    cycles: column('cycles'),
  };
}

const waits = (cycles: number, stall: Partial<MoveTiming['stall']> = {}): MoveTiming => ({
  cycles,
  stall: { weights: 0, activations: 0, refill: 0, output: 0, ...stall },
});

describe('clock and closed form agree', () => {
  it('on random plans', () => {
    const property = fc.property(planArbitrary, portArbitrary, portArbitrary, (plan, dram, global) => {
      expect(clockMoves(plan, dram, global)).toEqual(timeMoves(plan, dram, global));
    });
    fc.assert(property, { numRuns: runs(2000) });
  });

  it.each(MACHINES.map((kind) => ({ name: kind.name, kind })))('on layers of $name', ({ kind }) => {
    const property = fc.property(caseArbitrary([kind]), memoryArbitrary, (c, config) => {
      const one = counted(kind, c);
      expect(inMemory(one, config, clockMoves)).toEqual(inMemory(one, config));
    });
    fc.assert(property, { numRuns: runs(40) });
  });
});

describe('laws of the clock', () => {
  it('without limits only the array takes cycles', () => {
    const property = fc.property(planArbitrary, (plan) => {
      const cycles = plan.cycles.reduce((a, b) => a + b, 0);
      expect(clockMoves(plan, UNLIMITED, UNLIMITED)).toEqual(waits(cycles));
    });
    fc.assert(property, { numRuns: runs(200) });
  });

  it('cycles are those of the array and the waiting; ports carry no more than their credits', () => {
    const property = fc.property(planArbitrary, portArbitrary, portArbitrary, (plan, dram, global) => {
      const sum = (...columns: Float64Array[]): number =>
        columns.reduce((all, column) => all + column.reduce((a, b) => a + b, 0), 0);
      const { cycles, stall } = clockMoves(plan, dram, global);
      const waiting = Object.values(stall).reduce((a, b) => a + b, 0);
      expect(cycles).toBe(sum(plan.cycles) + waiting);
      const last = plan.moves - 1;
      const loaded =
        sum(plan.ownWeights, plan.ownActivations, plan.nextWeights, plan.nextActivations, plan.outputs) -
        // Nobody waits for these.
        (last < 0 ? 0 : plan.nextWeights[last] + plan.nextActivations[last]);
      const credits = ({ bytesPerCycle, burstBytes }: PortConfig): number =>
        cycles === 0 ? burstBytes : burstBytes + cycles * bytesPerCycle;
      expect(loaded).toBeLessThanOrEqual(credits(dram));
      expect(sum(plan.fill)).toBeLessThanOrEqual(credits(global));
    });
    fc.assert(property, { numRuns: runs(400) });
  });
});

/** Plan, DRAM port, global port, what must come out. */
type Hand = [string, MovePlan, PortConfig, PortConfig, MoveTiming];

const HAND: Hand[] = [
  ['nothing at all', planOf(), port(1), port(1), waits(0)],
  // 10 bytes, 4 credits at once and 2 more in each of three cycles.
  ['a load', planOf({ ownWeights: 10, cycles: 5 }), port(2, 4), port(1), waits(8, { weights: 3 })],
  [
    'weights before activations',
    planOf({ ownWeights: 3, ownActivations: 3, cycles: 1 }),
    port(1),
    port(1),
    waits(6, { weights: 2, activations: 3 }),
  ],
  // Both ports start full. The fill takes 4 of 6 at once, the rest a cycle later.
  ['a fill', planOf({ fill: 6, cycles: 2 }), port(1), port(4), waits(3, { refill: 1 })],
  // The second load hides behind the first move, the third waits for the first half.
  [
    'loads ahead',
    planOf({ ownWeights: 1, cycles: 5 }, { ownWeights: 4, cycles: 5 }, { ownWeights: 4, cycles: 5 }),
    port(1),
    port(1),
    waits(15),
  ],
  // fill(2) needs the local half that move 0 frees in cycle 5; it then takes 3 cycles beside move 1.
  [
    'a local half that is still in use',
    planOf({ cycles: 5 }, { cycles: 2 }, { fill: 4, cycles: 1 }),
    port(1),
    port(1),
    waits(9, { refill: 1 }),
  ],
  ['outputs at the end', planOf({ outputs: 5, cycles: 2 }), port(1), port(1), waits(6, { output: 4 })],
  [
    'outputs of an earlier move at the end',
    planOf({ outputs: 5 }, { cycles: 1 }),
    port(1),
    port(1),
    waits(4, { output: 3 }),
  ],
  // Move 2 needs the half of move 0's outputs, which leave from cycle 0 on: 6 bytes, 1 at once.
  [
    'outputs in the way',
    planOf({ outputs: 6 }, { cycles: 2 }, { cycles: 1 }),
    port(1),
    port(1),
    waits(6, { output: 3 }),
  ],
  // The drain of move 0 could pass from cycle 1 on, but stands in the queue behind what waits for fill(1).
  [
    'order of the queue',
    planOf({ outputs: 1, cycles: 1 }, { fill: 4 }, { nextWeights: 2 }),
    port(1),
    port(1),
    waits(5, { refill: 2, output: 2 }),
  ],
  // What the next outer tile keeps must be there for move 1, though move 1 has no weights of its own.
  [
    'weights for the next outer tile',
    planOf({ nextWeights: 4, cycles: 1 }, { cycles: 1 }),
    port(1),
    port(1),
    waits(4, { weights: 2 }),
  ],
  // ... and may not come before fill(0): its half holds the outer tile before.
  [
    'next after the fill before',
    planOf({ fill: 4, cycles: 1 }, { nextWeights: 3 }, { cycles: 1 }),
    port(1),
    port(1),
    waits(6, { refill: 3, weights: 1 }),
  ],
];

describe.each([
  ['clock', clockMoves],
  ['closed form', timeMoves],
])('plans by hand: %s', (_, timer) => {
  it.each(HAND)('%s', (_, plan, dram, global, expected) => {
    expect(timer(plan, dram, global)).toEqual(expected);
  });
});

describe('what the clock refuses', () => {
  it('a plan in which nothing moves any more', () => {
    // Half a cycle never comes to its end.
    expect(() => clockMoves(planOf({ cycles: 0.5 }), port(1), port(1))).toThrow(VerificationError);
    expect(() => clockMoves(planOf({ ownWeights: 2 }), port(0), port(1))).toThrow(/nothing moves/);
  });

  it('a buffer that overflows, frees what it does not have, or keeps something at the end', () => {
    const buffer = new Buffer('a buffer');
    buffer.put(5, 8);
    expect(() => buffer.put(4, 8)).toThrow(/holds 9 bytes, expected at most 8/);
    expect(() => buffer.end(0)).toThrow(/holds 9 bytes at the end, expected 0/);
    expect(() => buffer.free(10)).toThrow(/holds -1 bytes, expected none below 0/);
  });

  it('saves no more credits than a burst', () => {
    const bucket = new Port(port(2, 5));
    for (let i = 0; i < 10; i++) bucket.tick();
    bucket.left = 100;
    expect(bucket.move()).toBe(false);
    expect(bucket.passed).toBe(5);
    bucket.tick();
    bucket.move();
    expect(bucket.passed).toBe(7);
  });
});
