/**
 * Machines by name with their `[machine.]parameter=value` settings, each checked against what there is, scaled to a
 * budget, and put beside the dense machines that they are compared with.
 */
import { UserError } from '../errors.js';
import type { Precision } from '../quantize.js';
import {
  budgetArray,
  budgetSize,
  denominators,
  scaleToBudget,
  type Budget,
  type BudgetSize,
  type Denominators,
} from './budget.js';
import { resolveConfig, type Machine, type MachineKind } from './machine.js';
import { machineKind } from './registry.js';

export interface ChosenMachine extends Denominators {
  kind: MachineKind;
  machine: Machine;
}

export interface Choice {
  machines: ChosenMachine[];
  /** What the dense array of the budget has. */
  size: BudgetSize;
}

type Settings = Record<string, string>;

/**
 * @param settings without a machine, a setting goes to every chosen one that has the parameter
 * @param beside settings for the dense machines alone, that the chosen ones need not have
 * @throws UserError on unknown or repeated machines, and on settings that fit none of them
 */
export function chooseMachines(
  names: readonly string[],
  settings: readonly string[],
  budget: Budget = 'none',
  precision: Precision = 'int16',
  beside: Readonly<Settings> = {},
): Choice {
  const { chosen, common: given } = givenSettings(names, settings);
  const common = { ...beside, ...given };
  // All settings are checked first, each in the name of a machine that it was given to.
  const configs = chosen.map(({ kind, values }) => resolveConfig(kind, values));
  const size = budgetSize(budgetArray(common), precision);
  const machines = chosen.map(({ kind, values }, i) => {
    const kept = new Set(Object.keys(values));
    const machine = kind.configure(scaleToBudget(kind, configs[i], kept, budget, size, precision));
    return { kind, machine, ...denominators(machine, common, budget, precision) };
  });
  return { machines, size };
}

/**
 * Each machine with its own settings, and those that were given to all.
 * @throws UserError on unknown or repeated machines, and on settings that fit none of them
 */
export function givenSettings(
  names: readonly string[],
  settings: readonly string[],
): { chosen: { kind: MachineKind; values: Settings }[]; common: Settings } {
  if (names.length === 0) throw new UserError('no-machine', 'no machine was chosen; use --machine NAME');
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice) throw new UserError('machine-twice', `machine ${twice} is named twice; name each machine once`);
  const chosen = names.map((name) => ({ kind: machineKind(name), values: {} as Settings }));
  const common: Settings = {};
  for (const setting of settings) {
    const match = /^(?:([^.=]+)\.)?([^.=]+)=(.*)$/s.exec(setting);
    if (!match) throw new UserError('bad-setting', `--set ${setting}: expected [machine.]parameter=value`);
    const [, owner, name, value] = match;
    const owners = chosen.filter(({ kind }) =>
      owner === undefined ? kind.parameters.some((p) => p.name === name) : kind.name === owner,
    );
    if (owners.length === 0)
      throw new UserError(
        'unknown-parameter',
        owner === undefined
          ? `--set ${setting}: none of ${names.join(', ')} has a parameter ${name}; see "kneadsim list"`
          : `--set ${setting}: machine ${owner} is not among the chosen ones (${names.join(', ')})`,
      );
    for (const { values } of owners) values[name] = value;
    if (owner === undefined) common[name] = value;
  }
  return { chosen, common };
}
