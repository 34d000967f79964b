/**
 * What a machine stores of the operands of a layer and phase (SPEC sections 2, 6 and 8). Lanes store raw codes, Tetris
 * kneaded words instead of weights, masked kneading a mask bit with each window value; row PEs store compressed rows, and
 * in gradInput the ReLU mask. The dense twin stores all codes.
 */
import type { LayerWork, Machine, MachineKind, UnitKind } from '../arch/machine.js';
import { kneadedRowsByUnit } from '../arch/offlineKneading.js';
import type { SacConfig } from '../arch/sacConfig.js';
import { rowOperands, type RowOperands } from '../arch/sparsetrainOperands.js';
import { kneadedWordBits } from '../bit/knead.js';
import type { LaneLowering } from '../lower/lowering.js';
import { phaseOutputShape } from '../lower/phase.js';
import type { CompressedRows } from '../sparse/rows.js';
import { elementCount, weightsPerFilter } from '../tensor.js';
import type { MemoryConfig } from './config.js';
import {
  finishedSums,
  kneadedWords,
  maskOf,
  rawCodes,
  rowFormat,
  storedRows,
  type RowFormat,
  type Stored,
} from './stored.js';
import type { Operand } from './traffic.js';

export type StoredOperands = Partial<Record<Operand, Stored>>;

/** Sums are requantised before they are stored, but those of gradWeight. */
export function outputBitsOf(
  { phase, weights }: LayerWork,
  { outputBits, gradWeightBits }: MemoryConfig,
): number {
  if (phase === 'gradWeight') return gradWeightBits;
  return outputBits === 0 ? weights.storageBits : outputBits;
}

const storedOutputs = (work: LayerWork, config: MemoryConfig): Stored =>
  finishedSums(elementCount(phaseOutputShape(work.phase, work.shape)), outputBitsOf(work, config));

/** Lanes: operands, and the bits of each unit's weights. */
export function laneStorage(
  units: UnitKind,
  machine: Machine,
  work: LayerWork,
  lowering: LaneLowering,
  config: MemoryConfig,
): { stored: StoredOperands; unitBits: Float64Array } {
  const { phase, shape, weights, activations, gradOutput } = work;
  const stored: StoredOperands = { outputs: storedOutputs(work, config) };
  const unitCount = phase === 'gradInput' ? shape.channels : shape.filters;
  let unitBits = new Float64Array(0);
  if (phase !== 'gradWeight') {
    if (units === 'sac') {
      const sac = {
        ...machine.config,
        ...machine.arrayOf(phase).lanes,
        magnitudeBits: weights.magnitudeBits,
      } as SacConfig;
      const rows = kneadedRowsByUnit(sac, lowering, weights.codes, unitCount);
      const wordBits = kneadedWordBits(weights.magnitudeBits, sac.kneadingStride);
      stored.weights = kneadedWords(
        rows.reduce((a, b) => a + b, 0),
        wordBits,
      );
      unitBits = rows.map((count) => count * wordBits);
    } else {
      stored.weights = rawCodes(weights);
      const perUnit =
        (phase === 'gradInput' ? weights.codes.length / unitCount : weightsPerFilter(shape)) *
        weights.storageBits;
      unitBits = new Float64Array(unitCount).fill(perUnit);
    }
  }
  if (phase !== 'gradInput') stored.inputs = rawCodes(inputsOf(work));
  if (gradOutput) stored.gradients = rawCodes(gradOutput);
  if (units === 'maskedSac') stored.masks = maskOf((gradOutput ?? activations!).codes.length);
  return { stored, unitBits };
}

/** Inputs that the trace does not hold are as many and as wide as the weights' format says. */
export function inputsOf({ shape, activations, weights }: LayerWork): {
  codes: { length: number };
  storageBits: 8 | 16;
} {
  if (activations) return activations;
  const length = shape.batch * shape.channels * shape.height * shape.width;
  return { codes: { length }, storageBits: weights.storageBits };
}

export interface RowStorage {
  stored: StoredOperands;
  operands: RowOperands;
  format: (rows: CompressedRows) => RowFormat;
}

export function rowStorage(kind: MachineKind, work: LayerWork, config: MemoryConfig): RowStorage {
  const { phase, weights, gradOutput } = work;
  const dense = kind.units(phase) === 'denseRow';
  const operands = rowOperands(work, dense);
  // Both operands of a machine have the width of the run's precision, but for unsigned inputs.
  const streamedBits = phase === 'gradInput' ? gradOutput!.storageBits : inputsOf(work).storageBits;
  const format = (rows: CompressedRows): RowFormat =>
    rowFormat(rows.width, rows === operands.gradient ? gradOutput!.storageBits : streamedBits, dense);
  const rowsOf = (rows: CompressedRows): Stored => storedRows(rows, format(rows), dense);
  const stored: StoredOperands = { outputs: storedOutputs(work, config) };
  if (phase !== 'gradWeight') stored.weights = rawCodes(weights);
  if (phase === 'gradInput') stored.gradients = rowsOf(operands.streamed);
  else stored.inputs = rowsOf(operands.streamed);
  if (operands.gradient) stored.gradients = rowsOf(operands.gradient);
  if (operands.mask) stored.masks = maskOf(operands.mask.length);
  return { stored, operands, format };
}
