/** Batch normalisation (Ioffe and Szegedy, 2015) over channels-last values, forward and backward, summed in double. */

/** Added to variances, so that a constant channel has a finite deviation; the usual default of frameworks. */
const EPSILON = 1e-5;

export interface Moments {
  /** By channel. */
  mean: Float32Array;
  /** By channel; the sum of squares is divided by the number of values. */
  variance: Float32Array;
}

export interface Normalised {
  output: Float32Array;
  /** (x - mean) / deviation. */
  standard: Float32Array;
  /** 1 / sqrt(variance + epsilon), by channel. */
  inverse: Float64Array;
  moments: Moments;
}

function momentsOf(x: Float32Array, channels: number): Moments {
  const count = x.length / channels;
  const sum = new Float64Array(channels);
  const squares = new Float64Array(channels);
  for (let i = 0, c = 0; i < x.length; i++) {
    sum[c] += x[i];
    if (++c === channels) c = 0;
  }
  for (let c = 0; c < channels; c++) sum[c] /= count;
  for (let i = 0, c = 0; i < x.length; i++) {
    const difference = x[i] - sum[c];
    squares[c] += difference * difference;
    if (++c === channels) c = 0;
  }
  return { mean: Float32Array.from(sum), variance: Float32Array.from(squares, (square) => square / count) };
}

/** @param given statistics to use; null: those of x itself */
export function normalise(
  x: Float32Array,
  given: Moments | null,
  gamma: Float32Array,
  beta: Float32Array,
): Normalised {
  const channels = gamma.length;
  const moments = given ?? momentsOf(x, channels);
  const inverse = Float64Array.from(moments.variance, (variance) => 1 / Math.sqrt(variance + EPSILON));
  const standard = new Float32Array(x.length);
  const output = new Float32Array(x.length);
  for (let i = 0, c = 0; i < x.length; i++) {
    standard[i] = (x[i] - moments.mean[c]) * inverse[c];
    output[i] = standard[i] * gamma[c] + beta[c];
    if (++c === channels) c = 0;
  }
  return { output, standard, inverse, moments };
}

/** Gradients of what `normalise` made of a batch by its own statistics. */
export function normaliseBackward(
  gradOutput: Float32Array,
  { standard, inverse }: Normalised,
  gamma: Float32Array,
): { gradInput: Float32Array; gradGamma: Float32Array; gradBeta: Float32Array } {
  const channels = gamma.length;
  const count = gradOutput.length / channels;
  const sum = new Float64Array(channels);
  const correlation = new Float64Array(channels);
  for (let i = 0, c = 0; i < gradOutput.length; i++) {
    sum[c] += gradOutput[i];
    correlation[c] += gradOutput[i] * standard[i];
    if (++c === channels) c = 0;
  }
  const gradInput = new Float32Array(gradOutput.length);
  for (let i = 0, c = 0; i < gradOutput.length; i++) {
    const centred = gradOutput[i] - sum[c] / count - (standard[i] * correlation[c]) / count;
    gradInput[i] = gamma[c] * inverse[c] * centred;
    if (++c === channels) c = 0;
  }
  return { gradInput, gradGamma: Float32Array.from(correlation), gradBeta: Float32Array.from(sum) };
}
