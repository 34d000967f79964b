/**
 * Configuration and registers of a SAC PE (SPEC section 3): the one list that snapshots, comparisons and
 * waveforms use.
 */
import { treeStages, treeWidth } from './rearTree.js';
import { members, numbered, type RegisterSpec } from './registers.js';

export interface SacPeConfig {
  units: number;
  lanes: number;
  magnitudeBits: number;
  kneadingStride: number;
  windowSlots: number;
  throttleWords: number;
  /** true: every unit reads the head window once and waits (sync = barrier). false: units run ahead (skew). */
  barrier: boolean;
  windowLoadCycles: number;
  /** Segments need more than 32 bits: terms * 2^AW >= 2^31. */
  wideSegments: boolean;
}

/** Whether segments of so many terms, by values of so many magnitude bits, may leave 32 bits. */
export const wideSegments = (terms: number, activationBits: number): boolean =>
  terms * 2 ** activationBits >= 2 ** 31;

export function sacRegisters(c: SacPeConfig): RegisterSpec[] {
  const bitsFor = (values: number): number => Math.max(1, Math.ceil(Math.log2(values)));
  const { units: N, lanes: L, magnitudeBits: B, windowSlots: D, kneadingStride: KS } = c;
  const stages = treeStages(B);
  const width = treeWidth(B);
  const flag = { bits: 1, signed: false };
  const unit = members('unit', N);
  const lane = members('lane', L);
  const perLane = { count: L, dimensions: [lane] };
  const perUnit = { count: N, dimensions: [unit] };
  const perUnitAndLane = { count: N * L, dimensions: [unit, lane] };
  return [
    { name: 'throttleCount', bits: bitsFor(c.throttleWords + 1), signed: false, ...perUnitAndLane },
    { name: 'windowCount', bits: bitsFor(D + 1), signed: false, ...perLane },
    { name: 'windowHead', bits: bitsFor(D), signed: false, ...perLane },
    { name: 'loadTimer', bits: bitsFor(c.windowLoadCycles), signed: false, ...perLane },
    { name: 'lead', bits: bitsFor(D + 1), signed: false, ...perUnitAndLane },
    { name: 'readSlot', bits: bitsFor(D), signed: false, ...perUnitAndLane },
    { name: 'flushed', ...flag, ...perUnitAndLane },
    { name: 'pending', ...flag, ...perUnit },
    // Sized by the number of terms; 32 bits cover what fits, wide segments are exact to 53.
    {
      name: 'segment',
      bits: c.wideSegments ? 53 : 32,
      signed: true,
      count: N * B,
      dimensions: [unit, numbered(B)],
    },
    { name: 'treeValid', ...flag, count: N * stages, dimensions: [unit, numbered(stages)] },
    {
      name: 'treeSum',
      bits: 53,
      signed: true,
      count: N * stages * width,
      dimensions: [unit, numbered(stages), numbered(width)],
      // A stage halves the sums of the one before.
      inHardware: (_unit, stage, place) => place < Math.ceil(B / 2 ** (stage + 1)),
    },
    {
      name: 'window',
      bits: 18,
      signed: true,
      count: L * D * (2 * KS + 1),
      dimensions: [lane, numbered(D), numbered(2 * KS + 1)],
      // Held with both signs, so that the splitter needs no branch; hardware stores the KS activations.
      inHardware: (_lane, _slot, pointer) => pointer < KS,
    },
  ];
}
