/** A run of the simulator, described once: the library call and the command line both follow from it. */
import type { Budget } from '../../src/arch/budget.js';
import type { Level } from '../../src/arch/machine.js';
import type { EnergyNode } from '../../src/energy/node.js';
import type { Precision, ScaleRule } from '../../src/quantize.js';
import type { Command } from './claim.js';
import type { Field } from './counts.js';
import { commandFile } from './networks.js';

export interface Setup {
  /** replay: the forward phase. train: all three. */
  command: 'replay' | 'train';
  network: string;
  /** A name, or several separated by commas. */
  machine: string;
  precision: Precision;
  level: Level;
  settings?: readonly string[];
  /** Always named on the command line, as commands have different defaults. Default: none. */
  budget?: Budget;
  scale?: ScaleRule;
  /** Preset of the memory system, and node of energies: of runs that look at these. */
  memory?: string;
  energyNode?: EnergyNode;
  /** Glob over layers. */
  layer?: string;
  /** train only. */
  prune?: number;
  firstGradInput?: boolean;
  seed?: number;
}

export const budgetOf = ({ budget }: Setup): Budget => budget ?? 'none';

/** Arguments of the command line for a run. */
export function argumentsOf(setup: Setup): string[] {
  const { command, machine, precision, level, settings = [], layer, scale } = setup;
  const { memory, energyNode, prune, firstGradInput, seed } = setup;
  return [
    command,
    commandFile(setup.network),
    ...['--machine', machine, '--precision', precision, '--level', level],
    ...['--budget', budgetOf(setup)],
    ...settings.flatMap((setting) => ['--set', setting]),
    ...(layer ? ['--layer', layer] : []),
    ...(scale ? ['--scale', scale] : []),
    ...(memory ? ['--memory', memory] : []),
    ...(energyNode ? ['--energy-node', energyNode] : []),
    ...(prune === undefined ? [] : ['--prune', String(prune)]),
    ...(firstGradInput ? ['--first-grad-input'] : []),
    ...(seed === undefined ? [] : ['--seed', String(seed)]),
    '--json',
  ];
}

/** @param before what to do with the number: `1 / ` */
export const commandOf = (setup: Setup, field: Field, before = ''): Command => ({
  args: argumentsOf(setup),
  at: `${before}machines.0.total.${field}`,
});
