/**
 * A layer and a phase as rows of one-dimensional row operations (SPEC section 6; SparseTrain, arXiv:2007.13595).
 *
 * Rows, in order: forward (example, filter, y), streamed from input rows; gradInput (example, channel, y), streamed
 * from rows of the gradient by the output; gradWeight (filter, channel, kernel row), streamed from input rows against
 * rows of the gradient. That is the order of rows in the phase's output tensor, so a row's number is its place there.
 * Operations of a row, in order: channel (gradInput: filter; gradWeight: example), kernel row (gradWeight: y), tap
 * piece. Kernel rows that fall in padding, or meet no gradient row at that stride, issue no operation; a row without
 * operations is a row of zeros.
 */
import { tapPieces, type TapPiece } from '../sparse/rowOperation.js';
import { outputSize, type ConvShape } from '../tensor.js';
import type { Phase } from './phase.js';

/**
 * What row PEs see of a layer. Linear layers lie along the batch: a row is one feature over the examples, K = 1.
 * Others are as they are.
 */
export function rowShape(shape: ConvShape): ConvShape {
  return shape.op === 'linear' ? { ...shape, op: 'conv', batch: 1, width: shape.batch } : shape;
}

/** Values (N, C) of a linear layer as its rows (C, N); those of other layers as they are. */
export function toRows<T extends Int32Array | Uint8Array>(shape: ConvShape, values: T): T {
  if (shape.op !== 'linear') return values;
  const rows = values.slice() as T;
  transpose(values, rows, shape.batch);
  return rows;
}

/** Sums (F, N) or (C, N) of a linear layer, as they left the PEs, as the tensor (N, F) or (N, C). */
export function fromRows(shape: ConvShape, phase: Phase, sums: Float64Array): Float64Array {
  if (shape.op !== 'linear' || phase === 'gradWeight') return sums;
  const tensor = new Float64Array(sums.length);
  transpose(sums, tensor, sums.length / shape.batch);
  return tensor;
}

type Numbers = Int32Array | Uint8Array | Float64Array;

/** `from` has `rows` rows. */
function transpose(from: Numbers, to: Numbers, rows: number): void {
  const columns = from.length / rows;
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) to[c * rows + r] = from[r * columns + c];
}

export class RowOperations {
  /** The shape that row PEs see, and its output. */
  readonly shape: ConvShape;
  readonly outHeight: number;
  readonly outWidth: number;
  /** Rows of the layer, those without operations included, and values in each. */
  readonly rows: number;
  readonly width: number;
  /** Rows that belong together: of an (example, filter), an (example, channel), or in gradWeight of a filter. */
  readonly rowsPerPlane: number;
  /** The kernel row in pieces that fit the PE; all of them are run for each pair of rows. */
  readonly pieces: readonly TapPiece[];
  /** The row that was loaded last, and its operations. */
  row = -1;
  count = 0;
  /** Of each operation: the row that is streamed; in gradWeight the gradient row beside it. */
  readonly streamed: Int32Array;
  readonly gradient: Int32Array;
  /** Of each operation: where its kernel row begins in the weights, and which piece of it is taken. */
  readonly kernel: Int32Array;
  readonly piece: Int32Array;

  constructor(
    shape: ConvShape,
    readonly phase: Phase,
    taps: number,
  ) {
    const s = (this.shape = rowShape(shape));
    const { outHeight, outWidth } = outputSize(s);
    this.outHeight = outHeight;
    this.outWidth = outWidth;
    this.pieces = tapPieces(s, taps);
    const groupChannels = s.channels / s.groups;
    let pairs: number;
    if (phase === 'forward') {
      this.rows = s.batch * s.filters * outHeight;
      this.width = outWidth;
      this.rowsPerPlane = outHeight;
      pairs = groupChannels * s.kernelHeight;
    } else if (phase === 'gradInput') {
      this.rows = s.batch * s.channels * s.height;
      this.width = s.width;
      this.rowsPerPlane = s.height;
      pairs = (s.filters / s.groups) * s.kernelHeight;
    } else {
      this.rows = s.filters * groupChannels * s.kernelHeight;
      this.width = s.kernelWidth;
      this.rowsPerPlane = groupChannels * s.kernelHeight;
      pairs = s.batch * outHeight;
    }
    const most = pairs * this.pieces.length;
    this.streamed = new Int32Array(most);
    this.gradient = new Int32Array(most);
    this.kernel = new Int32Array(most);
    this.piece = new Int32Array(most);
  }

  /** Taps of the widest piece. */
  get widestPiece(): number {
    return this.pieces[0].geometry.taps;
  }

  /** Fills in the operations of a row. Returns their number. */
  load(row: number): number {
    this.row = row;
    this.count = 0;
    if (this.phase === 'forward') this.loadForward(row);
    else if (this.phase === 'gradInput') this.loadGradInput(row);
    else this.loadGradWeight(row);
    return this.count;
  }

  /**
   * Rows of the same number run the same operations on the same streamed rows, with other weights: the filters of a
   * group in forward, its channels in gradInput where no mask tells them apart. Numbers lie below `rows`.
   */
  sameStreams(row: number): number {
    const { shape: s, phase } = this;
    if (phase === 'gradWeight') return row;
    const [planes, height] = phase === 'forward' ? [s.filters, this.outHeight] : [s.channels, s.height];
    const y = row % height;
    const plane = (row - y) / height;
    const example = Math.floor(plane / planes);
    const group = Math.floor((plane % planes) / (planes / s.groups));
    return (example * s.groups + group) * height + y;
  }

  private loadForward(row: number): void {
    const { shape: s, outHeight } = this;
    const groupChannels = s.channels / s.groups;
    const y = row % outHeight;
    const plane = (row - y) / outHeight;
    const filter = plane % s.filters;
    const example = (plane - filter) / s.filters;
    const firstChannel = Math.floor(filter / (s.filters / s.groups)) * groupChannels;
    for (let c = 0; c < groupChannels; c++)
      for (let r = 0; r < s.kernelHeight; r++) {
        const from = y * s.strideY + r * s.dilationY - s.padTop;
        if (from < 0 || from >= s.height) continue;
        const input = (example * s.channels + firstChannel + c) * s.height + from;
        this.push(input, 0, (filter * groupChannels + c) * s.kernelHeight + r);
      }
  }

  private loadGradInput(row: number): void {
    const { shape: s, outHeight } = this;
    const groupChannels = s.channels / s.groups;
    const groupFilters = s.filters / s.groups;
    const y = row % s.height;
    const plane = (row - y) / s.height;
    const channel = plane % s.channels;
    const example = (plane - channel) / s.channels;
    const firstFilter = Math.floor(channel / groupChannels) * groupFilters;
    for (let f = firstFilter; f < firstFilter + groupFilters; f++)
      for (let r = 0; r < s.kernelHeight; r++) {
        const reached = y + s.padTop - r * s.dilationY;
        const from = reached / s.strideY;
        if (reached % s.strideY !== 0 || from < 0 || from >= outHeight) continue;
        const gradient = (example * s.filters + f) * outHeight + from;
        this.push(gradient, 0, (f * groupChannels + (channel % groupChannels)) * s.kernelHeight + r);
      }
  }

  private loadGradWeight(row: number): void {
    const { shape: s, outHeight } = this;
    const groupChannels = s.channels / s.groups;
    const r = row % s.kernelHeight;
    const pair = (row - r) / s.kernelHeight;
    const c = pair % groupChannels;
    const filter = (pair - c) / groupChannels;
    const channel = Math.floor(filter / (s.filters / s.groups)) * groupChannels + c;
    for (let n = 0; n < s.batch; n++)
      for (let y = 0; y < outHeight; y++) {
        const from = y * s.strideY + r * s.dilationY - s.padTop;
        if (from < 0 || from >= s.height) continue;
        const input = (n * s.channels + channel) * s.height + from;
        this.push(input, (n * s.filters + filter) * outHeight + y, row);
      }
  }

  /** One operation per tap piece. */
  private push(streamed: number, gradient: number, kernelRow: number): void {
    const { pieces } = this;
    for (let p = 0; p < pieces.length; p++) {
      const at = this.count++;
      this.streamed[at] = streamed;
      this.gradient[at] = gradient;
      this.kernel[at] = kernelRow * this.shape.kernelWidth;
      this.piece[at] = p;
    }
  }
}
