/**
 * Conservation laws that every run checks (SPEC section 10), from the layer alone: nothing here looks at how a
 * machine came by its counters.
 */
import { bitStatistics, type Codes } from '../quantize.js';
import { macCount, outputSize, type ConvShape } from '../tensor.js';
import type { Counters, LayerWork, Machine, MachineKind } from './machine.js';

/** Essential bits of the weights, each as often as its weight is used: once per output position. */
export function weightBitUses(work: LayerWork): number {
  const { outHeight, outWidth } = outputSize(work.shape);
  return onesOf(work.weights) * work.shape.batch * outHeight * outWidth;
}

/** Essential bits of the activations, each as often as its activation is used: per tap in reach and filter. */
export function activationBitUses(shape: ConvShape, activations: Codes): number {
  const { outHeight, outWidth } = outputSize(shape);
  const rows = tapUses(
    shape.height,
    shape.kernelHeight,
    shape.strideY,
    shape.dilationY,
    shape.padTop,
    outHeight,
  );
  const columns = tapUses(
    shape.width,
    shape.kernelWidth,
    shape.strideX,
    shape.dilationX,
    shape.padLeft,
    outWidth,
  );
  const { codes } = activations;
  const planes = shape.batch * shape.channels;
  let uses = 0;
  for (let plane = 0, i = 0; plane < planes; plane++)
    for (let y = 0; y < shape.height; y++)
      for (let x = 0; x < shape.width; x++, i++) {
        let magnitude = Math.abs(codes[i]);
        let ones = 0;
        for (; magnitude > 0; magnitude &= magnitude - 1) ones++;
        uses += ones * rows[y] * columns[x];
      }
  return (uses * shape.filters) / shape.groups;
}

/** Along one axis, how many (output, tap) pairs reach each input position. */
function tapUses(
  size: number,
  kernel: number,
  stride: number,
  dilation: number,
  pad: number,
  outputs: number,
): Int32Array {
  const uses = new Int32Array(size);
  for (let o = 0; o < outputs; o++)
    for (let k = 0; k < kernel; k++) {
      const at = o * stride + k * dilation - pad;
      if (at >= 0 && at < size) uses[at]++;
    }
  return uses;
}

function onesOf(codes: Codes): number {
  const statistics = bitStatistics(codes);
  return statistics.bits - statistics.zeroBits;
}

/** Essential bits that a machine has to consume in this layer: those of its bit-serial operand. */
export function essentialBitUses(kind: MachineKind, work: LayerWork): number {
  return kind.serialOperand === 'activations' && work.activations
    ? activationBitUses(work.shape, work.activations)
    : weightBitUses(work);
}

/** Lines that say which law does not hold; empty when all do. */
export function conservationViolations(
  kind: MachineKind,
  machine: Machine,
  work: LayerWork,
  counters: Counters,
  essentialBits: number,
): string[] {
  const violations: string[] = [];
  const expect = (what: string, found: number, expected: number): void => {
    if (found !== expected)
      violations.push(`${kind.name}, layer ${work.name}: ${what}: found ${found}, expected ${expected}`);
  };
  const sum = (parts: Record<string, number>): number => Object.values(parts).reduce((a, b) => a + b, 0);
  expect('terms issued = MACs of the layer', counters.terms, macCount(work.shape));
  expect(
    'issued + stalled + idle = lanes x cycles',
    counters.busy + sum(counters.stall) + sum(counters.idle),
    machine.laneSlots * counters.cycles,
  );
  if (kind.serialOperand) expect('essential bits consumed', counters.essentialBits, essentialBits);
  if (counters.kneadedWeights > 0)
    expect('weights kneaded', counters.kneadedWeights, work.weights.codes.length);
  for (const [name, value] of Object.entries({ ...counters.stall, ...counters.idle, busy: counters.busy }))
    if (value < 0) violations.push(`${kind.name}, layer ${work.name}: ${name} is negative: ${value}`);
  return violations;
}
