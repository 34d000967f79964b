/**
 * `make accuracy`: the same network trained at several targets p of the stochastic pruning and from several seeds
 * (SPEC section 6: training at p = 0.9 must end within noise of p = 0). Every point is kept in bench/results/accuracy,
 * so that an interrupted study goes on where it stopped; the table and the plot are written beside this file.
 */
import { fileURLToPath } from 'node:url';
import { writeFileSync } from 'node:fs';
import { format } from 'prettier';
import { loadDataset, type Dataset } from '../../src/record/datasets.js';
import { loadTensorFlow } from '../../src/record/tensorflow.js';
import { renderPlot } from './plot.js';
import { pointOf, type Point } from './point.js';
import { summarise, tableOf } from './table.js';

const TARGETS = [0, 0.7, 0.9, 0.99];

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const number = (name: string, fallback: number): number => {
  const value = Number(process.env[name] ?? fallback);
  if (!Number.isInteger(value) || value < 1) throw new Error(`${name} must be a whole number of at least 1`);
  return value;
};

const seeds = number('SEEDS', 3);
const study = {
  network: process.env.NETWORK ?? 'lenet5',
  dataset: process.env.DATASET ?? 'fashion-mnist',
  steps: number('STEPS', 1000),
  batch: 64,
  threshold: 'predicted' as const,
};

const tf = await loadTensorFlow();
let loaded: Dataset | undefined;
const environment = {
  tf,
  dataset: () => (loaded ??= loadDataset(study.dataset)),
  progress: (text: string) => console.error(text),
};
const points: Point[] = [];
// Seed by seed, so that a study that is stopped early has whole seeds.
for (let seed = 1; seed <= seeds; seed++)
  for (const p of TARGETS)
    points.push(pointOf({ ...study, p, seed }, here('../results/accuracy'), environment));

const rows = summarise(points);
const table = await format(tableOf(rows, points[0]), { parser: 'markdown' });
console.log(table);
writeFileSync(here('accuracy.md'), table);
const { svg, png } = await renderPlot(points, rows);
writeFileSync(here('accuracy.svg'), svg);
writeFileSync(here('accuracy.png'), png);
