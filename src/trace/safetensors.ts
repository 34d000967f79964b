/**
 * The safetensors container: 8 bytes of header length, a JSON header, then the tensors end to end. Everything
 * that the header claims is checked against the file before a byte of data is read or memory is taken.
 */
import { closeSync } from 'node:fs';
import { z } from 'zod';
import { badInput, type UserError } from '../errors.js';
import { fileSize, openInput, readFully } from '../files.js';
import { DTYPE_BYTES, elementCount, type DType, type NumericArray } from '../tensor.js';
import { decodeElements } from './elements.js';
import { topLevelKeys } from './json.js';

/** No header is allowed to be larger, as in the format's own readers. */
export const HEADER_LIMIT = 100_000_000;

/** Largest tensor that is read in one piece; one allocation holds it. */
export const TENSOR_LIMIT = 2 ** 32 - 1;

export const CODE_OF_DTYPE: Record<DType, string> = {
  float64: 'F64',
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
  int8: 'I8',
  int16: 'I16',
  uint8: 'U8',
  uint16: 'U16',
};
const DTYPE_OF_CODE = new Map(Object.entries(CODE_OF_DTYPE).map(([dtype, code]) => [code, dtype as DType]));

/** Codes of the format that are no element type of ours; their sizes are needed to check the header. */
const OTHER_BYTES: Record<string, number> = {
  BOOL: 1,
  I32: 4,
  U32: 4,
  I64: 8,
  U64: 8,
  F8_E4M3: 1,
  F8_E5M2: 1,
};

export interface StoredTensor {
  name: string;
  /** Code of the format, such as `BF16`. */
  code: string;
  /** Null where the program has no such element type. */
  dtype: DType | null;
  shape: number[];
  /** Absolute position in the file. */
  position: number;
  bytes: number;
}

const size = z.int().min(0);
const Entry = z.object({ dtype: z.string(), shape: z.array(size), data_offsets: z.tuple([size, size]) });

export class SafetensorsFile {
  readonly tensors = new Map<string, StoredTensor>();
  readonly metadata = new Map<string, string>();

  private constructor(
    readonly file: string,
    readonly fd: number,
  ) {}

  static open(file: string): SafetensorsFile {
    const opened = new SafetensorsFile(file, openInput(file));
    try {
      opened.readHeader();
      return opened;
    } catch (error) {
      opened.close();
      throw error;
    }
  }

  close(): void {
    closeSync(this.fd);
  }

  /** Raw elements of one tensor; nothing else is held in memory. */
  read(tensor: StoredTensor): NumericArray {
    if (tensor.dtype === null)
      throw this.fault(`tensor "${tensor.name}"`, `dtype ${tensor.code}`, `one of ${knownCodes}`, CONVERT);
    if (tensor.bytes > TENSOR_LIMIT)
      throw this.fault(
        `tensor "${tensor.name}"`,
        `${tensor.bytes} bytes`,
        `at most ${TENSOR_LIMIT} in one tensor`,
        'split the layer into groups of filters',
      );
    const bytes = new Uint8Array(tensor.bytes);
    const count = readFully(this.file, this.fd, bytes, tensor.position);
    if (count !== tensor.bytes)
      throw this.fault(`tensor "${tensor.name}"`, `${count} bytes`, `${tensor.bytes}`, TRUNCATED);
    return decodeElements(bytes, tensor.dtype);
  }

  private fault(place: string, found: string, expected: string, remedy: string): UserError {
    return badInput('bad-safetensors', { file: this.file, place, found, expected, remedy });
  }

  private readHeader(): void {
    const total = fileSize(this.fd);
    const start = new Uint8Array(8);
    if (readFully(this.file, this.fd, start, 0) < 8)
      throw this.fault('', `${total} bytes`, 'at least 8 bytes of a safetensors file', TRUNCATED);
    const length = new DataView(start.buffer).getBigUint64(0, true);
    if (length > BigInt(Math.min(total - 8, HEADER_LIMIT)) || length < 2n)
      throw this.fault(
        'header length',
        `${length} bytes`,
        `2 to ${Math.min(total - 8, HEADER_LIMIT)} (the file has ${total})`,
        'check that this is a complete safetensors file',
      );
    const bytes = new Uint8Array(Number(length));
    readFully(this.file, this.fd, bytes, 8);
    const text = this.decodeText(bytes);
    const header = this.parse(text);
    this.checkNames(text);
    const dataStart = 8 + bytes.length;
    for (const [name, value] of Object.entries(header))
      if (name === '__metadata__') this.readMetadata(value);
      else this.tensors.set(name, this.checkEntry(name, value, dataStart, total - dataStart));
    this.checkCover(dataStart, total);
  }

  private decodeText(bytes: Uint8Array): string {
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch {
      throw this.fault('header', 'bytes that are not UTF-8', 'a JSON text', CORRUPT);
    }
  }

  private parse(text: string): object {
    let header: unknown;
    try {
      header = JSON.parse(text);
    } catch {
      throw this.fault('header', `text beginning ${JSON.stringify(text.slice(0, 24))}`, 'JSON', CORRUPT);
    }
    if (typeof header !== 'object' || header === null || Array.isArray(header))
      throw this.fault('header', 'JSON that is not an object', 'an object of tensors', CORRUPT);
    return header;
  }

  /** JSON.parse keeps the last of two equal keys without a word. */
  private checkNames(text: string): void {
    const seen = new Set<string>();
    for (const name of topLevelKeys(text)) {
      if (seen.has(name))
        throw this.fault(`tensor "${name}"`, 'the name twice', 'unique names', 'rename one of the tensors');
      seen.add(name);
    }
  }

  private readMetadata(value: unknown): void {
    const parsed = z.record(z.string(), z.string()).safeParse(value);
    if (!parsed.success)
      throw this.fault('header, __metadata__', 'other values', 'a map from strings to strings', CORRUPT);
    for (const [key, text] of Object.entries(parsed.data)) this.metadata.set(key, text);
  }

  private checkEntry(name: string, value: unknown, dataStart: number, dataBytes: number): StoredTensor {
    const place = `header, tensor "${name}"`;
    const parsed = Entry.safeParse(value);
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      throw this.fault(
        place,
        `a bad ${issue.path.join('.') || 'entry'} (${issue.message})`,
        'dtype, shape and data_offsets',
        CORRUPT,
      );
    }
    const { dtype: code, shape, data_offsets: offsets } = parsed.data;
    const dtype = DTYPE_OF_CODE.get(code) ?? null;
    const width = dtype ? DTYPE_BYTES[dtype] : OTHER_BYTES[code];
    const [begin, end] = offsets;
    if (begin > end || end > dataBytes)
      throw this.fault(
        place,
        `offsets ${begin} to ${end}`,
        `a range within ${dataBytes} bytes of data`,
        TRUNCATED,
      );
    // An unknown code may still be skipped by an importer; its size cannot be checked.
    const wanted = width === undefined ? end - begin : elementCount(shape) * width;
    if (wanted !== end - begin)
      throw this.fault(
        place,
        `${end - begin} bytes of data`,
        `${wanted} for ${code} of shape [${shape.join(', ')}]`,
        CORRUPT,
      );
    return { name, code, dtype, shape, position: dataStart + begin, bytes: end - begin };
  }

  /** Tensors must cover the data exactly: overlaps and holes are both signs of a header that lies. */
  private checkCover(dataStart: number, total: number): void {
    let position = dataStart;
    let before = 'the header';
    const order = [...this.tensors.values()].sort((a, b) => a.position - b.position || a.bytes - b.bytes);
    for (const tensor of order) {
      if (tensor.position !== position)
        throw this.fault(
          `header, tensor "${tensor.name}"`,
          `data at offset ${tensor.position - dataStart}, ${tensor.position < position ? 'overlapping' : 'with a hole after'} ${before}`,
          `offset ${position - dataStart}`,
          CORRUPT,
        );
      position += tensor.bytes;
      before = `tensor "${tensor.name}"`;
    }
    if (position !== total)
      throw this.fault(
        '',
        `${total} bytes`,
        `${position} by the header`,
        'the file was extended or cut; fetch it again',
      );
  }
}

const knownCodes = Object.values(CODE_OF_DTYPE).join(' ');
const CONVERT = 'convert the tensor before importing it';
const CORRUPT = 'the file is damaged or not safetensors; write it again';
const TRUNCATED = 'the file is cut short; fetch or write it again';
