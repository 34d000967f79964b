/**
 * What a machine does on a layer and phase as outer tiles and steps, by plain loops: which rows or planes of which operand
 * each step needs. From SPEC section 3 (order of work) and 6, and the table of src/memory/nest.ts. Shares no code with
 * src/memory, src/arch and src/lower.
 */
import type { LayerWork, Machine, UnitKind } from '../../src/arch/machine.js';
import type { Source } from '../../src/memory/traffic.js';
import type { ConvShape } from '../../src/tensor.js';
import { range } from './layers.js';
import {
  gradientRowsOf,
  inputRowsOf,
  naiveRowBits,
  naiveWordBits,
  naiveWords,
  outHeightOf,
  outWidthOf,
  type NaiveLanes,
} from './naiveStored.js';
import { passesOf, type Item, type OuterTile } from './naiveTraffic.js';

/** What a machine does on a layer and phase, tile by tile and step by step. */
export function naiveTiles(
  units: UnitKind,
  machine: Machine,
  work: LayerWork,
  outputBits: number,
): OuterTile[] {
  if (units === 'row' || units === 'denseRow') return rowTiles(units === 'denseRow', work, outputBits);
  return work.phase === 'gradWeight'
    ? laneWeightTiles(units, machine, work, outputBits)
    : laneTiles(units, machine, work, outputBits);
}

/**
 * Rows of the window operand that each result row brings in or uses: those between the first and the last tap, inside the
 * operand; rows that nobody needs come with the next row that is needed, and at the end with the last one.
 */
function rowsUnder(results: number, rows: number, span: (result: number) => [number, number]): number[][] {
  const there = new Set<number>();
  return range(results).map((result) => {
    const [first, last] = span(result);
    const under = range(rows).filter(
      (row) =>
        (row >= first && row <= last) ||
        (row <= last && !there.has(row)) ||
        (result === results - 1 && !there.has(row)),
    );
    for (const row of under) there.add(row);
    return under;
  });
}

const forwardSpan =
  (s: ConvShape) =>
  (y: number): [number, number] => {
    const first = y * s.strideY - s.padTop;
    return [first, first + (s.kernelHeight - 1) * s.dilationY];
  };

const gradInputSpan =
  (s: ConvShape) =>
  (y: number): [number, number] => {
    const last = y + s.padTop;
    return [(last - (s.kernelHeight - 1) * s.dilationY) / s.strideY, last / s.strideY];
  };

function laneTiles(units: UnitKind, machine: Machine, work: LayerWork, outputBits: number): OuterTile[] {
  const { shape: s, phase, weights, activations, gradOutput } = work;
  const { tiles, units: perTile } = machine.arrayOf(phase).lanes!;
  const forward = phase === 'forward';
  const window = forward ? activations! : gradOutput!;
  const operand: Source = forward ? 'inputs' : 'gradients';
  const unitsOfGroup = (forward ? s.filters : s.channels) / s.groups;
  const planes = (forward ? s.channels : s.filters) / s.groups;
  const [height, width] = forward ? [s.height, s.width] : [outHeightOf(s), outWidthOf(s)];
  const [results, resultWidth] = forward ? [outHeightOf(s), outWidthOf(s)] : [s.height, s.width];
  const lanes = machine.config as unknown as NaiveLanes;
  const unitBits =
    units === 'sac'
      ? naiveWords(work, lanes).map((n) => n * naiveWordBits(weights.magnitudeBits, lanes.kneadingStride))
      : range(forward ? s.filters : s.channels).map(
          (_, __, all) => (weights.codes.length / all.length) * weights.storageBits,
        );
  const under = rowsUnder(results, height, forward ? forwardSpan(s) : gradInputSpan(s));
  const blocks: OuterTile[] = [];
  for (let group = 0; group < s.groups; group++)
    for (let first = 0; first < unitsOfGroup; first += tiles * perTile) {
      const mine = range(Math.min(tiles * perTile, unitsOfGroup - first)).map(
        (n) => group * unitsOfGroup + first + n,
      );
      const steps = range(s.batch).flatMap((n) =>
        range(results).map((y) => ({
          outputBits: mine.length * resultWidth * outputBits,
          items: under[y].flatMap((row): Item[] => [
            { name: `${n} ${row}`, operand, bits: width * planes * window.storageBits },
            ...(units === 'maskedSac'
              ? [{ name: `mask ${n} ${row}`, operand: 'masks' as const, bits: width * planes }]
              : []),
          ]),
        })),
      );
      const stationary = mine.map((unit): Item => ({
        name: `unit ${unit}`,
        operand: 'weights',
        bits: unitBits[unit],
      }));
      blocks.push({ epoch: group, stationary, steps });
    }
  return blocks;
}

function laneWeightTiles(
  units: UnitKind,
  machine: Machine,
  work: LayerWork,
  outputBits: number,
): OuterTile[] {
  const { shape: s } = work;
  const { tiles, units: perTile } = machine.arrayOf('gradWeight').lanes!;
  const C = s.channels / s.groups;
  const F = s.filters / s.groups;
  const perFilter = C * s.kernelHeight * s.kernelWidth;
  const [Ho, Wo] = [outHeightOf(s), outWidthOf(s)];
  const under = rowsUnder(Ho, s.height, forwardSpan(s));
  const blocks: OuterTile[] = [];
  for (let group = 0; group < s.groups; group++) {
    const chunks = range(F).flatMap((f) =>
      passesOf(range(perFilter), perTile).map((weights) => ({ filter: group * F + f, weights })),
    );
    for (const block of passesOf(chunks, tiles)) {
      const filters = new Set(block.map(({ filter }) => filter));
      const channels = new Set(block.flatMap(({ weights }) => weights.map((weight) => weight % C)));
      const outputs = block.reduce((sum, { weights }) => sum + weights.length, 0);
      const steps = range(s.batch).flatMap((n) =>
        range(Ho).map((y) => ({
          outputBits: n === s.batch - 1 && y === Ho - 1 ? outputs * outputBits : 0,
          items: [
            ...[...channels].flatMap((c) =>
              under[y].map((row): Item => ({
                name: `input ${n} ${c} ${row}`,
                operand: 'inputs',
                bits: s.width * work.activations!.storageBits,
              })),
            ),
            ...[...filters].flatMap((f): Item[] => [
              {
                name: `gradient ${n} ${f} ${y}`,
                operand: 'gradients',
                bits: Wo * work.gradOutput!.storageBits,
              },
              ...(units === 'maskedSac'
                ? [{ name: `mask ${n} ${f} ${y}`, operand: 'masks' as const, bits: Wo }]
                : []),
            ]),
          ],
        })),
      );
      blocks.push({ epoch: group, stationary: [], steps });
    }
  }
  return blocks;
}

function rowTiles(dense: boolean, work: LayerWork, outputBits: number): OuterTile[] {
  const { phase, weights, activations, gradOutput, inputMask } = work;
  const linear = work.shape.op === 'linear';
  const s = linear ? { ...work.shape, batch: 1, width: work.shape.batch } : work.shape;
  const [C, F] = [s.channels / s.groups, s.filters / s.groups];
  const kernel = s.kernelHeight * s.kernelWidth;
  const outPlane = linear ? s.width : outHeightOf(s) * outWidthOf(s);
  /** Planes of a feature map, each with all its rows. */
  const planes = (map: number[][][][], operand: Source, codeBits: number): Item[][] =>
    map.map((example, n) =>
      example.map((rows, p) => ({
        name: `${operand} ${n} ${p}`,
        operand,
        bits: rows.map((row) => naiveRowBits(row, codeBits, dense)).reduce((a, b) => a + b, 0),
      })),
    );
  const inputs = phase === 'gradInput' ? [] : planes(inputRowsOf(work), 'inputs', activations!.storageBits);
  const gradients =
    phase === 'forward' ? [] : planes(gradientRowsOf(work), 'gradients', gradOutput!.storageBits);
  const tiles: OuterTile[] = [];
  if (phase === 'gradWeight') {
    for (let f = 0; f < s.filters; f++) {
      const group = Math.floor(f / F);
      tiles.push({
        epoch: group,
        stationary: gradients.map((example) => example[f]),
        steps: range(C).map((c) => ({
          items: inputs.map((example) => example[group * C + c]),
          outputBits: kernel * outputBits,
        })),
      });
    }
    return tiles;
  }
  const forward = phase === 'forward';
  const [terms, results] = forward ? [C, F] : [F, C];
  for (let n = 0; n < s.batch; n++)
    for (let group = 0; group < s.groups; group++)
      tiles.push({
        epoch: 0,
        stationary: (forward ? inputs : gradients)[n].slice(group * terms, (group + 1) * terms),
        steps: range(results).map((r) => {
          const items: Item[] = [
            { name: `kernels ${group} ${r}`, operand: 'weights', bits: terms * kernel * weights.storageBits },
          ];
          if (!forward && !dense && inputMask)
            items.push({
              name: `mask ${n} ${group} ${r}`,
              operand: 'masks',
              bits: s.height * s.width,
              once: true,
            });
          return { items, outputBits: (forward ? outPlane : s.height * s.width) * outputBits };
        }),
      });
  return tiles;
}
