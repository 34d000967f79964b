/** Plain columns for the tables of the suites: the first is text, the others are numbers. */
export class TextTable {
  private readonly rows: (string[] | null)[] = [];

  constructor(private readonly header: string[]) {}

  row(cells: string[]): void {
    this.rows.push(cells);
  }

  /** A line between rows. */
  rule(): void {
    this.rows.push(null);
  }

  toString(): string {
    const lines = [this.header, null, ...this.rows];
    const widths = this.header.map((_, i) => Math.max(...lines.map((line) => line?.[i].length ?? 0)));
    const text = (cells: string[]): string =>
      cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ');
    const rule = '-'.repeat(widths.reduce((a, b) => a + b + 2, -2));
    return lines.map((line) => (line ? text(line) : rule)).join('\n');
  }
}
