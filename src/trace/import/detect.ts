/** What a source is, by its content where a format has a magic, and its hash. */
import { createHash } from 'node:crypto';
import { closeSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { badInput } from '../../errors.js';
import { inputStats, openInput, readFully, reading } from '../../files.js';
import { METADATA_KEY } from '../metadata.js';
import { hashOf } from '../open.js';
import { SafetensorsFile } from '../safetensors.js';

export type SourceKind = 'npz' | 'npy' | 'safetensors' | 'canonical' | 'topology' | 'dnnsim';

/** Whether the file is a canonical trace already. @throws UserError if it is no source at all. */
export const isCanonical = (path: string): boolean => kindOfSource(path) === 'canonical';

/** By content where a format has a magic, else by extension. */
export function kindOfSource(source: string): SourceKind {
  if (inputStats(source).isDirectory()) return 'dnnsim';
  if (basename(source) === 'model.csv')
    throw badInput('not-a-source', {
      file: source,
      found: 'the list of a DNNsim folder',
      expected: 'the folder itself',
      remedy: 'name the folder that holds it',
    });
  const fd = openInput(source);
  const start = new Uint8Array(9);
  const count = readFully(source, fd, start, 0);
  closeSync(fd);
  const text = new TextDecoder('latin1').decode(start.subarray(0, count));
  const extension = /\.(\w+)$/.exec(source)?.[1].toLowerCase();
  const sniffed = text.startsWith('PK')
    ? 'npz'
    : text.startsWith('\x93NUMPY')
      ? 'npy'
      : text[8] === '{'
        ? 'safetensors'
        : null;
  const named = extension === 'csv' ? 'topology' : ['npz', 'npy', 'safetensors'].find((e) => e === extension);
  const kind = sniffed ?? named;
  if (!kind)
    throw badInput('not-a-source', {
      file: source,
      found: count === 0 ? 'an empty file' : `a file beginning ${JSON.stringify(text)}`,
      expected: '.npz, .npy, .safetensors, a topology .csv or a DNNsim folder',
      remedy: 'convert it to one of these',
    });
  if (kind !== 'safetensors') return kind as SourceKind;
  const store = SafetensorsFile.open(source);
  store.close();
  return store.metadata.has(METADATA_KEY) ? 'canonical' : 'safetensors';
}

/** Of a folder: over the names and hashes of its files, in order of name. */
export function hashOfSource(source: string): string {
  if (!inputStats(source).isDirectory()) {
    const fd = openInput(source);
    try {
      return hashOf(source, fd);
    } finally {
      closeSync(fd);
    }
  }
  const hash = createHash('sha256');
  for (const name of reading(source, () => readdirSync(source)).sort()) {
    const path = join(source, name);
    if (inputStats(path).isFile()) hash.update(`${name}\0${hashOfSource(path)}\n`);
  }
  return hash.digest('hex');
}
