/** The search over array shapes as text: the best of each machine, what they keep of the bound, where the rest goes. */
import type { MachineConfig, ParameterValue } from '../arch/machine.js';
import { budgetLine, heading, LEAST_SHARE, notes, notVerified } from './heading.js';
import { factor, percent, whole } from './number.js';
import { pruningTable, recordedLine } from './pruningTable.js';
import type { ShapeReport, ShapeRow, ShapeWinners } from './shapeReport.js';
import { textTable, wrap } from './textTable.js';

/** Shapes per machine that are shown; the JSON has all. */
const SHOWN = 5;

/** The report as text, without a line end at its end. */
export function shapeSearchText(report: ShapeReport): string {
  const { shapes, winners, violations } = report;
  const checked = winners.flatMap((won) => [...titles(won).keys()]);
  const outputs = checked.reduce((sum, row) => sum + row.outputsChecked, 0);
  return [
    [heading(report), ...budgetLine(report)].join('\n'),
    ...pruningTable(report),
    ...winners.map((won) => {
      const { machine } = won;
      const own = shapes.filter((row) => row.machine === machine);
      return [
        `${machine}: best arrays of ${own.length} configurations by cycles, at level ${own[0].level}`,
        table(arrays(own).slice(0, SHOWN)),
        ...[...titles(won)].map(([row, title]) => summary(title.join(', '), row)),
      ].join('\n');
    }),
    [
      violations.length > 0
        ? notVerified(violations)
        : `verified: all ${whole(outputs)} outputs of the ${checked.length} winners, at level step, equal the dense reference`,
      ...recordedLine(report),
      ...notes(report),
      "raw            speedup: cycles of dense MAC (dadiannao; the budget's array) / cycles",
      'bound          speedup if no lane waited for another (single stream)',
      'occ.           speedup at equal occupancy: dense lane-items / lane-cycles issued or stalled',
      'kept %         occ. / bound',
      'other %        of all lane-cycles: issued, stalled by flush, wind(ow), imb(alance), ...,',
      '               idle by absent lane, absent unit, empty',
    ].join('\n'),
  ].join('\n\n');
}

/** What each winner won; an array may win several times. */
function titles({ byCycles, byOccupancy, byKept }: ShapeWinners): Map<ShapeRow, string[]> {
  const won = new Map<ShapeRow, string[]>();
  for (const [row, title] of [
    [byCycles, 'fewest cycles'],
    [byOccupancy, 'fastest at equal occupancy'],
    [byKept, 'most of the bound'],
  ] as const)
    won.set(row, [...(won.get(row) ?? []), title]);
  return won;
}

/** The best of each array, whose details change little. */
function arrays(rows: readonly ShapeRow[]): ShapeRow[] {
  const seen = new Set<string>();
  return rows.filter(({ config: { tiles, units, lanes, lowering, groups, pesPerGroup, taps } }) => {
    const key = [tiles, units, lanes, lowering, groups, pesPerGroup, taps].join();
    return !seen.has(key) && seen.add(key);
  });
}

/** `64 x 4 x 16`, and `455 groups x 3 x 3` of row machines. */
function arrayOf({ tiles, units, lanes, groups, pesPerGroup, taps }: MachineConfig): string {
  return [
    ...(tiles === undefined ? [] : [`${tiles} x ${units} x ${lanes}`]),
    ...(groups === undefined ? [] : [`${groups} groups x ${pesPerGroup} x ${taps}`]),
  ].join(' and ');
}

/** Parameters beside the array, with their heads. */
const DETAILS: [name: string, head: string[]][] = [
  ['windowSlots', ['D']],
  ['kneadingStride', ['KS']],
  ['lowering', ['lower-', 'ing']],
];

const detail = (value: ParameterValue | undefined): string =>
  value === 'channelBlock' ? 'block' : value === 'flattened' ? 'flat' : String(value);

/** Causes that a table has room for. */
const CAUSES = 7;

function table(rows: readonly ShapeRow[]): string {
  const column = (head: string[], of: (row: ShapeRow) => string) => ({ head, cells: rows.map(of) });
  const largest = (cause: string): number => Math.max(...rows.map(({ shares }) => shares[cause]));
  const all = Object.keys(rows[0].shares).filter((cause) => largest(cause) >= LEAST_SHARE);
  const shown = [...all].sort((a, b) => largest(b) - largest(a)).slice(0, CAUSES);
  return textTable(
    [
      {
        ...column(
          ['tiles' in rows[0].config ? 'tiles x units x lanes' : 'groups x PEs x taps'],
          ({ config }) => arrayOf(config),
        ),
        text: true,
      },
      ...DETAILS.filter(([name]) => name in rows[0].config).map(([name, head]) =>
        column(head, ({ config }) => detail(config[name])),
      ),
      column(['cycles'], (row) => whole(row.cycles)),
      column(['raw'], (row) => factor(row.speedupVsDense)),
      column(['occ.'], (row) => factor(row.occupancySpeedup)),
      column(['bound'], (row) => factor(row.singleStreamBound)),
      column(['kept', '%'], (row) => percent(row.kept)),
      ...all
        .filter((cause) => shown.includes(cause))
        .map((cause) => column([shortCause(cause), '%'], ({ shares }) => percent(shares[cause]))),
    ],
    false,
  );
}

/** Causes as column heads that leave room for all of them. */
function shortCause(cause: string): string {
  const name = cause.replace(/^.*\./, '');
  const short: Record<string, string> = {
    absentLane: 'lane',
    absentUnit: 'unit',
    imbalance: 'imb.',
    window: 'wind.',
    weights: 'wts.',
    output: 'outp.',
  };
  return short[name] ?? name;
}

function summary(title: string, row: ShapeRow): string {
  const { config } = row;
  return wrap(
    [
      `${title}: ${arrayOf(config)}`,
      ...DETAILS.filter(([name]) => name in config).map(([name]) => `${name} ${config[name]}`),
      `${whole(row.cycles)} cycles`,
      `speedup ${factor(row.speedupVsDense)}`,
      `occ. ${factor(row.occupancySpeedup)} of bound ${factor(row.singleStreamBound)}`,
      `kept ${percent(row.kept)} %`,
    ],
    '; ',
  );
}
