/**
 * How the suites measure: CPU seconds of interleaved rounds (what the goals use; other processes disturb it least),
 * then benny's operations per second of wall time, both beside the naive loop of the same group.
 */
import { add, complete, configure, save, suite } from 'benny';
import { TextTable } from './textTable.js';

/** One way to do a group's job. All cases of a group do the same work, so their times can be compared. */
export interface Case {
  group: string;
  name: string;
  /** Does the job once; what it returns is kept, so that no work can be dropped. */
  body: () => number;
  /** Amount of work in one call, in units of the suite. */
  work: number;
}

/** A goal and what was found. `met` is null for a number that has no goal. */
export interface GoalLine {
  goal: string;
  measured: string;
  met: boolean | null;
}

/** The case of each group that the others are compared with. */
export const NAIVE = 'naive loop';

let sink = 0;
/** Takes a result, so that the optimiser cannot prove it unused. */
export function keep(value: number): void {
  sink = (sink + value) % 1e9;
}
export const sunk = (): number => sink;

export function cpuSeconds(body: () => void): number {
  const from = process.cpuUsage();
  body();
  const used = process.cpuUsage(from);
  return (used.user + used.system) / 1e6;
}

/** Measures the CPU seconds of one call of a body, which it repeats for at least `seconds`. Warms it up first. */
export function timed(body: () => number, seconds: number): () => number {
  const repeat = (calls: number): number =>
    cpuSeconds(() => {
      for (let i = 0; i < calls; i++) keep(body());
    });
  let calls = 1;
  while (repeat(calls) < seconds) calls *= 2;
  return () => repeat(calls) / calls;
}

/** Least that each measure gives. Rounds are interleaved, so that a busy machine slows all alike. */
export function leastOf(measures: readonly (() => number)[], rounds: number): number[] {
  const least = measures.map(() => Infinity);
  for (let round = 0; round < rounds; round++)
    measures.forEach((measure, i) => {
      least[i] = Math.min(least[i], measure());
    });
  return least;
}

/** Least CPU seconds per call of each body. */
export const bestCpu = (bodies: readonly (() => number)[], rounds = 7, seconds = 0.03): number[] =>
  leastOf(
    bodies.map((body) => timed(body, seconds)),
    rounds,
  );

/** Speed of a case: `ratio` says how many times as fast as the naive loop of its group it is. */
export interface Speed {
  perSecond: number;
  ratio: number;
}

/**
 * Measures all cases, runs them through benny, prints both in one table.
 * @param unit what a case's work counts, in millions: "M weights"
 * @returns speed by CPU time, by "group: name"
 */
export async function runSuite(
  name: string,
  unit: string,
  cases: readonly Case[],
): Promise<Map<string, Speed>> {
  const speeds = new Map<string, Speed>();
  for (const group of new Set(cases.map((c) => c.group))) {
    const members = cases.filter((c) => c.group === group);
    const perSecond = bestCpu(members.map((c) => c.body)).map((s, i) => members[i].work / 1e6 / s);
    const naive = perSecond[members.findIndex((c) => c.name === NAIVE)];
    members.forEach((c, i) => speeds.set(keyOf(c), { perSecond: perSecond[i], ratio: perSecond[i] / naive }));
  }
  await suite(
    name,
    // The closure is made in the setup; benny calls it before timing, which changes nothing.
    ...cases.map((c) =>
      add(keyOf(c), () => () => {
        keep(c.body());
      }),
    ),
    configure({ cases: { minSamples: 5, maxTime: 0.4 } }),
    complete(({ results }) => {
      const table = new TextTable([
        'case',
        'ops/s (wall)',
        'margin',
        'x naive (wall)',
        `${unit}/s (CPU)`,
        'x naive (CPU)',
      ]);
      let last = '';
      results.forEach((result, i) => {
        if (last !== cases[i].group && last !== '') table.rule();
        last = cases[i].group;
        const naive = results[cases.findIndex((c) => c.group === last && c.name === NAIVE)];
        const { perSecond, ratio } = speeds.get(result.name)!;
        table.row([
          result.name,
          shown(result.ops),
          `±${result.margin.toFixed(1)}%`,
          shown(result.ops / naive.ops),
          shown(perSecond),
          shown(ratio),
        ]);
      });
      console.log(table.toString());
    }),
    save({ file: name, folder: 'bench/results', format: 'json' }),
  );
  return speeds;
}

const keyOf = (c: Case): string => `${c.group}: ${c.name}`;

/** Three significant digits, without exponent. */
export const shown = (x: number): string =>
  x >= 100 ? Math.round(x).toLocaleString('en-US') : x.toPrecision(3);

export const atLeast = (goal: number, what: string, found: number, unit: string): GoalLine => ({
  goal: `${what}: at least ${goal} ${unit}`,
  measured: `${shown(found)} ${unit}`,
  met: found >= goal,
});

export const below = (goal: number, what: string, found: number, unit: string): GoalLine => ({
  goal: `${what}: under ${goal} ${unit}`,
  measured: `${shown(found)} ${unit}`,
  met: found < goal,
});

export const noted = (what: string, found: number, unit: string): GoalLine => ({
  goal: what,
  measured: `${shown(found)} ${unit}`,
  met: null,
});
