/** Builders of files, sound and broken, byte by byte: nothing here uses the code under test. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import { afterEach, beforeEach, expect } from 'vitest';
import { UserError } from '../../src/errors.js';
import { importTrace, type ImportOptions } from '../../src/trace/import/import.js';
import { openTrace, type OpenedTrace } from '../../src/trace/open.js';
import type { Role, TraceLayer } from '../../src/trace/trace.js';

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const raw = (array: ArrayBufferView): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

export function concat(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

export interface NpyParts {
  descr?: string;
  shape: number[];
  data: ArrayBufferView;
  version?: number;
  fortran?: boolean;
  /** Replaces the whole dictionary. */
  header?: string;
  headerLength?: number;
}

const DESCR: [new (n: number) => ArrayBufferView, string][] = [
  [Float64Array, '<f8'],
  [Float32Array, '<f4'],
  [Int8Array, '|i1'],
  [Uint8Array, '|u1'],
  [Int16Array, '<i2'],
  [Uint16Array, '<u2'],
  [Int32Array, '<i4'],
  [BigInt64Array, '<i8'],
];

export function npy(parts: NpyParts): Uint8Array {
  const descr = parts.descr ?? DESCR.find(([type]) => parts.data instanceof type)![1];
  const tuple = parts.shape.length === 1 ? `${parts.shape[0]},` : parts.shape.join(', ');
  const text =
    parts.header ??
    `{'descr': '${descr}', 'fortran_order': ${parts.fortran ? 'True' : 'False'}, 'shape': (${tuple}), }\n`;
  const version = parts.version ?? 1;
  const start = new Uint8Array(version === 1 ? 10 : 12);
  start.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0]);
  const view = new DataView(start.buffer);
  const length = parts.headerLength ?? text.length;
  if (version === 1) view.setUint16(8, length, true);
  else view.setUint32(8, length, true);
  return concat(start, bytes(text), raw(parts.data));
}

/** float32 array counting up from `first`, so that every permutation shows. */
export const ramp = (shape: number[], first = 1): NpyParts => ({
  shape,
  data: Float32Array.from({ length: shape.reduce((n, d) => n * d, 1) }, (_, i) => first + i),
});

export interface Member {
  name: string;
  content: Uint8Array;
  method?: number;
  /** What the directory claims, where it lies. */
  size?: number;
  compressedSize?: number;
  crc?: number;
  flags?: number;
}

/** A zip archive; local headers carry the 20 extra bytes that numpy writes and the directory lacks. */
export function zip(members: Member[]): Uint8Array {
  const files: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const m of members) {
    const method = m.method ?? 8;
    const packed = method === 8 ? new Uint8Array(deflateRawSync(m.content)) : m.content;
    const name = bytes(m.name);
    const fields = (head: DataView, at: number): void => {
      head.setUint16(at, 20, true);
      head.setUint16(at + 2, m.flags ?? 0, true);
      head.setUint16(at + 4, method, true);
      head.setUint32(at + 10, m.crc ?? crc32(m.content), true);
      head.setUint32(at + 14, m.compressedSize ?? packed.length, true);
      head.setUint32(at + 18, m.size ?? m.content.length, true);
      head.setUint16(at + 22, name.length, true);
    };
    const local = new DataView(new ArrayBuffer(30));
    local.setUint32(0, 0x04034b50, true);
    fields(local, 4);
    local.setUint16(28, 20, true);
    const extra = new Uint8Array(20);
    extra.set([0xff, 0xff, 16, 0]);
    const entry = new DataView(new ArrayBuffer(46));
    entry.setUint32(0, 0x02014b50, true);
    fields(entry, 6);
    entry.setUint32(42, offset, true);
    directory.push(concat(raw(entry), name));
    files.push(concat(raw(local), name, extra, packed));
    offset += files[files.length - 1].length;
  }
  const list = concat(...directory);
  const end = new DataView(new ArrayBuffer(22));
  end.setUint32(0, 0x06054b50, true);
  end.setUint16(8, members.length, true);
  end.setUint16(10, members.length, true);
  end.setUint32(12, list.length, true);
  end.setUint32(16, offset, true);
  return concat(...files, list, raw(end));
}

/** An .npz of arrays, with meta.json where given. */
export function npz(arrays: Record<string, NpyParts>, meta?: object, method = 8): Uint8Array {
  const members = Object.entries(arrays).map(([name, parts]) => ({
    name: `${name}.npy`,
    content: npy(parts),
    method,
  }));
  if (meta) {
    const text = bytes(JSON.stringify(meta));
    members.push({ name: 'meta.json.npy', content: npy({ shape: [text.length], data: text }), method });
  }
  return zip(members);
}

export type RawTensor = { dtype: string; shape: number[]; data: ArrayBufferView; offsets?: [number, number] };

/** A safetensors file; the header is taken as it is, so it may lie. */
export function safetensors(header: string | object, data: Uint8Array, length?: bigint): Uint8Array {
  const text = bytes(typeof header === 'string' ? header : JSON.stringify(header));
  const start = new DataView(new ArrayBuffer(8));
  start.setBigUint64(0, length ?? BigInt(text.length), true);
  return concat(raw(start), text, data);
}

/** An honest safetensors file of these tensors. */
export function safetensorsOf(tensors: Record<string, RawTensor>, metadata?: object): Uint8Array {
  const header: Record<string, unknown> = metadata ? { __metadata__: metadata } : {};
  let at = 0;
  for (const [name, { dtype, shape, data }] of Object.entries(tensors))
    header[name] = { dtype, shape, data_offsets: [at, (at += data.byteLength)] };
  return safetensors(header, concat(...Object.values(tensors).map(({ data }) => raw(data))));
}

/** A folder of its own for each test. */
export function useFolder() {
  let folder = '';
  const opened: OpenedTrace[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'kneadsim-test-'));
  });
  afterEach(() => {
    for (const trace of opened.splice(0)) trace.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const path = (name: string): string => join(folder, name);
  const write = (name: string, content: Uint8Array | string): string => {
    mkdirSync(dirname(path(name)), { recursive: true });
    writeFileSync(path(name), content);
    return path(name);
  };
  const open = (file: string): OpenedTrace => {
    const trace = openTrace(file);
    opened.push(trace);
    return trace;
  };
  return {
    path,
    write,
    open,
    list: (): string[] => readdirSync(folder).sort(),
    /** Imports a source and opens the result. */
    async import(source: string, options: ImportOptions = {}): Promise<OpenedTrace> {
      const out = path('imported.safetensors');
      await importTrace(source, out, options);
      return open(out);
    },
    /** Asserts that the import fails as bad input must, and leaves nothing behind. */
    async refuses(source: string, pattern: RegExp, options: ImportOptions = {}): Promise<void> {
      const before = readdirSync(folder).sort();
      const error = await importTrace(source, path('imported.safetensors'), options).catch((e: unknown) => e);
      expectUserError(error, pattern);
      expect(readdirSync(folder).sort()).toEqual(before);
    },
  };
}

export function expectUserError(error: unknown, pattern: RegExp): void {
  if (!(error instanceof UserError)) throw error instanceof Error ? error : new Error('nothing was refused');
  expect(error.exitCode).toBe(1);
  expect(error.message).not.toMatch(/\n/);
  expect(error.message).toMatch(pattern);
}

export function thrown(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}

export const values = (layer: TraceLayer, role: Role): number[] => [...layer.read(role).data];
