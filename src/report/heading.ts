/** What stands above and below the tables: what was run, on which configurations, and what is known of values. */
import type { BudgetSize } from '../arch/budget.js';
import type { ParameterValue, PortCycles } from '../arch/machine.js';
import { MACHINES } from '../arch/registry.js';
import { fit, percent, printable, short, whole } from './number.js';
import type { MachineReport, Report } from './report.js';
import { laneCycles } from './row.js';
import { PAGE_WIDTH, wrap } from './textTable.js';

/** Always shown, default or not: a speedup means little without the policy that it was reached with. */
const POLICY = ['kneadingStride', 'windowSlots', 'sync', 'firstStageBits', 'columnRegisters'];
const ARRAY = ['tiles', 'units', 'lanes', 'tileBy', 'groups', 'pesPerGroup', 'taps'];

/** Names of networks and layer globs may be of any length. */
const NAME_WIDTH = 40;

/** Places of a hash that tell two traces apart; the JSON has all of it. */
const SHORT_HASH = 16;

export function heading(report: Report): string {
  const { trace, config, formats, steps } = report;
  const total = report.machines[0]?.total;
  const operands = formats.flatMap(({ weight, input, gradOutput }) =>
    [weight, input, gradOutput].filter((operand) => operand !== null),
  );
  const stored = [...new Set(operands.map((operand) => operand.stored))];
  const saturated = operands.reduce((sum, operand) => sum + operand.saturated, 0);
  const count = formats.filter(({ step }) => step === 0).length;
  const layers = `${count} ${count === 1 ? 'layer' : 'layers'}`;
  const lines = [
    wrap(
      [
        fit(trace.network, NAME_WIDTH),
        layers + (config.layer === null ? '' : ` (${fit(config.layer, NAME_WIDTH)})`),
        ...(steps.length > 1 ? [`${steps.length} steps`] : []),
        ...(total ? [`${short(total.macs)} MACs`] : []),
        `level ${config.level}`,
        `${stored.join(' and ')} as ${config.precision} codes`,
        `scale ${config.scale} per ${config.per}`,
      ],
      ', ',
    ),
    `trace ${tail(printable(trace.file), PAGE_WIDTH - SHORT_HASH - 16)}, sha256 ${report.traceHash.slice(0, SHORT_HASH)}`,
    ...trainingLine(report),
  ];
  if (saturated > 0)
    lines.push(`${whole(saturated)} integer codes have no sign-magnitude form and were saturated`);
  return lines.join('\n');
}

/** Phases and pruning, where gradients are used. */
function trainingLine({ config, seed }: Report): string[] {
  const { prune, threshold, thresholdFifo, phases } = config;
  if (prune === null) return [];
  const how =
    prune === 0
      ? ['gradients not pruned']
      : [
          `gradients pruned at p = ${prune}`,
          `threshold ${threshold}${threshold === 'predicted' ? ` from ${thresholdFifo} steps` : ''}`,
          `seed ${seed}`,
        ];
  return [wrap([`phases ${phases.join(' ')}`, ...how], ', ')];
}

/** What the machines were scaled to; nothing where they have their published sizes. */
export function budgetLine({ budget, config }: Report): string[] {
  if (!budget) return [];
  return [
    config.budget === 'lanes'
      ? `budget lanes: as many multipliers as the dense array, ${whole(budget.lanes)}`
      : `budget area: as much logic as the dense array, ${(budget.um2 / 1e6).toFixed(2)} mm2 at 45 nm, without SRAM`,
  ];
}

/** The end of a path says which file it is. */
const tail = (path: string, width: number): string =>
  path.length <= width ? path : `…${path.slice(path.length - width + 1)}`;

/**
 * `tetris: 16 tiles x 16 units x 16 lanes by positions, kneadingStride 16, sync barrier (default skew)`
 * @param budget where there is one, the logic of the array is named too
 */
export function configLine({ name, config, area }: MachineReport, budget: BudgetSize | null): string {
  const defaults = new Map<string, ParameterValue>(
    MACHINES.find((kind) => kind.name === name)?.parameters.map((p) => [p.name, p.default]),
  );
  const shown = Object.entries(config).filter(
    ([key, value]) => !ARRAY.includes(key) && (POLICY.includes(key) || value !== defaults.get(key)),
  );
  // The policies in the order of the list above, whatever order a machine declares them in.
  const rank = (key: string): number => (POLICY.includes(key) ? POLICY.indexOf(key) : POLICY.length);
  shown.sort(([a], [b]) => rank(a) - rank(b));
  const settings = shown.map(([key, value]) => {
    const usual = defaults.get(key);
    return `${key} ${value}${usual === undefined || usual === value ? '' : ` (default ${usual})`}`;
  });
  const arrays = [
    ...('tiles' in config
      ? [`${config.tiles} tiles x ${config.units} units x ${config.lanes} lanes by ${config.tileBy}`]
      : []),
    ...('groups' in config
      ? [`${config.groups} groups x ${config.pesPerGroup} PEs x ${config.taps} taps`]
      : []),
  ];
  const logic = budget && area ? [`logic ${(area.um2 / 1e6).toFixed(2)} mm2`] : [];
  return wrap([`${name}: ${arrays.join(' and ')}`, ...settings, ...logic], ', ');
}

/** Smaller shares would print as 0.0 %. */
export const LEAST_SHARE = 0.0005;

/** Where the lane-cycles went that did not issue, causes by size. */
export function lossLine({ total }: Pick<MachineReport, 'total'>): string {
  const all = laneCycles(total);
  const parts = (title: string, causes: Record<string, number>): string[] => {
    const found = Object.entries(causes)
      .filter(([, cycles]) => cycles >= LEAST_SHARE * all)
      .sort(([, a], [, b]) => b - a)
      .map(([cause, cycles]) => `${cause} ${percent(cycles / all)}`);
    return found.length === 0 ? [] : [`${title} %: ${found.join(', ')}`];
  };
  return wrap([...parts('stall', total.stall), ...parts('idle', total.idle)], '; ');
}

export const notVerified = ({ length }: readonly string[]): string =>
  `NOT VERIFIED: ${length} ${length === 1 ? 'check' : 'checks'} did not hold; see the messages`;

/** gradWeight of row machines with either number of operand ports, side by side; nothing without row machines. */
export function portsLine(rows: readonly { machine: string; portCycles: PortCycles | null }[]): string[] {
  const parts = rows.flatMap(({ machine, portCycles }) =>
    portCycles ? [`${machine} ${whole(portCycles.one)} / ${whole(portCycles.two)}`] : [],
  );
  return parts.length === 0
    ? []
    : [wrap([`gradWeight cycles, one port / two: ${parts[0]}`, ...parts.slice(1)], ', ')];
}

/** What the run knows about values, and no more. */
export function verdict(report: Report): string {
  const { violations, verified } = report;
  if (violations.length > 0) return notVerified(violations);
  if (verified === null)
    return `values not checked: level ${report.config.level} only times; conservation laws hold`;
  const rows = report.machines.flatMap(({ layers }) => layers);
  const checked = rows.filter((row) => row.verified === true).length;
  const outputs = rows.reduce((sum, row) => sum + row.outputsChecked, 0);
  const rounded = rows.some((row) => row.float32Error !== null) ? ' (in float32: within its rounding)' : '';
  return checked === rows.length
    ? `verified: all ${whole(outputs)} outputs equal the dense reference${rounded}; conservation laws hold`
    : `verified: ${checked} of ${rows.length} layer runs; the others were not checked`;
}

export const notes = (report: Report): string[] =>
  report.notes.map((note) => wrap(`note: ${printable(note)}`.split(' '), ' '));

/** What the two factors mean. One may be above the other, which wants a word where it happens. */
export function factorLegend(report: Report): string[] {
  const above = report.machines.some(({ layers, total }) =>
    [...layers, total].some(
      ({ speedupVsDense, singleStreamBound }) =>
        speedupVsDense !== null && singleStreamBound !== null && speedupVsDense > singleStreamBound + 0.005,
    ),
  );
  return [
    `speedup        cycles of dense MAC (dadiannao; ${
      report.budget ? "the budget's array" : 'same tiles, units, lanes and tileBy'
    }) / cycles`,
    'bound          dense lane-items / lane-cycles needed if no lane waited for another (single stream)',
    ...(above
      ? [
          '               (it weighs layers by MACs and dense lanes by work: where dense lanes idle, or layers',
          '               differ in how many they fill, the speedup in cycles may lie above it)',
        ]
      : []),
  ];
}
