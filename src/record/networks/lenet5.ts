/** LeNet-5 (LeCun et al., 1998) with ReLU and max pooling: the Conv-ReLU case of SparseTrain (SPEC section 5). */
import { CLASSES, IMAGE_SIZE, conv, linear, type Network } from './network.js';

const postRelu = true;
const bias = true;

export const lenet5: Network = {
  name: 'lenet5',
  summary: 'three 5x5 convolutions with ReLU and max pooling, two linear layers',
  rate: 0.05,
  gain: 2,
  layers: [
    conv(
      'conv1',
      { channels: 1, size: IMAGE_SIZE, filters: 6, kernel: 5, pad: 2 },
      { bias, fromImage: true },
    ),
    conv('conv2', { channels: 6, size: 14, filters: 16, kernel: 5 }, { bias, postRelu }),
    conv('conv3', { channels: 16, size: 5, filters: 120, kernel: 5 }, { bias, postRelu }),
    linear('fc1', 120, 84, postRelu),
    linear('fc2', 84, CLASSES, postRelu),
  ],
  norms: [],
  forward(pass, images) {
    const { tf } = pass;
    const first = tf.maxPool(tf.relu(pass.conv('conv1', images)), 2, 2, 'valid');
    const second = tf.maxPool(tf.relu(pass.conv('conv2', first)), 2, 2, 'valid');
    const third = tf.relu(pass.conv('conv3', second));
    const hidden = tf.relu(pass.conv('fc1', third));
    return tf.reshape(pass.conv('fc2', hidden), [-1, CLASSES]);
  },
};
