/** What `replay` and `compare` do alike: open the trace, choose machines, simulate, deliver the report. */
import { existsSync } from 'node:fs';
import { isAbsolute, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { machineArea } from '../arch/area.js';
import { resolveConfig, type MachineKind } from '../arch/machine.js';
import { MACHINES } from '../arch/registry.js';
import type { Report } from '../report/report.js';
import { separateSettings } from '../simulate/memorySettings.js';
import { selectLayers, simulate, type SimulateOptions } from '../simulate.js';
import { macCount } from '../tensor.js';
import { openTrace } from '../trace/open.js';
import type { Io } from './io.js';
import type { SimulationFlags } from './options.js';
import { deliver, rehearseWrite } from './output.js';
import { LateBar } from './progress.js';

/** MACs times machines that a step surely takes over a second for. */
export const LONG_STEP = 1e8;

/**
 * @param complete adds what the command has beyond a run; `again` runs the same with other options
 */
export function runSimulation<R extends Report>(
  file: string | undefined,
  flags: SimulationFlags,
  complete: (report: Report, again: (changed: Partial<SimulateOptions>) => Report) => R,
  asText: (report: R) => string,
  io: Io,
): void {
  rehearseWrite(flags.out);
  const trace = openTrace(file ?? bundledTrace());
  try {
    const { layer, level, machine, set = [] } = flags;
    const { settings, memory } = separateSettings(set, flags.memory);
    const layers = selectLayers(trace, layer);
    const bare = layers.some(({ tensors }) => !tensors.input);
    const machines = machine ?? defaultMachines(bare && level !== 'step', flags.budget === 'area', io);
    const macs = layers.reduce((sum, { shape }) => sum + macCount(shape), 0);
    const stepped = level === 'step' || (level === undefined && !bare);
    const bar = new LateBar(io, stepped && macs * machines.length > LONG_STEP);
    const options: SimulateOptions = {
      ...flags,
      machines,
      settings,
      memory,
      progress: (done, total, label) => bar.update(done, total, label),
    };
    let report: R;
    try {
      report = complete(simulate(trace, options), (changed) => simulate(trace, { ...options, ...changed }));
    } finally {
      bar.stop();
    }
    deliver(report, flags, asText, io);
  } finally {
    trace.close();
  }
}

/** All machines that can run; where some cannot, says so. At level step none can, and `simulate` says why. */
function defaultMachines(bare: boolean, byArea: boolean, io: Io): string[] {
  const leave = (kinds: readonly MachineKind[], why: string): void => {
    const left = kinds.map(({ name }) => name).join(', ');
    if (left) io.err(`note: left out ${left}: ${why}\n`);
  };
  const timeable = MACHINES.filter((kind) => !bare || !kind.needsActivations);
  leave(
    MACHINES.filter((kind) => !timeable.includes(kind)),
    'their timing needs activations, and the trace has weights only',
  );
  const able = timeable.filter((kind) => !byArea || hasArea(kind));
  leave(
    timeable.filter((kind) => !able.includes(kind)),
    'there are no area coefficients for their PEs',
  );
  return able.map(({ name }) => name);
}

const hasArea = (kind: MachineKind): boolean => machineArea(kind, resolveConfig(kind, {}), 'int16') !== null;

const BUNDLED = '../../traces/resnet8-fmnist-late-s00600.safetensors';

/** The trace that comes with the package, whether this file runs from src or from dist. */
export function bundledTrace(): string {
  const path = fileURLToPath(new URL(BUNDLED, import.meta.url));
  const short = relative('', path);
  // From inside the package the short path reads better, and makes reports from two checkouts equal.
  return !isAbsolute(short) && !short.startsWith('..') && existsSync(short) ? short : path;
}
