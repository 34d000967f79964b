/** Softmax cross entropy, averaged over the batch: the loss whose gradients are recorded, hence 1/batch in all of them. */

/** Rows of logits, one per example. */
export interface Judged {
  loss: number;
  /** By logit, of the mean loss. */
  gradient: Float32Array;
  /** Examples whose largest logit is that of their label; the first of equals counts. */
  correct: number;
}

export function crossEntropy(logits: Float32Array, labels: Uint8Array): Judged {
  const examples = labels.length;
  const classes = logits.length / examples;
  const gradient = new Float32Array(logits.length);
  let loss = 0;
  let correct = 0;
  for (let n = 0; n < examples; n++) {
    const start = n * classes;
    let best = 0;
    for (let k = 1; k < classes; k++) if (logits[start + k] > logits[start + best]) best = k;
    const max = logits[start + best];
    let sum = 0;
    for (let k = 0; k < classes; k++) sum += Math.exp(logits[start + k] - max);
    for (let k = 0; k < classes; k++)
      gradient[start + k] = (Math.exp(logits[start + k] - max) / sum - (k === labels[n] ? 1 : 0)) / examples;
    loss += Math.log(sum) - (logits[start + labels[n]] - max);
    if (best === labels[n]) correct++;
  }
  return { loss: loss / examples, gradient, correct };
}
