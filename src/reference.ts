/**
 * The dense reference: plain loops over integer codes, in double (exact to 2^53). It judges every machine, so
 * it shares no code with them and is never optimised.
 */
import { outputSize, type ConvShape } from './tensor.js';

/** Forward convolution: weights (F, C/groups, R, S), input (N, C, H, W), result (N, F, Ho, Wo). */
export function referenceForward(
  shape: ConvShape,
  weights: ArrayLike<number>,
  input: ArrayLike<number>,
): Float64Array {
  const { outHeight, outWidth } = outputSize(shape);
  const { batch, filters, channels, groups, height, width, kernelHeight, kernelWidth } = shape;
  const groupChannels = channels / groups;
  const groupFilters = filters / groups;
  const output = new Float64Array(batch * filters * outHeight * outWidth);
  for (let n = 0; n < batch; n++)
    for (let f = 0; f < filters; f++)
      for (let oy = 0; oy < outHeight; oy++)
        for (let ox = 0; ox < outWidth; ox++) {
          let sum = 0;
          for (let c = 0; c < groupChannels; c++) {
            const channel = Math.floor(f / groupFilters) * groupChannels + c;
            for (let r = 0; r < kernelHeight; r++)
              for (let s = 0; s < kernelWidth; s++) {
                const y = oy * shape.strideY + r * shape.dilationY - shape.padTop;
                const x = ox * shape.strideX + s * shape.dilationX - shape.padLeft;
                if (y < 0 || y >= height || x < 0 || x >= width) continue;
                sum +=
                  weights[((f * groupChannels + c) * kernelHeight + r) * kernelWidth + s] *
                  input[((n * channels + channel) * height + y) * width + x];
              }
          }
          output[((n * filters + f) * outHeight + oy) * outWidth + ox] = sum;
        }
  return output;
}

/**
 * Gradient by the input: every product of the forward phase, carried back. Weights (F, C/groups, R, S), gradient by
 * the output (N, F, Ho, Wo), result (N, C, H, W). No ReLU mask is applied.
 */
export function referenceGradInput(
  shape: ConvShape,
  weights: ArrayLike<number>,
  gradOutput: ArrayLike<number>,
): Float64Array {
  const { outHeight, outWidth } = outputSize(shape);
  const { batch, filters, channels, groups, height, width, kernelHeight, kernelWidth } = shape;
  const groupChannels = channels / groups;
  const groupFilters = filters / groups;
  const gradInput = new Float64Array(batch * channels * height * width);
  for (let n = 0; n < batch; n++)
    for (let f = 0; f < filters; f++)
      for (let oy = 0; oy < outHeight; oy++)
        for (let ox = 0; ox < outWidth; ox++) {
          const gradient = gradOutput[((n * filters + f) * outHeight + oy) * outWidth + ox];
          for (let c = 0; c < groupChannels; c++) {
            const channel = Math.floor(f / groupFilters) * groupChannels + c;
            for (let r = 0; r < kernelHeight; r++)
              for (let s = 0; s < kernelWidth; s++) {
                const y = oy * shape.strideY + r * shape.dilationY - shape.padTop;
                const x = ox * shape.strideX + s * shape.dilationX - shape.padLeft;
                if (y < 0 || y >= height || x < 0 || x >= width) continue;
                gradInput[((n * channels + channel) * height + y) * width + x] +=
                  weights[((f * groupChannels + c) * kernelHeight + r) * kernelWidth + s] * gradient;
              }
          }
        }
  return gradInput;
}

/** Gradient by the weights, summed over the examples: (F, C/groups, R, S). */
export function referenceGradWeight(
  shape: ConvShape,
  input: ArrayLike<number>,
  gradOutput: ArrayLike<number>,
): Float64Array {
  const { outHeight, outWidth } = outputSize(shape);
  const { batch, filters, channels, groups, height, width, kernelHeight, kernelWidth } = shape;
  const groupChannels = channels / groups;
  const groupFilters = filters / groups;
  const gradWeight = new Float64Array(filters * groupChannels * kernelHeight * kernelWidth);
  for (let n = 0; n < batch; n++)
    for (let f = 0; f < filters; f++)
      for (let oy = 0; oy < outHeight; oy++)
        for (let ox = 0; ox < outWidth; ox++) {
          const gradient = gradOutput[((n * filters + f) * outHeight + oy) * outWidth + ox];
          for (let c = 0; c < groupChannels; c++) {
            const channel = Math.floor(f / groupFilters) * groupChannels + c;
            for (let r = 0; r < kernelHeight; r++)
              for (let s = 0; s < kernelWidth; s++) {
                const y = oy * shape.strideY + r * shape.dilationY - shape.padTop;
                const x = ox * shape.strideX + s * shape.dilationX - shape.padLeft;
                if (y < 0 || y >= height || x < 0 || x >= width) continue;
                gradWeight[((f * groupChannels + c) * kernelHeight + r) * kernelWidth + s] +=
                  input[((n * channels + channel) * height + y) * width + x] * gradient;
              }
          }
        }
  return gradWeight;
}
