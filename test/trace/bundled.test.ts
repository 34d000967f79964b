/** The traces that come with the program: sound, as listed, and consistent with themselves. */
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { outputSize, type ConvShape, type NumericArray } from '../../src/tensor.js';
import { openTrace } from '../../src/trace/open.js';
import type { Role } from '../../src/trace/trace.js';

const folder = fileURLToPath(new URL('../../traces/', import.meta.url));
const readme = readFileSync(`${folder}README.md`, 'utf8');
const files = readdirSync(folder).filter((name) => name.endsWith('.safetensors'));
const training = files.filter((name) => name.includes('fmnist'));

it('are those in the table, with the hashes given there', () => {
  const listed = [...readme.matchAll(/^ {4}([0-9a-f]{64}) {2}(\S+)$/gm)].map(([, hash, name]) => [
    name,
    hash,
  ]);
  const found = files.map((name) => [
    name,
    createHash('sha256')
      .update(readFileSync(folder + name))
      .digest('hex'),
  ]);
  expect(listed).toEqual(found);
  for (const name of files) expect(readme).toContain(`| ${name.replace('.safetensors', '')} |`);
});

describe.each(files)('%s', (name) => {
  it('opens, and every tensor reads and is finite', () => {
    const trace = openTrace(folder + name);
    expect(trace.licence).toMatch(/^(MIT|Apache-2\.0)$/);
    expect(trace.source.length).toBeGreaterThan(10);
    expect(trace.origin?.sha256).toMatch(/^[0-9a-f]{64}$/);
    for (const layer of trace.layers)
      for (const role of Object.keys(layer.tensors) as Role[])
        expect(layer.read(role).data.length).toBeGreaterThan(0);
    trace.close();
  });
});

/** Weight gradient by its definition, plainly: sum over examples and positions of gradient times input. */
function weightGradient(s: ConvShape, input: NumericArray, gradient: NumericArray): Float64Array {
  const { outHeight, outWidth } = outputSize(s);
  const perGroup = s.channels / s.groups;
  const result = new Float64Array(s.filters * perGroup * s.kernelHeight * s.kernelWidth);
  let at = 0;
  for (let f = 0; f < s.filters; f++)
    for (let c = 0; c < perGroup; c++)
      for (let ky = 0; ky < s.kernelHeight; ky++)
        for (let kx = 0; kx < s.kernelWidth; kx++, at++)
          for (let n = 0; n < s.batch; n++)
            for (let oy = 0; oy < outHeight; oy++)
              for (let ox = 0; ox < outWidth; ox++) {
                const y = oy * s.strideY + ky * s.dilationY - s.padTop;
                const x = ox * s.strideX + kx * s.dilationX - s.padLeft;
                if (y < 0 || y >= s.height || x < 0 || x >= s.width) continue;
                const channel = Math.floor(f / (s.filters / s.groups)) * perGroup + c;
                result[at] +=
                  input[((n * s.channels + channel) * s.height + y) * s.width + x] *
                  gradient[((n * s.filters + f) * outHeight + oy) * outWidth + ox];
              }
  return result;
}

describe.each(training)('%s', (name) => {
  it('holds weight gradients that follow from its inputs, output gradients and geometry', () => {
    const trace = openTrace(folder + name);
    for (const layer of trace.layers) {
      const recorded = layer.read('grad_weight').data;
      const computed = weightGradient(layer.shape, layer.read('input').data, layer.read('grad_output').data);
      const largest = computed.reduce((max, g) => Math.max(max, Math.abs(g)), 0);
      for (let i = 0; i < recorded.length; i++)
        if (Math.abs(recorded[i] - computed[i]) > 1e-4 * largest)
          expect.fail(`${layer.name} at ${i}: recorded ${recorded[i]}, computed ${computed[i]}`);
    }
    trace.close();
  });

  it('has masks that are input != 0, and only where the input is post-ReLU', () => {
    const trace = openTrace(folder + name);
    for (const layer of trace.layers) {
      expect(layer.tensors.input_mask !== undefined).toBe(layer.postRelu);
      if (!layer.postRelu) continue;
      const input = layer.read('input').data;
      expect(layer.read('input_mask').data.every((mask, i) => (mask === 1) === (input[i] !== 0))).toBe(true);
    }
    trace.close();
  });
});

it('state the padding of the temporal network per side, left only', () => {
  const trace = openTrace(`${folder}tcn-seqfmnist-late-s00600.safetensors`);
  const paddings = trace.layers.map(({ shape: s }) => [
    s.padTop,
    s.padBottom,
    s.padLeft,
    s.padRight,
    s.dilationX,
    s.width,
  ]);
  expect(paddings).toEqual(
    [[2, 1], [2, 1], [0, 1], [4, 2], [4, 2], [8, 4], [8, 4], [16, 8], [16, 8], [32, 16], [32, 16]].map(
      ([left, dilation]) => [0, 0, left, 0, dilation, 196],
    ), // prettier-ignore
  );
  trace.close();
});
