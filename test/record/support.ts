/** What the tests of recording share: the framework, loaded once per file, and settings of a short run. */
import { loadDataset } from '../../src/record/datasets.js';
import { networkOf } from '../../src/record/networks/registry.js';
import type { RecordSettings } from '../../src/record/settings.js';
import { loadTensorFlow } from '../../src/record/tensorflow.js';

export const tf = await loadTensorFlow();
export const dataset = loadDataset('fashion-mnist-small');

export const short = (changes: Partial<RecordSettings> = {}): RecordSettings => {
  const network = changes.network ?? 'lenet5';
  return {
    network,
    dataset: 'fashion-mnist-small',
    steps: 6,
    recordAt: [6],
    batch: 8,
    keep: 2,
    seed: 1,
    prune: 0,
    threshold: 'predicted',
    learningRate: networkOf(network).rate,
    linear: false,
    ...changes,
  };
};
