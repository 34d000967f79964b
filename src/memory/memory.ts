/**
 * The memory system of a machine on one layer and phase (SPEC section 8): what is stored, what moves at each level, and
 * how many cycles the array waits. PE cycles come from the machine; the array waits as one, so values are not touched.
 */
import type { Counters, LayerWork, Machine, MachineKind, UnitKind } from '../arch/machine.js';
import { kneadedWordBits } from '../bit/knead.js';
import { UserError } from '../errors.js';
import { palletsOf } from '../lower/pallets.js';
import { lowerPhase } from '../lower/phases.js';
import { weightsPerFilter } from '../tensor.js';
import type { MemoryConfig } from './config.js';
import { LaneNest } from './laneNest.js';
import { LaneWeightNest } from './laneWeightNest.js';
import type { MemoryCause, MovePlan, MoveTiming, PortConfig } from '../sim/movePlan.js';
import { localKeeps } from './localBuffers.js';
import { timeMoves } from './moveTiming.js';
import type { Nest } from './nest.js';
import { onChipChoices, outsideOf, type OnChip } from './onChip.js';
import { planMoves, type LocalReads, type MovedBits } from './planMoves.js';
import { RowNest } from './rowNest.js';
import { inputsOf, laneStorage, outputBitsOf, rowStorage, type StoredOperands } from './storage.js';
import { chooseTiling, type Tiling } from './tiling.js';
import { bytesOf, noTraffic, SOURCES, type Operand, type Traffic } from './traffic.js';

export interface MemoryResult {
  /** PE cycles and waiting for memory, from the first load to the last output. */
  systemCycles: number;
  stall: Record<MemoryCause, number>;
  /** Fixed latencies, once per layer and phase; not in systemCycles. */
  latencyCycles: number;
  stored: StoredOperands;
  traffic: Traffic;
  /** Kneaded words that on-line kneaders wrote into throttle buffers. */
  kneaderWordBytes: number;
  tiling: TilingReport;
  violations: string[];
}

export interface TilingReport {
  /** Passes through the global buffer are cut into moves, which the halves of all buffers hold. */
  moves: number;
  stationary: Tiling['keepsStationary'];
  keepsSwept: boolean;
  onChip: Operand[];
}

/** How moves are timed: in closed form, or cycle by cycle. */
export type MoveTimer = (plan: MovePlan, dram: PortConfig, global: PortConfig) => MoveTiming;

interface LayerData {
  nest: Nest;
  stored: StoredOperands;
}

export function memorySystem(
  kind: MachineKind,
  machine: Machine,
  work: LayerWork,
  counters: Counters,
  config: MemoryConfig,
  timer: MoveTimer = timeMoves,
): MemoryResult {
  const { nest, stored } = layerData(kind, machine, work, counters, config);
  const { chip, outside, tiling } = placement(nest, stored, work, config);
  const reads = localReads(kind.units(work.phase), machine, work, counters);
  const { plan, moved } = planMoves(nest, outside, tiling, config, counters.cycles, reads, work.name);
  const dram = port(config.dramBytesPerCycle, config.dramBurstBytes);
  const timing = timer(plan, dram, port(config.globalBytesPerCycle, config.globalBurstBytes));
  const planned = plan.cycles.reduce((a, b) => a + b, 0);
  const result: MemoryResult = {
    systemCycles: timing.cycles,
    stall: { ...timing.stall, local: planned - counters.cycles },
    latencyCycles: config.dramLatencyCycles + config.globalLatencyCycles,
    stored,
    traffic: trafficOf(stored, moved, reads),
    kneaderWordBytes: reads.kneaderWordBytes,
    tiling: {
      moves: plan.moves,
      stationary: tiling.keepsStationary,
      keepsSwept: tiling.keepsSwept,
      onChip: chip.operands,
    },
    violations: [],
  };
  result.violations = violationsOf(kind, work, counters, result, plan);
  return result;
}

/** What stays on chip, and how the rest goes through the global buffer: whatever gives the least DRAM traffic. */
function placement(
  nest: Nest,
  stored: StoredOperands,
  { name, phase }: LayerWork,
  config: MemoryConfig,
): { chip: OnChip; outside: Nest; tiling: Tiling } {
  const keeps = localKeeps(nest, config);
  let best: ReturnType<typeof placement> | null = null;
  for (const chip of onChipChoices(stored, phase, config)) {
    const outside = outsideOf(nest, chip);
    const tiling = chooseTiling(outside, 8 * config.globalBytes - chip.bits, keeps);
    if (tiling && (!best || tiling.dramBits < best.tiling.dramBits)) best = { chip, outside, tiling };
  }
  if (best) return best;
  throw new UserError(
    'memory-too-small',
    `layer ${name}: found a global buffer of ${config.globalBytes} bytes, which the layer would pass in millions of ` +
      'pieces; expected a larger one: --set memory.globalBytes=N',
  );
}

/** A bucket holds at least the credits of a cycle. */
const port = (bytesPerCycle: number, burstBytes: number): PortConfig => ({
  bytesPerCycle,
  burstBytes: Math.max(bytesPerCycle, burstBytes),
});

function layerData(
  kind: MachineKind,
  machine: Machine,
  work: LayerWork,
  counters: Counters,
  config: MemoryConfig,
): LayerData {
  const { phase, shape } = work;
  const { starts, cycles } = counters;
  const { lanes, rows } = machine.arrayOf(phase);
  const outputBits = outputBitsOf(work, config);
  if (rows) {
    const { stored, operands, format } = rowStorage(kind, work, config);
    const weightBits = work.weights.storageBits;
    const data = { phase, shape, array: rows, starts, cycles, operands, format, weightBits, outputBits };
    return { nest: new RowNest(data), stored };
  }
  const units = kind.units(phase);
  const lowering = lowerPhase(phase, shape, lanes);
  const { blocks, positions } = lowering;
  const { stored, unitBits } = laneStorage(units, machine, work, lowering, config);
  const maskBits = units === 'maskedSac' ? 1 : 0;
  const common = { shape, blocks, starts, cycles, maskBits, outputBits };
  if (phase === 'gradWeight') {
    const inputBits = inputsOf(work).storageBits;
    const gradientBits = work.gradOutput!.storageBits;
    return { nest: new LaneWeightNest({ ...common, inputBits, gradientBits }), stored };
  }
  const windowBits = phase === 'forward' ? inputsOf(work).storageBits : work.gradOutput!.storageBits;
  const items = units === 'serial' ? palletsOf(shape, machine.config.columns as number).count : positions;
  return { nest: new LaneNest({ ...common, phase, items, unitBits, windowBits }), stored };
}

function localReads(
  units: UnitKind,
  machine: Machine,
  work: LayerWork,
  counters: Counters,
): LocalReads & { kneaderWordBytes: number } {
  const { phase, shape, weights } = work;
  const streamed = phase === 'gradWeight' ? inputsOf(work) : weights;
  const operand = phase === 'gradWeight' ? 'inputs' : 'weights';
  const of = (bits: number | null, kneaderWordBytes = 0) => ({ operand, bits, kneaderWordBytes }) as const;
  const stride = machine.config.kneadingStride as number;
  switch (units) {
    case 'mac':
      // Padding is a zero that costs its item: the lane has no need to read one.
      return of(phase === 'gradWeight' ? null : counters.terms * streamed.storageBits);
    case 'sac':
      return of(counters.busy * kneadedWordBits(weights.magnitudeBits, stride));
    case 'maskedSac': {
      const { magnitudeBits } = phase === 'gradWeight' ? work.activations! : weights;
      return of(counters.kneaderBits, bytesOf(counters.kneadedRows * kneadedWordBits(magnitudeBits, stride)));
    }
    case 'serial': {
      // The columns of a pallet share the weights that a step reads.
      const pallets = palletsOf(shape, machine.config.columns as number).count;
      return of(pallets * shape.filters * weightsPerFilter(shape) * streamed.storageBits);
    }
    default:
      return of(null);
  }
}

function trafficOf(stored: StoredOperands, moved: MovedBits, reads: LocalReads): Traffic {
  const { dram, global, local } = noTraffic();
  for (const source of SOURCES) {
    dram.reads[source] = global.writes[source] = bytesOf(moved.dram[source]);
    global.reads[source] = bytesOf(moved.sent[source]);
    local.writes[source] = bytesOf(moved.local[source]);
    local.reads[source] = bytesOf(moved.read[source]);
  }
  if (reads.bits !== null) local.reads[reads.operand] = bytesOf(reads.bits);
  dram.writes.outputs = global.reads.outputs = bytesOf(moved.dramOutputs);
  global.writes.outputs = stored.outputs!.bytes;
  return { dram, global, local };
}

/** Conservation (SPEC section 10), from what was stored and counted. */
function violationsOf(
  kind: MachineKind,
  work: LayerWork,
  counters: Counters,
  { systemCycles, stall, stored, traffic, tiling }: MemoryResult,
  plan: MovePlan,
): string[] {
  const violations: string[] = [];
  const expect = (what: string, holds: boolean, found: number, expected: number): void => {
    if (!holds)
      violations.push(
        `${kind.name}, layer ${work.name}, ${work.phase}: ${what}: found ${found}, expected ${expected}`,
      );
  };
  const equal = (what: string, found: number, expected: number): void =>
    expect(what, found === expected, found, expected);
  const sum = (values: Float64Array): number => values.reduce((a, b) => a + b, 0);
  const waits = Object.values(stall).reduce((a, b) => a + b, 0);
  equal('system cycles = PE cycles + stalls on memory', systemCycles, counters.cycles + waits);
  const words = stored.weights;
  if (words?.form === 'kneaded words') equal('kneaded words stored', words.elements, counters.kneadedRows);
  const { dram } = traffic;
  const loads =
    sum(plan.ownWeights) + sum(plan.ownActivations) + sum(plan.nextWeights) + sum(plan.nextActivations);
  equal(
    'bytes through the DRAM port into the global buffer',
    loads,
    SOURCES.reduce((bytes, source) => bytes + dram.reads[source], 0),
  );
  equal('bytes of outputs through the DRAM port', sum(plan.outputs), dram.writes.outputs);
  if (counters.cycles === 0) return violations;
  for (const source of SOURCES) {
    const bytes = tiling.onChip.includes(source) ? 0 : (stored[source]?.bytes ?? 0);
    expect(
      `bytes of ${source} read from DRAM at least once`,
      dram.reads[source] >= bytes,
      dram.reads[source],
      bytes,
    );
  }
  if (!tiling.onChip.includes('outputs'))
    equal('outputs written to DRAM', dram.writes.outputs, stored.outputs!.bytes);
  return violations;
}
