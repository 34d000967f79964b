/** A progress bar on stderr for what takes over a second; silent where nobody watches. */
import cliProgress from 'cli-progress';
import { printable } from '../report/number.js';
import type { Io } from './io.js';

const PATIENCE_MS = 1000;

export class LateBar {
  private readonly since = Date.now();
  private bar: cliProgress.SingleBar | null = null;

  /** @param slow whether the work is known to be long, so that there is no need to wait and see */
  constructor(
    private readonly io: Io,
    private readonly slow = false,
  ) {}

  update(done: number, total: number, label: string): void {
    if (!this.io.watched) return;
    const payload = { label: printable(label) };
    if (!this.bar && (this.slow || Date.now() - this.since > PATIENCE_MS)) {
      this.bar = new cliProgress.SingleBar({
        format: '{bar} {value}/{total} {label}',
        barsize: 24,
        clearOnComplete: true,
        stream: process.stderr,
      });
      this.bar.start(total, done, payload);
    }
    this.bar?.update(done, payload);
  }

  stop(): void {
    this.bar?.stop();
    this.bar = null;
  }
}
