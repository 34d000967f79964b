/**
 * SparseTrain (DAC 2020, arXiv:2007.13595; SPEC section 6) and its dense twin: training as row convolutions over
 * compressed rows, on groups of row PEs with a post-processing unit each. Counted in `sparsetrainCount.ts`, clocked in
 * `sparsetrainStep.ts`, which share no timing code.
 */
import type { Probe } from '../sim/probe.js';
import { requireActivations } from './activations.js';
import {
  PHASES,
  type Counters,
  type LayerWork,
  type Machine,
  type MachineArray,
  type MachineConfig,
  type MachineKind,
  type Parameter,
  type PortCycles,
  type StepResult,
} from './machine.js';
import { countRows } from './sparsetrainCount.js';
import { stepRows } from './sparsetrainStep.js';

/** The parameters as the timing code reads them. */
export interface RowArrayConfig {
  groups: number;
  pesPerGroup: number;
  taps: number;
  ports: 1 | 2;
  dispatch: 'dynamic' | 'static';
  /** float32: every product and sum is rounded to float32, as where the array trains in floating point. */
  arithmetic: 'integer' | 'float32';
  /** Compression, masks and pruning off. */
  dense: boolean;
}

const ARRAY: readonly Parameter[] = [
  { name: 'groups', default: 56, min: 1, max: 65_536, doc: 'PE groups, each with its post-processing unit' },
  { name: 'pesPerGroup', default: 3, min: 1, max: 64, doc: 'row PEs per group' },
  { name: 'taps', default: 3, min: 1, max: 64, doc: 'multipliers per PE; wider kernel rows are cut' },
  {
    name: 'ports',
    default: 2,
    min: 1,
    max: 2,
    doc: 'operand ports in gradWeight: a load or a multiply per cycle (1), or both (2)',
  },
  {
    name: 'dispatch',
    default: 'dynamic',
    values: ['dynamic', 'static'],
    doc: 'rows to the first free group, or round robin',
  },
  {
    name: 'arithmetic',
    default: 'integer',
    values: ['integer', 'float32'],
    doc: 'exact sums of codes, or products and sums rounded to float32, whose error is reported; same timing',
  },
];

const PRUNING: readonly Parameter[] = [
  {
    name: 'threshold',
    default: 'auto',
    values: ['auto', 'exact', 'predicted'],
    doc: 'pruning threshold: auto is the choice of the run; applied to the recorded gradients before any machine',
  },
  {
    name: 'thresholdFifo',
    default: 4,
    min: 1,
    max: 1024,
    doc: 'earlier steps whose mean threshold is the predicted one; applied before any machine',
  },
];

const SOURCE = 'SparseTrain, DAC 2020, arXiv:2007.13595 (56 groups of 3 PEs)';

export const sparsetrain: MachineKind = {
  name: 'sparsetrain',
  summary: 'row convolutions over compressed rows; only non-zero activations and gradients cost cycles',
  source: SOURCE,
  parameters: [...ARRAY, ...PRUNING],
  phases: PHASES,
  masksGradInput: true,
  needsActivations: true,
  units: () => 'row',
  configure: (config) => new SparseTrain('sparsetrain', config, false),
};

export const sparsetrainDense: MachineKind = {
  name: 'sparsetrain-dense',
  summary: 'the dense twin of sparsetrain: the same array with compression, masks and pruning off',
  source: SOURCE,
  parameters: ARRAY,
  phases: PHASES,
  needsActivations: false,
  units: () => 'denseRow',
  configure: (config) => new SparseTrain('sparsetrain-dense', config, true),
};

class SparseTrain implements Machine {
  readonly lanesPerDenseLane = 1;
  readonly float32: boolean;
  private readonly array: RowArrayConfig;

  constructor(
    readonly name: string,
    readonly config: MachineConfig,
    dense: boolean,
  ) {
    this.array = { ...(config as unknown as RowArrayConfig), dense };
    this.float32 = this.array.arithmetic === 'float32';
  }

  arrayOf(): MachineArray {
    return { lanes: null, rows: this.array };
  }

  laneSlots(): number {
    return this.array.groups * this.array.pesPerGroup * this.array.taps;
  }

  portCycles(work: LayerWork, cycles: number): PortCycles | null {
    if (work.phase !== 'gradWeight') return null;
    const { ports } = this.array;
    const other = countRows({ ...this.array, ports: ports === 1 ? 2 : 1 }, work).cycles;
    return ports === 1 ? { one: cycles, two: other } : { one: other, two: cycles };
  }

  count(work: LayerWork): Counters {
    if (!this.array.dense && work.phase !== 'gradInput') requireActivations(this.name, work);
    return countRows(this.array, work);
  }

  step(work: LayerWork, probe?: Probe | null): StepResult {
    if (work.phase !== 'gradInput') requireActivations(this.name, work);
    return stepRows(this.array, work, probe);
  }
}
