/** The accuracy study as a plot: every seed as a point, mean and standard deviation over it. */
import { Resvg } from '@resvg/resvg-js';
import * as vega from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import type { Point } from './point.js';
import { accuracyOf, densityOf, type Row, type Spread } from './table.js';

interface Mark {
  p: string;
  series: string;
  /** Percent. */
  value: number;
}

interface Mean extends Mark {
  low: number;
  high: number;
}

const meanOf = (p: number, series: string, { mean, deviation }: Spread): Mean => {
  const around = Number.isFinite(deviation) ? deviation : 0;
  return {
    p: String(p),
    series,
    value: 100 * mean,
    low: 100 * (mean - around),
    high: 100 * (mean + around),
  };
};

function panel(title: string, axis: string, zero: boolean, seeds: Mark[], means: Mean[]): object {
  const series = [...new Set(means.map((mean) => mean.series))];
  const x = {
    field: 'p',
    type: 'ordinal',
    title: 'target p of the pruning (no unit)',
    axis: { labelAngle: 0 },
  };
  const y = { field: 'value', type: 'quantitative', title: axis, scale: { zero } };
  const colour = {
    field: 'series',
    type: 'nominal',
    title: null,
    scale: { domain: series, range: ['#1b6ca8', '#c8553d'] },
    legend: series.length > 1 ? { orient: 'bottom' } : null,
  };
  return {
    title,
    width: 300,
    height: 260,
    layer: [
      {
        data: { values: means },
        mark: { type: 'line', strokeWidth: 1, opacity: 0.5 },
        encoding: { x, y, color: colour },
      },
      {
        data: { values: means },
        mark: { type: 'rule', strokeWidth: 2 },
        encoding: { x, y: { ...y, field: 'low' }, y2: { field: 'high' }, color: colour },
      },
      {
        data: { values: seeds },
        mark: { type: 'point', size: 36, opacity: 0.6, xOffset: 9 },
        encoding: { x, y, color: colour },
      },
      {
        data: { values: means },
        mark: { type: 'point', shape: 'diamond', filled: true, size: 70, opacity: 1 },
        encoding: { x, y, color: colour },
      },
    ],
  };
}

export async function renderPlot(points: Point[], rows: Row[]): Promise<{ svg: string; png: Uint8Array }> {
  const { network, dataset, steps, count } = points[0];
  const mark = (point: Point, series: string, value: number): Mark => ({
    p: String(point.p),
    series,
    value: 100 * value,
  });
  const spec = {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    background: 'white',
    title: {
      text: `${network} on ${dataset}, ${steps} steps: accuracy and gradient density under pruning`,
      subtitle: 'circles: one seed each; diamond and bar: mean and standard deviation over seeds',
      anchor: 'middle',
    },
    hconcat: [
      panel(
        'Accuracy after training',
        `test accuracy, % of ${count.toLocaleString('en')} images`,
        false,
        points.map((point) => mark(point, 'accuracy', accuracyOf(point))),
        rows.map((row) => meanOf(row.p, 'accuracy', row.accuracy)),
      ),
      panel(
        'Gradients by the outputs of convolutions',
        'non-zero gradients, % of elements',
        true,
        points.flatMap((point) => [
          mark(point, 'before pruning', densityOf(point, 'before')),
          mark(point, 'after pruning', densityOf(point, 'after')),
        ]),
        rows.flatMap((row) => [
          meanOf(row.p, 'before pruning', row.before),
          meanOf(row.p, 'after pruning', row.after),
        ]),
      ),
    ],
    resolve: { scale: { color: 'independent' } },
    config: { font: 'DejaVu Sans, Helvetica, Arial, sans-serif' },
  };
  const compiled = compile(spec as unknown as TopLevelSpec).spec;
  const svg = await new vega.View(vega.parse(compiled), { renderer: 'none' }).toSVG();
  const png = new Resvg(svg, { fitTo: { mode: 'zoom', value: 2 } }).render().asPng();
  return { svg, png };
}
