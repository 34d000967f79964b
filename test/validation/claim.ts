/**
 * What a claim is, and when it holds. A claim puts a figure of a publication, or of an earlier trial of this project
 * (SPEC.md, by tag), beside the same figure computed here. Its tolerance follows from the nature of the claim and is
 * decided before anybody looks at the difference:
 *   closed form                  equal, or within the rounding of the printed figure
 *   statistic of n samples       STANDARD_ERRORS standard errors
 *   conventions not stated       none: context, beside the span of our own figure over these conventions, computed
 *   other networks or nodes      none: such a row is context and cannot fail
 */
import type { Lab } from './lab.js';

/**
 * pub: stated in a published abstract or public code. rep: reported of a paper and not re-read, never judged.
 * own: measured by this project before this code. law: follows from definitions, whoever computes it.
 */
export const TAGS = ['pub', 'rep', 'own', 'law'] as const;
export type Tag = (typeof TAGS)[number];

/** Two-sided tails of a normal beyond it: 6e-5, so that some fifty rows raise no false alarm. */
export const STANDARD_ERRORS = 4;

/** A number, or a range whose ends are figures too. */
export type Figure = number | readonly [low: number, high: number];

/** How far ours may lie below and above theirs, in the unit of the row. */
export interface Tolerance {
  below: number;
  above: number;
}
/** What ours spans, least to most, over conventions that theirs does not state. */
export type Span = readonly [least: number, most: number];

export const EXACT: Tolerance = { below: 0, above: 0 };
export const within = (distance: number): Tolerance => ({ below: distance, above: distance });
export const AT_MOST: Tolerance = { below: Infinity, above: 0 };
export const AT_LEAST: Tolerance = { below: 0, above: Infinity };
/** Half a unit of the last of so many decimals. */
export const rounded = (decimals: number): number => 0.5 * 10 ** -decimals;

/**
 * Where a person gets the number: arguments of kneadsim and what to look at in what it prints, or this runner. `at` is
 * a place in JSON or arithmetic with places (place.ts), which is checked by running the command; or words.
 */
export type Command = { args: readonly string[]; at: string } | 'runner';

export interface Claim {
  /** Unique; words joined by dots, the section's first. */
  id: string;
  claim: string;
  /** Publication, or section of SPEC.md. */
  source: string;
  tag: Tag;
  theirs: Figure;
  unit: string;
  /** Decimals of ours that are shown. */
  decimals: number;
  /** Decimals that theirs was printed with. Default: those that it needs, at most `decimals`. */
  printed?: number;
  ours: (lab: Lab) => number | Promise<number>;
  /** null: context, or a figure that is only reported. */
  tolerance: null | Tolerance | ((lab: Lab, ours: number) => Tolerance | Promise<Tolerance>);
  /** Instead of a tolerance, of context: what ours spans. */
  span?: (lab: Lab) => Promise<Span>;
  /** Why this tolerance, or why none. */
  reason: string;
  command: Command;
}

export interface Section {
  /** First word of the ids of its claims. */
  name: string;
  title: string;
  about: string;
  claims: readonly Claim[];
}

export const VERDICTS = ['pass', 'FAIL', 'context', 'reported'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** A claim with its outcome: what is printed, and what --json prints. */
export interface Row {
  id: string;
  claim: string;
  source: string;
  tag: Tag;
  theirs: Figure;
  unit: string;
  decimals: number;
  printed: number | null;
  ours: number;
  /** (ours - theirs) / theirs, from the nearer end of a range; ours - theirs where theirs is 0. */
  error: number;
  tolerance: Tolerance | null;
  span: Span | null;
  verdict: Verdict;
  reason: string;
  command: string;
}

export interface SectionRows {
  name: string;
  title: string;
  about: string;
  rows: Row[];
}

export const low = (figure: Figure): number => (typeof figure === 'number' ? figure : figure[0]);
export const high = (figure: Figure): number => (typeof figure === 'number' ? figure : figure[1]);

export function errorOf(theirs: Figure, ours: number): number {
  const nearest = Math.min(Math.max(ours, low(theirs)), high(theirs));
  return nearest === 0 ? ours : (ours - nearest) / nearest;
}

/** Whether theirs, give or take the rounding with which it was printed, lies in what ours spans. */
export function inSpan({ theirs, printed }: Pick<Row, 'theirs' | 'printed'>, [least, most]: Span): boolean {
  const rounding = printed === null ? 0 : rounded(printed);
  return high(theirs) + rounding >= least && low(theirs) - rounding <= most;
}

/** @throws Error if the claim is one that must not be judged */
export function judge(
  { id, tag, theirs }: Pick<Claim, 'id' | 'tag' | 'theirs'>,
  ours: number,
  tolerance: Tolerance | null,
): Verdict {
  if (!Number.isFinite(ours)) throw new Error(`${id}: ours is ${ours}`);
  if (tag === 'rep') {
    if (tolerance) throw new Error(`${id}: a figure that is only reported has no tolerance`);
    return 'reported';
  }
  if (!tolerance) return 'context';
  return ours >= low(theirs) - tolerance.below && ours <= high(theirs) + tolerance.above ? 'pass' : 'FAIL';
}

export const commandText = ({ id, command }: Pick<Claim, 'id' | 'command'>): string =>
  command === 'runner'
    ? `npx tsx test/validation/validate.ts --only ${id}`
    : `kneadsim ${command.args.join(' ')}  # ${command.at}`;

export async function rowOf(claim: Claim, lab: Lab): Promise<Row> {
  const { id, source, tag, theirs, unit, decimals, reason } = claim;
  const ours = await claim.ours(lab);
  const tolerance =
    typeof claim.tolerance === 'function' ? await claim.tolerance(lab, ours) : claim.tolerance;
  if (claim.span && tolerance) throw new Error(`${id}: a span is of context, which has no tolerance`);
  return {
    id,
    claim: claim.claim,
    source,
    tag,
    theirs,
    unit,
    decimals,
    printed: claim.printed ?? null,
    ours,
    error: errorOf(theirs, ours),
    tolerance,
    span: claim.span ? await claim.span(lab) : null,
    verdict: judge(claim, ours, tolerance),
    reason,
    command: commandText(claim),
  };
}

/** Rows in order, told one by one. */
export async function rowsOf(
  sections: readonly Section[],
  lab: Lab,
  progress: (id: string) => void = () => {},
): Promise<SectionRows[]> {
  const done: SectionRows[] = [];
  for (const { name, title, about, claims } of sections) {
    const rows: Row[] = [];
    for (const claim of claims) {
      progress(claim.id);
      rows.push(await rowOf(claim, lab));
    }
    done.push({ name, title, about, rows });
  }
  return done;
}

/** 2 if a row with a verdict fails, as for every verification of kneadsim; else 0. */
export const exitCode = (sections: readonly SectionRows[]): 0 | 2 =>
  sections.some(({ rows }) => rows.some(({ verdict }) => verdict === 'FAIL')) ? 2 : 0;
