/**
 * Bit-Pragmatic and Stripes as SPEC section 4 states them, with plain sets of bit positions, for tileBy=filters
 * (all tiles at the same windows, so that one tile's time is everyone's). Shares no code with src/arch.
 */
import type { LayerWork } from '../../src/arch/machine.js';

export interface NaiveSerialConfig {
  tiles: number;
  units: number;
  lanes: number;
  columns: number;
  lowering: string;
  /** null: Stripes. */
  firstStageBits: number | null;
  columnRegisters: number;
}

/** Cycles of a brick of activations: lanes drop their lowest bit if it is within reach of the least one. */
export function naiveBrick(activations: readonly number[], firstStageBits: number): number {
  const lanes = activations.map(
    (a) => new Set([...Math.abs(a).toString(2)].reverse().flatMap((d, i) => (d === '1' ? [i] : []))),
  );
  let iterations = 0;
  while (lanes.some((bits) => bits.size > 0)) {
    const least = Math.min(...lanes.flatMap((bits) => [...bits]));
    for (const bits of lanes) {
      const lowest = Math.min(...bits);
      if (bits.size > 0 && lowest <= least + 2 ** firstStageBits - 1) bits.delete(lowest);
    }
    iterations++;
  }
  return Math.max(1, iterations);
}

export function naiveSerialCycles(c: NaiveSerialConfig, work: LayerWork): number {
  const { shape } = work;
  const activations = work.activations!;
  const at = (n: number, channel: number, y: number, x: number): number =>
    y < 0 || x < 0 || y >= shape.height || x >= shape.width
      ? 0
      : activations.codes[((n * shape.channels + channel) * shape.height + y) * shape.width + x];
  const spanY = (shape.kernelHeight - 1) * shape.dilationY + 1;
  const spanX = (shape.kernelWidth - 1) * shape.dilationX + 1;
  const outputs: [number, number][] = [];
  for (let y = 0; y + spanY <= shape.height + shape.padTop + shape.padBottom; y += shape.strideY)
    for (let x = 0; x + spanX <= shape.width + shape.padLeft + shape.padRight; x += shape.strideX)
      outputs.push([y, x]);
  const channels = shape.channels / shape.groups;
  let total = 0;
  for (let group = 0; group < shape.groups; group++) {
    // Terms in order, cut into bricks of L: never across kernel positions, unless flattened.
    const bricks: [number, number, number][][] = [];
    for (let r = 0; r < shape.kernelHeight; r++)
      for (let s = 0; s < shape.kernelWidth; s++)
        for (let k = 0; k < channels; k++) {
          const fresh = c.lowering === 'flattened' ? false : k % c.lanes === 0;
          if (fresh || bricks.length === 0 || bricks[bricks.length - 1].length === c.lanes) bricks.push([]);
          bricks[bricks.length - 1].push([r, s, k]);
        }
    const blocks = Math.ceil(shape.filters / shape.groups / (c.tiles * c.units));
    for (let n = 0; n < shape.batch; n++) {
      // cost[step][column] over all pallets of an example; absent columns are missing. Columns meet at its end.
      const cost: number[][] = [];
      for (let from = 0; from < outputs.length; from += c.columns)
        for (const brick of bricks)
          cost.push(
            outputs.slice(from, from + c.columns).map(([y, x]) => {
              if (c.firstStageBits === null) return activations.storageBits;
              const values = brick.map(([r, s, k]) =>
                at(
                  n,
                  group * channels + k,
                  y + r * shape.dilationY - shape.padTop,
                  x + s * shape.dilationX - shape.padLeft,
                ),
              );
              return naiveBrick(values, c.firstStageBits);
            }),
          );
      total +=
        blocks * (shape.op === 'linear' ? rotated(cost, c.columns) : scheduled(cost, c.columnRegisters));
    }
  }
  return total;
}

/** Columns run free, but none starts a step before all have completed the step `registers` + 1 before it. */
function scheduled(cost: number[][], registers: number): number {
  if (registers === 0) return cost.reduce((sum, columns) => sum + Math.max(...columns), 0);
  const own: number[] = [];
  const completed: number[] = []; // of all columns, every step and all before it
  cost.forEach((columns, q) => {
    const gate = q - 1 - registers >= 0 ? completed[q - 1 - registers] : 0;
    columns.forEach((cycles, column) => (own[column] = Math.max(own[column] ?? 0, gate) + cycles));
    completed.push(Math.max(...own));
  });
  return completed[completed.length - 1];
}

/**
 * A linear layer has one window per example: its steps go to the columns in turn, step s to column s mod C, at most
 * one new step per cycle, each as soon as its column is free.
 */
function rotated(cost: number[][], columns: number): number {
  const left = new Array<number>(columns).fill(0);
  let step = 0;
  let cycles = 0;
  for (; step < cost.length || left.some((n) => n > 0); cycles++) {
    if (step < cost.length && left[step % columns] === 0) left[step % columns] = cost[step++][0];
    left.forEach((n, c) => (left[c] = Math.max(0, n - 1)));
  }
  return cycles;
}
