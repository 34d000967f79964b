/** Machines by name with their `[machine.]parameter=value` settings, each checked against what there is. */
import { UserError } from '../errors.js';
import { resolveConfig, type Machine, type MachineKind } from './machine.js';
import { machineKind } from './registry.js';

export interface ChosenMachine {
  kind: MachineKind;
  machine: Machine;
}

/**
 * @param settings without a machine, a setting goes to every chosen one that has the parameter
 * @throws UserError on unknown or repeated machines, and on settings that fit none of them
 */
export function chooseMachines(names: readonly string[], settings: readonly string[]): ChosenMachine[] {
  if (names.length === 0) throw new UserError('no-machine', 'no machine was chosen; use --machine NAME');
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice) throw new UserError('machine-twice', `machine ${twice} is named twice; name each machine once`);
  const chosen = names.map((name) => ({ kind: machineKind(name), values: {} as Record<string, string> }));
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
  }
  return chosen.map(({ kind, values }) => ({ kind, machine: kind.configure(resolveConfig(kind, values)) }));
}
