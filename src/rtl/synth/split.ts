/**
 * Energy of a unit by what causes it, from several runs of the same netlist that do different amounts of each thing:
 * what clock pins take is measured apart and goes with cycles, since registers are clocked in every cycle; the rest is
 * words and outputs, or values and additions, by least squares over the runs, module by module. So a rear tree costs its
 * clock in every cycle, a little with every word (its first adders follow the segments), and most with the output for
 * which it is there.
 */
import type { Energy } from './energy.js';
import type { MeasuredEnergy } from './measure.js';

/** By thing, then by module: pJ of each. `clock` is per cycle. */
export type EnergySplit = Record<string, Record<string, number>>;

/** Share of a module's energy below which it has none of a thing: differences of equal sums are not quite zero. */
const NOTHING = 1e-9;

/** Solves a square system by Gauss' elimination. Null if it has no single solution. */
export function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] | null {
  const rows = matrix.map((row, i) => [...row, right[i]]);
  const size = rows.length;
  const scale = Math.max(...matrix.flat().map(Math.abs));
  for (let k = 0; k < size; k++) {
    const pivot = rows.reduce(
      (best, row, i) => (i > k && Math.abs(row[k]) > Math.abs(rows[best][k]) ? i : best),
      k,
    );
    [rows[k], rows[pivot]] = [rows[pivot], rows[k]];
    if (Math.abs(rows[k][k]) <= NOTHING * scale) return null;
    for (let i = 0; i < size; i++) {
      if (i === k) continue;
      const factor = rows[i][k] / rows[k][k];
      for (let j = k; j <= size; j++) rows[i][j] -= factor * rows[k][j];
    }
  }
  return rows.map((row, i) => row[size] / row[i]);
}

/** The x for which matrix x comes closest to `right`; exactly, where there are as many equations as unknowns. */
export function leastSquares(
  matrix: readonly (readonly number[])[],
  right: readonly number[],
): number[] | null {
  const unknowns = matrix[0].map((_, j) => j);
  const dot = (j: number, of: (row: readonly number[], i: number) => number): number =>
    matrix.reduce((sum, row, i) => sum + row[j] * of(row, i), 0);
  return solve(
    unknowns.map((j) => unknowns.map((k) => dot(j, (row) => row[k]))),
    unknowns.map((j) => dot(j, (_, i) => right[i])),
  );
}

const besidesClock = ({ switching, internal, clock }: Energy): number => switching + internal - clock;

/** Modules that a thing concerns; all of them where it is not named. */
export type Concerns = Readonly<Record<string, readonly string[]>>;

/** Null where the runs are fewer than the things that they do, or too much alike. */
export function energySplit(runs: readonly MeasuredEnergy[], concerns: Concerns = {}): EnergySplit | null {
  const things = [...new Set(runs.flatMap(({ counts }) => Object.keys(counts)))];
  if (runs.length === 0 || things.length > runs.length) return null;
  const split: EnergySplit = Object.fromEntries(['clock', ...things].map((thing) => [thing, {}]));
  for (const module of [...runs[0].modules.keys()].sort()) {
    const { clock } = runs[0].modules.get(module)!;
    if (clock > 0) split.clock[module] = clock / runs[0].cycles;
    const own = things.filter((thing) => !(thing in concerns) || concerns[thing].includes(module));
    const matrix = runs.map(({ counts }) => own.map((thing) => counts[thing] ?? 0));
    const spent = runs.map(({ modules }) => besidesClock(modules.get(module)!));
    const costs = leastSquares(matrix, spent);
    if (!costs) return null;
    own.forEach((thing, i) => {
      const most = Math.max(...matrix.map((row) => row[i]));
      if (Math.abs(costs[i]) * most > NOTHING * Math.max(...spent)) split[thing][module] = costs[i];
    });
  }
  return split;
}
