/**
 * Timing facts of the SAC PE and the MAC PE (SPEC sections 3 and 4), read from what `kneadsim pe` prints for the
 * stimulus files in stimuli/: the clocked PE itself, which the Verilog equals line by line.
 */
import { fileURLToPath } from 'node:url';
import { run } from '../../../src/cli/program.js';
import { EXACT, type Claim, type Section } from '../claim.js';

const STIMULI = 'test/validation/stimuli';

/** A line of `kneadsim pe sac`. */
interface Line {
  cycle: number;
  word: boolean;
  window: boolean;
  output: boolean;
}

/** What the command prints, with paths from the root of the repository. */
async function linesOf(unit: string, file: string): Promise<string[][]> {
  let out = '';
  let err = '';
  const path = fileURLToPath(new URL(`../../../${file}`, import.meta.url));
  const code = await run(['pe', unit, '--stimulus', path], {
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    colour: false,
    watched: false,
  });
  if (code !== 0) throw new Error(`kneadsim pe ${unit} --stimulus ${file}: ${err}`);
  return out
    .trim()
    .split('\n')
    .map((line) => line.split(' '));
}

const sacLines = async (file: string): Promise<Line[]> =>
  (await linesOf('sac', file)).map(([cycle, words, windows, , fired]) => ({
    cycle: Number(cycle),
    word: words !== '0',
    window: windows !== '0',
    output: fired !== '0',
  }));

const first = (lines: Line[], what: 'word' | 'window' | 'output'): number =>
  lines.find((l) => l[what])!.cycle;

/** Cycles from each output to the next; the same for all, or NaN. */
function period(lines: Line[]): number {
  const cycles = lines.filter(({ output }) => output).map(({ cycle }) => cycle);
  const gaps = new Set(cycles.slice(1).map((cycle, i) => cycle - cycles[i]));
  return gaps.size === 1 ? [...gaps][0] : NaN;
}

interface Fact {
  name: string;
  claim: string;
  theirs: number;
  stimulus: string;
  /** How the number is read from the lines. */
  at: string;
  read: (lines: Line[]) => number;
}

const perPeriod = (name: string, claim: string, theirs: number): Fact => ({
  name,
  claim,
  theirs,
  stimulus: name,
  at: 'cycles from one outFired to the next',
  read: period,
});

const latencies = ([precision, latency]: ['int16' | 'int8', number]): Fact[] => [
  {
    name: `latency-${precision}`,
    claim: `flush accepted to out_valid, ${precision}`,
    theirs: latency,
    stimulus: `first-word-${precision}`,
    at: 'cycle of outValid - cycle of acceptedWords',
    read: (lines) => first(lines, 'output') - first(lines, 'word'),
  },
  {
    name: `first-output-${precision}`,
    claim: `first one-word output in cycle, ${precision}`,
    theirs: latency + 1,
    stimulus: `first-word-${precision}`,
    at: 'cycle of the first outFired',
    read: (lines) => first(lines, 'output'),
  },
];

const FACTS: Fact[] = [
  {
    name: 'first-window',
    claim: 'first window loads in cycle (TD 0)',
    theirs: 0,
    stimulus: 'first-word-int16',
    at: 'cycle of the first acceptedWindows',
    read: (lines) => first(lines, 'window'),
  },
  {
    name: 'first-word',
    claim: 'first word is accepted in cycle (TD 0)',
    theirs: 1,
    stimulus: 'first-word-int16',
    at: 'cycle of the first acceptedWords',
    read: (lines) => first(lines, 'word'),
  },
  ...latencies(['int16', 5]),
  ...latencies(['int8', 4]),
  perPeriod('long-groups-td0', 'cycles of eight words, TD 0', 8),
  perPeriod('long-groups-td1', 'cycles of eight words, TD 1', 16),
  perPeriod('long-groups-td2', 'cycles of eight words, TD 2', 8),
  perPeriod('long-groups-td4', 'cycles of eight words, TD 4', 8),
  perPeriod('short-groups-d1', 'cycles of six groups of a word, D 1', 12),
  perPeriod('short-groups-d2', 'cycles of six groups of a word, D 2', 6),
  perPeriod('short-groups-d4', 'cycles of six groups of a word, D 4', 6),
  perPeriod('short-outputs-d1', 'cycles of an output of one word, D 1', 2),
  perPeriod('short-outputs-d2', 'cycles of an output of one word, D 2', 1),
];

const sacClaim = ({ name, claim, theirs, stimulus, at, read }: Fact): Claim => {
  const file = `${STIMULI}/${stimulus}.json`;
  return {
    id: `timing.${name}`,
    claim,
    source: 'SPEC 3',
    tag: 'own',
    theirs,
    unit: 'cycles',
    decimals: 0,
    ours: async () => read(await sacLines(file)),
    tolerance: EXACT,
    reason: 'A statement about single cycles of the hardware, checked on RTL by the trial: equal.',
    command: { args: ['pe', 'sac', '--stimulus', file], at },
  };
};

const MAC_FILE = 'src/rtl/examples/mac.json';

const mac: Claim = {
  id: 'timing.mac',
  claim: 'MAC: accept to output',
  source: 'SPEC 4',
  tag: 'law',
  theirs: 3,
  unit: 'cycles',
  decimals: 0,
  ours: async () => {
    const lines = await linesOf('mac', MAC_FILE);
    const accepted = lines.filter(([, accept]) => accept !== '0').map(([cycle]) => Number(cycle));
    return Number(lines.find(([, , valid]) => valid !== '0')![0]) - accepted[accepted.length - 1];
  },
  tolerance: EXACT,
  reason: 'Three stages with one enable: equal.',
  command: {
    args: ['pe', 'mac', '--stimulus', MAC_FILE],
    at: 'cycle of outValid - cycle of the last accept',
  },
};

export const timing: Section = {
  name: 'timing',
  title: 'Timing facts of the PEs',
  about:
    'TD: words of the throttle buffer, D: window slots. A group of eight words takes eight cycles where a word is ' +
    'accepted in every cycle; groups and outputs of one word show a bubble between them, if there is one.',
  claims: [...FACTS.map(sacClaim), mac],
};
