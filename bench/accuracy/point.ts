/** One point of the accuracy study: a network trained at one target p from one seed. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { atomicWriteText } from '../../src/files.js';
import type { Dataset } from '../../src/record/datasets.js';
import { networkOf } from '../../src/record/networks/registry.js';
import type { LayerDensity } from '../../src/record/pruner.js';
import type { Tf } from '../../src/record/tensorflow.js';
import { Trainer } from '../../src/record/trainer.js';
import type { Threshold } from '../../src/report/report.js';

export interface PointSettings {
  network: string;
  dataset: string;
  steps: number;
  batch: number;
  threshold: Threshold;
  /** Target of the pruning; 0: none. */
  p: number;
  seed: number;
}

export interface Point extends PointSettings {
  /** Right answers on the test set, of `count`. */
  correct: number;
  count: number;
  /** Mean training loss over the last tenth of the steps. */
  loss: number;
  /** Of the gradients by the convolutions' outputs, over all steps, by layer. */
  density: Record<string, LayerDensity>;
}

/** From its file if it was trained before, otherwise trained and written there. */
export function pointOf(
  settings: PointSettings,
  folder: string,
  environment: { tf: Tf; dataset: () => Dataset; progress: (text: string) => void },
): Point {
  const { network, dataset, steps, batch, threshold, p, seed } = settings;
  mkdirSync(folder, { recursive: true });
  const file = join(
    folder,
    `${[network, dataset, steps, batch, threshold, `p${p}`, `seed${seed}`].join('-')}.json`,
  );
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Point;
  const kind = networkOf(network);
  const trainer = new Trainer(environment.tf, kind, environment.dataset(), {
    network,
    dataset,
    steps,
    recordAt: [],
    batch,
    keep: 1,
    seed,
    prune: p,
    threshold,
    learningRate: kind.rate,
    linear: false,
  });
  const last = Math.ceil(steps / 10);
  let loss = 0;
  for (let step = 1; step <= steps; step++) {
    const result = trainer.step(step, false);
    if (step > steps - last) loss += result.loss / last;
    if (step % 100 === 0)
      environment.progress(`p ${p}, seed ${seed}: step ${step} of ${steps}, loss ${result.loss.toFixed(3)}`);
  }
  const test = trainer.evaluate(() => {});
  const point: Point = { ...settings, ...test, loss, density: trainer.pruner.state().totals };
  atomicWriteText(file, `${JSON.stringify(point, null, 2)}\n`);
  return point;
}
