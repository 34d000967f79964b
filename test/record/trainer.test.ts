/** Training: gradients of whole networks against finite differences, descent, batches, and what pruning does to it. */
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/errors.js';
import { Random } from '../../src/random.js';
import { Batches } from '../../src/record/batches.js';
import { crossEntropy } from '../../src/record/loss.js';
import { parameterSpecs } from '../../src/record/networks/network.js';
import { NETWORKS, networkOf } from '../../src/record/networks/registry.js';
import { initialParameters, learningRate, type Parameter } from '../../src/record/parameters.js';
import { Pruner } from '../../src/record/pruner.js';
import { Trainer } from '../../src/record/trainer.js';
import { dataset, short, tf } from './support.js';

const trainerAt = (name: string, parameters: Map<string, Parameter>): Trainer =>
  new Trainer(tf, networkOf(name), dataset, short({ network: name }), {
    parameters,
    pruner: new Pruner(0, 'exact', 1),
  });

const copied = (parameters: Map<string, Parameter>): Map<string, Parameter> =>
  new Map(
    [...parameters].map(([name, p]) => [
      name,
      { ...p, values: p.values.slice(), velocity: p.velocity.slice() },
    ]),
  );

describe.each(NETWORKS.map(({ name }) => name))('%s', (name) => {
  it('has the gradient that differences of its loss say', () => {
    const start = initialParameters(parameterSpecs(networkOf(name)), 3);
    const trainer = trainerAt(name, copied(start));
    trainer.step(1, false);
    // After one step from rest, momentum is the gradient. Its own direction makes the largest difference of the loss.
    const gradient = [...trainer.parameters.values()].map(({ velocity }) => velocity);
    const norm = Math.sqrt(gradient.reduce((sum, g) => g.reduce((s, x) => s + x * x, sum), 0));
    const lossAt = (distance: number): number => {
      const moved = copied(start);
      [...moved.values()].forEach(({ values, learned }, index) => {
        if (learned) values.forEach((v, i) => (values[i] = v + (distance * gradient[index][i]) / norm));
      });
      return trainerAt(name, moved).step(1, false).loss;
    };
    const step = 1e-3;
    const slope = (lossAt(step) - lossAt(-step)) / (2 * step);
    expect(slope / norm).toBeGreaterThan(0.98);
    expect(slope / norm).toBeLessThan(1.02);
  });

  it('learns', () => {
    const settings = short({ network: name, steps: 12, batch: 8 });
    const trainer = new Trainer(tf, networkOf(name), dataset, settings);
    const losses = Array.from({ length: 12 }, (_, index) => trainer.step(index + 1, false).loss);
    const mean = (part: number[]): number => part.reduce((sum, x) => sum + x, 0) / part.length;
    expect(mean(losses.slice(8))).toBeLessThan(0.95 * mean(losses.slice(0, 4)));
    expect(tf.memory().numTensors).toBe(0);
  });
});

describe('training', () => {
  it('prunes what the backward operations use, and keeps it', () => {
    const settings = short({ prune: 0.9, threshold: 'exact', linear: true, batch: 16 });
    const trainer = new Trainer(tf, networkOf('lenet5'), dataset, settings);
    const { captured, pruned, density } = trainer.step(1, true);
    expect(captured.map(({ layer }) => layer.name)).toEqual(['conv1', 'conv2', 'conv3', 'fc1', 'fc2']);
    expect([...pruned.keys()].sort()).toEqual(['conv1', 'conv2', 'conv3']);
    for (const { layer, gradOutput, tau } of captured) {
      if (layer.shape.op === 'linear') expect(tau).toBe(0);
      else {
        expect(tau).toBeGreaterThan(0);
        const { values } = pruned.get(layer.name)!;
        expect(gradOutput.findIndex((g, i) => g !== values[i])).toBe(-1);
        const least = Math.fround(tau) * (1 - 1e-6);
        expect(gradOutput.find((g) => g !== 0 && Math.abs(g) < least)).toBeUndefined();
      }
    }
    expect(density.after).toBeLessThan(density.before);
  });

  it('stops with one line when the loss is no number', () => {
    const trainer = new Trainer(tf, networkOf('lenet5'), dataset, short({ learningRate: 1e30 }));
    const run = (): void => {
      for (let step = 1; step <= 6; step++) trainer.step(step, false);
    };
    expect(run).toThrow(UserError);
    expect(run).toThrow(
      /^training diverged at step \d+: the loss is NaN; lower --learning-rate \(now 1e\+30\)$/,
    );
  });

  it('starts from weights of the variance asked for, by name and seed', () => {
    const specs = parameterSpecs(networkOf('lenet5'));
    const of = (seed: number): Float32Array => initialParameters(specs, seed).get('conv2/weight')!.values;
    expect(of(1)).toEqual(of(1));
    expect(of(1)).not.toEqual(of(2));
    expect(of(1)).not.toEqual(of(1 + 2 ** 32));
    const square = of(1).reduce((sum, w) => sum + w * w, 0) / of(1).length;
    expect(square / (2 / 150)).toBeCloseTo(1, 1);
  });

  it('lowers its rate along half a cosine', () => {
    expect(learningRate(0.1, 1, 100)).toBe(0.1);
    expect(learningRate(0.1, 51, 100)).toBeCloseTo(0.05);
    expect(learningRate(0.1, 100, 100)).toBeLessThan(0.001);
  });

  it('judges by softmax cross entropy', () => {
    const logits = Float32Array.from([1, 2, 3, 0, 0, 0]);
    const { loss, gradient, correct } = crossEntropy(logits, Uint8Array.from([2, 1]));
    const sum = Math.exp(1) + Math.exp(2) + Math.exp(3);
    expect(loss).toBeCloseTo((Math.log(sum) - 3 + Math.log(3)) / 2);
    expect(correct).toBe(1);
    [Math.exp(1) / sum, Math.exp(2) / sum, Math.exp(3) / sum - 1, 1 / 3, -2 / 3, 1 / 3].forEach((g, i) =>
      expect(gradient[i]).toBeCloseTo(g / 2),
    );
  });
});

describe('batches', () => {
  it('show every example once per epoch, at any step in any order', () => {
    const random = new Random(5);
    const inOrder = new Batches(23, 4, 9);
    const epochs = Array.from({ length: 15 }, (_, index) => inOrder.indices(index + 1));
    for (const epoch of [0, 1, 2]) {
      const seen = new Set(epochs.slice(5 * epoch, 5 * epoch + 5).flatMap((batch) => [...batch]));
      expect(seen.size).toBe(20);
      for (const example of seen) expect(example).toBeLessThan(23);
    }
    expect(epochs[0]).not.toEqual(epochs[5]);
    const jumping = new Batches(23, 4, 9);
    for (let n = 0; n < 40; n++) {
      const step = 1 + random.int(15);
      expect(jumping.indices(step)).toEqual(epochs[step - 1]);
    }
    expect(new Batches(23, 4, 10).indices(1)).not.toEqual(epochs[0]);
  });
});
