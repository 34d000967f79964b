/**
 * Synthetic traces of a stated bit density: each magnitude bit is set independently with the same probability, which
 * is how SPEC section 3 and the average of Tetris (68.9 % zero bits) are read here. Real weights are not like that.
 */
import { magnitudeBitsOf, PRECISIONS, type Precision } from '../../src/quantize.js';
import { hash32, Random } from '../../src/random.js';
import {
  elementCount,
  outputShape,
  weightShape,
  type ConvShape,
  type NumericArray,
} from '../../src/tensor.js';
import { openTrace } from '../../src/trace/open.js';
import type { Trace } from '../../src/trace/trace.js';
import { writeTrace, type WritableLayer, type WritableTensor } from '../../src/trace/write.js';
import { densityOfBound, PUBLISHED_DENSITY, STATED_DENSITY, STATED_BOUNDS } from './density.js';

type Make = (out: string, others: (name: string) => Promise<string>) => Promise<void>;

/** Units and groups of the streams of one lane that synchronisation is measured on. */
export const STREAM_UNITS = 16;
export const STREAM_STRIDE = 16;
export const STREAM_GROUPS = 2000;

/** A sign-magnitude code of B bits, each set with probability `density`. */
export function drawCode(random: Random, magnitudeBits: number, density: number): number {
  const limit = density * 2 ** 32;
  let magnitude = 0;
  for (let b = 0; b < magnitudeBits; b++) if (random.uint32() < limit) magnitude += 2 ** b;
  return random.uint32() < 2 ** 31 ? -magnitude : magnitude;
}

function codes(shape: readonly number[], precision: Precision, density: number, seed: number) {
  return tensor(precision, shape, () => {
    const random = new Random(seed);
    const values = new Int16Array(elementCount(shape));
    for (let i = 0; i < values.length; i++) values[i] = drawCode(random, magnitudeBitsOf(precision), density);
    return precision === 'int8' ? Int8Array.from(values) : values;
  });
}

const tensor = (
  dtype: 'float32' | Precision,
  shape: readonly number[],
  data: () => NumericArray,
): WritableTensor => ({ dtype, shape, read: () => ({ dtype, shape, data: data() }) });

const write = (out: string, network: string, layers: WritableLayer[]): Promise<void> =>
  writeTrace(out, {
    network,
    source: 'synthetic values of test/validation/made.ts',
    licence: 'MIT',
    origin: null,
    provenance: { synthetic: true },
    layers,
  });

/** One output of 16 filters of one channel: sixteen endless streams for the units of a lane. */
function stream(name: string, precision: Precision, density: number): Make {
  const width = STREAM_STRIDE * STREAM_GROUPS;
  const shape: ConvShape = {
    ...{ op: 'conv', rank: 1, batch: 1, channels: 1, height: 1, width, filters: STREAM_UNITS, groups: 1 },
    ...{ kernelHeight: 1, kernelWidth: width, strideY: 1, strideX: 1, dilationY: 1, dilationX: 1 },
    ...{ padTop: 0, padBottom: 0, padLeft: 0, padRight: 0 },
  };
  const weight = codes(weightShape(shape), precision, density, 1);
  const input = codes([1, 1, 1, width], precision, 0.5, 2);
  return (out) => write(out, name, [{ name: 'stream', shape, postRelu: false, tensors: { weight, input } }]);
}

/** Layers of a trace with some tensors of its own and some in their place. */
async function changed(
  trace: Trace,
  name: string,
  out: string,
  replace: (layer: Trace['layers'][number], index: number) => WritableLayer['tensors'],
): Promise<void> {
  try {
    const layers = trace.layers.map((layer, index): WritableLayer => {
      const { weight, input } = layer.tensors;
      const own = {
        weight: { ...weight!, read: () => layer.read('weight') },
        input: { ...input!, read: () => layer.read('input') },
      };
      return { ...layer, tensors: { ...own, ...replace(layer, index) } };
    });
    await write(out, name, layers);
  } finally {
    trace.close();
  }
}

/** AlexNet's shapes and the activations of its import, with weights of the published bit density. */
const alexnetBits =
  (name: string, precision: Precision): Make =>
  async (out, others) =>
    changed(openTrace(await others('alexnet')), name, out, ({ shape }, index) => ({
      weight: codes(weightShape(shape), precision, PUBLISHED_DENSITY, hash32(1, index)),
    }));

/**
 * A training step of AlexNet's shapes: activations as imported (half of them zero after the ReLU), normal gradients
 * that the ReLU behind each layer has zeroed by half.
 */
const alexnetStep: Make = async (out, others) =>
  changed(openTrace(await others('alexnet')), 'alexnet-step', out, (layer, index) => {
    const shape = outputShape(layer.shape);
    return {
      grad_output: tensor('float32', shape, () => {
        const random = new Random(hash32(2, index));
        return Float32Array.from({ length: elementCount(shape) }, () => {
          const g = random.normal();
          return random.uint32() < 2 ** 31 ? g : 0;
        });
      }),
      input_mask: tensor('float32', layer.tensors.input!.shape, () =>
        Float32Array.from(layer.read('input').data, (x) => (x === 0 ? 0 : 1)),
      ),
    };
  });

/** By name. */
export const MADE: Readonly<Record<string, Make>> = {
  ...Object.fromEntries(
    PRECISIONS.flatMap((precision) => [
      [`stream-${precision}`, stream(`stream-${precision}`, precision, STATED_DENSITY)],
      [
        `stream-matched-${precision}`,
        stream(
          `stream-matched-${precision}`,
          precision,
          densityOfBound(STATED_BOUNDS[precision], precision, STREAM_STRIDE),
        ),
      ],
      [`alexnet-bits-${precision}`, alexnetBits(`alexnet-bits-${precision}`, precision)],
    ]),
  ),
  'alexnet-step': alexnetStep,
};
