/**
 * Gradients of the few operations that join convolutions. TensorFlow.js keeps its own in a package far larger than
 * its core, so these are registered here, by the name of the kernel.
 */
import type { GradConfig, NamedAttrMap, NamedTensorMap, Tensor } from '@tensorflow/tfjs-core';
import type { Tf } from './tensorflow.js';

type Pads = [number, number][];

/** Once; more calls change nothing. */
export function registerGradients(tf: Tf): void {
  for (const config of configurations(tf))
    if (!tf.getGradient(config.kernelName)) tf.registerGradient(config);
}

function configurations(tf: Tf): GradConfig[] {
  const run = (name: string, inputs: NamedTensorMap, attributes: NamedAttrMap): Tensor =>
    tf.engine().runKernel(name, inputs, attributes);
  return [
    {
      kernelName: 'Reshape',
      inputsToSave: ['x'],
      gradFunc: (dy, [x]) => ({ x: () => tf.reshape(dy as Tensor, x.shape) }),
    },
    {
      // From float32 to float32: the framework casts where nothing is to cast.
      kernelName: 'Cast',
      gradFunc: (dy) => ({ x: () => tf.clone(dy as Tensor) }),
    },
    {
      kernelName: 'Relu',
      inputsToSave: ['x'],
      gradFunc: (dy, [x]) => ({ x: () => tf.mul(dy as Tensor, tf.step(x)) }),
    },
    {
      // Of equal shapes: nothing here broadcasts. Copies, since the framework disposes of what it has added up.
      kernelName: 'Add',
      gradFunc: (dy) => ({ a: () => tf.clone(dy as Tensor), b: () => tf.clone(dy as Tensor) }),
    },
    {
      kernelName: 'PadV2',
      inputsToSave: ['x'],
      gradFunc: (dy, [x], attributes) => {
        const begin = (attributes.paddings as unknown as Pads).map(([before]) => before);
        return { x: () => tf.slice(dy as Tensor, begin, x.shape) };
      },
    },
    {
      kernelName: 'Slice',
      inputsToSave: ['x'],
      gradFunc: (dy, [x], attributes) => {
        const part = (dy as Tensor).shape;
        const begin = attributes.begin as number[];
        const pads: Pads = x.shape.map((size, axis) => [begin[axis], size - begin[axis] - part[axis]]);
        return { x: () => tf.pad(dy as Tensor, pads) };
      },
    },
    {
      kernelName: 'MaxPool',
      inputsToSave: ['x'],
      outputsToSave: [true],
      gradFunc: (dy, [input, output], attributes) => ({
        x: () => run('MaxPoolGrad', { dy: dy as Tensor, input, output }, attributes),
      }),
    },
    {
      kernelName: 'AvgPool',
      inputsToSave: ['x'],
      gradFunc: (dy, [input], attributes) => ({
        x: () => run('AvgPoolGrad', { dy: dy as Tensor, input }, attributes),
      }),
    },
  ];
}
