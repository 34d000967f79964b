/** The options that `replay`, `compare` and `train` share, and how words on the command line become values. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import { DEFAULT_ENERGY_NODE, ENERGY_NODES } from '../energy/node.js';
import { DEFAULT_MEMORY, MEMORY_NAMES } from '../memory/config.js';
import { MIN_CODE_RULES, PRECISIONS, SCALE_GRAINS, SCALE_RULES } from '../quantize.js';
import { BUDGETS, type Budget } from '../arch/budget.js';
import { LEVELS } from '../arch/machine.js';
import type { SimulateOptions } from '../simulate.js';

/** What commander makes of them. */
export type SimulationFlags = Pick<
  SimulateOptions,
  'level' | 'precision' | 'scale' | 'per' | 'minCode' | 'layer' | 'seed' | 'budget' | 'energyNode'
> & { machine?: string[]; set?: string[]; memory?: string; json?: true; csv?: true; out?: string };

/** Texts and defaults in which the commands differ. */
export interface SimulationDefaults {
  trace: string;
  machines: string;
  precision: string;
  budget: Budget;
  seed: string;
}

const REPLAY: Omit<SimulationDefaults, 'budget'> = {
  trace: 'canonical trace (default: a recorded ResNet-8 that comes with kneadsim)',
  machines: 'all',
  precision: 'int16',
  seed: 'seed that the report records (default: 1)',
};

export function addSimulationOptions(
  command: Command,
  own: Partial<SimulationDefaults> & { budget: Budget },
): Command {
  const { trace, machines, precision, budget, seed } = { ...REPLAY, ...own };
  command
    .argument('[trace]', trace)
    .option(
      '--machine <name>',
      `machine to run; repeat it, or separate by commas (default: ${machines})`,
      names,
    )
    .addOption(
      new Option(
        '--level <level>',
        'count: timing only; step: clock by clock, every value checked (default: step if there are activations)',
      ).choices(LEVELS),
    );
  return addCodeOptions(command, precision)
    .option('--layer <glob>', 'only layers of this name; * crosses /')
    .option(
      '--set <[machine.]name=value>',
      'parameter of a machine, or memory.name=value, see "kneadsim list"; repeat it',
      repeated,
    )
    .addOption(memoryOption())
    .addOption(energyOption())
    .addOption(budgetOption().default(budget))
    .addOption(new Option('--json', 'the whole report as JSON').conflicts('csv'))
    .option('--csv', 'one row per machine and layer as CSV')
    .option('--out <file>', 'write to a file, and nothing to stdout; .json and .csv choose the format')
    .option('--seed <n>', seed, wholeNumber(0));
}

const memoryOption = (): Option =>
  new Option(
    '--memory <preset>',
    `buffers and DRAM around every machine (default: ${DEFAULT_MEMORY})`,
  ).choices(MEMORY_NAMES);

const energyOption = (): Option =>
  new Option(
    '--energy-node <node>',
    `node of all figures of energy (default: ${DEFAULT_ENERGY_NODE})`,
  ).choices(ENERGY_NODES);

export const budgetOption = (usual = ''): Option =>
  new Option(
    '--budget <kind>',
    'size of every machine: the multipliers (lanes) or the logic (area) of the dense array, or as published (none)' +
      usual,
  ).choices(BUDGETS);

/** What codes a run computes with. */
export const addCodeOptions = (command: Command, precision: string): Command =>
  addScaleOptions(
    command.addOption(
      new Option('--precision <format>', `codes to compute with (default: ${precision})`).choices(PRECISIONS),
    ),
  );

/** How values become codes of a precision. */
export function addScaleOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--scale <rule>', 'how floats are scaled (default: maxabs at int8, pow2 at int16)').choices(
        SCALE_RULES,
      ),
    )
    .addOption(
      new Option('--per <grain>', 'one scale per tensor or per filter (default: tensor)').choices(
        SCALE_GRAINS,
      ),
    )
    .addOption(
      new Option(
        '--min-code <rule>',
        'integer codes -128 and -32768, which have no sign-magnitude form (default: saturate)',
      ).choices(MIN_CODE_RULES),
    );
}

export const repeated = (value: string, before: string[] = []): string[] => [...before, value];

export function names(value: string, before: string[] = []): string[] {
  const parts = value.split(',').map((part) => part.trim());
  if (parts.includes('')) throw new InvalidArgumentError('expected a name, or names separated by commas.');
  return [...before, ...parts];
}

/** A parser of whole numbers from `least` to `most`. */
export const wholeNumber =
  (least: number, most = Number.MAX_SAFE_INTEGER) =>
  (text: string): number => {
    const value = Number(text);
    if (!/^[+-]?\d+$/.test(text.trim()) || value < least || value > most)
      throw new InvalidArgumentError(
        most === Number.MAX_SAFE_INTEGER
          ? `expected a whole number of at least ${least}.`
          : `expected a whole number from ${least} to ${most}.`,
      );
    return value;
  };
