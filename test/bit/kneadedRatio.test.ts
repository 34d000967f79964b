/** Kneaded ratios of real weights equal a naive recomputation: bits sunk one by one, lane by lane. */
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { quantize, type Precision } from '../../src/quantize.js';
import { simulate } from '../../src/simulate.js';
import { openTrace } from '../../src/trace/open.js';
import type { TraceLayer } from '../../src/trace/trace.js';
import { naiveLengths } from '../support/naiveKnead.js';

/** T_KS / T_base over lanes' real weights, from the definition. */
function naiveRatio(layer: TraceLayer, precision: Precision, stride: number, lanes: number): number {
  const { codes, magnitudeBits } = quantize(layer.read('weight'), { precision }, { file: '', place: '' });
  const { filters, channels, groups, kernelHeight, kernelWidth } = layer.shape;
  const perGroup = channels / groups;
  const plane = kernelHeight * kernelWidth;
  let rows = 0;
  for (let f = 0; f < filters; f++)
    for (let l = 0; l < Math.min(lanes, perGroup); l++) {
      const stream: number[] = [];
      for (let k = 0; k < plane; k++)
        for (let c = l; c < perGroup; c += lanes) stream.push(codes[(f * perGroup + c) * plane + k]);
      rows += naiveLengths(stream, magnitudeBits, stride).reduce((a, b) => a + b, 0);
    }
  return rows / codes.length;
}

describe('kneaded ratios', () => {
  it.each([
    ['lenet5-fmnist-late-s01500', 'conv*'],
    ['faceapi-tiny_face_detector', 'conv3/*'],
    ['mediapipe-selfie_segmentation', 'depthwise_conv2d_3*'],
  ])('of %s, %s are those of sinking bits one by one', (name, glob) => {
    const trace = openTrace(fileURLToPath(new URL(`../../traces/${name}.safetensors`, import.meta.url)));
    for (const precision of ['int8', 'int16'] as const)
      for (const stride of [8, 16, 32, 64]) {
        const settings = [`kneadingStride=${stride}`];
        const report = simulate(trace, {
          machines: ['tetris'],
          precision,
          level: 'count',
          layer: glob,
          settings,
        });
        const { layers, total } = report.machines[0];
        for (const row of layers) {
          const layer = trace.layers.find((l) => l.name === row.name)!;
          expect(row.kneadedRatio).toBe(naiveRatio(layer, precision, stride, 16));
        }
        expect(total.kneadedRatio).toBeGreaterThan(0.2);
        expect(total.kneadedRatio).toBeLessThan(1);
      }
    trace.close();
  });
});
