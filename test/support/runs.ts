/** Seed and number of runs of the properties, from the environment. */

/** Fixed, so that a failure on one machine is a failure on all. */
const DEFAULT_SEED = 20_181_118;

function wholeNumber(name: string, fallback: number, min: number): number {
  const text = process.env[name];
  if (text === undefined || text === '') return fallback;
  const value = Number(text);
  if (!Number.isInteger(value) || value < min || value > 2 ** 31 - 1)
    throw new Error(`${name} is "${text}", expected a whole number from ${min} to 2^31 - 1`);
  return value;
}

/** `KNEADSIM_SEED`: seed of all properties. */
export const seed = wholeNumber('KNEADSIM_SEED', DEFAULT_SEED, -(2 ** 31));

/** `KNEADSIM_RUNS`: how many times the usual number of runs each property gets (`make fuzz`). */
const factor = wholeNumber('KNEADSIM_RUNS', 1, 1);

/** Number of runs of a property that usually takes `usual`. */
export const runs = (usual: number): number => usual * factor;
