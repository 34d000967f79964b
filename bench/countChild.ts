/** Child process of `replay.ts`: counts one trace from opening the file to the report, and sends what that took. */
import { MACHINES } from '../src/arch/registry.js';
import type { Precision } from '../src/quantize.js';
import { simulate } from '../src/simulate.js';
import { openTrace } from '../src/trace/open.js';

/** CPU seconds of the count and of the whole process with its start, peak resident megabytes, cycles. */
export interface CountCost {
  seconds: number;
  processSeconds: number;
  megabytes: number;
  weights: number;
  layers: number;
}

const [file, precision] = process.argv.slice(2) as [string, Precision];
const from = process.cpuUsage();
const trace = openTrace(file);
const machines = MACHINES.filter((kind) => !kind.needsActivations).map((kind) => kind.name);
const report = simulate(trace, { machines, level: 'count', precision });
trace.close();
const used = process.cpuUsage(from);
const all = process.cpuUsage();
if (report.violations.length > 0) throw new Error(report.violations.join('; '));
const cost: CountCost = {
  seconds: (used.user + used.system) / 1e6,
  processSeconds: (all.user + all.system) / 1e6,
  megabytes: process.resourceUsage().maxRSS / 1024,
  weights: trace.layers.reduce((sum, l) => sum + l.tensors.weight!.shape.reduce((a, b) => a * b, 1), 0),
  layers: trace.layers.length,
};
process.send!(cost);
