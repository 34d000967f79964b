/** `kneadsim list`: the machines and memory systems, where they come from, and their parameters. */
import { Command } from 'commander';
import type { MachineKind, Parameter } from '../arch/machine.js';
import { MACHINES } from '../arch/registry.js';
import { DEFAULT_MEMORY, MEMORY_PARAMETERS, MEMORY_PRESETS, plainConfig } from '../memory/config.js';
import { PAGE_WIDTH, textTable, wrap, type Column } from '../report/textTable.js';
import { VERSION } from '../version.js';
import type { Io } from './io.js';

export function listCommand(io: Io): Command {
  return new Command('list')
    .description('machines and memory systems, their sources, and their parameters with defaults')
    .option('--json', 'everything as JSON')
    .addHelpText(
      'after',
      `
Try:
  kneadsim list
  kneadsim replay --machine tetris --set tetris.sync=barrier`,
    )
    .action(({ json }: { json?: true }) => io.out(json ? listJson() : listText()));
}

function listJson(): string {
  const machines = MACHINES.map(({ name, summary, source, phases, needsActivations, units, parameters }) => ({
    name,
    summary,
    source,
    phases,
    units: Object.fromEntries(phases.map((phase) => [phase, units(phase)])),
    needsActivations,
    parameters,
  }));
  const memory = {
    presets: MEMORY_PRESETS.map(({ config, ...preset }) => ({ ...preset, config: plainConfig(config) })),
    parameters: MEMORY_PARAMETERS,
  };
  return `${JSON.stringify({ tool: 'kneadsim', version: VERSION, machines, memory }, null, 2)}\n`;
}

const listText = (): string => `${[...MACHINES.map(machineText), memoryText()].join('\n\n')}\n`;

function machineText(kind: MachineKind): string {
  const { parameters } = kind;
  const columns = [
    { head: ['  parameter'], cells: parameters.map((p) => `  ${p.name}`), text: true },
    { head: ['default'], cells: parameters.map((p) => String(p.default)), text: true },
    { head: ['values'], cells: parameters.map(valuesOf), text: true },
  ];
  return [
    wrap(`${kind.name}: ${kind.summary}`.split(' '), ' ', 2),
    `  from ${kind.source}`,
    kind.needsActivations ? '  its timing needs activations' : '  times weights alone, at level count',
    ...withMeanings(columns, parameters),
  ].join('\n');
}

/** Presets as columns, parameters as rows. */
function memoryText(): string {
  const columns = [
    { head: ['  parameter'], cells: MEMORY_PARAMETERS.map((p) => `  ${p.name}`), text: true },
    ...MEMORY_PRESETS.map(({ name, config }) => ({
      head: name.split('-').map((part, i, parts) => (i + 1 < parts.length ? `${part}-` : part)),
      cells: MEMORY_PARAMETERS.map((p) => String(plainConfig(config)[p.name])),
    })),
  ];
  return [
    'memory: buffers and DRAM around every machine',
    `  --memory PRESET (default: ${DEFAULT_MEMORY}), --set memory.name=value`,
    ...MEMORY_PRESETS.flatMap(({ name, summary, source }) => [
      `  ${wrap(`${name}: ${summary}`.split(' '), ' ', 4)}`,
      `    ${wrap(`from ${source}`.split(' '), ' ', 6)}`,
    ]),
    ...textTable(columns, false).split('\n'),
    ...MEMORY_PARAMETERS.map(
      ({ name, doc }) => `  ${wrap(`${name}: ${doc}`.split(' '), ' ', 4, PAGE_WIDTH - 2)}`,
    ),
  ].join('\n');
}

/** A table of parameters with what they mean beside it. */
function withMeanings(columns: readonly Column[], parameters: readonly { doc: string }[]): string[] {
  const table = textTable(columns, false).split('\n');
  const column = Math.max(...table.map((line) => line.length)) + 2;
  const docs = ['meaning', ...parameters.map((p) => p.doc)];
  return table.map((line, i) =>
    // Long meanings go on below themselves.
    wrap(docs[i].split(' '), ' ', 0, PAGE_WIDTH - column)
      .split('\n')
      .map((text, part) => (part === 0 ? line : '').padEnd(column) + text)
      .join('\n'),
  );
}

function valuesOf({ values, min, max }: Parameter): string {
  if (values) return values.join(' | ');
  return `${min ?? 'any'} to ${max ?? 'any'}`;
}
