/** What `train` prints about gradients: pruning per layer, and how outputs compare with those that were recorded. */
import { fit, percent, whole } from './number.js';
import type { PruningReport, Report } from './report.js';
import { textTable } from './textTable.js';

/** Three digits, in the notation that keeps the column narrow. */
const small = (x: number): string => (x === 0 ? '0' : x.toExponential(2));

/** Pruning of the last step, a row per layer; nothing where no gradients are used. */
export function pruningTable({ pruning, config }: Report): string[] {
  if (pruning.length === 0) return [];
  const last = Math.max(...pruning.map(({ step }) => step));
  const rows = pruning.filter(({ step }) => step === last);
  const share = (count: (row: PruningReport) => number) => (row: PruningReport) =>
    percent(row.elements === 0 ? null : count(row) / row.elements);
  const column = (head: string[], of: (row: PruningReport) => string) => ({ head, cells: rows.map(of) });
  const table = textTable(
    [
      { ...column(['layer'], (row) => row.name), text: true },
      column(['elements'], (row) => whole(row.elements)),
      column(['tau'], (row) => small(row.tau)),
      column(['recorded', 'density %'], (row) => percent(row.density.recorded)),
      column(['pruned', '%'], (row) => percent(row.density.pruned)),
      column(['in codes', '%'], (row) => percent(row.density.quantized)),
      column(
        ['zeros by', 'codes %'],
        share((row) => row.zeros.quantization),
      ),
      column(['bias'], (row) => small(row.measuredBias)),
      column(['std.', 'error'], (row) => small(row.biasStandardError)),
      column(['added', 'variance'], (row) => small(row.addedVariance)),
    ],
    false,
  );
  const which = config.threshold === 'predicted' ? `, threshold predicted, step ${last}` : '';
  return [`gradients at p = ${config.prune}${which}, ${config.precision}\n${table}`];
}

/** One line on the recorded tensors that outputs were compared with. */
export function recordedLine({ recorded }: Report): string[] {
  if (recorded.length === 0) return [];
  const sum = (of: (r: (typeof recorded)[number]) => number): number =>
    recorded.reduce((n, r) => n + of(r), 0);
  const worst = recorded.reduce((a, b) =>
    (b.relativeDifference ?? 0) > (a.relativeDifference ?? 0) ? b : a,
  );
  const outside = sum((r) => r.outside);
  return [
    `recorded: ${whole(sum((r) => r.elements))} values of ${recorded.length} tensors, ` +
      `${whole(outside)} outside the quantisation bound; largest difference`,
    `    ${(worst.relativeDifference ?? 0).toExponential(1)} of the largest value (${fit(worst.name, 30)}, ${worst.phase})`,
  ];
}
