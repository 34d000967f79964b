/** Writes a seeded network of 22 million float32 weights, all layers at 35x35, as a canonical trace. */
import { Random } from '../src/random.js';
import { elementCount, weightShape, type ConvShape } from '../src/tensor.js';
import { writeTrace, type WritableLayer } from '../src/trace/write.js';
import { conv3x3 } from './data.js';

const SIZE = 35;
const pointwise = (channels: number, filters: number): ConvShape => ({
  ...conv3x3(channels, SIZE, SIZE, filters),
  kernelHeight: 1,
  kernelWidth: 1,
  padTop: 0,
  padBottom: 0,
  padLeft: 0,
  padRight: 0,
});

/** Channels of a VGG-like stack of 3x3 layers, then two of 1x1: 22.06 million weights. */
const CHANNELS = [3, 64, 128, 256, 256, 512, 512, 512, 512, 512, 512, 512, 512, 512];
const SHAPES = [
  ...CHANNELS.slice(1).map((filters, i) => conv3x3(CHANNELS[i], SIZE, SIZE, filters)),
  pointwise(512, 1024),
  pointwise(1024, 512),
];

export function writeLargeNetwork(path: string): Promise<void> {
  return writeTrace(path, {
    network: 'synthetic-22M',
    source: 'seeded normal weights',
    licence: 'none',
    origin: null,
    provenance: {},
    layers: SHAPES.map((shape, i): WritableLayer => ({
      name: `layer${i}`,
      shape,
      postRelu: false,
      tensors: {
        weight: {
          dtype: 'float32',
          shape: weightShape(shape),
          read: () => ({ dtype: 'float32', shape: weightShape(shape), data: normals(shape, i + 1) }),
        },
      },
    })),
  });
}

function normals(shape: ConvShape, seed: number): Float32Array {
  const random = new Random(seed);
  const data = new Float32Array(elementCount(weightShape(shape)));
  const deviation = Math.sqrt(2 / (shape.channels * shape.kernelHeight * shape.kernelWidth));
  for (let i = 0; i < data.length; i++) data[i] = deviation * random.normal();
  return data;
}
