/** The accuracy study as a table: mean and spread over seeds, and whether pruning made a difference beyond them. */
import { prunedDensity } from '../../src/sparse/threshold.js';
import type { Point, PointSettings } from './point.js';

export interface Spread {
  mean: number;
  /** Standard deviation over seeds, with n - 1; NaN of one seed. */
  deviation: number;
}

export interface Row {
  p: number;
  seeds: number;
  /** Share of right answers on the test set. */
  accuracy: Spread;
  loss: Spread;
  /** Accuracy minus that of p = 0 from the same seed; null at p = 0. */
  difference: (Spread & { halfInterval: number }) | null;
  /** Shares of non-zero gradients, all convolutions together, before and after pruning. */
  before: Spread;
  after: Spread;
  /** After pruning, by layer, in order of the network. */
  layers: Map<string, number>;
}

export function spread(values: number[]): Spread {
  const n = values.length;
  const mean = values.reduce((sum, x) => sum + x, 0) / n;
  const squares = values.reduce((sum, x) => sum + (x - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / (n - 1)) };
}

/** Of Student's t for 1 to 9 degrees of freedom: 95 % of it lies within plus and minus this. */
const STUDENT_95 = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262];

const total = (point: Point, part: 'elements' | 'before' | 'after'): number =>
  Object.values(point.density).reduce((sum, density) => sum + density[part], 0);

export const accuracyOf = ({ correct, count }: Point): number => correct / count;
export const densityOf = (point: Point, part: 'before' | 'after'): number =>
  total(point, part) / total(point, 'elements');

export function summarise(points: Point[]): Row[] {
  const targets = [...new Set(points.map(({ p }) => p))].sort((a, b) => a - b);
  return targets.map((p) => {
    const own = points.filter((point) => point.p === p);
    const differences = own.map((point) => {
      const unpruned = points.find((other) => other.p === 0 && other.seed === point.seed)!;
      return accuracyOf(point) - accuracyOf(unpruned);
    });
    const n = own.length;
    const difference = spread(differences);
    return {
      p,
      seeds: n,
      accuracy: spread(own.map(accuracyOf)),
      loss: spread(own.map(({ loss }) => loss)),
      difference:
        p === 0
          ? null
          : {
              ...difference,
              halfInterval:
                n < 2 ? NaN : (STUDENT_95[Math.min(n, 10) - 2] * difference.deviation) / Math.sqrt(n),
            },
      before: spread(own.map((point) => densityOf(point, 'before'))),
      after: spread(own.map((point) => densityOf(point, 'after'))),
      layers: new Map(
        Object.keys(own[0].density)
          .sort()
          .map((layer) => {
            const shares = own.map(({ density }) => density[layer].after / density[layer].elements);
            return [layer, spread(shares).mean];
          }),
      ),
    };
  });
}

const percent = (x: number, digits = 2): string => (Number.isFinite(x) ? (100 * x).toFixed(digits) : '-');
const plusMinus = ({ mean, deviation }: Spread, digits = 2): string =>
  `${percent(mean, digits)} ± ${percent(deviation, digits)}`;

function verdict({ difference }: Row): string {
  if (!difference) return '';
  const { mean, halfInterval } = difference;
  if (!Number.isFinite(halfInterval)) return 'one seed tells nothing of noise';
  return Math.abs(mean) <= halfInterval
    ? 'within noise'
    : mean < 0
      ? 'worse, beyond noise'
      : 'better, beyond noise';
}

export function tableOf(rows: Row[], settings: PointSettings & { count: number }): string {
  const layers = [...rows[0].layers.keys()];
  const { network, dataset, steps, batch, threshold, count } = settings;
  const head = [
    'p',
    'seeds',
    'test accuracy, %',
    'minus p = 0, points (95 %)',
    '',
    'training loss',
    'density before, %',
    'density after, %',
    ...layers.map((layer) => `${layer} after, %`),
    'normal rho(p), %',
  ];
  const lines = rows.map((row) => [
    String(row.p),
    String(row.seeds),
    plusMinus(row.accuracy),
    row.difference ? `${percent(row.difference.mean)} ± ${percent(row.difference.halfInterval)}` : '',
    verdict(row),
    `${row.loss.mean.toFixed(3)} ± ${row.loss.deviation.toFixed(3)}`,
    plusMinus(row.before, 1),
    plusMinus(row.after, 1),
    ...layers.map((layer) => percent(row.layers.get(layer)!, 1)),
    percent(prunedDensity(row.p), 1),
  ]);
  const line = (cells: string[]): string => `| ${cells.join(' | ')} |`;
  const sampling = Math.sqrt((rows[0].accuracy.mean * (1 - rows[0].accuracy.mean)) / count);
  return `# Accuracy under gradient pruning

${network} on ${dataset}, ${steps} steps of ${batch} examples, threshold ${threshold}, tested on ${count} images. Made by \`make accuracy\`.

${line(head)}
${line(head.map((_, index) => (index === 4 ? '---' : '---:')))}
${lines.map(line).join('\n')}

![Accuracy and gradient density against the target p](accuracy.svg)

- ± is the standard deviation over seeds; beside "minus p = 0" it is half of the 95 % interval (Student's t) of the mean difference between runs of one seed, which share initial weights and order of examples. A difference is called noise where that interval holds 0. With few seeds the interval is wide: "within noise" means that no loss was seen, not that there is none.
- A test set of ${count} images adds its own error of about ${percent(sampling)} points to every accuracy, in part shared by all runs, since they are tested on the same images.
- Training loss is the mean over the last tenth of the steps, in nats.
- Density is the share of gradients by a convolution's output that are not zero, all convolutions together and by layer, over all steps and the whole batch. Real gradients are sparse before any pruning, through ReLU and max pooling, so p acts on what is left. Pruning also thins out what arrives at the convolutions in front: an example whose gradients were all pruned sends none back. rho(p) is the density that normal values would have after the pruning of arXiv:2007.13595.
`;
}
