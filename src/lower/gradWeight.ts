/**
 * Lowers gradWeight, dW = I * dO summed over the examples, to lanes (SPEC section 3, "Order of work"). Every weight is
 * one output of one unit. The weights of a filter, in the order row, column, channel, are cut into blocks of `units`
 * that never cross a filter; consecutive blocks go to consecutive tiles. Terms are output positions, flattened
 * over the lanes with the example outermost: a tile's units share the gradients of its filter, each streams the
 * activations under its own tap.
 */
import { elementCount, weightShape, type ConvShape } from '../tensor.js';
import { dealBlocks, type Chunk } from './blocks.js';
import { outputIndex, PaddedBase, paddedSize, positionCount, tapInPadded } from './forward.js';
import type { LaneArray, LaneLowering } from './lowering.js';
import { dealTerms } from './terms.js';

export function gradWeightLowering(shape: ConvShape, array: LaneArray): LaneLowering {
  const groupChannels = shape.channels / shape.groups;
  const groupFilters = shape.filters / shape.groups;
  const { kernelWidth } = shape;
  const kernel = shape.kernelHeight * kernelWidth;
  const perFilter = groupChannels * kernel;
  const padded = paddedSize(shape);
  const padding = new PaddedBase(shape);
  const positions = positionCount(shape);
  const grid = {
    tapStream: Int32Array.from({ length: positions }, (_, p) => padding.base(0, p)),
    tapWindow: Int32Array.from({ length: positions }, (_, p) => outputIndex(shape, 0, p)),
    channels: 1,
    channelStream: 0,
    channelWindow: 0,
  };
  /** Filter, channel within its group and tap of a unit: channels fastest. */
  const partsOf = (unit: number): { filter: number; channel: number; tap: number } => {
    const filter = Math.floor(unit / perFilter);
    const within = unit % perFilter;
    return { filter, channel: within % groupChannels, tap: Math.floor(within / groupChannels) };
  };
  const chunksOf = (group: number): Chunk[] => {
    const chunks: Chunk[] = [];
    for (let f = group * groupFilters; f < (group + 1) * groupFilters; f++)
      for (let within = 0; within < perFilter; within += array.units)
        chunks.push({
          firstUnit: f * perFilter + within,
          units: Math.min(array.units, perFilter - within),
        });
    return chunks;
  };
  return {
    kinds: [dealTerms(grid, array.lanes, 'flattened')],
    // There is one position, so no tile can take a further one.
    blocks: [...dealBlocks(shape.groups, chunksOf, array.tiles, false)],
    positions: 1,
    kindOf: new Int32Array(0),
    positionWindow: () => 0,
    positionOutput: () => 0,
    unitStream: (unit) => {
      const { filter, channel, tap } = partsOf(unit);
      const plane = Math.floor(filter / groupFilters) * groupChannels + channel;
      const inPlane = tapInPadded(shape, Math.floor(tap / kernelWidth), tap % kernelWidth);
      return plane * padded.height * padded.width + inPlane;
    },
    unitOutput: (unit) => {
      const { filter, channel, tap } = partsOf(unit);
      return (filter * groupChannels + channel) * kernel + tap;
    },
    unitWindow: (unit) => outputIndex(shape, partsOf(unit).filter, 0),
    blankOutput: () => new Float64Array(elementCount(weightShape(shape))).fill(NaN),
  };
}
