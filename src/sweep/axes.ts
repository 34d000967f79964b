/** Words of the command line as axes: every value is checked and brought into one form, so that none comes twice. */
import { LEVELS } from '../arch/machine.js';
import { UserError } from '../errors.js';
import { MEMORY_NAMES } from '../memory/config.js';
import { PRECISIONS } from '../quantize.js';
import { orderedPhases } from '../simulate/options.js';
import { OPTION_AXES, PHASE_JOIN, type Axis } from './grid.js';

/** What was given; every text may hold several values, separated by commas. */
export interface AxisTexts extends Partial<Record<(typeof OPTION_AXES)[number], readonly string[]>> {
  set?: readonly string[];
}

/** Axes in grid order. @throws UserError on values that no run takes, and on repeated ones */
export function axesOf(texts: AxisTexts): Axis[] {
  const options = OPTION_AXES.flatMap((name): Axis[] => {
    const given = texts[name];
    return given ? [axis(name, false, given.join(','))] : [];
  });
  const settings = (texts.set ?? []).map((text) => {
    const match = /^((?:[^.=]+\.)?[^.=]+)=(.*)$/s.exec(text);
    if (!match)
      throw new UserError('bad-setting', `--set ${text}: expected [machine.]parameter=value,value,...`);
    return axis(match[1].trim(), true, match[2]);
  });
  const twice = settings.find(({ name }, i) => settings.findIndex((s) => s.name === name) !== i);
  if (twice)
    throw new UserError(
      'axis-twice',
      `--set ${twice.name}: found it twice, expected one axis; put all values into one --set, separated by commas`,
    );
  return [...options, ...settings];
}

function axis(name: string, setting: boolean, text: string): Axis {
  const label = setting ? `--set ${name}` : `--${name}`;
  const read = setting ? settingValue : READERS[name as keyof typeof READERS];
  const values = text.split(',').map((part) => {
    const value = part.trim();
    if (value === '')
      throw new UserError(
        'bad-axis',
        `${label}: found "${text}", expected a value, or values separated by commas`,
      );
    return read(value, label);
  });
  const twice = values.find((value, i) => values.indexOf(value) !== i);
  if (twice !== undefined)
    throw new UserError('value-twice', `${label}: found ${twice} twice; give each value once`);
  return { name, setting, values };
}

type Reader = (text: string, label: string) => string;

const oneOf =
  (choices: readonly string[]): Reader =>
  (text, label) => {
    if (choices.includes(text)) return text;
    throw new UserError(
      'bad-axis',
      `${label}: found ${text}, expected ${choices.join(', ')}, or several of them separated by commas`,
    );
  };

/** 8 and 08 are one value; whether a machine takes it is asked of the machine. */
const settingValue: Reader = (text) => (/^\d+$/.test(text) ? String(Number(text)) : text);

const READERS: Record<(typeof OPTION_AXES)[number], Reader> = {
  machine: (text) => text,
  precision: oneOf(PRECISIONS),
  level: oneOf(LEVELS),
  phase: (text) =>
    orderedPhases(text.split(PHASE_JOIN) as Parameters<typeof orderedPhases>[0]).join(PHASE_JOIN),
  layer: (text) => text,
  memory: oneOf(MEMORY_NAMES),
  prune: (text, label) => {
    const target = Number(text);
    if (/^[\d.]+(e-\d+)?$/i.test(text) && target < 1) return String(target);
    throw new UserError(
      'bad-prune',
      `${label}: found ${text}, expected targets of at least 0 (no pruning) and below 1, such as 0,0.9`,
    );
  },
  seed: (text, label) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return String(value);
    throw new UserError('bad-axis', `${label}: found ${text}, expected whole numbers of at least 0`);
  },
};
