/**
 * WebAssembly, as far as the kernels of clocked PEs need it: opcodes, the one form of module, and a buffer that a kernel
 * works on. We assemble modules by hand, so that the simulator has no dependency and no binary in its sources.
 */

interface WasmMemory {
  readonly buffer: ArrayBuffer;
}
interface WasmApi {
  Memory: new (descriptor: { initial: number }) => WasmMemory;
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { exports: Record<string, unknown> };
}

const PAGE_BYTES = 65536;
/** A kernel may read a vector that begins at the last byte in use. */
const SLACK_BYTES = 64;

/** A buffer, and the kernel that works on it. All addresses that a kernel is given are bytes into the buffer. */
export interface KernelBuffer<Kernel> {
  buffer: ArrayBuffer;
  kernel: Kernel;
}

/**
 * @param bytes size of the buffer
 * @param module a module that imports env.memory and exports `kernel`
 * @param plain the kernel in TypeScript: fallback and oracle
 * @param wasm false forces the TypeScript body
 */
export function kernelBuffer<Kernel>(
  bytes: number,
  module: () => Uint8Array,
  plain: (buffer: ArrayBuffer) => Kernel,
  wasm = true,
): KernelBuffer<Kernel> {
  const api = (globalThis as { WebAssembly?: WasmApi }).WebAssembly;
  if (wasm && api) {
    try {
      const compiled = new api.Module(module());
      const memory = new api.Memory({ initial: Math.ceil((bytes + SLACK_BYTES) / PAGE_BYTES) });
      const { exports } = new api.Instance(compiled, { env: { memory } });
      return { buffer: memory.buffer, kernel: exports.kernel as Kernel };
    } catch {
      // No room in the WebAssembly address space, no vectors, or none of it allowed: the other body gives the same results.
    }
  }
  const buffer = new ArrayBuffer(Math.ceil((bytes + SLACK_BYTES) / 8) * 8);
  return { buffer, kernel: plain(buffer) };
}

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

function signed(value: number): number[] {
  const bytes: number[] = [];
  for (;;) {
    const low = value & 0x7f;
    value >>= 7;
    const last = value === (low & 0x40 ? -1 : 0);
    bytes.push(low | (last ? 0 : 0x80));
    if (last) return bytes;
  }
}

export const I32 = 0x7f;
export const V128 = 0x7b;

/** Vector instructions have a prefix. */
const vector = (opcode: number): number[] => [0xfd, ...unsigned(opcode)];
/** A memory operand: log2 of the alignment that is promised, and an offset in bytes. */
const at = (alignment: number, offset: number): number[] => [alignment, ...unsigned(offset)];

export const op = {
  block: [0x02, 0x40],
  loop: [0x03, 0x40],
  end: [0x0b],
  br: (depth: number) => [0x0c, depth],
  brIf: (depth: number) => [0x0d, depth],
  get: (local: number) => [0x20, ...unsigned(local)],
  set: (local: number) => [0x21, ...unsigned(local)],
  tee: (local: number) => [0x22, ...unsigned(local)],
  load: (offset: number) => [0x28, ...at(2, offset)],
  loadUnaligned: (offset: number) => [0x28, ...at(1, offset)],
  load16: (offset: number) => [0x2f, ...at(1, offset)],
  store: (offset: number) => [0x36, ...at(2, offset)],
  constant: (value: number) => [0x41, ...signed(value)],
  eqz: [0x45],
  equal: [0x46],
  lessOrEqual: [0x4c],
  add: [0x6a],
  sub: [0x6b],
  and: [0x71],
  shrU: [0x76],
  loadVector: (offset: number) => [...vector(0x00), ...at(2, offset)],
  storeVector: (offset: number) => [...vector(0x0b), ...at(2, offset)],
  /** Bytes of two vectors, by number. */
  shuffle: (bytes: readonly number[]) => [...vector(0x0d), ...bytes],
  /** Two vectors of four numbers to one of eight. */
  narrowToI16: vector(0x85),
  addI32: vector(0xae),
  /** Products of eight pairs of numbers, neighbours added: four sums. */
  dotI16: vector(0xba),
};

const section = (id: number, content: readonly number[]): number[] => [
  id,
  ...unsigned(content.length),
  ...content,
];
const text = (s: string): number[] => [s.length, ...Buffer.from(s, 'ascii')];

/**
 * A module with one function: `kernel(...parameters)`, all 32-bit, without a result, on env.memory.
 * @param locals types of the local variables, which come after the parameters
 */
export function kernelModule(
  parameters: number,
  locals: readonly number[],
  body: readonly number[],
): Uint8Array {
  const code = [...unsigned(locals.length), ...locals.flatMap((type) => [1, type]), ...body, ...op.end];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, parameters, ...new Array<number>(parameters).fill(I32), 0]),
    ...section(2, [1, ...text('env'), ...text('memory'), 0x02, 0x00, 0]),
    ...section(3, [1, 0]),
    ...section(7, [1, ...text('kernel'), 0x00, 0]),
    ...section(10, [1, ...unsigned(code.length), ...code]),
  ]);
}
