/** What the stimulus files of all units have in common: checking, hexadecimal, and codes at the boundaries. */
import type { z } from 'zod';
import { badInput, UserError } from '../errors.js';
import type { Random } from '../random.js';

/** A fault at a place of a stimulus file. */
export type Fault = (place: string, found: string, expected: string) => Error;

const REMEDY = 'see "kneadsim pe --help" for the form of this file';

export const faultsOf =
  (file: string): Fault =>
  (place, found, expected) =>
    badInput('bad-stimulus', { file, place, found, expected, remedy: REMEDY });

/** The content of a stimulus file in the form of its unit. @throws UserError naming the first field that does not fit */
export function checkForm<T>(schema: z.ZodType<T>, json: unknown, file: string): T {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const { path, message } = issue;
  if (issue.code === 'unrecognized_keys')
    throw faultsOf(file)(placeOf([...path, issue.keys[0]]), 'an unknown field', 'none of that name');
  throw faultsOf(file)(placeOf(path), described(json, path), expectationIn(message));
}

/** What zod expects, of messages such as "Too small: expected number to be >=1" or "Invalid input: expected array, ...". */
const expectationIn = (message: string): string =>
  message
    .replace(/^[^:]*: expected /, '')
    .replace(/, received .*$/, '')
    .replace(/^(number|int|string|array) to (be|have) /, (_, what: string, verb: string) =>
      verb === 'have' ? `${what} of ` : '',
    );

const placeOf = (path: readonly PropertyKey[]): string =>
  path.reduce<string>(
    (text, key) =>
      typeof key === 'number' ? `${text}[${key}]` : text === '' ? String(key) : `${text}.${String(key)}`,
    '',
  );

const SHOWN = 60;

/** What stands at a place of the file, shortened. */
function described(json: unknown, path: readonly PropertyKey[]): string {
  let value = json;
  for (const key of path) value = (value as Record<PropertyKey, unknown> | null | undefined)?.[key];
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'object' && value !== null)
    return `an object of {${Object.keys(value).join(', ').slice(0, SHOWN)}}`;
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > SHOWN ? `${text.slice(0, SHOWN - 3)}...` : text;
}

/** 64-bit two's complement, lower-case, without leading zeros. */
export const hex64 = (value: number | bigint): string => BigInt.asUintN(64, BigInt(value)).toString(16);

/** Two's complement of `bits` bits. */
export const field = (value: number, bits: number): bigint => BigInt.asUintN(bits, BigInt(value));

/** Flags as a mask, flag 0 in bit 0. */
export function mask(flags: ArrayLike<number | boolean>): string {
  let bits = 0n;
  for (let i = 0; i < flags.length; i++) if (flags[i]) bits |= 1n << BigInt(i);
  return bits.toString(16);
}

/** A magnitude of 0 to 2^bits - 1; zeros, powers of two and the largest are frequent. */
export function boundaryMagnitude(random: Random, bits: number): number {
  switch (random.int(8)) {
    case 0:
      return 0;
    case 1:
      return 2 ** bits - 1;
    case 2:
      return 2 ** random.int(bits);
    default:
      return random.int(2 ** bits);
  }
}

/** A sign-magnitude code; boundary magnitudes are frequent. */
export function boundaryCode(random: Random, bits: number): number {
  const magnitude = boundaryMagnitude(random, bits);
  return random.int(2) === 0 || magnitude === 0 ? magnitude : -magnitude;
}

/** Rows of ready bits, each port with a density of its own: from often stalled to never. */
export function randomReady(random: Random, rows: number, ports: number): (0 | 1)[][] {
  const density = Array.from({ length: ports }, () => 0.15 + 0.9 * random.uniform());
  return Array.from({ length: rows }, () => density.map((d) => (random.uniform() < d ? 1 : 0)));
}

/** A stimulus that cannot end: the unit waits for what never comes. */
export const stuck = (cycle: number, what: string): UserError =>
  new UserError('stimulus-stuck', `stimulus: nothing moves any more at cycle ${cycle}, and ${what}`);
