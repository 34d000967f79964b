/**
 * What PEs take out of local buffers in a layer and phase, by plain loops over outputs and terms: window values of each
 * tile without zero padding, the stream of each unit, rows of each row operation (SPEC sections 3, 6 and 8). Shares no
 * code with src/memory, src/arch and src/lower.
 */
import type { LayerWork, Machine, UnitKind } from '../../src/arch/machine.js';
import type { Source } from '../../src/memory/traffic.js';
import { range } from './layers.js';
import {
  gradientRowsOf,
  inputRowsOf,
  liveTaps,
  naiveKneaderBits,
  naiveRowBits,
  naiveWordBits,
  naiveWordsByTaps,
  outHeightOf,
  outWidthOf,
  type NaiveLanes,
} from './naiveStored.js';

type Reads = Record<Source, number>;

/** Bits by operand. */
export function naiveLocalReads(units: UnitKind, machine: Machine, work: LayerWork): Reads {
  if (units === 'row' || units === 'denseRow') return rowReads(units === 'denseRow', machine, work);
  const reads = work.phase === 'gradWeight' ? laneWeightReads(machine, work) : laneReads(machine, work);
  const { phase, shape: s, weights } = work;
  const lanes = machine.config as unknown as NaiveLanes;
  const stream = phase === 'gradWeight' ? 'inputs' : 'weights';
  if (units === 'maskedSac') reads[stream] = naiveKneaderBits(work, lanes);
  else if (units === 'serial') {
    // A pallet is a number of positions of an example, whose windows share the weights.
    const pallets = Math.ceil((outHeightOf(s) * outWidthOf(s)) / (machine.config.columns as number));
    reads.weights = s.batch * pallets * weights.codes.length * weights.storageBits;
  } else if (units === 'sac') {
    const words = naiveWordsByTaps(work, lanes);
    let all = 0;
    for (const taps of tapsOfPositions(work))
      for (const ofUnit of words) all += ofUnit.get(JSON.stringify(taps)) ?? 0;
    reads.weights = all * naiveWordBits(weights.magnitudeBits, lanes.kneadingStride);
  } else if (phase !== 'gradWeight') {
    // A term of a padded position costs its item, and reads its weight.
    const [outputs, planes] = phase === 'forward' ? [s.filters, s.channels] : [s.channels, s.filters];
    for (const taps of tapsOfPositions(work))
      reads.weights += outputs * (planes / s.groups) * taps.length * weights.storageBits;
  }
  if (units !== 'maskedSac') reads.masks = 0;
  return reads;
}

/** Taps that have a term, of each position of each example: in forward all of them. */
function tapsOfPositions({ shape: s, phase }: LayerWork): number[][][] {
  const all = range(s.kernelHeight).flatMap((r) => range(s.kernelWidth).map((t) => [r, t]));
  const forward = phase !== 'gradInput';
  const [height, width] = forward ? [outHeightOf(s), outWidthOf(s)] : [s.height, s.width];
  return range(s.batch).flatMap(() =>
    range(height).flatMap((y) => range(width).map((x) => (forward ? all : liveTaps(s, y, x)))),
  );
}

/** Whether a tap of an output position lies inside the input. */
const inside = ({ shape: s }: LayerWork, [y, x]: number[], [r, t]: number[]): boolean => {
  const row = y * s.strideY + r * s.dilationY - s.padTop;
  const column = x * s.strideX + t * s.dilationX - s.padLeft;
  return row >= 0 && row < s.height && column >= 0 && column < s.width;
};

/** Each tile takes the windows of its positions; masks are counted with them. */
function laneReads(machine: Machine, work: LayerWork): Reads {
  const { shape: s, phase, activations, gradOutput } = work;
  const forward = phase === 'forward';
  const perTile = machine.arrayOf(phase).lanes!.units;
  const outputs = (forward ? s.filters : s.channels) / s.groups;
  const planes = (forward ? s.channels : s.filters) / s.groups;
  let values = 0;
  if (forward) {
    for (let y = 0; y < outHeightOf(s); y++)
      for (let x = 0; x < outWidthOf(s); x++)
        for (let r = 0; r < s.kernelHeight; r++)
          for (let t = 0; t < s.kernelWidth; t++) if (inside(work, [y, x], [r, t])) values++;
  } else
    for (let y = 0; y < s.height; y++) for (let x = 0; x < s.width; x++) values += liveTaps(s, y, x).length;
  values *= s.batch * planes * s.groups * Math.ceil(outputs / perTile);
  const bits = values * (forward ? activations! : gradOutput!).storageBits;
  return {
    weights: 0,
    inputs: forward ? bits : 0,
    gradients: forward ? 0 : bits,
    masks: values,
  };
}

/** Each unit takes the inputs under its weight's tap, each tile the gradients of its filter. */
function laneWeightReads(machine: Machine, work: LayerWork): Reads {
  const { shape: s, activations, gradOutput } = work;
  const perTile = machine.arrayOf('gradWeight').lanes!.units;
  const perFilter = (s.channels / s.groups) * s.kernelHeight * s.kernelWidth;
  let inputs = 0;
  for (let y = 0; y < outHeightOf(s); y++)
    for (let x = 0; x < outWidthOf(s); x++)
      for (let r = 0; r < s.kernelHeight; r++)
        for (let t = 0; t < s.kernelWidth; t++) if (inside(work, [y, x], [r, t])) inputs++;
  inputs *= s.batch * s.filters * (s.channels / s.groups);
  const gradients = s.filters * Math.ceil(perFilter / perTile) * s.batch * outHeightOf(s) * outWidthOf(s);
  return {
    weights: 0,
    inputs: inputs * activations!.storageBits,
    gradients: gradients * gradOutput!.storageBits,
    masks: gradients,
  };
}

/** Each row operation takes its rows and its piece of a kernel row; each row of results its mask. */
function rowReads(dense: boolean, machine: Machine, work: LayerWork): Reads {
  const { phase, weights, activations, gradOutput, inputMask } = work;
  const linear = work.shape.op === 'linear';
  const s = linear ? { ...work.shape, batch: 1, width: work.shape.batch } : work.shape;
  const reads: Reads = { weights: 0, inputs: 0, gradients: 0, masks: 0 };
  const inputs = phase === 'gradInput' ? null : inputRowsOf(work);
  const gradients = phase === 'forward' ? null : gradientRowsOf(work);
  const [C, F] = [s.channels / s.groups, s.filters / s.groups];
  const pieces = Math.ceil(s.kernelWidth / machine.arrayOf(phase).rows!.taps);
  for (let n = 0; n < s.batch; n++)
    for (let f = 0; f < s.filters; f++)
      for (let k = 0; k < C; k++)
        for (let y = 0; y < outHeightOf(work.shape); y++)
          for (let r = 0; r < s.kernelHeight; r++) {
            const row = y * s.strideY + r * s.dilationY - s.padTop;
            if (row < 0 || row >= s.height) continue;
            const channel = Math.floor(f / F) * C + k;
            if (inputs)
              reads.inputs += pieces * naiveRowBits(inputs[n][channel][row], activations!.storageBits, dense);
            if (gradients)
              reads.gradients += pieces * naiveRowBits(gradients[n][f][y], gradOutput!.storageBits, dense);
            if (phase !== 'gradWeight') reads.weights += s.kernelWidth * weights.storageBits;
          }
  if (phase === 'gradInput' && !dense && inputMask) reads.masks = inputMask.length;
  return reads;
}

/** Local buffers with work, where all outputs fit one block: tiles that have units and a position, or pallet. */
export function naiveBuffers(units: UnitKind, machine: Machine, work: LayerWork): number {
  const { phase, shape: s } = work;
  const { lanes, rows } = machine.arrayOf(phase);
  if (rows) return rows.groups;
  const perFilter = (s.channels / s.groups) * s.kernelHeight * s.kernelWidth;
  const outputs = { forward: s.filters, gradInput: s.channels, gradWeight: perFilter }[phase] / s.groups;
  if (phase === 'gradWeight') return s.filters * Math.ceil((outputs * s.groups) / lanes.units);
  const chunks = Math.ceil(outputs / lanes.units);
  const positions =
    units === 'serial'
      ? s.batch * Math.ceil((outHeightOf(s) * outWidthOf(s)) / (machine.config.columns as number))
      : tapsOfPositions(work).filter((taps) => taps.length > 0).length;
  const replicas = lanes.tileBy === 'positions' ? Math.floor(lanes.tiles / chunks) : 1;
  return chunks * Math.min(replicas, Math.max(1, positions));
}
