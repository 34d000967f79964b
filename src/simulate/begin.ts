/** The report as it stands before the first layer: what is run, on what, with which configuration. */
import type { BudgetSize } from '../arch/budget.js';
import type { Level, Phase } from '../arch/machine.js';
import { DEFAULT_ENERGY_NODE } from '../energy/node.js';
import { plainConfig, type Memory } from '../memory/config.js';
import { defaultScaleRule } from '../quantize.js';
import { UNITS, type Report } from '../report/report.js';
import type { Trace } from '../trace/trace.js';
import { VERSION } from '../version.js';
import type { RunOptions } from './options.js';
import type { PruneSettings } from './prune.js';

export function emptyReport(
  trace: Trace,
  o: RunOptions,
  run: { level: Level; phases: Phase[]; pruning: PruneSettings | null; size: BudgetSize; memory: Memory },
): Report {
  const precision = o.precision ?? 'int16';
  const budget = o.budget ?? 'none';
  const { level, phases, pruning, size, memory } = run;
  return {
    tool: 'kneadsim',
    version: VERSION,
    versions: { kneadsim: VERSION, node: process.version },
    config: {
      level,
      precision,
      scale: o.scale ?? defaultScaleRule(precision),
      per: o.per ?? 'tensor',
      minCode: o.minCode ?? 'saturate',
      layer: o.layer ?? null,
      budget,
      phases,
      prune: pruning && pruning.target,
      threshold: pruning && pruning.threshold,
      thresholdFifo: pruning && pruning.fifo,
      firstGradInput: o.firstGradInput ?? false,
      memory: { preset: memory.preset, ...plainConfig(memory.config) },
      energyNode: o.energyNode ?? DEFAULT_ENERGY_NODE,
    },
    seed: o.seed ?? 1,
    trace: { file: trace.file, network: trace.network, source: trace.source, licence: trace.licence },
    traceHash: trace.hash,
    steps: [],
    units: UNITS,
    budget: budget === 'none' ? null : size,
    formats: [],
    pruning: [],
    recorded: [],
    verified: null,
    violations: [],
    notes: [],
    machines: [],
  };
}
