/**
 * Budgets that make machines of different kinds comparable (SPEC section 7): as many multipliers or as much logic as
 * the dense array has. They set the number of tiles and of groups; what the user sets by name stays.
 */
import { UserError } from '../errors.js';
import type { Precision } from '../quantize.js';
import { partAreas } from './area.js';
import { resolveConfig, type Machine, type MachineConfig, type MachineKind } from './machine.js';
import { dadiannao, MACHINES } from './registry.js';

/** lanes: tiles x units x lanes multipliers of the dense array. area: its logic. none: published sizes. */
export const BUDGETS = ['lanes', 'area', 'none'] as const;
export type Budget = (typeof BUDGETS)[number];

/** What the dense array has to give. */
export interface BudgetSize {
  /** Multipliers. */
  lanes: number;
  /** Logic, in um2; see area.ts. */
  um2: number;
}

/** Size of a dense array at a precision. */
export function budgetSize(dense: MachineConfig, precision: Precision): BudgetSize {
  const { tiles, units, lanes } = dense as Record<string, number>;
  return {
    lanes: tiles * units * lanes,
    um2: tiles * partAreas(dadiannao, dense, precision)!.tile,
  };
}

/**
 * A configuration with as many tiles and groups as fit into the budget, at least one of each; each array of a hybrid
 * has the whole budget (its own `split` divides it). Parameters named in `kept` stay as they are.
 * @throws UserError for machines without area coefficients under `area`
 */
export function scaleToBudget(
  kind: MachineKind,
  config: MachineConfig,
  kept: ReadonlySet<string>,
  budget: Budget,
  size: BudgetSize,
  precision: Precision,
): MachineConfig {
  if (budget === 'none') return config;
  const { parts, total } = partsOf(kind, config, budget, size, precision);
  if (!parts)
    throw new UserError(
      'no-area',
      `machine ${kind.name}: --budget area has no coefficient for its PEs; use --budget lanes, or leave it out`,
    );
  const scaled: Record<string, number> = {};
  for (const [name, part] of [
    ['tiles', parts.tile],
    ['groups', parts.group],
  ] as const) {
    const parameter = kind.parameters.find((p) => p.name === name);
    if (!parameter || kept.has(name)) continue;
    scaled[name] = Math.min(parameter.max ?? Infinity, Math.max(1, Math.floor(total / part)));
  }
  return Object.freeze({ ...config, ...scaled });
}

/** Whether one tile and one group of a machine fit into the budget: none is made smaller than that. */
export function fitsBudget(
  kind: MachineKind,
  config: MachineConfig,
  budget: Budget,
  size: BudgetSize,
  precision: Precision,
): boolean {
  if (budget === 'none') return true;
  const { parts, total } = partsOf(kind, config, budget, size, precision);
  return !!parts && parts.tile <= total && parts.group <= total;
}

/** What one tile and one group take of a budget, null where that is not known; and what there is. */
function partsOf(
  kind: MachineKind,
  config: MachineConfig,
  budget: 'lanes' | 'area',
  { lanes, um2 }: BudgetSize,
  precision: Precision,
): { parts: { tile: number; group: number } | null; total: number } {
  return budget === 'area'
    ? { parts: partAreas(kind, config, precision), total: um2 }
    : { parts: lanesOf(config), total: lanes };
}

function lanesOf(config: MachineConfig): { tile: number; group: number } {
  const { units = 0, lanes = 0, pesPerGroup = 0, taps = 0 } = config as Record<string, number>;
  return { tile: units * lanes, group: pesPerGroup * taps };
}

/** Multipliers of a configuration, of tiles and groups. */
export function multipliersOf(config: MachineConfig): number {
  const { tiles = 0, groups = 0 } = config as Record<string, number>;
  const { tile, group } = lanesOf(config);
  return tiles * tile + groups * group;
}

/** Settings that a kind has a parameter for. */
function shared(kind: MachineKind, settings: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(settings).filter(([name]) => kind.parameters.some((p) => p.name === name)),
  );
}

/** The dense array that a budget is taken from: dadiannao, with the settings that go to every machine. */
export const budgetArray = (settings: Readonly<Record<string, string>>): MachineConfig =>
  resolveConfig(dadiannao, shared(dadiannao, settings));

const ARRAY = ['tiles', 'units', 'lanes', 'tileBy'];
const ROW_ARRAY = ['groups', 'pesPerGroup', 'taps', 'ports', 'dispatch'];

const pick = (config: MachineConfig, names: readonly string[]): Record<string, string> =>
  Object.fromEntries(names.filter((name) => name in config).map((name) => [name, String(config[name])]));

export interface Denominators {
  dense: Machine;
  /** sparsetrain-dense; null while there is no such machine. */
  twin: Machine | null;
}

/**
 * What a machine is compared with. Under a budget, the dense array that the budget is taken from; else dadiannao with
 * the machine's own array. The twin has the row array of the machine, where it has one, else that of the budget.
 * @param settings those that go to every machine
 */
export function denominators(
  machine: Machine,
  settings: Readonly<Record<string, string>>,
  budget: Budget,
  precision: Precision,
): Denominators {
  const array = budgetArray(settings);
  const dense =
    budget === 'none' && 'tiles' in machine.config
      ? resolveConfig(dadiannao, pick(machine.config, ARRAY))
      : array;
  const twinKind = MACHINES.find(({ name }) => name === 'sparsetrain-dense');
  let twin: Machine | null = null;
  if (twinKind) {
    const own = pick(machine.config, ROW_ARRAY);
    const given = { ...shared(twinKind, settings), ...own };
    const kept = new Set(Object.keys(given));
    const config = resolveConfig(twinKind, given);
    twin = twinKind.configure(
      scaleToBudget(twinKind, config, kept, budget, budgetSize(array, precision), precision),
    );
  }
  return { dense: dadiannao.configure(dense), twin };
}
