/**
 * A checkpoint: all that the steps to come depend on, so that a run that was killed goes on and writes the same bytes
 * as one that was not. A length of 8 bytes, a JSON header of that length, the parameters and their momentum as
 * float32, and the SHA-256 of all before it. Little-endian.
 */
import { createHash } from 'node:crypto';
import type { UserError } from '../errors.js';
import { badInput } from '../errors.js';
import { atomicWrite, readInput, writeFully } from '../files.js';
import type { Parameter, ParameterSpec } from './parameters.js';
import type { PrunerState } from './pruner.js';
import type { RecordSettings } from './settings.js';

export const CHECKPOINT_FILE = 'checkpoint.bin';
const FORMAT = 'kneadsim checkpoint 1';
const HASH_BYTES = 32;
const LENGTH_BYTES = 8;

export interface Checkpoint {
  settings: RecordSettings;
  /** Steps done. */
  step: number;
  parameters: Map<string, Parameter>;
  pruner: PrunerState;
  /** Of the training log. */
  rows: number[];
}

interface Header {
  format: string;
  settings: RecordSettings;
  step: number;
  pruner: PrunerState;
  rows: number[];
}

export function writeCheckpoint(path: string, checkpoint: Checkpoint): void {
  const { settings, step, pruner, rows, parameters } = checkpoint;
  const header: Header = { format: FORMAT, settings, step, pruner, rows };
  const text = new TextEncoder().encode(JSON.stringify(header));
  const length = new Uint8Array(LENGTH_BYTES);
  new DataView(length.buffer).setBigUint64(0, BigInt(text.length), true);
  const parts: Uint8Array[] = [length, text];
  for (const { values, velocity } of parameters.values())
    for (const array of [values, velocity])
      parts.push(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  atomicWrite(path, (fd) => {
    for (const part of [...parts, hash.digest()]) writeFully(fd, part);
  });
}

/**
 * @param specs parameters of the network that is to go on
 * @throws UserError if the file is damaged, or of a run with other settings
 */
export function readCheckpoint(
  path: string,
  settings: RecordSettings,
  specs: readonly ParameterSpec[],
): Checkpoint {
  const bytes = readInput(path, 2 ** 31, 'a checkpoint');
  const damaged = (found: string): UserError =>
    badInput('bad-checkpoint', {
      file: path,
      found,
      expected: 'a checkpoint of kneadsim record',
      remedy: 'delete it and record from the start, without --resume',
    });
  const end = bytes.length - HASH_BYTES;
  if (end < LENGTH_BYTES) throw damaged(`${bytes.length} bytes`);
  const hash = createHash('sha256').update(bytes.subarray(0, end)).digest();
  if (!hash.equals(bytes.subarray(end))) throw damaged('a checksum that does not fit the bytes');
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const textEnd = LENGTH_BYTES + Number(view.getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(LENGTH_BYTES, textEnd))) as Header;
  if (header.format !== FORMAT) throw damaged(`the format "${header.format}"`);
  for (const key of Object.keys(settings) as (keyof RecordSettings)[])
    if (String(header.settings[key]) !== String(settings[key]))
      throw badInput('other-settings', {
        file: path,
        place: key,
        found: String(header.settings[key]),
        expected: String(settings[key]),
        remedy: 'resume with the options of the first run, or record into another folder',
      });
  let offset = textEnd;
  const take = (length: number): Float32Array => {
    const part = bytes.slice(offset, (offset += 4 * length));
    if (part.length !== 4 * length) throw damaged('fewer parameters than the network has');
    return new Float32Array(part.buffer);
  };
  const parameters = new Map(
    specs.map((spec) => {
      const length = spec.shape.reduce((product, size) => product * size, 1);
      const values = take(length);
      return [spec.name, { ...spec, values, velocity: take(spec.learned ? length : 0) }];
    }),
  );
  if (offset !== end) throw damaged('more parameters than the network has');
  const { step, pruner, rows } = header;
  return { settings: header.settings, step, parameters, pruner, rows };
}
