/**
 * End to end, from the file to the report. Goals: the bundled ResNet-8 steps through dadiannao, pragmatic and
 * tetris, every value checked, in under 30 s of CPU; the count of a network of 22 million weights, all layers at
 * 35x35, takes under 3 s of CPU and 400 MB, in a process of its own.
 */
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Precision } from '../src/quantize.js';
import { referenceForward } from '../src/reference.js';
import { simulate, type SimulateOptions } from '../src/simulate.js';
import { macCount } from '../src/tensor.js';
import { openTrace } from '../src/trace/open.js';
import type { CountCost } from './countChild.js';
import { mustEqual, PRECISIONS, RESNET8, resnet8 } from './data.js';
import { naiveReplay } from './naiveReplay.js';
import { below, cpuSeconds, keep, NAIVE, noted, runSuite, type Case, type GoalLine } from './support.js';
import { writeLargeNetwork } from './largeNetwork.js';

const STEPPED = ['dadiannao', 'pragmatic', 'tetris'];
/** The layer of the comparison: it fills all lanes and units. */
const LAYER = 'layer2.0.conv2';

export async function replay(): Promise<GoalLine[]> {
  const speeds = await runSuite('replay', 'M MACs', PRECISIONS.flatMap(layerCases));
  return [
    ...PRECISIONS.map((precision) =>
      noted(
        `replay of ${LAYER}, tetris, ${precision}`,
        speeds.get(`${precision} ${LAYER}: step, tetris`)!.ratio,
        'x naive',
      ),
    ),
    ...PRECISIONS.map((precision) => {
      const seconds = [1, 2].map(() =>
        cpuSeconds(() => keep(run({ machines: STEPPED, level: 'step', precision }))),
      );
      const what = `ResNet-8 steps through ${STEPPED.join(', ')}, ${precision}`;
      return below(30, what, Math.min(...seconds), 's CPU');
    }),
    ...(await countLines()),
  ];
}

/** Opens the bundled trace, runs it, and makes sure that everything was right. */
function run(options: SimulateOptions): number {
  const trace = openTrace(RESNET8);
  const report = simulate(trace, options);
  trace.close();
  if (report.violations.length > 0 || report.verified === false)
    throw new Error(report.violations.join('; '));
  return report.machines[0].total.cycles;
}

function layerCases(precision: Precision): Case[] {
  const [work] = resnet8(precision, LAYER);
  const { codes } = work.activations!;
  mustEqual(LAYER, naiveReplay(work, 16), referenceForward(work.shape, work.weights.codes, codes));
  const step = (machine: string) => (): number => run({ machines: [machine], precision, layer: LAYER });
  const macs = macCount(work.shape);
  const bodies: [string, () => number][] = [
    ...STEPPED.map((machine): [string, () => number] => [`step, ${machine}`, step(machine)]),
    ['count, tetris', () => run({ machines: ['tetris'], level: 'count', precision, layer: LAYER })],
    [NAIVE, () => naiveReplay(resnet8(precision, LAYER)[0], 16)[0]],
  ];
  return bodies.map(([name, body]) => ({ group: `${precision} ${LAYER}`, name, body, work: macs }));
}

async function countLines(): Promise<GoalLine[]> {
  const folder = mkdtempSync(join(tmpdir(), 'kneadsim-bench-'));
  try {
    const file = join(folder, 'large.safetensors');
    await writeLargeNetwork(file);
    const lines: GoalLine[] = [];
    for (const precision of PRECISIONS) {
      const costs = [await countInChild(file, precision), await countInChild(file, precision)];
      const what = `count of ${(costs[0].weights / 1e6).toFixed(1)} M weights, ${precision}`;
      const least = (of: (cost: CountCost) => number): number => Math.min(...costs.map(of));
      lines.push(
        below(
          3,
          what,
          least((c) => c.seconds),
          's CPU',
        ),
        noted(
          `${what}, with the start of the process`,
          least((c) => c.processSeconds),
          's CPU',
        ),
        below(400, `${what}, peak resident`, Math.max(...costs.map((c) => c.megabytes)), 'MB'),
      );
    }
    return lines;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A fresh process each time, so that its peak memory is that of the count alone. */
function countInChild(file: string, precision: Precision): Promise<CountCost> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(new URL('./countChild.ts', import.meta.url)), [file, precision]);
    let cost: CountCost | null = null;
    child.on('message', (message) => {
      cost = message as CountCost;
    });
    child.on('error', reject);
    child.on('exit', (code) => {
      if (cost !== null && code === 0) resolve(cost);
      else reject(new Error(`counting the large network ended with exit code ${code}`));
    });
  });
}
