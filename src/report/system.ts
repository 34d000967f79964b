/**
 * The whole system in the report (SPEC sections 8 and 9): cycles with memory, what bounds them, bytes by level and
 * operand, energy by part; of a layer and phase, and of totals, which are formed from sums in the same way.
 */
import { ENERGY_PARTS, type EnergyPart } from '../energy/figure.js';
import type { EnergyReport } from '../energy/energy.js';
import { boundBy, BOUNDS, noCycles, type Bound, type CycleParts } from '../memory/bottleneck.js';
import type { MemoryResult } from '../memory/memory.js';
import { MEMORY_CAUSES, type MemoryCause } from '../sim/movePlan.js';
import type { Form } from '../memory/stored.js';
import {
  addTraffic,
  levelBytes,
  noTraffic,
  OPERANDS,
  type Operand,
  type Traffic,
} from '../memory/traffic.js';

/** See `memory/stored.ts`: bits = elements x elementBits + rows x rowBits. In totals widths may differ: null. */
export interface StoredReport {
  form: Form | null;
  elements: number;
  elementBits: number | null;
  rows: number;
  rowBits: number | null;
  bits: number;
  bytes: number;
}

export interface MemoryReport {
  systemCycles: number;
  denseSystemCycles: number;
  systemSpeedup: number | null;
  twinSystemCycles: number | null;
  systemSpeedupVsTwin: number | null;
  boundBy: Bound | null;
  boundShare: number | null;
  cycleParts: CycleParts;
  stall: Record<MemoryCause, number>;
  latencyCycles: number;
  dramBytes: number;
  macsPerDramByte: number | null;
  macsPerCycle: number | null;
  roofMacsPerCycle: number | null;
  stored: Record<Operand, StoredReport>;
  traffic: Traffic;
  kneaderWordBytes: number;
  moves: number;
  keepsStationary: string | null;
  keepsSwept: boolean | null;
  onChip: string | null;
}

export interface EnergyRow {
  node: string;
  parts: Record<EnergyPart, number | null>;
  total: number | null;
  perMac: number | null;
  edp: number | null;
  idleClock: number | null;
  denseTotal: number | null;
  efficiencyVsDense: number | null;
  twinTotal: number | null;
  efficiencyVsTwin: number | null;
}

/** A machine's system on one layer and phase. */
export interface SystemResult {
  memory: MemoryResult;
  parts: CycleParts;
  energy: EnergyReport;
}

/** What it is compared with. */
export interface SystemMeasured {
  own: SystemResult;
  dense: SystemResult;
  twin: SystemResult | null;
}

interface Compared {
  cycles: number;
  energy: number | null;
}

const plus = (a: number | null, b: number | null): number | null => (a === null || b === null ? null : a + b);
const over = (a: number | null, b: number | null): number | null =>
  a === null || b === null || b === 0 ? null : a / b;

/** Sums systems as they come; a row is the sum of one. */
export class SystemTotals {
  private rows = 0;
  private macs = 0;
  private cycles = 0;
  private readonly parts = noCycles();
  private readonly stall = Object.fromEntries(MEMORY_CAUSES.map((cause) => [cause, 0])) as Record<
    MemoryCause,
    number
  >;
  private latencyCycles = 0;
  private readonly stored = Object.fromEntries(
    OPERANDS.map((operand) => [operand, nothingStored()]),
  ) as Record<Operand, StoredReport>;
  private readonly traffic = noTraffic();
  private kneaderWordBytes = 0;
  private moves = 0;
  private readonly tilings = {
    stationary: new Set<string>(),
    swept: new Set<boolean>(),
    chip: new Set<string>(),
  };
  private node = '';
  private readonly energy = Object.fromEntries(ENERGY_PARTS.map((part) => [part, 0])) as Record<
    EnergyPart,
    number | null
  >;
  private total: number | null = 0;
  private idleClock: number | null = 0;
  private readonly dense: Compared = { cycles: 0, energy: 0 };
  private twin: Compared | null = null;
  /** MACs per cycle that lanes allow, and bytes that the DRAM port passes in one; null where rows differ. */
  private roofs: { macs: number; dramBytes: number } | null = null;

  add(macs: number, { own, dense, twin }: SystemMeasured, roofs: { macs: number; dramBytes: number }): this {
    const { memory, parts, energy } = own;
    this.macs += macs;
    this.cycles += memory.systemCycles;
    for (const bound of BOUNDS) this.parts[bound] += parts[bound];
    for (const cause of MEMORY_CAUSES) this.stall[cause] += memory.stall[cause];
    this.latencyCycles += memory.latencyCycles;
    for (const operand of OPERANDS) addStored(this.stored[operand], memory.stored[operand]);
    addTraffic(this.traffic, memory.traffic);
    this.kneaderWordBytes += memory.kneaderWordBytes;
    this.moves += memory.tiling.moves;
    this.tilings.stationary.add(memory.tiling.stationary);
    this.tilings.swept.add(memory.tiling.keepsSwept);
    this.tilings.chip.add(memory.tiling.onChip.join(' '));
    this.node = energy.node;
    for (const part of ENERGY_PARTS) this.energy[part] = plus(this.energy[part], energy.parts[part]);
    this.total = plus(this.total, energy.total);
    this.idleClock = plus(this.idleClock, energy.idleClock);
    addCompared(this.dense, dense);
    if (twin) addCompared((this.twin ??= { cycles: 0, energy: 0 }), twin);
    const same = this.roofs?.macs === roofs.macs && this.roofs.dramBytes === roofs.dramBytes;
    this.roofs = this.rows++ === 0 || same ? roofs : null;
    return this;
  }

  memory(): MemoryReport {
    const { cycles, dense, twin, macs, traffic, tilings } = this;
    const bound = boundBy(this.parts);
    const dramBytes = levelBytes(traffic.dram);
    const intensity = over(macs, dramBytes);
    return {
      systemCycles: cycles,
      denseSystemCycles: dense.cycles,
      systemSpeedup: over(dense.cycles, cycles),
      twinSystemCycles: twin && twin.cycles,
      systemSpeedupVsTwin: twin && over(twin.cycles, cycles),
      boundBy: bound && bound.bound,
      boundShare: bound && bound.share,
      cycleParts: this.parts,
      stall: this.stall,
      latencyCycles: this.latencyCycles,
      dramBytes,
      macsPerDramByte: intensity,
      macsPerCycle: over(macs, cycles),
      roofMacsPerCycle:
        this.roofs &&
        Math.min(this.roofs.macs, intensity === null ? Infinity : intensity * this.roofs.dramBytes),
      stored: this.stored,
      traffic,
      kneaderWordBytes: this.kneaderWordBytes,
      moves: this.moves,
      keepsStationary: only(tilings.stationary),
      keepsSwept: only(tilings.swept),
      onChip: only(tilings.chip),
    };
  }

  energyRow(): EnergyRow {
    const { total, macs, cycles, dense, twin } = this;
    return {
      node: this.node,
      parts: this.energy,
      total,
      perMac: over(total, macs),
      edp: total === null ? null : total * cycles,
      idleClock: this.idleClock,
      denseTotal: dense.energy,
      efficiencyVsDense: over(dense.energy, total),
      twinTotal: twin && twin.energy,
      efficiencyVsTwin: twin && over(twin.energy, total),
    };
  }
}

const only = <T>(values: ReadonlySet<T>): T | null => (values.size === 1 ? [...values][0] : null);

const nothingStored = (): StoredReport => ({
  form: null,
  elements: 0,
  elementBits: null,
  rows: 0,
  rowBits: null,
  bits: 0,
  bytes: 0,
});

function addStored(sum: StoredReport, next: MemoryResult['stored'][Operand]): void {
  if (!next) return;
  const first = sum.bits === 0 && sum.form === null;
  sum.form = first || sum.form === next.form ? next.form : null;
  sum.elementBits = first || sum.elementBits === next.elementBits ? next.elementBits : null;
  sum.rowBits = first || sum.rowBits === next.rowBits ? next.rowBits : null;
  sum.elements += next.elements;
  sum.rows += next.rows;
  sum.bits += next.bits;
  sum.bytes += next.bytes;
}

function addCompared(sum: Compared, { memory, energy }: SystemResult): void {
  sum.cycles += memory.systemCycles;
  sum.energy = plus(sum.energy, energy.total);
}

export const SYSTEM_UNITS: Record<string, string> = {
  'memory.systemCycles':
    'cycles with memory: PE cycles and stalls on memory, until the last output is drained',
  'memory.denseSystemCycles': 'those of the dense machine with the same memory',
  'memory.systemSpeedup': 'denseSystemCycles / systemCycles',
  'memory.twinSystemCycles': 'those of the dense twin with the same memory',
  'memory.boundBy': 'largest of cycleParts, of which boundShare is its share',
  'memory.cycleParts': 'systemCycles, cut into what bounds them',
  'memory.stall': 'cycles in which the array waits for memory, by cause',
  'memory.latencyCycles':
    'fixed latencies of DRAM and global buffer, once per layer and phase, not in systemCycles',
  'memory.dramBytes': 'bytes through the DRAM port, both ways',
  'memory.macsPerDramByte': 'operational intensity: macs / dramBytes',
  'memory.macsPerCycle': 'macs / systemCycles',
  'memory.roofMacsPerCycle':
    'roofline: the smaller of dense lanes and of macsPerDramByte x bytes per cycle of the DRAM port',
  'memory.stored':
    'operands as stored: bits = elements x elementBits + rows x rowBits; bytes = bits / 8, rounded up',
  'memory.traffic': 'bytes by level (dram, global, local), direction and operand',
  'memory.kneaderWordBytes': 'bytes of kneaded words that on-line kneaders write into throttle buffers',
  'memory.moves': 'stretches of work for which the buffers are filled',
  'memory.keepsStationary':
    'which buffer keeps the operands that do not change from step to step; none: read for each pass',
  'memory.keepsSwept': 'whether the global buffer keeps the operands that each outer tile sweeps over',
  'memory.onChip': 'operands that stay in the global buffer between layers',
  'energy.parts': 'pJ by part; null where there is no figure',
  'energy.total': 'pJ: sum of the parts',
  'energy.perMac': 'pJ / macs',
  'energy.edp': 'pJ x systemCycles',
  'energy.idleClock': 'pJ, outside the total: clock pins of lanes without work, were nothing gated',
  'energy.efficiencyVsDense': 'pJ of the dense machine / pJ',
  'energy.efficiencyVsTwin': 'pJ of the dense twin / pJ',
  areaByUnit: 'um2 of the units of the array',
  energyFigures: 'pJ per operation, with node, source and what was done to the figure',
};
