/** Operands that stay in the global buffer between layers, where they fit, and what then is left for the DRAM port. */
import type { Phase } from '../lower/phase.js';
import type { MemoryConfig } from './config.js';
import type { Nest } from './nest.js';
import type { StoredOperands } from './storage.js';
import { noBits, OPERANDS, SOURCES, type Bits, type Operand } from './traffic.js';

export interface OnChip {
  operands: Operand[];
  /** Bits of the global buffer that they take. */
  bits: number;
}

/**
 * What may stay, most first: weights and activations each as a whole. What gradWeight yields goes with the weights. Whether
 * it pays is for the tiling to say, since it leaves less room for what passes.
 */
export function onChipChoices(
  stored: StoredOperands,
  phase: Phase,
  { onChip, globalBytes }: MemoryConfig,
): OnChip[] {
  const isWeights = (operand: Operand): boolean =>
    operand === 'weights' || (operand === 'outputs' && phase === 'gradWeight');
  const of = (weights: boolean, activations: boolean): OnChip => {
    const operands = OPERANDS.filter(
      (operand) => stored[operand] && (isWeights(operand) ? weights : activations),
    );
    return { operands, bits: operands.reduce((sum, operand) => sum + stored[operand]!.bits, 0) };
  };
  const weights = onChip === 'weights' || onChip === 'all';
  const activations = onChip === 'activations' || onChip === 'all';
  const choices = [of(weights, activations)];
  if (onChip === 'all') choices.push(of(false, true), of(true, false));
  if (onChip !== 'none') choices.push(of(false, false));
  return choices.filter(({ bits }) => bits <= 8 * globalBytes);
}

/** The nest without what is on chip. */
export function outsideOf(nest: Nest, { operands }: OnChip): Nest {
  if (operands.length === 0) return nest;
  const left = (bits: Bits): Bits => {
    const rest = noBits();
    for (const source of SOURCES) if (!operands.includes(source)) rest[source] = bits[source];
    return rest;
  };
  const outputs = operands.includes('outputs');
  return {
    outers: nest.outers,
    kept: left(nest.kept),
    local: nest.local,
    steps: (outer) => nest.steps(outer),
    startOf: (outer, step) => nest.startOf(outer, step),
    stationary: (outer) => left(nest.stationary(outer)),
    swept: (outer, from, to, fresh) => left(nest.swept(outer, from, to, fresh)),
    epoch: (outer) => nest.epoch(outer),
    once: (outer, from, to) => (operands.includes('masks') ? 0 : nest.once(outer, from, to)),
    outputs: (outer, from, to) => (outputs ? 0 : nest.outputs(outer, from, to)),
  };
}
