/**
 * Energy per byte of SRAM and DRAM, from a published table: M. Horowitz, "Computing's Energy Problem (and what we can do
 * about it)", ISSCC 2014, figure 1.1.9 [rep], 45 nm, 0.9 V, per access of 64 bits [pub: the figures stand in public code (energy
 * tables of the simulator SASiML, of Orosa et al.) and in PMC8934428, table 3 (8 KB only); the paper itself we could not
 * read]. Eyeriss (ISCA 2016, 65 nm) has a global buffer of 100 KB at 6 and DRAM at 200 MACs [pub: same code], a ratio of
 * 33; by this table it is 57.
 *
 * Reads and writes cost the same. Between the table's capacities energy lies on straight lines over log capacity and log
 * energy, and below the smallest on the lowest of them; above the largest, infinite ones included, the largest holds.
 */
import type { MemoryLevel } from '../memory/traffic.js';
import { inWords, type EnergyFigure, type EnergyPart } from './figure.js';
import { memoryScaleOf, nodeName, type EnergyNode } from './node.js';

const KIB = 1024;
/** pJ per 64 bits. */
export const SRAM_TABLE: readonly { bytes: number; pJ: number }[] = [
  { bytes: 8 * KIB, pJ: 10 },
  { bytes: 32 * KIB, pJ: 20 },
  { bytes: 1024 * KIB, pJ: 100 },
];
const DRAM_PJ: readonly [number, number] = [1300, 2600];
const ACCESS_BYTES = 8;
const SOURCE = 'Horowitz, ISSCC 2014, 45 nm, 0.9 V, per 64 bits, as public code states it';

const size = (bytes: number): string => `${bytes / KIB} KiB`;

/** pJ of an access of 64 bits to an SRAM, and what was done to find it. */
export function sramAccess(bytes: number): { pJ: number; how: string } {
  const last = SRAM_TABLE[SRAM_TABLE.length - 1];
  if (bytes >= last.bytes)
    return { pJ: last.pJ, how: bytes === last.bytes ? '' : `of ${size(last.bytes)}, the largest tabulated` };
  const above = Math.max(
    1,
    SRAM_TABLE.findIndex((row) => bytes < row.bytes),
  );
  const [low, high] = [SRAM_TABLE[above - 1], SRAM_TABLE[above]];
  const slope = Math.log(high.pJ / low.pJ) / Math.log(high.bytes / low.bytes);
  const pJ = low.pJ * (bytes / low.bytes) ** slope;
  if (bytes === low.bytes) return { pJ, how: '' };
  const where = bytes < low.bytes ? 'extrapolated below' : `between ${size(low.bytes)} and`;
  return { pJ, how: `log-log ${where} ${size(bytes < low.bytes ? low.bytes : high.bytes)}` };
}

const PART: Record<MemoryLevel, EnergyPart> = {
  dram: 'dram',
  global: 'globalBuffer',
  local: 'localBuffer',
};

/** A byte read or written at a level. @param capacity bytes of one buffer; of no meaning for DRAM */
export function memoryFigure(node: EnergyNode, level: MemoryLevel, capacity: number): EnergyFigure {
  const common = {
    part: PART[level],
    operation: 'byte',
    clockPJ: 0,
    node: nodeName(node),
    measuredAt: nodeName('45nm'),
    source: SOURCE,
  };
  if (level === 'dram') {
    const [least, most] = DRAM_PJ;
    const how = inWords(
      'published',
      `the middle of ${least} to ${most} pJ`,
      'off chip: the same whatever the node of the logic',
    );
    return { ...common, unit: 'DRAM', pJ: (least + most) / 2 / ACCESS_BYTES, how };
  }
  const access = sramAccess(capacity);
  const scale = memoryScaleOf(node);
  return {
    ...common,
    unit: `${level} buffer of ${Number.isFinite(capacity) ? `${capacity} bytes` : 'infinite size'}`,
    pJ: (scale.factor * access.pJ) / ACCESS_BYTES,
    how: inWords('published', access.how, scale.how),
  };
}
