/**
 * The exact recurrence of SPEC section 3 as written there, over every position, group and unit, with whole
 * histories in plain arrays: the oracle of both levels of the SAC machines, in all phases, kneaded off-line or under
 * the mask of the window. For throttle buffers other than one word. Shares no code with src/arch, src/lower and
 * src/bit.
 */
import type { LayerWork } from '../../src/arch/machine.js';
import { naiveLengths } from './naiveKnead.js';

export interface NaiveSacConfig {
  tiles: number;
  units: number;
  lanes: number;
  tileBy: string;
  lowering: string;
  kneadingStride: number;
  windowSlots: number;
  throttleWords: number;
  sync: string;
  windowLoadCycles: number;
}

export interface NaiveSac {
  cycles: number;
  boundCycles: number;
  kneadedRows: number;
  /** Whether some tile's timing repeated itself within a block, so that a clever counter could skip. */
  recurs: boolean;
}

/** Times of one tile: all of them, since reset. */
interface TileHistory {
  load: number[][];
  passed: number[][];
  finish: number[][];
}

/** @param masked kneaded on-line under the window's mask: rows count per output, the first word comes a cycle later */
export function naiveSac(c: NaiveSacConfig, work: LayerWork, masked = false): NaiveSac {
  const terms = naiveTerms(work, c);
  const tiles = Array.from({ length: c.tiles }, (): TileHistory => {
    const lanes = (): number[][] => Array.from({ length: c.lanes }, () => []);
    return { load: lanes(), passed: lanes(), finish: Array.from({ length: c.units * c.lanes }, () => []) };
  });
  const delay = masked && c.throttleWords > 0 ? 1 : 0;
  const result = { cycles: delay, boundCycles: 0, kneadedRows: 0, recurs: false };
  const bits = (work.phase === 'gradWeight' ? work.activations! : work.weights).magnitudeBits;
  for (const chunks of terms.groups)
    for (let first = 0; first < chunks.length; first += c.tiles) {
      const inBlock = chunks.slice(first, first + c.tiles);
      const replicas =
        c.tileBy === 'positions' && work.phase !== 'gradWeight' ? Math.floor(c.tiles / inBlock.length) : 1;
      const blockStart = result.cycles;
      let bound = 0;
      inBlock.forEach((units, chunk) => {
        const outputs = terms.outputs(units).map((output) =>
          output.map((unit) =>
            unit.map((lane) => {
              const kneaded = lane.map(({ code, value }) => (masked && value === 0 ? 0 : code));
              return naiveLengths(kneaded, bits, c.kneadingStride);
            }),
          ),
        );
        const distinct = masked
          ? outputs
          : [...new Set(outputs.map((_, i) => terms.kind(i)))].map(
              (kind) => outputs[outputs.findIndex((_, i) => terms.kind(i) === kind)],
            );
        for (const lane of distinct.flat(2)) result.kneadedRows += sum(lane);
        for (let r = 0; r < replicas; r++) {
          const mine = outputs.filter((_, p) => p % replicas === r);
          if (mine.length === 0) continue;
          const run = runTile(c, tiles[chunk * replicas + r], mine, blockStart);
          result.cycles = Math.max(result.cycles, run.end);
          result.recurs ||= run.recurs;
          units.forEach((_, n) => {
            for (let l = 0; l < c.lanes; l++)
              bound = Math.max(bound, sum(mine.map((output) => sum(output[n][l]))));
          });
        }
      });
      result.boundCycles += bound;
    }
  result.cycles -= delay;
  return result;
}

const sum = (x: number[]): number => x.reduce((a, b) => a + b, 0);

interface Term {
  code: number;
  value: number;
}
/** [unit][lane][item] */
type Output = Term[][][];

/** The work of a phase: chunks of units by group, and what each output of a chunk sums. */
interface Terms {
  groups: number[][][];
  outputs(units: number[]): Output[];
  /** What tells apart outputs with other terms. */
  kind(output: number): string;
}

function naiveTerms(work: LayerWork, c: NaiveSacConfig): Terms {
  const { shape: s, phase } = work;
  const size = (padded: number, kernel: number, dilation: number, stride: number): number =>
    Math.floor((padded - (kernel - 1) * dilation - 1) / stride) + 1;
  const Ho = size(s.height + s.padTop + s.padBottom, s.kernelHeight, s.dilationY, s.strideY);
  const Wo = size(s.width + s.padLeft + s.padRight, s.kernelWidth, s.dilationX, s.strideX);
  const C = s.channels / s.groups;
  const F = s.filters / s.groups;
  const w = (f: number, ch: number, r: number, t: number): number =>
    work.weights.codes[((f * C + (ch % C)) * s.kernelHeight + r) * s.kernelWidth + t];
  const a = (n: number, ch: number, y: number, x: number): number =>
    y < 0 || x < 0 || y >= s.height || x >= s.width
      ? 0
      : (work.activations?.codes[((n * s.channels + ch) * s.height + y) * s.width + x] ?? 0);
  const g = (n: number, f: number, y: number, x: number): number =>
    work.gradOutput!.codes[((n * s.filters + f) * Ho + y) * Wo + x];
  const deal = (list: { term: Term; channel: number }[], turns: boolean): Term[][] => {
    const lanes: Term[][] = Array.from({ length: c.lanes }, () => []);
    list.forEach(({ term, channel }, turn) => lanes[(turns ? turn : channel) % c.lanes].push(term));
    return lanes;
  };
  const grid = (n: number, rows: number, columns: number): [number, number, number][] =>
    range(n).flatMap((i) =>
      range(rows).flatMap((y) => range(columns).map((x): [number, number, number] => [i, y, x])),
    );
  const taps = range(s.kernelHeight).flatMap((r) => range(s.kernelWidth).map((t) => [r, t]));
  const flat = c.lowering === 'flattened';
  const cut = (list: number[]): number[][] =>
    range(Math.ceil(list.length / c.units)).map((k) => list.slice(k * c.units, (k + 1) * c.units));

  if (phase === 'forward') {
    const positions = grid(s.batch, Ho, Wo);
    return {
      groups: range(s.groups).map((group) => cut(range(F).map((f) => group * F + f))),
      kind: () => '',
      outputs: (filters) =>
        positions.map(([n, y, x]) =>
          filters.map((f) =>
            deal(
              taps.flatMap(([r, t]) =>
                range(C).map((channel) => {
                  const ch = Math.floor(f / F) * C + channel;
                  const value = a(
                    n,
                    ch,
                    y * s.strideY + r * s.dilationY - s.padTop,
                    x * s.strideX + t * s.dilationX - s.padLeft,
                  );
                  return { term: { code: w(f, ch, r, t), value }, channel };
                }),
              ),
              flat,
            ),
          ),
        ),
    };
  }
  if (phase === 'gradInput') {
    const live = (y: number, x: number): number[][] =>
      taps.flatMap(([r, t]) => {
        const oy = (y + s.padTop - r * s.dilationY) / s.strideY;
        const ox = (x + s.padLeft - t * s.dilationX) / s.strideX;
        const there =
          Number.isInteger(oy) && Number.isInteger(ox) && oy >= 0 && ox >= 0 && oy < Ho && ox < Wo;
        return there ? [[r, t, oy, ox]] : [];
      });
    const positions = grid(s.batch, s.height, s.width).filter(([, y, x]) => live(y, x).length > 0);
    return {
      groups: range(s.groups).map((group) => cut(range(C).map((ch) => group * C + ch))),
      kind: (i) => {
        const [, y, x] = positions[i];
        return live(y, x)
          .map(([r, t]) => `${r},${t}`)
          .join(' ');
      },
      outputs: (channels) =>
        positions.map(([n, y, x]) =>
          channels.map((ch) =>
            deal(
              live(y, x).flatMap(([r, t, oy, ox]) =>
                range(F).map((filter) => {
                  const f = Math.floor(ch / C) * F + filter;
                  return { term: { code: w(f, ch, r, t), value: g(n, f, oy, ox) }, channel: filter };
                }),
              ),
              flat,
            ),
          ),
        ),
    };
  }
  const positions = grid(s.batch, Ho, Wo);
  const perFilter = C * taps.length;
  return {
    groups: range(s.groups).map((group) =>
      range(F).flatMap((f) => cut(range(perFilter).map((i) => (group * F + f) * perFilter + i))),
    ),
    kind: () => '',
    outputs: (units) => [
      units.map((unit) => {
        const f = Math.floor(unit / perFilter);
        const [r, t] = taps[Math.floor((unit % perFilter) / C)];
        const ch = Math.floor(f / F) * C + (unit % C);
        return deal(
          positions.map(([n, y, x]) => {
            const code = a(
              n,
              ch,
              y * s.strideY + r * s.dilationY - s.padTop,
              x * s.strideX + t * s.dilationX - s.padLeft,
            );
            return { term: { code, value: g(n, f, y, x) }, channel: 0 };
          }),
          true,
        );
      }),
    ],
  };
}

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** @param outputs [output][unit][lane][group]: kneaded lengths */
function runTile(
  c: NaiveSacConfig,
  tile: TileHistory,
  outputs: number[][][][],
  blockStart: number,
): { end: number; recurs: boolean } {
  let ends = outputs[0].map(() => blockStart);
  const seen = new Set<string>();
  let recurs = false;
  for (const lengths of outputs) {
    const lanes = lengths[0].map((groups, l) => (groups.length > 0 ? l : -1)).filter((l) => l >= 0);
    const next = lengths.map(() => 0);
    for (const l of lanes) {
      const load = tile.load[l];
      const passed = tile.passed[l];
      for (let g = 0; g < lengths[0][l].length; g++) {
        const slotFree = passed.length >= c.windowSlots ? passed[passed.length - c.windowSlots] + 1 : 0;
        const loaded = load.length > 0 ? Math.max(load[load.length - 1] + c.windowLoadCycles, slotFree) : 0;
        const everyone: number[] = [];
        lengths.forEach((unit, n) => {
          const finish = tile.finish[n * c.lanes + l];
          const times = [loaded + 1, (finish[finish.length - 1] ?? 0) + 1];
          if (g === 0) times.push(ends[n] + 1);
          if (c.sync === 'barrier' && passed.length > 0) times.push(passed[passed.length - 1] + 1);
          finish.push(Math.max(...times) + unit[l][g] - 1);
          everyone.push(finish[finish.length - 1]);
        });
        load.push(loaded);
        passed.push(Math.max(...everyone));
      }
      lengths.forEach((_, n) => (next[n] = Math.max(next[n], tile.finish[n * c.lanes + l].at(-1)!)));
    }
    ends = next;
    const state = [
      ends,
      ...lanes.map((l) => [tile.load[l].at(-1)!, ...tile.passed[l].slice(-c.windowSlots)]),
    ];
    const relative = JSON.stringify(state.map((times) => times.map((t) => t - ends[0])));
    if (seen.has(relative)) recurs = true;
    seen.add(relative);
  }
  return { end: Math.max(...ends), recurs };
}
