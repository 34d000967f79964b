/**
 * SparseTrain's array in plain objects, from the words of SPEC section 6: operations by loops over whole layers, and
 * a clock that moves groups, PEs and row buffers one cycle at a time. Only the cycles of an OSRC operation are taken
 * from src, where they are tested on their own.
 */
import type { LayerWork } from '../../src/arch/machine.js';
import { osrcCycles, tapPieces } from '../../src/sparse/rowOperation.js';
import { outputSize, type ConvShape } from '../../src/tensor.js';

export interface NaiveArray {
  groups: number;
  pesPerGroup: number;
  taps: number;
  ports: 1 | 2;
  dispatch: 'dynamic' | 'static';
  dense: boolean;
}

export interface NaiveOperation {
  cycles: number;
  taps: number;
}

export interface NaiveTimes {
  cycles: number;
  pipelineCycles: number;
  /** PE-cycles with an operation; waiting for PEs of the row or for the end; waiting for a row buffer. */
  busy: number;
  imbalance: number;
  ppu: number;
}

/** Every layer as a plain convolution: linear layers lie along the batch. */
function flat(work: LayerWork) {
  const linear = work.shape.op === 'linear';
  const s: ConvShape = linear ? { ...work.shape, op: 'conv', batch: 1, width: work.shape.batch } : work.shape;
  const { outHeight, outWidth } = outputSize(s);
  const at = (planes: number, height: number, width: number, n: number, p: number, y: number, x: number) =>
    linear ? x * planes + p : ((n * planes + p) * height + y) * width + x;
  const input = (n: number, c: number, y: number, x: number): number =>
    at(s.channels, s.height, s.width, n, c, y, x);
  const output = (n: number, f: number, y: number, x: number): number =>
    at(s.filters, outHeight, outWidth, n, f, y, x);
  return { s, outHeight, outWidth, input, output };
}

/** Operations of every row that has any, in the order of work. */
export function naiveRows(work: LayerWork, array: NaiveArray): NaiveOperation[][] {
  const { s, outHeight, outWidth, input, output } = flat(work);
  const C = s.channels / s.groups;
  const F = s.filters / s.groups;
  const { dense } = array;
  const pieces: number[][] = [];
  for (let t = 0; t < s.kernelWidth; t += array.taps)
    pieces.push(Array.from({ length: Math.min(array.taps, s.kernelWidth - t) }, (_, k) => t + k));
  const loaded = (y: number, r: number): number => y * s.strideY + r * s.dilationY - s.padTop;
  const rows: NaiveOperation[][] = [];

  const operands = (width: number, counts: (x: number) => boolean): number =>
    Math.max(1, Array.from({ length: width }, (_, x) => x).filter(counts).length);

  if (work.phase === 'forward') {
    for (let n = 0; n < s.batch; n++)
      for (let f = 0; f < s.filters; f++)
        for (let y = 0; y < outHeight; y++) {
          const row: NaiveOperation[] = [];
          for (let c = Math.floor(f / F) * C; c < Math.floor(f / F) * C + C; c++)
            for (let r = 0; r < s.kernelHeight; r++) {
              const from = loaded(y, r);
              if (from < 0 || from >= s.height) continue;
              for (const piece of pieces)
                row.push({
                  taps: piece.length,
                  cycles: operands(
                    s.width,
                    (x) =>
                      (dense || work.activations!.codes[input(n, c, from, x)] !== 0) &&
                      piece.some((t) => {
                        const ox = (x + s.padLeft - t * s.dilationX) / s.strideX;
                        return ox >= 0 && ox < outWidth && ox === Math.floor(ox);
                      }),
                  ),
                });
            }
          rows.push(row);
        }
  } else if (work.phase === 'gradInput') {
    const live = (n: number, c: number, y: number, x: number): boolean =>
      x >= 0 && x < s.width && (dense || !work.inputMask || work.inputMask[input(n, c, y, x)] === 1);
    for (let n = 0; n < s.batch; n++)
      for (let c = 0; c < s.channels; c++)
        for (let y = 0; y < s.height; y++) {
          const row: NaiveOperation[] = [];
          for (let f = Math.floor(c / C) * F; f < Math.floor(c / C) * F + F; f++)
            for (let r = 0; r < s.kernelHeight; r++)
              for (let oy = 0; oy < outHeight; oy++) {
                if (loaded(oy, r) !== y) continue;
                for (const piece of pieces)
                  row.push({
                    taps: piece.length,
                    cycles: operands(
                      outWidth,
                      (ox) =>
                        (dense || work.gradOutput!.codes[output(n, f, oy, ox)] !== 0) &&
                        piece.some((t) => live(n, c, y, ox * s.strideX + t * s.dilationX - s.padLeft)),
                    ),
                  });
              }
          rows.push(row);
        }
  } else {
    const columns = (width: number, stored: (x: number) => boolean): Int32Array =>
      Int32Array.from(Array.from({ length: width }, (_, x) => x).filter((x) => dense || stored(x)));
    const geometries = tapPieces(s, array.taps).map((p) => p.geometry);
    for (let f = 0; f < s.filters; f++)
      for (let c = Math.floor(f / F) * C; c < Math.floor(f / F) * C + C; c++)
        for (let r = 0; r < s.kernelHeight; r++) {
          const row: NaiveOperation[] = [];
          for (let n = 0; n < s.batch; n++)
            for (let oy = 0; oy < outHeight; oy++) {
              const y = loaded(oy, r);
              if (y < 0 || y >= s.height) continue;
              const xs = columns(s.width, (x) => work.activations!.codes[input(n, c, y, x)] !== 0);
              const gs = columns(outWidth, (x) => work.gradOutput!.codes[output(n, f, oy, x)] !== 0);
              for (const geometry of geometries)
                row.push({
                  taps: geometry.taps,
                  cycles: osrcCycles(xs, 0, xs.length, gs, 0, gs.length, geometry, array.ports),
                });
            }
          rows.push(row);
        }
  }
  return rows.filter((row) => row.length > 0);
}

interface Buffer {
  /** Cycle in which the PPU may begin; null while PEs still add to it. */
  ready: number | null;
  left: number;
}

/** Clocks rows through groups, PEs and buffers. @param width values per row; 0 where rows bypass the PPU */
export function naiveTimes(rows: NaiveOperation[][], array: NaiveArray, width: number): NaiveTimes {
  const times: NaiveTimes = { cycles: 0, pipelineCycles: 0, busy: 0, imbalance: 0, ppu: 0 };
  const groups = Array.from({ length: array.groups }, (_, g) => ({
    rows: 0,
    queue: array.dispatch === 'static' ? rows.filter((_row, i) => i % array.groups === g) : rows,
    pes: Array.from({ length: array.pesPerGroup }, () => ({ left: 0, operations: 0, waited: 0, blocked: 0 })),
    todo: [] as NaiveOperation[],
    running: false,
    buffers: [] as Buffer[],
  }));
  const shared = [...rows];
  for (const group of groups) group.queue = array.dispatch === 'static' ? [...group.queue] : shared;
  for (let t = 0; ; t++) {
    for (const group of groups)
      if (!group.running && group.buffers.length < 2 && group.queue.length > 0) {
        group.todo = [...group.queue.shift()!];
        group.running = true;
        group.rows++;
        if (width > 0) group.buffers.push({ ready: null, left: width });
      }
    const working = groups.some((group) => group.running || group.queue.length > 0);
    if (!working && groups.every((group) => group.buffers.length === 0)) break;
    if (working) times.cycles++;
    else times.pipelineCycles++;
    for (const group of groups) {
      const blocked = !group.running && group.queue.length > 0;
      for (const pe of group.pes) {
        if (pe.left === 0 && group.todo.length > 0) {
          pe.left = group.todo.shift()!.cycles;
          pe.operations++;
        }
        if (pe.left > 0) {
          pe.left--;
          times.busy++;
        } else if (blocked) pe.blocked++;
        else if (working) pe.waited++;
      }
      // The oldest buffer is drained; a row that ended in cycle t flushes in t + 1.
      const [head] = group.buffers;
      if (head && head.ready !== null && head.ready <= t && --head.left === 0) group.buffers.shift();
      if (group.running && group.todo.length === 0 && group.pes.every((pe) => pe.left === 0)) {
        group.running = false;
        if (width > 0) group.buffers.find((buffer) => buffer.ready === null)!.ready = t + 2;
      }
    }
  }
  for (const pe of groups.filter((group) => group.rows > 0).flatMap((group) => group.pes))
    if (pe.operations > 0) {
      times.imbalance += pe.waited;
      times.ppu += pe.blocked;
    }
  return times;
}
