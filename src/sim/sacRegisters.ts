/**
 * Configuration and registers of a SAC PE (SPEC section 3): the one list that snapshots, comparisons and
 * waveforms use.
 */
import { treeStages, treeWidth } from './rearTree.js';
import type { RegisterSpec } from './registers.js';

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

export function sacRegisters(c: SacPeConfig): RegisterSpec[] {
  const bitsFor = (values: number): number => Math.max(1, Math.ceil(Math.log2(values)));
  const lanesAll = c.units * c.lanes;
  const stages = treeStages(c.magnitudeBits);
  const flag = { bits: 1, signed: false };
  return [
    { name: 'throttleCount', bits: bitsFor(c.throttleWords + 1), signed: false, count: lanesAll },
    { name: 'windowCount', bits: bitsFor(c.windowSlots + 1), signed: false, count: c.lanes },
    { name: 'windowHead', bits: bitsFor(c.windowSlots), signed: false, count: c.lanes },
    { name: 'loadTimer', bits: bitsFor(c.windowLoadCycles) + 1, signed: true, count: c.lanes },
    { name: 'lead', bits: bitsFor(c.windowSlots + 1), signed: false, count: lanesAll },
    { name: 'readSlot', bits: bitsFor(c.windowSlots), signed: false, count: lanesAll },
    { name: 'flushed', ...flag, count: lanesAll },
    { name: 'pending', ...flag, count: c.units },
    // Sized by the number of terms; 32 bits cover what fits, wide segments are exact to 53.
    { name: 'segment', bits: c.wideSegments ? 53 : 32, signed: true, count: c.units * c.magnitudeBits },
    { name: 'treeValid', ...flag, count: c.units * stages },
    { name: 'treeSum', bits: 53, signed: true, count: c.units * stages * treeWidth(c.magnitudeBits) },
    // Held with both signs, so that the splitter needs no branch; hardware stores the KS activations.
    { name: 'window', bits: 18, signed: true, count: c.lanes * c.windowSlots * (2 * c.kneadingStride + 1) },
  ];
}
