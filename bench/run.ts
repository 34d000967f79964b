/**
 * Runs the suites, all or those named on the command line, and prints at the end which goals are met:
 * `tsx bench/run.ts [kneading] [sacStep] [maskedStep] [rowStep] [trainCount] [macStep] [serialStep] [replay] [verilator]`.
 */
import { kneading } from './kneading.js';
import { macStep } from './macStep.js';
import { maskedStep } from './maskedStep.js';
import { replay } from './replay.js';
import { rowStep } from './rowStep.js';
import { sacStep } from './sacStep.js';
import { serialStep } from './serialStep.js';
import { sunk, type GoalLine } from './support.js';
import { trainCount } from './trainCount.js';
import { TextTable } from './textTable.js';
import { verilator } from './verilator/suite.js';

const SUITES: Record<string, () => Promise<GoalLine[]>> = {
  kneading,
  sacStep,
  maskedStep,
  rowStep,
  trainCount,
  macStep,
  serialStep,
  replay,
  verilator,
};

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(SUITES);
const unknown = names.find((name) => !Object.hasOwn(SUITES, name));
if (unknown !== undefined) {
  console.error(`no suite ${unknown}; the suites are ${Object.keys(SUITES).join(', ')}`);
  process.exit(1);
}

const lines: GoalLine[] = [];
for (const name of names) {
  lines.push(...(await SUITES[name]()));
  console.log();
}
if (Number.isNaN(sunk())) throw new Error('a suite computed NaN');

const table = new TextTable(['goal', 'measured', 'met']);
for (const { goal, measured, met } of lines)
  table.row([goal, measured, met === null ? '-' : met ? 'yes' : 'NO']);
console.log(table.toString());
console.log(
  '\nGoals count CPU time, and each number is the best of several repetitions: what else runs on a machine only\n' +
    'ever makes them worse. A busy neighbour on the same physical core takes up to 40 % of the SAC step even by\n' +
    'CPU time. Operations per second by wall time are in the tables of the suites.',
);
