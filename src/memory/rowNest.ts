/**
 * What arrays of row PEs move (SPEC sections 6 and 8). Rows go through in order of output: an example's rows stay in the
 * global buffer while filters (gradInput: channels) pass; in gradWeight the gradients of a filter stay while channels
 * pass. Each row operation takes its streamed rows into the group's buffers as they are stored, and its kernel row.
 */
import type { MachineArray } from '../arch/machine.js';
import type { RowOperands } from '../arch/sparsetrainOperands.js';
import { rowShape } from '../lower/rowOperations.js';
import type { Phase } from '../lower/phase.js';
import { tapPieces } from '../sparse/rowOperation.js';
import type { CompressedRows } from '../sparse/rows.js';
import { outputSize, type ConvShape } from '../tensor.js';
import { NOTHING_STATIONARY, type LocalNest, type Nest } from './nest.js';
import type { RowFormat } from './stored.js';
import { addBits, noBits, type Bits } from './traffic.js';

export interface RowData {
  phase: Phase;
  shape: ConvShape;
  array: NonNullable<MachineArray['rows']>;
  starts: readonly number[];
  cycles: number;
  operands: RowOperands;
  format: (rows: CompressedRows) => RowFormat;
  weightBits: number;
  outputBits: number;
}

/** Bits of the planes of a feature map: as stored, and as often as row operations read them. */
interface Planes {
  stored: Float64Array;
  read: Float64Array;
}

export class RowNest implements Nest {
  readonly outers: number;
  readonly kept: Bits;
  readonly local: LocalNest;
  private readonly shape: ConvShape;
  private readonly out: { outHeight: number; outWidth: number };
  /** Planes of what is streamed by (example, plane), and in gradWeight of the gradients. */
  private readonly streamed: Planes;
  private readonly gradients: Planes | null;
  /** Pairs of an input row and an output row that meet in a plane. */
  private readonly pairs: number;
  private readonly weightsPerStep: number;
  private readonly maskPerStep: number;

  constructor(private readonly data: RowData) {
    const { phase, operands } = data;
    const s = (this.shape = rowShape(data.shape));
    this.out = outputSize(s);
    const { outHeight } = this.out;
    const inputUses = new Float64Array(s.height);
    const gradientUses = new Float64Array(outHeight);
    for (let oy = 0; oy < outHeight; oy++)
      for (let r = 0; r < s.kernelHeight; r++) {
        const y = oy * s.strideY + r * s.dilationY - s.padTop;
        if (y < 0 || y >= s.height) continue;
        inputUses[y]++;
        gradientUses[oy]++;
      }
    this.pairs = gradientUses.reduce((a, b) => a + b, 0);
    const pieces = tapPieces(s, data.array.taps).length;
    const planesOf = (rows: CompressedRows, uses: Float64Array): Planes =>
      planes(rows, data.format(rows), uses, pieces);
    this.streamed = planesOf(operands.streamed, phase === 'gradInput' ? gradientUses : inputUses);
    this.gradients = operands.gradient && planesOf(operands.gradient, gradientUses);
    const kernel = s.kernelHeight * s.kernelWidth * data.weightBits;
    const [perStep, steps] =
      phase === 'forward'
        ? [s.channels, s.filters]
        : phase === 'gradInput'
          ? [s.filters, s.channels]
          : [0, 0];
    this.weightsPerStep = (perStep / s.groups) * kernel;
    this.maskPerStep = operands.mask ? s.height * s.width : 0;
    this.outers = phase === 'gradWeight' ? s.filters : s.batch * s.groups;
    this.kept = {
      ...noBits(),
      inputs: phase === 'gradWeight' ? this.mostInputs() : 0,
      weights: steps * this.weightsPerStep,
    };
    this.local = this.localNest();
  }

  steps(): number {
    const { channels, filters, groups } = this.shape;
    return (this.data.phase === 'forward' ? filters : channels) / groups;
  }

  startOf(outer: number, step: number): number {
    const { starts, cycles, phase } = this.data;
    const at = (plane: number): number => (plane < starts.length ? starts[plane] : cycles);
    if (phase !== 'gradWeight') return at(outer * this.steps() + step);
    // Channels share the cycles of a filter evenly.
    return at(outer) + Math.floor(((at(outer + 1) - at(outer)) * step) / this.steps());
  }

  stationary(outer: number): Bits {
    const { phase } = this.data;
    const { channels, filters, groups, batch } = this.shape;
    let bits = 0;
    if (phase === 'gradWeight')
      for (let n = 0; n < batch; n++) bits += this.gradients!.stored[n * filters + outer];
    else {
      const planes = (phase === 'forward' ? channels : filters) / groups;
      for (let p = outer * planes; p < (outer + 1) * planes; p++) bits += this.streamed.stored[p];
    }
    return { ...noBits(), [phase === 'forward' ? 'inputs' : 'gradients']: bits };
  }

  /** Kernels are swept over by each example; inputs by each filter of a convolution group. */
  epoch(outer: number): number {
    return this.data.phase === 'gradWeight' ? this.groupOf(outer) : 0;
  }

  swept(outer: number, from: number, to: number, fresh: boolean): Bits {
    const { groups, filters } = this.shape;
    if (this.data.phase === 'gradWeight') {
      if (fresh && outer % (filters / groups) !== 0) return noBits();
      return { ...noBits(), inputs: this.inputsOf(outer, from, to, this.streamed.stored) };
    }
    const known = fresh && outer >= groups;
    return {
      ...noBits(),
      weights: known ? 0 : (to - from) * this.weightsPerStep,
      masks: this.once(outer, from, to),
    };
  }

  once(_outer: number, from: number, to: number): number {
    return (to - from) * this.maskPerStep;
  }

  outputs(_outer: number, from: number, to: number): number {
    const { kernelHeight, kernelWidth, height, width } = this.shape;
    const { phase, outputBits } = this.data;
    const { outHeight, outWidth } = this.out;
    const perStep =
      phase === 'forward'
        ? outHeight * outWidth
        : phase === 'gradInput'
          ? height * width
          : kernelHeight * kernelWidth;
    return (to - from) * perStep * outputBits;
  }

  /** Convolution group of a filter. */
  private groupOf(filter: number): number {
    return Math.floor(filter / (this.shape.filters / this.shape.groups));
  }

  /** Of channels from..to of the filter's group, over all examples. */
  private inputsOf(filter: number, from: number, to: number, planeBits: Float64Array): number {
    const { batch, channels, groups } = this.shape;
    const first = this.groupOf(filter) * (channels / groups);
    let bits = 0;
    for (let n = 0; n < batch; n++)
      for (let c = first + from; c < first + to; c++) bits += planeBits[n * channels + c];
    return bits;
  }

  private mostInputs(): number {
    const { filters, groups } = this.shape;
    let most = 0;
    for (let filter = 0; filter < filters; filter += filters / groups)
      most = Math.max(most, this.inputsOf(filter, 0, this.steps(), this.streamed.stored));
    return most;
  }

  private localNest(): LocalNest {
    const { data } = this;
    // A step of an outer tile is like any other of it; in gradWeight but for the input plane.
    const perStep = Array.from({ length: this.outers }, (_, outer) => this.readPerStep(outer));
    const streamed = (outer: number, from: number, to: number): Bits => {
      const bits = addBits(noBits(), perStep[outer], to - from);
      if (data.phase === 'gradWeight') bits.inputs = this.inputsOf(outer, from, to, this.streamed.read);
      return bits;
    };
    return {
      buffers: () => data.array.groups,
      ...NOTHING_STATIONARY,
      streamed,
      written: streamed,
      rows: null,
    };
  }

  /** Bits that the row operations of a step read, gradWeight's inputs aside. */
  private readPerStep(outer: number): Bits {
    const { batch, channels, filters, groups, kernelWidth } = this.shape;
    const { phase, weightBits } = this.data;
    if (phase === 'gradWeight') {
      let gradients = 0;
      for (let n = 0; n < batch; n++) gradients += this.gradients!.read[n * filters + outer];
      return { ...noBits(), gradients };
    }
    const planes = (phase === 'forward' ? channels : filters) / groups;
    let bits = 0;
    for (let p = outer * planes; p < (outer + 1) * planes; p++) bits += this.streamed.read[p];
    return {
      ...noBits(),
      [phase === 'forward' ? 'inputs' : 'gradients']: bits,
      weights: planes * this.pairs * kernelWidth * weightBits,
      masks: this.maskPerStep,
    };
  }
}

/** @param uses by row of a plane: row operations in which it is streamed, for each pair of planes and tap piece */
function planes(rows: CompressedRows, format: RowFormat, uses: Float64Array, pieces: number): Planes {
  const height = uses.length;
  const count = rows.rows / height;
  const stored = new Float64Array(count);
  const read = new Float64Array(count);
  for (let row = 0; row < rows.rows; row++) {
    const bits = (rows.start[row + 1] - rows.start[row]) * format.elementBits + format.rowBits;
    const plane = Math.floor(row / height);
    stored[plane] += bits;
    read[plane] += bits * uses[row % height] * pieces;
  }
  return { stored, read };
}
