/** Numbers and names as people read them: one way for each quantity, so that all tables agree. */

/** Where there is nothing to say: a ratio with denominator zero, or a fact that was not recorded. */
export const NOTHING = '-';

export const whole = (n: number): string => n.toLocaleString('en-US');

/** Speedups and bounds. */
export const factor = (x: number | null): string => (x === null ? NOTHING : x.toFixed(2));

/** Ratios below one, where the third digit still tells two configurations apart. */
export const ratio = (x: number | null): string => (x === null ? NOTHING : x.toFixed(3));

/** A fraction in percent, without the sign: the column says so. */
export const percent = (fraction: number | null): string =>
  fraction === null ? NOTHING : (100 * fraction).toFixed(1);

const SUFFIXES = ['', 'k', 'M', 'G', 'T', 'P'];

/** Three significant digits and a decimal suffix: 112,896 is 113k. */
export function short(n: number): string {
  if (n < 1000) return String(n);
  let power = Math.floor(Math.log10(n) / 3);
  // Rounding may carry into the next suffix: 999,700 is 1.00M, not 1000k.
  if (Number((n / 1000 ** power).toPrecision(3)) >= 1000) power++;
  return (n / 1000 ** power).toPrecision(3) + SUFFIXES[power];
}

export const yesNo = (verified: boolean | null): string =>
  verified === null ? NOTHING : verified ? 'yes' : 'NO';

/** Names come from files: no control character of theirs reaches the terminal. */
export const printable = (text: string): string => text.replace(/\p{C}/gu, '?');

/** A printable name in at most `width` places. The end of a layer name tells more than its middle. */
export function fit(text: string, width: number): string {
  const clean = printable(text);
  if (clean.length <= width) return clean;
  const head = Math.floor((width - 1) / 2);
  return `${clean.slice(0, head)}…${clean.slice(clean.length - (width - 1 - head))}`;
}
