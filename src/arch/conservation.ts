/**
 * Conservation laws that every run checks (SPEC section 10), from the layer alone: nothing here looks at how a
 * machine came by its counters.
 */
import { termCount } from './bitUses.js';
import type { Counters, LayerWork, Machine, MachineKind, UnitKind } from './machine.js';
import { rowUses } from './rowUses.js';

const BIT_SERIAL: readonly UnitKind[] = ['sac', 'maskedSac', 'serial'];
const ROWS: readonly UnitKind[] = ['row', 'denseRow'];

/** Lines that say which law does not hold; empty when all do. */
export function conservationViolations(
  kind: MachineKind,
  machine: Machine,
  work: LayerWork,
  counters: Counters,
  essentialBits: number,
): string[] {
  const violations: string[] = [];
  const where = `${kind.name}, layer ${work.name}, ${work.phase}`;
  const expect = (what: string, found: number, expected: number): void => {
    if (found !== expected) violations.push(`${where}: ${what}: found ${found}, expected ${expected}`);
  };
  const sum = (parts: Record<string, number>): number => Object.values(parts).reduce((a, b) => a + b, 0);
  const units = kind.units(work.phase);
  const rows = ROWS.includes(units)
    ? rowUses(work, machine.config.taps as number, units === 'denseRow')
    : null;
  const terms = rows ? rows.terms : termCount(work);
  expect('terms issued = terms of the layer', counters.terms, terms);
  if (rows) {
    expect('operands consumed', counters.operands, rows.operands);
    expect('row operations', counters.rowOperations, rows.rowOperations);
    // Row PEs do not look at bits.
    expect('essential bits consumed', counters.essentialBits, 0);
  }
  expect(
    'issued + stalled + idle = lanes x cycles',
    counters.busy + sum(counters.stall) + sum(counters.idle),
    machine.laneSlots(work.phase) * counters.cycles,
  );
  if (BIT_SERIAL.includes(units)) expect('essential bits consumed', counters.essentialBits, essentialBits);
  if (units === 'sac' && work.phase === 'forward')
    expect('weights kneaded', counters.kneadedWeights, work.weights.codes.length);
  if (units === 'maskedSac') expect('codes kneaded', counters.kneadedWeights, terms);
  for (const [name, value] of Object.entries({ ...counters.stall, ...counters.idle, busy: counters.busy }))
    if (value < 0) violations.push(`${where}: ${name} is negative: ${value}`);
  return violations;
}
