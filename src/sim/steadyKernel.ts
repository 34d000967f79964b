/**
 * The hot loop of a SAC unit that is fed steadily: all running lanes of a unit consume one word each. Per lane, a
 * record of three 32-bit words {word address, window address, rows left}; per call, every lane's B slots go
 * through its window table into the unit's B segments, addresses move on, and the result says which lanes have
 * consumed the last row of their group (bit k: record k).
 *
 * Addresses are bytes into one buffer. Slots are stored as byte offsets into the signed window table, so that a
 * slot costs two loads and an addition. Two bodies of one meaning: WebAssembly (no bounds checks; measured at
 * three times the other) and TypeScript, which is the fallback and the oracle.
 */

/** Bytes of a lane record. */
export const RECORD_BYTES = 12;

/** @returns mask of the records whose group ended */
export type SteadyKernel = (segmentsAt: number, recordsAt: number, lanes: number) => number;

interface WasmMemory {
  readonly buffer: ArrayBuffer;
}
interface WasmApi {
  Memory: new (descriptor: { initial: number }) => WasmMemory;
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { exports: Record<string, unknown> };
}

const PAGE_BYTES = 65536;

/** A buffer for the operands of steady units, and the kernel that works on it. */
export interface SteadyBuffer {
  buffer: ArrayBuffer;
  kernel: SteadyKernel;
}

/**
 * @param bytes size of the buffer
 * @param wasm false forces the TypeScript body
 */
export function steadyBuffer(bytes: number, magnitudeBits: number, wasm = true): SteadyBuffer {
  const api = (globalThis as { WebAssembly?: WasmApi }).WebAssembly;
  if (wasm && api) {
    try {
      const memory = new api.Memory({ initial: Math.ceil(bytes / PAGE_BYTES) });
      const module = new api.Module(kernelModule(magnitudeBits));
      const { exports } = new api.Instance(module, { env: { memory } });
      return { buffer: memory.buffer, kernel: exports.kernel as SteadyKernel };
    } catch {
      // No room in the WebAssembly address space, or none allowed: the other body gives the same results.
    }
  }
  const buffer = new ArrayBuffer(bytes);
  return { buffer, kernel: plainKernel(buffer, magnitudeBits) };
}

/** The kernel in TypeScript. */
export function plainKernel(buffer: ArrayBuffer, magnitudeBits: number): SteadyKernel {
  const ints = new Int32Array(buffer, 0, buffer.byteLength >>> 2);
  const halves = new Uint16Array(buffer, 0, buffer.byteLength >>> 1);
  return (segmentsAt, recordsAt, lanes) => {
    const segments = segmentsAt >>> 2;
    let ended = 0;
    for (let k = 0, r = recordsAt >>> 2; k < lanes; k++, r += 3) {
      const word = ints[r] >>> 1;
      const window = ints[r + 1];
      for (let b = 0; b < magnitudeBits; b++)
        ints[segments + b] = (ints[segments + b] + ints[(window + halves[word + b]) >>> 2]) | 0;
      ints[r] += 2 * magnitudeBits;
      if (--ints[r + 2] === 0) ended |= 1 << k;
    }
    return ended;
  };
}

// WebAssembly binary format, as far as the kernel needs it.
const I32 = 0x7f;
const op = {
  block: [0x02, 0x40],
  loop: [0x03, 0x40],
  end: [0x0b],
  br: (depth: number) => [0x0c, depth],
  brIf: (depth: number) => [0x0d, depth],
  get: (local: number) => [0x20, local],
  set: (local: number) => [0x21, local],
  load: (offset: number) => [0x28, 2, ...unsigned(offset)],
  loadUnaligned: (offset: number) => [0x28, 1, ...unsigned(offset)],
  load16: (offset: number) => [0x2f, 1, ...unsigned(offset)],
  store: (offset: number) => [0x36, 2, ...unsigned(offset)],
  constant: (value: number) => [0x41, value], // 0 to 63
  eqz: [0x45],
  add: [0x6a],
  sub: [0x6b],
  and: [0x71],
  or: [0x72],
  shl: [0x74],
  shrU: [0x76],
  low16: [0x41, 0xff, 0xff, 0x03], // 65535
};

/** LEB128. */
function unsigned(value: number): number[] {
  const bytes: number[] = [];
  do {
    const rest = value >>> 7;
    bytes.push((value & 0x7f) | (rest > 0 ? 0x80 : 0));
    value = rest;
  } while (value > 0);
  return bytes;
}

const section = (id: number, content: number[]): number[] => [id, ...unsigned(content.length), ...content];
const text = (s: string): number[] => [s.length, ...Buffer.from(s, 'ascii')];

/** The module: imports env.memory, exports kernel(segmentsAt, recordsAt, lanes) -> mask. */
export function kernelModule(magnitudeBits: number): Uint8Array {
  const [segments, record, lanes] = [0, 1, 2];
  const [word, window, rows, mask, index, pair] = [3, 4, 5, 6, 7, 8];
  const sum = (b: number): number => 9 + b;
  const columns = Array.from({ length: magnitudeBits }, (_, b) => b);
  const wordBytes = 2 * magnitudeBits;
  const body = [
    ...columns.flatMap((b) => [...op.get(segments), ...op.load(4 * b), ...op.set(sum(b))]),
    ...op.block,
    ...op.loop,
    // while (index < lanes)
    ...op.get(lanes),
    ...op.get(index),
    ...op.sub,
    ...op.eqz,
    ...op.brIf(1),
    ...[...op.get(record), ...op.load(0), ...op.set(word)],
    ...[...op.get(record), ...op.load(4), ...op.set(window)],
    // sum[b] += table[window + slot b of the word], two slots per load
    ...columns.flatMap((b) => [
      ...(b % 2 === 0 && b + 1 < magnitudeBits
        ? [...op.get(word), ...op.loadUnaligned(2 * b), ...op.set(pair)]
        : []),
      ...op.get(sum(b)),
      ...op.get(window),
      ...(b % 2 === 1
        ? [...op.get(pair), ...op.constant(16), ...op.shrU]
        : b + 1 < magnitudeBits
          ? [...op.get(pair), ...op.low16, ...op.and]
          : [...op.get(word), ...op.load16(2 * b)]),
      ...op.add,
      ...op.load(0),
      ...op.add,
      ...op.set(sum(b)),
    ]),
    // the record moves on by one word; mask |= (--rows === 0) << index
    ...[...op.get(record), ...op.get(word), ...op.constant(wordBytes), ...op.add, ...op.store(0)],
    ...[...op.get(record), ...op.load(8), ...op.constant(1), ...op.sub, ...op.set(rows)],
    ...[...op.get(record), ...op.get(rows), ...op.store(8)],
    ...[...op.get(mask), ...op.get(rows), ...op.eqz, ...op.get(index), ...op.shl, ...op.or, ...op.set(mask)],
    ...[...op.get(record), ...op.constant(RECORD_BYTES), ...op.add, ...op.set(record)],
    ...[...op.get(index), ...op.constant(1), ...op.add, ...op.set(index)],
    ...op.br(0),
    ...op.end,
    ...op.end,
    ...columns.flatMap((b) => [...op.get(segments), ...op.get(sum(b)), ...op.store(4 * b)]),
    ...op.get(mask),
    ...op.end,
  ];
  const locals = [1, ...unsigned(6 + magnitudeBits), I32];
  const code = [...locals, ...body];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 3, I32, I32, I32, 1, I32]),
    ...section(2, [1, ...text('env'), ...text('memory'), 0x02, 0x00, 0]),
    ...section(3, [1, 0]),
    ...section(7, [1, ...text('kernel'), 0x00, 0]),
    ...section(10, [1, ...unsigned(code.length), ...code]),
  ]);
}
