/** What is written beside the traces: one line per training step, and a summary in JSON. */
import type { LayerDensity } from './pruner.js';
import type { StepResult } from './trainer.js';

/** Numbers per step, in the order of the columns. */
export const COLUMNS = ['step', 'loss', 'train_accuracy', 'density_before', 'density_after'] as const;

export class TrainingLog {
  /** @param rows of earlier steps, end to end, as `rows` gave them */
  constructor(readonly rows: number[] = []) {}

  /** Loss and accuracy of the batch, before the update; densities of all its gradients. */
  add({ step, loss, correct, density }: StepResult, batch: number): void {
    const { before, after } = shares(density);
    this.rows.push(step, loss, correct / batch, before, after);
  }

  /** The columns of the last step. */
  last(): number[] {
    return this.rows.slice(-COLUMNS.length);
  }

  csv(): string {
    const lines: string[] = [COLUMNS.join()];
    for (let i = 0; i < this.rows.length; i += COLUMNS.length)
      lines.push(this.rows.slice(i, i + COLUMNS.length).join());
    return `${lines.join('\n')}\n`;
  }
}

/** Shares of elements that are not zero. */
export const shares = ({ elements, before, after }: LayerDensity): { before: number; after: number } => ({
  before: before / elements,
  after: after / elements,
});
