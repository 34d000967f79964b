/** The ablation as text: per precision and pruning one table for each denominator, and where the lane-cycles went. */
import { PHASES } from '../arch/machine.js';
import type { AblationReport, AblationRow, Factors } from './ablationReport.js';
import { budgetLine, configLine, heading, LEAST_SHARE, notes, notVerified, portsLine } from './heading.js';
import { factor, percent, short, whole } from './number.js';
import { pruningTable, recordedLine } from './pruningTable.js';
import { limitText, memoryLine, microjoules, SYSTEM_LEGEND } from './systemTable.js';
import { textTable, type Column } from './textTable.js';
import { TRAIN_LEGEND } from './trainTable.js';

type Denominator = 'vsDense' | 'vsTwin';

const NAMES: Record<Denominator, string> = {
  vsDense: 'x dense MAC',
  vsTwin: 'x dense twin (row machine, compression off)',
};

/** The report as text, without a line end at its end. */
export function ablationText(report: AblationReport): string {
  const { ablation, machines, otherRuns } = report;
  const conditions = [...otherRuns, report];
  const blocks = conditions.flatMap(({ config: { precision, prune } }) => {
    const rows = ablation.filter((row) => row.precision === precision && row.prune === prune);
    const title = `${precision}, ${prune === 0 ? 'gradients not pruned' : `gradients pruned at p = ${prune}`}`;
    return [
      ...(['vsDense', 'vsTwin'] as const)
        .filter((of) => rows.some((row) => row[of].raw !== null))
        .map((of) => `${title}, speedup ${NAMES[of]}\n${factorTable(rows, of)}`),
      [
        `${title}, whole step: lane-cycles in %`,
        shareTable(rows.filter(({ phase }) => phase === 'all')),
        ...portsLine(rows.filter(({ phase }) => phase === 'all')),
      ].join('\n'),
      `${title}, whole step with memory\n${systemTable(rows.filter(({ phase }) => phase === 'all'))}`,
    ];
  });
  return [
    [heading(report), ...budgetLine(report), memoryLine(report)].join('\n'),
    machines.map((machine) => configLine(machine, report.budget)).join('\n'),
    ...conditions.filter(({ config }) => config.prune !== 0).flatMap(pruningTable),
    ...blocks,
    [
      verdict(report),
      ...conditions.flatMap((run) =>
        recordedLine(run).map((line, i) => (i === 0 ? `${run.config.precision}, ${line}` : line)),
      ),
      ...notes(report),
      'raw            cycles of the denominator / cycles',
      'bound          speedup if no lane waited for another (single stream)',
      ...TRAIN_LEGEND,
      ...SYSTEM_LEGEND,
    ].join('\n'),
  ].join('\n\n');
}

/** Machines down, phases across. */
function factorTable(rows: readonly AblationRow[], of: Denominator): string {
  const machines = [...new Set(rows.map(({ machine }) => machine))];
  const columns: Column[] = [{ head: ['machine'], cells: machines, text: true }];
  for (const phase of [...PHASES, 'all'] as const) {
    if (!rows.some((row) => row.phase === phase)) continue;
    const group = phase === 'all' ? 'whole step' : phase;
    const cells = (field: Exclude<keyof Factors, 'cycles'>): string[] =>
      machines.map((machine) =>
        factor(rows.find((row) => row.machine === machine && row.phase === phase)?.[of][field] ?? null),
      );
    columns.push(
      { head: ['raw'], cells: cells('raw'), gap: 3, group },
      { head: ['occ.'], cells: cells('occupancy'), gap: 1, group },
      { head: ['bound'], cells: cells('bound'), gap: 1, group },
    );
  }
  return textTable(columns, false);
}

/** Where lane-cycles go; causes that no machine has are left out. */
function shareTable(rows: readonly Pick<AblationRow, 'machine' | 'cycles' | 'shares'>[]): string {
  const causes = Object.keys(rows[0]?.shares ?? {}).filter((cause) =>
    rows.some(({ shares }) => shares[cause] >= LEAST_SHARE),
  );
  return textTable(
    [
      { head: ['machine'], cells: rows.map(({ machine }) => machine), text: true },
      { head: ['cycles'], cells: rows.map(({ cycles }) => whole(cycles)) },
      ...causes.map((cause) => ({
        head: cause.includes('.') ? cause.split('.') : ['', cause],
        cells: rows.map(({ shares }) => percent(shares[cause])),
      })),
    ],
    false,
  );
}

function verdict({ violations, verified, ablation, otherRuns, config }: AblationReport): string {
  if (violations.length > 0) return notVerified(violations);
  if (verified === null)
    return `values not checked: level ${config.level} only times; conservation laws hold`;
  const outputs = ablation.reduce((sum, row) => sum + (row.phase === 'all' ? row.outputsChecked : 0), 0);
  const runs = otherRuns.length + 1;
  return `verified: all ${whole(outputs)} outputs of ${runs} ${runs === 1 ? 'run' : 'runs'} equal the dense reference; conservation laws hold`;
}

/** Speed, traffic and energy with memory. */
function systemTable(rows: readonly AblationRow[]): string {
  const cells = (of: (row: AblationRow) => string): string[] => rows.map(of);
  return textTable(
    [
      { head: ['machine'], cells: cells(({ machine }) => machine), text: true },
      { head: ['system', 'cycles'], cells: cells((row) => whole(row.systemCycles)) },
      { head: ['system', 'x dense'], cells: cells((row) => factor(row.systemSpeedupVsDense)) },
      { head: ['system', 'x twin'], cells: cells((row) => factor(row.systemSpeedupVsTwin)) },
      { head: ['limit %'], cells: cells((row) => limitText(row.boundBy, row.boundShare)) },
      { head: ['DRAM', 'bytes'], cells: cells((row) => short(row.dramBytes)) },
      { head: ['energy', 'uJ'], cells: cells((row) => microjoules(row.energy)) },
      { head: ['energy', 'x dense'], cells: cells((row) => factor(row.efficiencyVsDense)) },
      { head: ['energy', 'x twin'], cells: cells((row) => factor(row.efficiencyVsTwin)) },
    ],
    false,
  );
}
