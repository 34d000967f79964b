/**
 * The whole system around a machine on one layer and phase: memory and energy from its counters (SPEC sections 8 and 9).
 * At level step memory is clocked cycle by cycle, at level count timed in closed form.
 */
import {
  zeroCounters,
  type Counters,
  type LayerWork,
  type Level,
  type Machine,
  type MachineKind,
  type Phase,
} from '../arch/machine.js';
import { energyOf, figuresOf, type EnergyInput } from '../energy/energy.js';
import type { EnergyFigure } from '../energy/figure.js';
import { rowSums } from '../energy/rowSums.js';
import type { EnergyNode } from '../energy/node.js';
import { phaseOutputShape } from '../lower/phase.js';
import { cyclePartsOf } from '../memory/bottleneck.js';
import type { MemoryConfig } from '../memory/config.js';
import { memorySystem, type MemoryResult } from '../memory/memory.js';
import { timeMoves } from '../memory/moveTiming.js';
import { noTraffic } from '../memory/traffic.js';
import type { Precision } from '../quantize.js';
import type { SystemResult } from '../report/system.js';
import { clockMoves } from '../sim/memoryClock.js';
import { elementCount, macCount } from '../tensor.js';

export interface SystemOptions {
  memory: MemoryConfig;
  energyNode: EnergyNode;
}

export function systemOf(
  kind: MachineKind,
  machine: Machine,
  work: LayerWork,
  counters: Counters,
  level: Level,
  { memory: config, energyNode }: SystemOptions,
): SystemResult {
  const timer = level === 'step' ? clockMoves : timeMoves;
  const memory = memorySystem(kind, machine, work, counters, config, timer);
  return {
    memory,
    parts: cyclePartsOf(counters, machine.laneSlots(work.phase), memory),
    energy: energyOf(energyInput(kind, machine, work, counters, memory, config, energyNode)),
  };
}

function energyInput(
  kind: MachineKind,
  machine: Machine,
  work: LayerWork,
  counters: Counters,
  { traffic, systemCycles }: Pick<MemoryResult, 'traffic' | 'systemCycles'>,
  { globalBytes, localBytes }: MemoryConfig,
  node: EnergyNode,
): EnergyInput {
  const { phase, shape, precision } = work;
  const { rows } = machine.arrayOf(phase);
  return {
    kind,
    config: machine.config,
    phase,
    precision,
    counters,
    outputs: elementCount(phaseOutputShape(phase, shape)),
    rowSums: rows ? rowSums(work, rows.taps, kind.units(phase) === 'denseRow') : 0,
    traffic,
    capacities: { globalBytes, localBytes },
    macs: macCount(shape),
    systemCycles,
    node,
  };
}

/** Every figure that a machine's energy is made of, once. */
export function figuresInUse(
  kind: MachineKind,
  machine: Machine,
  phases: readonly Phase[],
  precision: Precision,
  { memory: { globalBytes, localBytes }, energyNode: node }: SystemOptions,
): EnergyFigure[] {
  const nothing = {
    counters: zeroCounters(),
    outputs: 0,
    rowSums: 0,
    traffic: noTraffic(),
    macs: 0,
    systemCycles: 0,
  };
  const figures = phases.flatMap((phase) =>
    figuresOf({
      kind,
      config: machine.config,
      phase,
      precision,
      node,
      ...nothing,
      capacities: { globalBytes, localBytes },
    }),
  );
  const known = new Set<string>();
  return figures.filter((figure) => {
    const key = JSON.stringify(figure);
    return !known.has(key) && known.add(key);
  });
}
