/** Reports made by hand, for tests of what is printed. */
import { memoryOf, plainConfig } from '../../src/memory/config.js';
import { SystemTotals } from '../../src/report/system.js';
import { UNITS, type LayerReport, type MachineReport, type Report } from '../../src/report/report.js';

export function row(part: Partial<LayerReport> = {}): LayerReport {
  return {
    name: 'conv',
    phase: 'forward',
    step: 0,
    macs: 112_896,
    terms: 112_896,
    cycles: 100,
    pipelineCycles: 3,
    boundCycles: 90,
    singleStreamBound: 1.5,
    denseCycles: 120,
    speedupVsDense: 1.2,
    occupancySpeedup: 1.1,
    twinCycles: null,
    singleStreamBoundVsTwin: null,
    speedupVsTwin: null,
    occupancySpeedupVsTwin: null,
    utilization: 0.25,
    laneSlots: 1,
    essentialBits: 1000,
    zeroBitFraction: 0.6,
    zeroValueFraction: 0.1,
    activationZeroBitFraction: 0.8,
    activationZeroValueFraction: 0.4,
    density: { input: 0.6, weight: 0.9, gradOutput: null },
    kneadedRatio: 0.75,
    kneaderBits: 0,
    operands: 0,
    rowOperations: 0,
    busy: 25,
    stall: { output: 0, flush: 5, window: 3, weights: 0, ppu: 0, imbalance: 2 },
    idle: { absentLane: 40, absentUnit: 25, empty: 0 },
    verified: null,
    outputsChecked: 7,
    float32Error: null,
    portCycles: null,
    memory: new SystemTotals().memory(),
    energy: new SystemTotals().energyRow(),
    ...part,
  };
}

/** One lane slot, so that lane-cycles are cycles. */
export function machineReport(
  name: string,
  layers: LayerReport[],
  part: Partial<MachineReport> = {},
): MachineReport {
  return {
    name,
    config: { tiles: 16, units: 16, lanes: 16, tileBy: 'positions', lowering: 'channelBlock' },
    laneSlots: 1,
    area: null,
    areaByUnit: null,
    energyFigures: [],
    phases: ['forward'],
    layers,
    phaseTotals: [{ ...layers[0], name: 'total' }],
    total: { ...layers[0], name: 'total', phase: 'all' },
    ...part,
  };
}

export function report(part: Partial<Report> = {}): Report {
  const format = { stored: 'float32', magnitudeBits: 15, storageBits: 16, scale: 1, saturated: 0 };
  return {
    tool: 'kneadsim',
    version: '0.0.0',
    versions: {},
    config: {
      level: 'count',
      precision: 'int16',
      scale: 'pow2',
      per: 'tensor',
      minCode: 'saturate',
      layer: null,
      budget: 'none',
      phases: ['forward'],
      prune: null,
      threshold: null,
      thresholdFifo: null,
      firstGradInput: false,
      memory: { preset: 'infinite', ...plainConfig(memoryOf('infinite').config) },
      energyNode: '45nm',
    },
    seed: 1,
    trace: { file: 'net.safetensors', network: 'net', source: 'tests', licence: 'MIT' },
    traceHash: 'ab'.repeat(32),
    steps: [{ step: 0, file: 'net.safetensors', hash: 'ab'.repeat(32) }],
    units: UNITS,
    budget: null,
    formats: [{ name: 'conv', step: 0, weight: format, input: null, gradOutput: null }],
    pruning: [],
    recorded: [],
    verified: null,
    violations: [],
    notes: [],
    machines: [machineReport('dadiannao', [row()])],
    ...part,
  };
}
