/** Draws of what the energy of a layer is made of: any machine, phase and size, and counters that no run has to have. */
import fc from 'fast-check';
import {
  resolveConfig,
  zeroCounters,
  type Counters,
  type MachineConfig,
  type MachineKind,
  type Phase,
} from '../../src/arch/machine.js';
import { machineKind, MACHINES } from '../../src/arch/registry.js';
import type { EnergyInput } from '../../src/energy/energy.js';
import { ENERGY_NODES, type EnergyNode } from '../../src/energy/node.js';
import { MEMORY_LEVELS, OPERANDS, noTraffic, type Traffic } from '../../src/memory/traffic.js';
import { PRECISIONS, type Precision } from '../../src/quantize.js';

export const WITH_LOGIC = MACHINES.filter((kind) =>
  kind.phases.every((phase) => kind.units(phase) !== 'serial'),
);
export const WITHOUT_LOGIC = MACHINES.filter((kind) => !WITH_LOGIC.includes(kind));

const amount = fc.integer({ min: 0, max: 1e9 });

export const counters: fc.Arbitrary<Counters> = fc
  .array(amount, { minLength: 12, maxLength: 12 })
  .map(([cycles, terms, kneadedRows, operands, rowOperations, busy, ...waits]) => ({
    ...zeroCounters(),
    ...{ cycles, terms, kneadedRows, operands, rowOperations, busy },
    stall: { output: waits[0], flush: waits[1], window: waits[2], weights: 0, ppu: waits[3], imbalance: 0 },
    idle: { absentLane: waits[4], absentUnit: waits[5], empty: 0 },
  }));

export const traffic: fc.Arbitrary<Traffic> = fc
  .array(amount, { minLength: 30, maxLength: 30 })
  .map((bytes) => {
    const drawn = noTraffic();
    let next = 0;
    for (const level of MEMORY_LEVELS)
      for (const way of ['reads', 'writes'] as const)
        for (const operand of OPERANDS) drawn[level][way][operand] = bytes[next++];
    return drawn;
  });

export const capacity = fc.oneof(fc.integer({ min: 64, max: 1 << 24 }), fc.constant(Infinity));

/** What can be added up: amounts of work of one machine and phase. */
export interface Work {
  counters: Counters;
  traffic: Traffic;
  outputs: number;
  rowSums: number;
}
export const work: fc.Arbitrary<Work> = fc.record({ counters, traffic, outputs: amount, rowSums: amount });
export const noWork = (): Work => ({
  counters: zeroCounters(),
  traffic: noTraffic(),
  outputs: 0,
  rowSums: 0,
});

export type Place = Omit<EnergyInput, keyof Work>;

/** A machine of any lanes, units and groups in any phase, at any precision and node. */
export const placeOf = (kinds: readonly MachineKind[]): fc.Arbitrary<Place> =>
  fc
    .constantFrom(...kinds.flatMap((kind) => kind.phases.map((phase): [MachineKind, Phase] => [kind, phase])))
    .chain(([kind, phase]) =>
      fc.record({
        kind: fc.constant(kind),
        phase: fc.constant(phase),
        config: fc
          .record({
            lanes: fc.integer({ min: 1, max: 64 }),
            units: fc.integer({ min: 1, max: 32 }),
            groups: fc.integer({ min: 1, max: 64 }),
          })
          .map((sizes) =>
            resolveConfig(
              kind,
              Object.fromEntries(
                Object.entries(sizes)
                  .filter(([name]) => kind.parameters.some((p) => p.name === name))
                  .map(([name, value]) => [name, String(value)]),
              ),
            ),
          ),
        precision: fc.constantFrom(...PRECISIONS),
        node: fc.constantFrom(...ENERGY_NODES),
        capacities: fc.record({ globalBytes: capacity, localBytes: capacity }),
        macs: fc.integer({ min: 1, max: 1e9 }),
        systemCycles: fc.integer({ min: 1, max: 1e9 }),
      }),
    );

/** A place in the forward phase, beside memories of the table. */
export const place = (
  name: string,
  config: MachineConfig,
  precision: Precision,
  node: EnergyNode,
): Place => ({
  ...{ kind: machineKind(name), config, precision, node, phase: 'forward', macs: 1, systemCycles: 1 },
  capacities: { globalBytes: 1 << 20, localBytes: 1 << 13 },
});

/**
 * A bound on `rowSums` from counters alone: no more than there are products, nor than columns of a row for each row
 * operation. Dense rows of stride 1 reach it; on late gradients and activations of ResNet-8 it is 1.4 to 1.5 times too much.
 * @param rowWidth of what the row operations add to: columns of a row of outputs, in gradWeight taps of a kernel row
 */
export const rowSumsAtMost = ({ terms, rowOperations }: Counters, rowWidth: number): number =>
  Math.min(terms, rowOperations * rowWidth);
