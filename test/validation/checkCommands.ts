/** Runs the command that a row names, as a user would, and compares the number it prints with that of the row. */
import { run } from '../../src/cli/program.js';
import type { Section, SectionRows } from './claim.js';
import type { Lab } from './lab.js';
import { isPlace, numberAt } from './place.js';

/** Sums in another order may differ in the last bits. */
const ROUNDING = 1e-12;

/** @returns one line for each command that says something else than its row, and how many were run */
export async function checkCommands(
  sections: readonly Section[],
  rows: readonly SectionRows[],
  lab: Lab,
  progress: (id: string) => void = () => {},
): Promise<{ wrong: string[]; checked: number }> {
  const ours = new Map(rows.flatMap((section) => section.rows).map((row) => [row.id, row.ours]));
  const printed = new Map<string, unknown>();
  const wrong: string[] = [];
  let checked = 0;
  for (const { id, command } of sections.flatMap(({ claims }) => claims)) {
    if (command === 'runner' || !isPlace(command.at)) continue;
    progress(id);
    const key = command.args.join(' ');
    if (!printed.has(key)) printed.set(key, await outputOf(command.args, lab));
    const output = printed.get(key);
    const value = numberAt(output, command.at);
    const expected = ours.get(id)!;
    checked++;
    if (!(Math.abs(value - expected) <= ROUNDING * Math.abs(expected)))
      wrong.push(
        `${id}: "kneadsim ${key}" ` +
          (output instanceof Error
            ? output.message
            : `has ${value} at ${command.at}, the row has ${expected}`),
      );
  }
  return { wrong, checked };
}

/** What the command prints, or an error of its own. */
async function outputOf(args: readonly string[], lab: Lab): Promise<unknown> {
  let out = '';
  let err = '';
  const real: string[] = [];
  for (const arg of args) real.push(await realFile(arg, lab));
  const code = await run(real, {
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    colour: false,
    watched: false,
  });
  return code === 0 ? JSON.parse(out) : new Error(`exits ${code}: ${err.trim()}`);
}

/** Files that are not bundled lie in the lab. */
async function realFile(arg: string, lab: Lab): Promise<string> {
  const name = /^([\w-]+)\.safetensors$/.exec(arg)?.[1];
  return name === undefined ? arg : lab.file(name);
}
