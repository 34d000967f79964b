/**
 * Ready jobs for engines that run many commands: each is built around the one idempotent command
 * `kneadsim sweep --point I --out DIR`, and ends in `kneadsim sweep --collect --out DIR`. Jobs name all files by absolute
 * paths, since engines start commands wherever they like.
 */
import { join } from 'node:path';
import { POINT_FOLDER } from './pointFile.js';

export const ENGINES = ['slurm', 'snakemake', 'parallel'] as const;
export type Engine = (typeof ENGINES)[number];

export interface Job {
  /** Folder of the sweep, absolute. */
  folder: string;
  points: number;
  /** The words that run kneadsim. */
  program: readonly string[];
}

export interface JobFiles {
  /** By name. The folder `logs` has to be there too. */
  files: Record<string, string>;
  /** Command line that runs the job, and ends when it has. */
  run: string;
}

export const LOG_FOLDER = 'logs';

/** A word for a POSIX shell. */
export const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replace(/'/g, `'\\''`)}'`;

const command = ({ program, folder }: Job, ...args: string[]): string =>
  [...program, 'sweep', ...args, '--out', folder].map(quoted).join(' ');

export const engineJob = (engine: Engine, job: Job): JobFiles => WRITERS[engine](job);

const collectCommand = (job: Job): string => command(job, '--collect');

/** Slurm takes 1001 tasks per array unless told otherwise (MaxArraySize); with more points, tasks take several. */
const MOST_TASKS = 1000;

function slurm(job: Job): JobFiles {
  const { folder, points } = job;
  const tasks = Math.min(points, MOST_TASKS);
  const script = join(folder, 'sweep.sbatch');
  const after = join(folder, 'collect.sbatch');
  // In names of output files % has a meaning.
  const log = (name: string): string => `"${join(folder, LOG_FOLDER).replace(/%/g, '%%')}/${name}"`;
  const submit = `job=$(sbatch --parsable ${quoted(script)}) && sbatch --wait --dependency=afterok:$job --kill-on-invalid-dep=yes ${quoted(after)}`;
  return {
    run: submit,
    files: {
      'sweep.sbatch': `#!/bin/sh
#SBATCH --job-name=kneadsim-sweep
#SBATCH --array=0-${tasks - 1}
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=1
#SBATCH --output=${log('slurm-%a.out')}
# The ${points} points of a kneadsim sweep as an array job. Run it, and collect the results when all tasks are good:
#   ${submit}
# Submitted again, it computes what is missing. Add --array=0-${tasks - 1}%8 to sbatch to have 8 tasks at a time.
status=0
point=$SLURM_ARRAY_TASK_ID
while [ "$point" -lt ${points} ]; do
  ${command(job).replace(' sweep ', ' sweep --point "$point" ')} || status=$?
  point=$((point + ${tasks}))
done
exit $status
`,
      'collect.sbatch': `#!/bin/sh
#SBATCH --job-name=kneadsim-collect
#SBATCH --ntasks=1
#SBATCH --output=${log('slurm-collect.out')}
# Puts the results of sweep.sbatch together; see there.
${collectCommand(job)}
`,
    },
  };
}

/** Text in Python; JSON's escapes are Python's too. */
const python = (text: string): string => JSON.stringify(text);
/** Braces in a shell command of Snakemake stand for wildcards, unless they are doubled. */
const braced = (text: string): string => text.replace(/[{}]/g, '$&$&');

function snakemake(job: Job): JobFiles {
  const { folder, points } = job;
  const file = join(folder, 'Snakefile');
  const run = `snakemake --snakefile ${quoted(file)} --cores all`;
  const point = braced(command(job)).replace(' sweep ', ' sweep --point {wildcards.point} ');
  return {
    run,
    files: {
      Snakefile: `# The ${points} points of a kneadsim sweep for Snakemake. Run it:
#   ${run}
# Run again, it computes what is missing.
workdir: ${python(folder)}

localrules: all, collect

rule all:
    input: "sweep.csv", "sweep.parquet"

rule point:
    output: "${POINT_FOLDER}/{point}.json"
    wildcard_constraints: point="[0-9]{6}"
    shell: ${python(point)}

rule collect:
    input: [f"${POINT_FOLDER}/{i:06d}.json" for i in range(${points})]
    output: "sweep.csv", "sweep.parquet"
    shell: ${python(braced(collectCommand(job)))}
`,
    },
  };
}

function parallel(job: Job): JobFiles {
  const { folder, points } = job;
  const jobs = join(folder, 'jobs.txt');
  const script = join(folder, 'parallel.sh');
  const run = `sh ${quoted(script)}`;
  const lines = Array.from({ length: points }, (_, i) => `${command(job, '--point', String(i))}\n`);
  return {
    run,
    files: {
      'jobs.txt': lines.join(''),
      'parallel.sh': `#!/bin/sh
# The ${points} points of a kneadsim sweep with GNU parallel; jobs.txt has a command per line. Run it:
#   ${run}
# or with so many at a time:
#   ${run} 8
# Run again, it computes what is missing.
parallel --will-cite --jobs "\${1:-100%}" < ${quoted(jobs)} && \\
  ${collectCommand(job)}
`,
    },
  };
}

const WRITERS: Record<Engine, (job: Job) => JobFiles> = { slurm, snakemake, parallel };
