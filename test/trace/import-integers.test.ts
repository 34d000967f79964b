/** `--integers`: which tensors are codes, how wide they are, and what is refused. */
import { describe, expect, it } from 'vitest';
import { importTrace } from '../../src/trace/import/import.js';
import { openTrace } from '../../src/trace/open.js';
import { npz, useFolder, values } from './support.js';

const folder = useFolder();

describe('--integers', () => {
  const layer = (weight: ArrayBufferView, input: ArrayBufferView) => ({
    'fc/weight': { shape: [1, 2], data: weight },
    'fc/input': { shape: [1, 2], data: input },
  });
  const f = (...x: number[]) => Float32Array.of(...x);
  it.each<[string, ArrayBufferView, ArrayBufferView, object, string, string]>([
    ['the narrowest that fits', f(-127, 127), f(0, 255), {}, 'int8', 'uint8'],
    ['16 bits for weights beyond 8', f(-129, 1), f(0, 1), {}, 'int16', 'uint8'],
    ['16 bits for inputs beyond 8', f(-1, 1), f(0, 256), {}, 'int8', 'uint16'],
    ['signed inputs where one is negative', f(1, 2), f(-1, 127), {}, 'int8', 'int8'],
    ['signed inputs that need 16 bits', f(1, 2), f(-1, 128), {}, 'int8', 'int16'],
    ['the width that is asked for', f(1, 2), f(3, 4), { codeBits: 16 }, 'int16', 'uint16'],
    [
      'the width that is asked for, of stored codes too',
      Int16Array.of(-1, 1),
      Int16Array.of(0, 200),
      { codeBits: 8 },
      'int8',
      'uint8',
    ],
    ['wide integers too', Int32Array.of(-5, 5), BigInt64Array.of(0n, 300n), {}, 'int8', 'uint16'],
  ])('takes %s', async (_, weight, input, options, weightType, inputType) => {
    const trace = await folder.import(folder.write('w.npz', npz(layer(weight, input))), {
      integers: true,
      ...options,
    });
    expect(trace.layers[0].tensors.weight!.dtype).toBe(weightType);
    expect(trace.layers[0].tensors.input!.dtype).toBe(inputType);
    expect(values(trace.layers[0], 'weight')).toEqual([...(weight as Float32Array)].map(Number));
    expect(values(trace.layers[0], 'input')).toEqual([...(input as Float32Array)].map(Number));
  });

  it('keeps weights with fractions beside codes, and says so', async () => {
    const source = folder.write('w.npz', npz(layer(f(1, 0.5), f(0, 200))));
    const { notes } = await importTrace(source, folder.path('out.safetensors'), { integers: true });
    expect(notes.join()).toMatch(/weight\.npy".*element 1 is 0\.5/);
    const trace = openTrace(folder.path('out.safetensors'));
    expect(trace.layers[0].tensors).toMatchObject({
      weight: { dtype: 'float32' },
      input: { dtype: 'uint8' },
    });
    trace.close();
  });

  it('leaves stored codes and floats without the option as they are', async () => {
    const stored = await folder.import(
      folder.write('w.npz', npz(layer(Int16Array.of(1, 2), Uint8Array.of(1, 2)))),
      { integers: true },
    );
    expect(stored.layers[0].tensors).toMatchObject({ weight: { dtype: 'int16' }, input: { dtype: 'uint8' } });
    const floats = await folder.import(folder.write('w.npz', npz(layer(f(1, 2), f(1, 2)))));
    expect(floats.layers[0].tensors.weight!.dtype).toBe('float32');
  });

  it.each<[string, ArrayBufferView, ArrayBufferView, object, RegExp]>([
    ['fractions everywhere', f(1, 0.5), f(0.5, 1), {}, /weight\.npy", element 1: found 0\.5, expected whole/],
    ['NaN', f(1, NaN), f(0, 1), {}, /found NaN/],
    ['weights beyond 16 bits', f(1, 32768), f(0, 1), {}, /found 32768, expected int16 codes/],
    ['inputs beyond 16 bits', f(1, 2), f(0, 65536), {}, /input\.npy", element 1: found 65536/],
    [
      'codes beyond the width asked for',
      f(1, 128),
      f(0, 1),
      { codeBits: 8 },
      /found 128, expected int8.*--code-bits 16/,
    ],
  ])('refuses %s', async (_, weight, input, options, pattern) => {
    await folder.refuses(folder.write('w.npz', npz(layer(weight, input))), pattern, {
      integers: true,
      ...options,
    });
  });
});
