/** The stimulus of a PPU: its form as a JSON file, and the checks that a form cannot express. */
import { z } from 'zod';
import { UserError } from '../../../errors.js';
import { Lfsr, type LfsrOptions } from '../../../sparse/lfsr.js';
import { checkForm, faultsOf, type Fault } from '../../stimulus.js';

const bit = z.union([z.literal(0), z.literal(1)], { error: '0 or 1' });

const row = z.strictObject({
  /** [column, value], in the order in which PEs add them. */
  adds: z.array(z.tuple([z.int().min(0), z.int()])),
  mask: z.array(bit).nullable().default(null),
});

const schema = z.strictObject({
  width: z.int().min(1).max(4096),
  capacity: z.int().min(1).max(4096).optional(),
  adders: z.int().min(1).max(16),
  sumBits: z.int().min(8).max(52).default(40),
  relu: z.boolean().default(false),
  keepZeros: z.boolean().default(false),
  bypass: z.boolean().default(false),
  threshold: z.int().min(0).default(0),
  lfsr: z
    .strictObject({
      width: z.int().min(8).max(32),
      polynomial: z.int().optional(),
      seed: z.int().optional(),
    })
    .default({ width: 16 }),
  rows: z.array(row).min(1).max(65536),
  /** [cycle][row, adders, finish, output]; a row that is missing means all ones. */
  ready: z.array(z.array(bit).nullable()).default([]),
});

export type PpuStimulus = z.output<typeof schema>;

/** Values that a row of the buffers can hold. */
export const capacityOf = (s: PpuStimulus): number => s.capacity ?? s.width;

/** register * threshold is exact in a double, and plus or minus the threshold is a sum. */
export const thresholdBitsOf = (s: PpuStimulus): number => Math.min(s.sumBits - 1, 53 - s.lfsr.width);

export const lfsrOf = ({ lfsr: { width, polynomial, seed } }: PpuStimulus): Lfsr => {
  const options: LfsrOptions = { width };
  if (polynomial !== undefined) options.polynomial = polynomial;
  if (seed !== undefined) options.seed = seed;
  return new Lfsr(options);
};

/** Bits of a ready row: rows, each adder, finish, output. */
export const portsOf = (s: PpuStimulus): number => s.adders + 3;

/** @throws UserError naming the file, the place, what was found and what was expected */
export function parsePpu(json: unknown, file: string): PpuStimulus {
  const s = checkForm(schema, json, file);
  const fault = faultsOf(file);
  if (capacityOf(s) < s.width)
    throw fault('capacity', `${s.capacity}`, `at least ${s.width}, the width of a row`);
  checkLfsr(s, fault);
  const most = 2 ** thresholdBitsOf(s) - 1;
  if (s.threshold > most)
    throw fault(
      'threshold',
      `${s.threshold}`,
      `at most ${most} with sums of ${s.sumBits} bits and an LFSR of ${s.lfsr.width}`,
    );
  checkRows(s, fault);
  const ports = portsOf(s);
  s.ready.forEach((row, cycle) => {
    if (row !== null && row.length !== ports)
      throw fault(
        `ready[${cycle}]`,
        `${row.length} bits`,
        `${ports}: rows, ${s.adders} adders, finish, output`,
      );
  });
  return s;
}

function checkLfsr(s: PpuStimulus, fault: Fault): void {
  try {
    lfsrOf(s);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { polynomial, seed } = s.lfsr;
    const named = error.code === 'lfsr-seed' ? 'seed' : 'polynomial';
    const found = String(named === 'seed' ? seed : polynomial);
    throw fault(`lfsr.${named}`, found, `one that draws (${error.message.replace(/^LFSR: /, '')})`);
  }
}

function checkRows({ width, sumBits, rows }: PpuStimulus, fault: Fault): void {
  const limit = 2 ** (sumBits - 1);
  let total = 0;
  rows.forEach(({ adds, mask }, r) => {
    if (mask !== null && mask.length !== width)
      throw fault(`rows[${r}].mask`, `${mask.length} bits`, `${width}, one per column`);
    const size = new Float64Array(width);
    adds.forEach(([column, value], i) => {
      const place = `rows[${r}].adds[${i}]`;
      if (column >= width) throw fault(place, `column ${column}`, `less than ${width} (width)`);
      size[column] += Math.abs(value);
      if (size[column] >= limit)
        throw fault(place, `a sum of magnitudes up to ${size[column]}`, `less than ${limit} (sumBits)`);
    });
    total += size.reduce((sum, x) => sum + x, 0);
    if (total > Number.MAX_SAFE_INTEGER)
      throw fault(`rows[${r}]`, `magnitudes of ${total} in all`, 'less than 2^53');
  });
}
