/**
 * What a layer and phase demand of row PEs, from its shape and codes alone (SPEC sections 6 and 10): row operations,
 * operands (each once per row operation in which it takes part) and terms (products that reach a live accumulator).
 * Plain loops over whole layers; nothing here looks at how a machine lowers or times them.
 */
import { outputSize, type ConvShape } from '../tensor.js';
import type { LayerWork } from './machine.js';

export interface RowUses {
  rowOperations: number;
  operands: number;
  terms: number;
}

/**
 * @param taps multipliers of a PE: a wider kernel row is cut into pieces, each a row operation of its own
 * @param dense whether zeros take part and masks are ignored
 */
export function rowUses(work: LayerWork, taps: number, dense: boolean): RowUses {
  const pieces = Math.ceil(work.shape.kernelWidth / taps);
  if (work.phase === 'forward') return forwardUses(work, taps, pieces, dense);
  if (work.phase === 'gradInput') return gradInputUses(work, taps, pieces, dense);
  return gradWeightUses(work, pieces, dense);
}

interface Plane {
  shape: ConvShape;
  outHeight: number;
  outWidth: number;
  input(n: number, channel: number, y: number, x: number): number;
  output(n: number, filter: number, y: number, x: number): number;
}

/** Places in the tensors by coordinates. A linear layer has its examples along x. */
function planeOf(given: ConvShape): Plane {
  const linear = given.op === 'linear';
  const shape = linear ? { ...given, batch: 1, width: given.batch } : given;
  const { outHeight, outWidth } = outputSize(shape);
  const { channels, filters, height, width } = shape;
  return {
    shape,
    outHeight,
    outWidth,
    input: (n, c, y, x) => (linear ? x * channels + c : ((n * channels + c) * height + y) * width + x),
    output: (n, f, y, x) => (linear ? x * filters + f : ((n * filters + f) * outHeight + y) * outWidth + x),
  };
}

/** Calls `use` for each input row and output row (oy) that kernel row r joins. */
function eachRowPair({ shape: s, outHeight }: Plane, use: (oy: number, y: number, r: number) => void): void {
  for (let oy = 0; oy < outHeight; oy++)
    for (let r = 0; r < s.kernelHeight; r++) {
      const y = oy * s.strideY + r * s.dilationY - s.padTop;
      if (y >= 0 && y < s.height) use(oy, y, r);
    }
}

function forwardUses(work: LayerWork, taps: number, pieces: number, dense: boolean): RowUses {
  const plane = planeOf(work.shape);
  const { shape: s, outWidth } = plane;
  const codes = dense ? null : work.activations!.codes;
  const filters = s.filters / s.groups;
  const uses = { rowOperations: 0, operands: 0, terms: 0 };
  for (let n = 0; n < s.batch; n++)
    for (let c = 0; c < s.channels; c++)
      eachRowPair(plane, (_, y) => {
        uses.rowOperations += pieces * filters;
        for (let x = 0; x < s.width; x++) {
          if (codes && codes[plane.input(n, c, y, x)] === 0) continue;
          for (let piece = 0; piece < pieces; piece++) {
            let targets = 0;
            for (let t = piece * taps; t < Math.min(s.kernelWidth, (piece + 1) * taps); t++) {
              const ox = (x + s.padLeft - t * s.dilationX) / s.strideX;
              if (Number.isInteger(ox) && ox >= 0 && ox < outWidth) targets++;
            }
            uses.terms += targets * filters;
            if (targets > 0) uses.operands += filters;
          }
        }
      });
  return uses;
}

function gradInputUses(work: LayerWork, taps: number, pieces: number, dense: boolean): RowUses {
  const plane = planeOf(work.shape);
  const { shape: s, outWidth } = plane;
  const codes = dense ? null : work.gradOutput!.codes;
  const mask = dense ? null : work.inputMask;
  const channels = s.channels / s.groups;
  const filters = s.filters / s.groups;
  const uses = { rowOperations: 0, operands: 0, terms: 0 };
  for (let n = 0; n < s.batch; n++)
    for (let f = 0; f < s.filters; f++)
      eachRowPair(plane, (oy, y) => {
        uses.rowOperations += pieces * channels;
        const firstChannel = Math.floor(f / filters) * channels;
        for (let ox = 0; ox < outWidth; ox++) {
          if (codes && codes[plane.output(n, f, oy, ox)] === 0) continue;
          // Without a mask the channels are alike.
          for (let c = 0; c < (mask ? channels : 1); c++)
            for (let piece = 0; piece < pieces; piece++) {
              let targets = 0;
              for (let t = piece * taps; t < Math.min(s.kernelWidth, (piece + 1) * taps); t++) {
                const x = ox * s.strideX + t * s.dilationX - s.padLeft;
                if (x < 0 || x >= s.width) continue;
                if (!mask || mask[plane.input(n, firstChannel + c, y, x)] !== 0) targets++;
              }
              const times = mask ? 1 : channels;
              uses.terms += targets * times;
              if (targets > 0) uses.operands += times;
            }
        }
      });
  return uses;
}

/** Both rows of an operation are consumed whole, whatever meets. */
function gradWeightUses(work: LayerWork, pieces: number, dense: boolean): RowUses {
  const plane = planeOf(work.shape);
  const { shape: s, outWidth } = plane;
  const inputs = dense ? null : work.activations!.codes;
  const gradients = dense ? null : work.gradOutput!.codes;
  const channels = s.channels / s.groups;
  const filters = s.filters / s.groups;
  const uses = { rowOperations: 0, operands: 0, terms: 0 };
  for (let n = 0; n < s.batch; n++)
    for (let f = 0; f < s.filters; f++) {
      const firstChannel = Math.floor(f / filters) * channels;
      eachRowPair(plane, (oy, y) => {
        uses.rowOperations += pieces * channels;
        let gradientCount = 0;
        for (let ox = 0; ox < outWidth; ox++) {
          if (gradients && gradients[plane.output(n, f, oy, ox)] === 0) continue;
          gradientCount++;
          for (let t = 0; t < s.kernelWidth; t++) {
            const x = ox * s.strideX + t * s.dilationX - s.padLeft;
            if (x < 0 || x >= s.width) continue;
            for (let c = 0; c < channels; c++)
              if (!inputs || inputs[plane.input(n, firstChannel + c, y, x)] !== 0) uses.terms++;
          }
        }
        uses.operands += gradientCount * pieces * channels;
        for (let c = 0; c < channels; c++)
          for (let x = 0; x < s.width; x++)
            if (!inputs || inputs[plane.input(n, firstChannel + c, y, x)] !== 0) uses.operands += pieces;
      });
    }
  return uses;
}
