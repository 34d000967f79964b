/** What `make synth` is asked for: library, tools, units and where results go, all checked before minutes of work. */
import { basename, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { UserError } from '../../errors.js';
import { readTextInput } from '../../files.js';
import { cellLibrary } from './cells.js';
import { CONFIGURATIONS, type Configuration } from './configurations.js';
import { parseLiberty } from './liberty.js';
import { toolVersions } from './process.js';
import { cellsFile, targetOf, type Target } from './target.js';

/** What we know of libraries that packages offer, by name. */
export const KNOWN: Record<string, { node: string; package: string }> = {
  osu018_stdcells: { node: '180 nm', package: 'qflow-tech-osu018' },
};
/** ns: about the 4 ns of the 45 nm figures, scaled by the delay of a gate. */
export const PERIOD = 20;
/** Bytes. */
const MOST_LIBERTY = 1 << 28;
/** `sacPe int8 16x16`: units x lanes. */
export const label = ({ name, precision, units, lanes }: Configuration): string =>
  `${name} ${precision} ${units}x${lanes}`;

/** Library, tools and files of a run, all checked before the first unit is synthesised. */
export interface Plan {
  target: Target;
  tools: ReturnType<typeof toolVersions>;
  jobs: number;
  node: string;
  configurations: readonly Configuration[];
  /** A file, or null for the sources. */
  out: string | null;
  /** Folder for what is made on the way, if it is to be kept. */
  keep: string | null;
  command: string;
}

/** @throws UserError for whatever is missing or wrong */
export function planOf(args: string[]): Plan {
  const { values } = parseArgs({
    args,
    options: {
      liberty: { type: 'string', default: '' },
      node: { type: 'string', default: '' },
      period: { type: 'string', default: '' },
      out: { type: 'string', default: '' },
      jobs: { type: 'string', default: '1' },
      only: { type: 'string', default: '' },
      keep: { type: 'string', default: '' },
    },
  });
  const positive = (name: string, text: string, whole: boolean): number => {
    const value = Number(text);
    if (value > 0 && Number.isFinite(value) && (!whole || Number.isInteger(value))) return value;
    const expected = whole ? 'a whole number, at least 1' : 'ns, more than 0';
    throw new UserError('usage', `synth: ${name} is ${text}, expected ${expected}`);
  };
  const period = values.period === '' ? PERIOD : positive('PERIOD', values.period, false);
  const jobs = positive('SYNTH_JOBS', values.jobs, true);
  const file = values.liberty || cellsFile();
  if (file === null)
    throw new UserError(
      'no-library',
      'synth: no standard cells on this machine; run "make synth", which fetches them, or name yours: make synth LIBERTY=/path/x.lib',
    );
  const library = cellLibrary(parseLiberty(readTextInput(file, MOST_LIBERTY), file));
  const configurations = CONFIGURATIONS.filter((each) =>
    `${label(each)} `.startsWith(values.only === '' ? '' : `${values.only} `),
  );
  if (configurations.length === 0)
    throw new UserError(
      'usage',
      `synth: no unit is called ${values.only}; see src/rtl/synth/configurations.ts`,
    );
  // The sources are of the whole list, with the library of the packages and its clock.
  const own = values.liberty !== '' || values.only !== '' || values.period !== '' || values.node !== '';
  const byName = `coefficients-${library.name.replace(/[^\w.-]+/g, '_')}.json`;
  const settings = [
    ['LIBERTY', values.liberty === '' ? '' : basename(file)],
    ['NODE', values.node === '' ? '' : `'${values.node}'`],
    ['PERIOD', values.period],
  ].map(([name, value]) => (value === '' ? '' : ` ${name}=${value}`));
  return {
    target: targetOf(library, resolve(file), period),
    tools: toolVersions(),
    jobs,
    node: values.node || (KNOWN[library.name]?.node ?? 'not stated'),
    configurations,
    out: values.out || (own ? byName : null),
    keep: values.keep === '' ? null : resolve(values.keep),
    command: `make synth${settings.join('')}`,
  };
}
