/** Lowers a layer to lanes in any phase; see `lowering.ts` for what that yields. */
import type { ConvShape } from '../tensor.js';
import { workBlocks } from './blocks.js';
import { lowerForward, outputIndex, PaddedBase, paddedInput, positionCount } from './forward.js';
import { gradInputLowering } from './gradInput.js';
import { gradWeightLowering } from './gradWeight.js';
import type { LaneArray, LaneLowering } from './lowering.js';
import type { Phase } from './phase.js';

/** Codes that the offsets of a lowering point into. */
export interface LaneOperands {
  stream: Int32Array;
  window: Int32Array;
}

export function laneOperands(
  phase: Phase,
  shape: ConvShape,
  codes: { weights: Int32Array; activations: Int32Array; gradOutput: Int32Array },
): LaneOperands {
  const { weights, activations, gradOutput } = codes;
  if (phase === 'gradInput') return { stream: weights, window: gradOutput };
  const input = paddedInput(shape, activations);
  return phase === 'gradWeight' ? { stream: input, window: gradOutput } : { stream: weights, window: input };
}

/** The latest lowering: machines, their memory and their denominators ask for the same one after another. */
let latest: { phase: Phase; shape: ConvShape; array: string; lowering: LaneLowering } | null = null;

export function lowerPhase(phase: Phase, shape: ConvShape, machine: LaneArray): LaneLowering {
  const { tiles, units, lanes, tileBy, lowering: how } = machine;
  const array = `${tiles} ${units} ${lanes} ${tileBy} ${how}`;
  if (latest?.phase !== phase || latest.shape !== shape || latest.array !== array)
    latest = { phase, shape, array, lowering: lower(phase, shape, machine) };
  return latest.lowering;
}

function lower(phase: Phase, shape: ConvShape, array: LaneArray): LaneLowering {
  if (phase === 'gradInput') return gradInputLowering(shape, array);
  return phase === 'gradWeight' ? gradWeightLowering(shape, array) : forwardLowering(shape, array);
}

function forwardLowering(shape: ConvShape, array: LaneArray): LaneLowering {
  const terms = lowerForward(shape, array.lanes, array.lowering);
  const positions = positionCount(shape);
  const groupFilters = shape.filters / shape.groups;
  const padding = new PaddedBase(shape);
  return {
    kinds: [terms],
    blocks: [...workBlocks(shape, array)],
    positions,
    kindOf: new Int32Array(0),
    positionWindow: (position) => padding.base(0, position),
    positionOutput: (position) => outputIndex(shape, 0, position),
    unitStream: (filter) => filter * terms.terms,
    unitOutput: (filter) => outputIndex(shape, filter, 0),
    unitWindow: (filter) => padding.base(Math.floor(filter / groupFilters), 0),
    blankOutput: () => new Float64Array(positions * shape.filters).fill(NaN),
  };
}
