/**
 * What a layer and phase demand of any machine, from its shape and data alone: terms, and essential bits times
 * their uses (SPEC section 10). Nothing here looks at how a machine lowers or times the layer.
 */
import { bitStatistics, type Codes } from '../quantize.js';
import { macCount, outputSize, type ConvShape } from '../tensor.js';
import type { LayerWork, UnitKind } from './machine.js';

/** Terms of a phase: MACs, but in gradInput taps that meet no gradient are not terms. */
export function termCount({ shape, phase }: LayerWork): number {
  if (phase !== 'gradInput') return macCount(shape);
  // Every example, and every pair of channel and filter, has the same.
  const uses = usesByTap({ ...shape, batch: 1, filters: 1 }, 'filters', null).reduce((a, b) => a + b, 0);
  return uses * shape.batch * shape.filters * (shape.channels / shape.groups);
}

/** Essential bits that units of a kind consume: of the operand they look at, each as often as it is used. */
export function essentialBitUses(units: UnitKind, work: LayerWork): number {
  const { shape, phase, activations, gradOutput } = work;
  if (units === 'serial') return activationBits(work, () => shape.filters / shape.groups);
  const masked = units === 'maskedSac';
  if (phase === 'gradWeight')
    return activationBits(
      work,
      masked ? gradientsAt(shape, gradOutput!) : () => shape.filters / shape.groups,
    );
  if (phase === 'gradInput')
    return weightBits(work, 'filters', usesByTap(shape, 'filters', masked ? gradOutput!.codes : null));
  if (masked) return weightBits(work, 'channels', usesByTap(shape, 'channels', activations!.codes));
  // Padding costs its item like any activation.
  const { outHeight, outWidth } = outputSize(shape);
  const { bits, zeroBits } = bitStatistics(work.weights);
  return (bits - zeroBits) * shape.batch * outHeight * outWidth;
}

/** Essential bits of the weights, each times the uses of its (channel or filter, kernel row, kernel column). */
function weightBits({ shape, weights }: LayerWork, by: 'channels' | 'filters', uses: Float64Array): number {
  const kernel = shape.kernelHeight * shape.kernelWidth;
  const groupChannels = shape.channels / shape.groups;
  const groupFilters = shape.filters / shape.groups;
  let bits = 0;
  weights.codes.forEach((code, i) => {
    const filter = Math.floor(i / (groupChannels * kernel));
    const channel =
      Math.floor(filter / groupFilters) * groupChannels + (Math.floor(i / kernel) % groupChannels);
    bits += onesIn(code) * uses[(by === 'filters' ? filter : channel) * kernel + (i % kernel)];
  });
  return bits;
}

/**
 * How many products of one channel (or filter) use tap (r, s): those that fall inside the input and, with values
 * given, meet one that is not zero. [channel or filter][row][column].
 * @param values of the input (N, C, H, W) for channels, of the output (N, F, Ho, Wo) for filters
 */
function usesByTap(s: ConvShape, by: 'channels' | 'filters', values: Int32Array | null): Float64Array {
  const { outHeight, outWidth } = outputSize(s);
  const planes = s[by];
  const uses = new Float64Array(planes * s.kernelHeight * s.kernelWidth);
  for (let n = 0; n < s.batch; n++)
    for (let plane = 0; plane < planes; plane++)
      for (let r = 0, at = plane * s.kernelHeight * s.kernelWidth; r < s.kernelHeight; r++)
        for (let t = 0; t < s.kernelWidth; t++, at++)
          for (let oy = 0; oy < outHeight; oy++) {
            const y = oy * s.strideY + r * s.dilationY - s.padTop;
            if (y < 0 || y >= s.height) continue;
            for (let ox = 0; ox < outWidth; ox++) {
              const x = ox * s.strideX + t * s.dilationX - s.padLeft;
              if (x < 0 || x >= s.width) continue;
              const value =
                by === 'channels'
                  ? ((n * planes + plane) * s.height + y) * s.width + x
                  : ((n * planes + plane) * outHeight + oy) * outWidth + ox;
              if (!values || values[value] !== 0) uses[at]++;
            }
          }
  return uses;
}

/** How many filters of a group have a gradient at an output position of an example. */
function gradientsAt(s: ConvShape, { codes }: Codes): (n: number, group: number, position: number) => number {
  const { outHeight, outWidth } = outputSize(s);
  const plane = outHeight * outWidth;
  const groupFilters = s.filters / s.groups;
  const counts = new Int32Array(s.batch * s.groups * plane);
  codes.forEach((code, i) => {
    const group = Math.floor(i / plane / groupFilters);
    if (code !== 0) counts[group * plane + (i % plane)]++;
  });
  return (n, group, position) => counts[(n * s.groups + group) * plane + position];
}

/** Essential bits of the activations, over taps and positions; `filters` says how many of a group's filters use them. */
function activationBits(
  { shape, activations }: LayerWork,
  filters: (example: number, group: number, position: number) => number,
): number {
  const { outHeight, outWidth } = outputSize(shape);
  const groupChannels = shape.channels / shape.groups;
  const { codes } = activations!;
  let bits = 0;
  for (let n = 0; n < shape.batch; n++)
    for (let channel = 0; channel < shape.channels; channel++) {
      const group = Math.floor(channel / groupChannels);
      for (let r = 0; r < shape.kernelHeight; r++)
        for (let t = 0; t < shape.kernelWidth; t++)
          for (let oy = 0; oy < outHeight; oy++) {
            const y = oy * shape.strideY + r * shape.dilationY - shape.padTop;
            if (y < 0 || y >= shape.height) continue;
            for (let ox = 0; ox < outWidth; ox++) {
              const x = ox * shape.strideX + t * shape.dilationX - shape.padLeft;
              if (x < 0 || x >= shape.width) continue;
              const code = codes[((n * shape.channels + channel) * shape.height + y) * shape.width + x];
              if (code !== 0) bits += onesIn(code) * filters(n, group, oy * outWidth + ox);
            }
          }
    }
  return bits;
}

function onesIn(code: number): number {
  let ones = 0;
  for (let magnitude = Math.abs(code); magnitude > 0; magnitude &= magnitude - 1) ones++;
  return ones;
}
