/** The search over array shapes as text: the best of each machine, what they keep of the bound, where the rest goes. */
import type { MachineConfig } from '../arch/machine.js';
import { budgetLine, heading, notes } from './heading.js';
import { factor, percent, whole } from './number.js';
import { pruningTable, recordedLine } from './pruningTable.js';
import type { ShapeReport, ShapeRow } from './shapeReport.js';
import { textTable } from './textTable.js';
import { wrap } from './textTable.js';

/** Shapes per machine that are shown; the JSON has all. */
const SHOWN = 5;

/** The report as text, without a line end at its end. */
export function shapeSearchText(report: ShapeReport): string {
  const { shapes, winners, violations } = report;
  const checked = winners.flatMap(({ byCycles, byKept }) =>
    byCycles === byKept ? [byCycles] : [byCycles, byKept],
  );
  const outputs = checked.reduce((sum, row) => sum + row.outputsChecked, 0);
  return [
    [heading(report), ...budgetLine(report)].join('\n'),
    ...pruningTable(report),
    ...winners.map(({ machine, byCycles, byKept }) => {
      const own = shapes.filter((row) => row.machine === machine);
      return [
        `${machine}: best arrays of ${own.length} configurations by cycles, at level ${own[0].level}`,
        table(arrays(own).slice(0, SHOWN)),
        ...(byCycles === byKept
          ? [`fewest cycles and most of the bound: ${summary(byCycles)}`]
          : [`fewest cycles: ${summary(byCycles)}`, `most of the bound: ${summary(byKept)}`]),
      ].join('\n');
    }),
    [
      violations.length > 0
        ? `NOT VERIFIED: ${violations.length} checks did not hold; see the messages`
        : `verified: all ${whole(outputs)} outputs of the ${checked.length} winners, at level step, equal the dense reference`,
      ...recordedLine(report),
      ...notes(report),
      "speedup        cycles of dense MAC (dadiannao; the budget's array) / cycles",
      'bound          speedup if no lane waited for another (single stream)',
      'occ.           speedup at equal occupancy: dense lane-items / lane-cycles issued or stalled',
      'kept %         occ. / bound; stall and idle in % of all lane-cycles',
    ].join('\n'),
  ].join('\n\n');
}

/** The best of each array, whose details change little. */
function arrays(rows: readonly ShapeRow[]): ShapeRow[] {
  const seen = new Set<string>();
  return rows.filter(({ config: { tiles, units, lanes, lowering, groups, pesPerGroup, taps } }) => {
    const key = [tiles, units, lanes, lowering, groups, pesPerGroup, taps].join();
    return !seen.has(key) && seen.add(key);
  });
}

/** `64 x 4 x 16`, windows, lowering; groups x PEs x taps. */
function shapeOf(config: MachineConfig): string {
  const { tiles, units, lanes, groups, pesPerGroup, taps, windowSlots, kneadingStride, lowering } = config;
  return [
    ...(tiles === undefined ? [] : [`${tiles} x ${units} x ${lanes}`]),
    ...(groups === undefined ? [] : [`${groups} groups x ${pesPerGroup} x ${taps}`]),
    ...(windowSlots === undefined ? [] : [`D ${windowSlots}`]),
    ...(kneadingStride === undefined ? [] : [`KS ${kneadingStride}`]),
    ...(lowering === undefined ? [] : [`${lowering}`]),
  ].join(', ');
}

function table(rows: readonly ShapeRow[]): string {
  const column = (head: string[], of: (row: ShapeRow) => string) => ({ head, cells: rows.map(of) });
  const causes = Object.keys(rows[0].shares).filter((cause) =>
    rows.some(({ shares }) => shares[cause] >= 0.0005),
  );
  return textTable(
    [
      { ...column(['tiles x units x lanes'], ({ config }) => shapeOf(config)), text: true },
      column(['cycles'], (row) => whole(row.cycles)),
      column(['speed-', 'up'], (row) => factor(row.speedupVsDense)),
      column(['occ.'], (row) => factor(row.occupancySpeedup)),
      column(['bound'], (row) => factor(row.singleStreamBound)),
      column(['kept', '%'], (row) => percent(row.kept)),
      ...causes.map((cause) => column(shortCause(cause), ({ shares }) => percent(shares[cause]))),
    ],
    false,
  );
}

/** Causes as column heads that leave room for all of them. */
function shortCause(cause: string): string[] {
  const [kind, name = ''] = cause.split('.');
  if (name === '') return [kind];
  const short: Record<string, string> = {
    absentLane: 'lane',
    absentUnit: 'unit',
    imbalance: 'imbal.',
    window: 'wind.',
    weights: 'wts.',
  };
  return [kind, short[name] ?? name];
}

const summary = ({
  config,
  cycles,
  speedupVsDense,
  occupancySpeedup,
  singleStreamBound,
  kept,
}: ShapeRow): string =>
  wrap(
    [
      shapeOf(config),
      `${whole(cycles)} cycles`,
      `speedup ${factor(speedupVsDense)}`,
      `occ. ${factor(occupancySpeedup)} of bound ${factor(singleStreamBound)}`,
      `kept ${percent(kept)} %`,
    ],
    '; ',
    4,
    78,
  );
