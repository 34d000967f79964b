/** Memory systems for tests: random plans, ports and configurations, and runs of whole cases. */
import fc from 'fast-check';
import type { Counters, LayerWork, Machine, MachineKind } from '../../src/arch/machine.js';
import { UserError } from '../../src/errors.js';
import { workOf, type FuzzCase } from '../../src/fuzz.js';
import { memoryOf, type MemoryConfig } from '../../src/memory/config.js';
import { memorySystem, type MemoryResult, type MoveTimer } from '../../src/memory/memory.js';
import { OPERANDS, type LevelTraffic } from '../../src/memory/traffic.js';
import type { MovePlan, PortConfig } from '../../src/sim/movePlan.js';
import { configured } from './layers.js';

const upTo = (max: number, min = 0): fc.Arbitrary<number> => fc.integer({ min, max });

/** Plans whose loads, fills, outputs and cycles are zero in many, few or no moves. */
export const planArbitrary: fc.Arbitrary<MovePlan> = fc
  .record({ moves: upTo(12), zeros: upTo(10) })
  .chain(({ moves, zeros }) => {
    const column = (most: number): fc.Arbitrary<Float64Array> =>
      fc
        .array(
          fc.tuple(upTo(9), upTo(most, 1)).map(([draw, n]) => (draw < zeros ? 0 : n)),
          { minLength: moves, maxLength: moves },
        )
        .map((values) => Float64Array.from(values));
    return fc.record({
      moves: fc.constant(moves),
      ownWeights: column(40),
      ownActivations: column(40),
      nextWeights: column(40),
      nextActivations: column(40),
      fill: column(40),
      outputs: column(40),
      cycles: column(10),
    });
  });

/** Rates from 1 and unlimited; bursts from those of a cycle on. */
export const portArbitrary: fc.Arbitrary<PortConfig> = fc
  .tuple(
    fc.oneof({ weight: 5, arbitrary: upTo(9, 1) }, fc.constant(Infinity)),
    fc.oneof({ weight: 5, arbitrary: upTo(30) }, fc.constant(Infinity)),
  )
  .map(([bytesPerCycle, more]) => ({ bytesPerCycle, burstBytes: bytesPerCycle + more }));

const capacity = fc.oneof(
  upTo(400, 64),
  fc.tuple(upTo(14, 6), upTo(63)).map(([log, more]) => 2 ** log + more),
  fc.constant(Infinity),
);
const rate = fc.oneof({ weight: 4, arbitrary: upTo(40, 1) }, fc.constant(Infinity));
const burst = fc.oneof({ weight: 2, arbitrary: upTo(200) }, fc.constantFrom(0, Infinity));

export const memoryArbitrary: fc.Arbitrary<MemoryConfig> = fc.record({
  dramBytesPerCycle: rate,
  dramBurstBytes: burst,
  dramLatencyCycles: upTo(9),
  globalBytes: capacity,
  globalBytesPerCycle: rate,
  globalBurstBytes: burst,
  globalLatencyCycles: upTo(9),
  localBytes: capacity,
  localBytesPerCycle: rate,
  onChip: fc.constantFrom('none', 'weights', 'activations', 'all'),
  outputBits: fc.constantFrom(0, 1, 8, 13, 32),
  gradWeightBits: fc.constantFrom(1, 16, 32),
});

/** No limits at all. */
export const INFINITE = memoryOf('infinite').config;

/** A machine on a layer, at level count. */
export interface CountedCase {
  kind: MachineKind;
  machine: Machine;
  work: LayerWork;
  counters: Counters;
}

export function counted(kind: MachineKind, c: FuzzCase): CountedCase {
  const machine = configured(kind, c.settings);
  const work = workOf(c);
  return { kind, machine, work, counters: machine.count(work) };
}

/** null where the buffers are too small for the layer. */
export function inMemory(
  { kind, machine, work, counters }: CountedCase,
  config: MemoryConfig,
  timer?: MoveTimer,
): MemoryResult | null {
  try {
    return memorySystem(kind, machine, work, counters, config, timer);
  } catch (error) {
    if (error instanceof UserError && error.code === 'memory-too-small') return null;
    throw error;
  }
}

/** Bytes of reads and writes, over all operands. */
export const bothWays = ({ reads, writes }: LevelTraffic): number =>
  OPERANDS.reduce((bytes, operand) => bytes + reads[operand] + writes[operand], 0);
