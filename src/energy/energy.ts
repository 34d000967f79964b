/**
 * Energy of a layer and phase on a machine (SPEC section 9): operation counts and bytes, each times a figure, by part, in
 * pJ and at one node. Units do what their Verilog does: SAC units per word, with what an output costs beside it; MAC units
 * per product; row PEs per cycle at work and tap in use; PPUs per sum that PEs add and per value that leaves.
 *
 * `tetris` in gradWeight runs its terms as raw words on SAC lanes, which have no multipliers. Off-line kneading costs
 * nothing here. Bit-serial peers have no Verilog: their logic, and so the total, is null.
 */
import type { Counters, MachineConfig, MachineKind, Phase } from '../arch/machine.js';
import { levelBytes, type MemoryLevel, type Traffic } from '../memory/traffic.js';
import type { Precision } from '../quantize.js';
import type { EnergyFigure, EnergyPart } from './figure.js';
import { kneaderFigure, macFigure, PPU_ADDERS, ppuFigures, rowFigure, sacFigures } from './logic.js';
import { memoryFigure } from './memory.js';
import { DEFAULT_ENERGY_NODE, nodeName, setName, type EnergyNode } from './node.js';

export interface EnergyInput {
  kind: MachineKind;
  config: MachineConfig;
  phase: Phase;
  precision: Precision;
  counters: Counters;
  /** Finished sums: outputs of the phase. */
  outputs: number;
  /** Sums that row PEs add to row buffers (`rowSums.ts`); 0 on other machines. */
  rowSums: number;
  traffic: Traffic;
  /** Of the global buffer, and of the buffer of one tile or group; may be Infinity. */
  capacities: { globalBytes: number; localBytes: number };
  macs: number;
  /** Cycles with all waiting for memory, for the energy-delay product. */
  systemCycles: number;
  /** Default: 45 nm. */
  node?: EnergyNode;
}

export interface EnergyReport {
  /** `45 nm` */
  node: string;
  /** Name of the set of coefficients. */
  set: string;
  /** pJ; null where no figure exists. */
  parts: Record<EnergyPart, number | null>;
  /** pJ */
  total: number | null;
  /** pJ per MAC of the layer; null without MACs. */
  perMac: number | null;
  /** pJ x system cycles. */
  edp: number | null;
  /**
   * pJ, outside the total: what clock pins of lanes without work, and of PPUs, would take in `counters.cycles` if nothing
   * is gated, as nothing is in our Verilog.
   */
  idleClock: number | null;
}

/** So many of an operation. */
interface Charge {
  figure: EnergyFigure;
  count: number;
}

interface Logic {
  charges: Charge[];
  /** pJ of clock pins. */
  idleClock: number;
}

const sum = (values: Iterable<number>): number => [...values].reduce((a, b) => a + b, 0);
const waitingLaneCycles = ({ stall, idle }: Counters): number =>
  sum(Object.values(stall)) + sum(Object.values(idle));

/** Null for bit-serial machines. */
function logicOf(input: EnergyInput, node: EnergyNode): Logic | null {
  const { kind, config, phase, precision, counters, outputs, rowSums } = input;
  const units = kind.units(phase);
  if (units === 'serial') return null;
  const { lanes: tiles, rows } = kind.configure(config).arrayOf(phase);
  const waiting = waitingLaneCycles(counters);
  if (rows) {
    const tap = rowFigure(node, precision, phase);
    const { add, value } = ppuFigures(node, precision);
    // A cycle of the PPU is a cycle of its clock, whatever is added.
    const ppuCycles = Math.max(0, rows.groups * counters.cycles - rowSums / PPU_ADDERS);
    return {
      charges: [
        { figure: tap, count: counters.busy },
        { figure: add, count: rowSums },
        // Rows of gradWeight leave past the PPU.
        { figure: value, count: phase === 'gradWeight' ? 0 : outputs },
      ],
      idleClock: waiting * tap.clockPJ + ppuCycles * PPU_ADDERS * add.clockPJ,
    };
  }
  if (!tiles) return { charges: [], idleClock: 0 };
  const onSac = kind.phases.some((each) => ['sac', 'maskedSac'].includes(kind.units(each)));
  if (units === 'mac' && !onSac) {
    const figure = macFigure(node, precision, tiles.lanes);
    return { charges: [{ figure, count: counters.busy }], idleClock: waiting * figure.clockPJ };
  }
  const { word, output } = sacFigures(node, precision, tiles, units === 'mac' ? 'rawWord' : 'word');
  const kneaders =
    units === 'maskedSac' ? [{ figure: kneaderFigure(node, precision), count: counters.kneadedRows }] : [];
  const clocked = [...word, ...kneaders.map(({ figure }) => figure)];
  return {
    charges: [
      ...word.map((figure) => ({ figure, count: counters.busy })),
      ...output.map((figure) => ({ figure, count: outputs })),
      ...kneaders,
    ],
    idleClock: waiting * sum(clocked.map(({ clockPJ }) => clockPJ)),
  };
}

function memoryCharges({ traffic, capacities }: EnergyInput, node: EnergyNode): Charge[] {
  const levels: [MemoryLevel, number][] = [
    ['local', capacities.localBytes],
    ['global', capacities.globalBytes],
    ['dram', Infinity],
  ];
  return levels.map(([level, capacity]) => ({
    figure: memoryFigure(node, level, capacity),
    count: levelBytes(traffic[level]),
  }));
}

const MEMORY_PARTS: readonly EnergyPart[] = ['localBuffer', 'globalBuffer', 'dram'];

export function energyOf(input: EnergyInput): EnergyReport {
  const node = input.node ?? DEFAULT_ENERGY_NODE;
  const logic = logicOf(input, node);
  const charges = [...(logic?.charges ?? []), ...memoryCharges(input, node)];
  const partOf = (part: EnergyPart): number | null =>
    logic || MEMORY_PARTS.includes(part)
      ? sum(
          charges.filter(({ figure }) => figure.part === part).map(({ figure, count }) => figure.pJ * count),
        )
      : null;
  const parts: EnergyReport['parts'] = {
    pe: partOf('pe'),
    splitter: partOf('splitter'),
    segmentAdder: partOf('segmentAdder'),
    rearTree: partOf('rearTree'),
    kneader: partOf('kneader'),
    ppu: partOf('ppu'),
    peBuffers: partOf('peBuffers'),
    localBuffer: partOf('localBuffer'),
    globalBuffer: partOf('globalBuffer'),
    dram: partOf('dram'),
  };
  const total = logic ? sum(Object.values(parts).map((pJ) => pJ ?? 0)) : null;
  return {
    node: nodeName(node),
    set: setName(node),
    parts,
    total,
    perMac: total !== null && input.macs > 0 ? total / input.macs : null,
    edp: total === null ? null : total * input.systemCycles,
    idleClock: logic && logic.idleClock,
  };
}

/** The figures that `energyOf` uses, each once: those of nothing done too. */
export function figuresOf(input: EnergyInput): EnergyFigure[] {
  const node = input.node ?? DEFAULT_ENERGY_NODE;
  const charges = [...(logicOf(input, node)?.charges ?? []), ...memoryCharges(input, node)];
  return charges.map(({ figure }) => figure);
}
