/** `kneadsim list`: the machines, where they come from, and their parameters. */
import { Command } from 'commander';
import type { MachineKind, Parameter } from '../arch/machine.js';
import { MACHINES } from '../arch/registry.js';
import { PAGE_WIDTH, textTable, wrap } from '../report/textTable.js';
import { VERSION } from '../version.js';
import type { Io } from './io.js';

export function listCommand(io: Io): Command {
  return new Command('list')
    .description('machines, their sources, and their parameters with defaults')
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
  return `${JSON.stringify({ tool: 'kneadsim', version: VERSION, machines }, null, 2)}\n`;
}

const listText = (): string => `${MACHINES.map(machineText).join('\n\n')}\n`;

function machineText(kind: MachineKind): string {
  const { parameters } = kind;
  const columns = [
    { head: ['  parameter'], cells: parameters.map((p) => `  ${p.name}`), text: true },
    { head: ['default'], cells: parameters.map((p) => String(p.default)), text: true },
    { head: ['values'], cells: parameters.map(valuesOf), text: true },
  ];
  const table = textTable(columns, false).split('\n');
  const column = Math.max(...table.map((line) => line.length)) + 2;
  const docs = ['meaning', ...parameters.map((p) => p.doc)];
  return [
    wrap(`${kind.name}: ${kind.summary}`.split(' '), ' ', 2),
    `  from ${kind.source}`,
    kind.needsActivations ? '  its timing needs activations' : '  times weights alone, at level count',
    ...table.map((line, i) =>
      // Long meanings go on below themselves.
      wrap(docs[i].split(' '), ' ', 0, PAGE_WIDTH - column)
        .split('\n')
        .map((text, part) => (part === 0 ? line : '').padEnd(column) + text)
        .join('\n'),
    ),
  ].join('\n');
}

function valuesOf({ values, min, max }: Parameter): string {
  if (values) return values.join(' | ');
  return `${min ?? 'any'} to ${max ?? 'any'}`;
}
