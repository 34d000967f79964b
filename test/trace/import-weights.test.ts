/** Weights without recorded inputs: layouts, kinds, sizes, tables. */
import { describe, expect, it } from 'vitest';
import { looksDepthwise } from '../../src/trace/import/layout.js';
import type { Layout } from '../../src/trace/import/source.js';
import { npy, npz, ramp, safetensorsOf, useFolder, values, type NpyParts } from './support.js';

const folder = useFolder();
const input = '8x9';

/** Value of ramp() at a source index. */
const at = (shape: number[], index: number[]): number =>
  1 + index.reduce((flat, i, axis) => flat * shape[axis] + i, 0);

describe('layouts', () => {
  // For each layout: the source shape, and where canonical (o, i, y, x) lies in it.
  const [O, I, Y, X] = [2, 3, 4, 5];
  type Index = (o: number, i: number, y: number, x: number) => number[];
  const cases: [string, Layout, number[], Index][] = [
    ['2-D', 'oihw', [O, I, Y, X], (o, i, y, x) => [o, i, y, x]],
    ['2-D', 'hwio', [Y, X, I, O], (o, i, y, x) => [y, x, i, o]],
    ['2-D', 'ohwi', [O, Y, X, I], (o, i, y, x) => [o, y, x, i]],
    ['1-D', 'oihw', [O, I, X], (o, i, _, x) => [o, i, x]],
    ['1-D', 'hwio', [X, I, O], (o, i, _, x) => [x, i, o]],
    ['1-D', 'ohwi', [O, X, I], (o, i, _, x) => [o, x, i]],
    ['linear', 'oihw', [O, I], (o, i) => [o, i]],
    ['linear', 'hwio', [I, O], (o, i) => [i, o]],
    ['linear', 'ohwi', [O, I], (o, i) => [o, i]],
  ];
  it.each(cases)('reads %s weights in %s', async (kind, layout, shape, index) => {
    const size = kind === '1-D' ? { input: '9' } : kind === '2-D' ? { input } : {};
    const trace = await folder.import(folder.write('w.npz', npz({ w: ramp(shape) })), { layout, ...size });
    const [{ shape: s, tensors }] = trace.layers;
    const [height, width] = [kind === '2-D' ? Y : 1, kind === 'linear' ? 1 : X];
    expect(tensors.weight!.shape).toEqual([O, I, height, width]);
    expect(s).toMatchObject({
      op: kind === 'linear' ? 'linear' : 'conv',
      rank: kind === '1-D' ? 1 : 2,
      groups: 1,
      batch: 1,
    });
    const expected: number[] = [];
    for (let o = 0; o < O; o++)
      for (let i = 0; i < I; i++)
        for (let y = 0; y < height; y++)
          for (let x = 0; x < width; x++) expected.push(at(shape, index(o, i, y, x)));
    expect(values(trace.layers[0], 'weight')).toEqual(expected);
    if (kind === 'linear') expect(s).toMatchObject({ height: 1, width: 1, padLeft: 0 });
    else
      expect(s).toMatchObject({
        height: kind === '1-D' ? 1 : 8, width: 9, strideX: 1, strideY: 1, dilationX: 1, dilationY: 1,
        padTop: kind === '1-D' ? 0 : 1, padBottom: kind === '1-D' ? 0 : 1, padLeft: 2, padRight: 2,
      }); // prettier-ignore
  });

  it('takes the layout from the metadata, of the file or the tensor, unless told otherwise', async () => {
    const shape = [3, 5, 2, 4];
    const meta = { layout: 'HWIO', tensors: { b: { layout: 'ohwi' } } };
    const file = folder.write('w.npz', npz({ a: ramp(shape), b: ramp(shape) }, meta));
    const shapes = async (layout?: Layout) =>
      (await folder.import(file, { input, ...(layout ? { layout } : {}) })).layers.map(
        (l) => l.tensors.weight!.shape,
      );
    expect(await shapes()).toEqual([[4, 2, 3, 5], [3, 4, 5, 2]]); // prettier-ignore
    expect(await shapes('oihw')).toEqual([shape, shape]);
    await folder.refuses(folder.write('x.npz', npz({ a: ramp(shape) }, { layout: 'chwn' })), /layout "chwn"/);
  });
});

describe('depthwise convolutions', () => {
  it.each<[Layout, number[], boolean]>([
    ['hwio', [3, 3, 8, 1], true],
    ['hwio', [3, 3, 1, 1], false],
    ['hwio', [3, 3, 8, 2], false],
    ['oihw', [8, 1, 3, 3], true],
    ['oihw', [1, 1, 3, 3], false],
    ['oihw', [8, 2, 3, 3], false],
    ['ohwi', [1, 3, 3, 8], true],
    ['ohwi', [8, 3, 3, 1], false],
    ['oihw', [8, 1, 3], true],
    ['hwio', [3, 8, 1], true],
    ['ohwi', [1, 3, 8], true],
    ['oihw', [8, 1], false],
  ])('are told by %s shape %j: %s', async (layout, shape, depthwise) => {
    expect(looksDepthwise(shape, layout)).toBe(depthwise);
    if (shape.length < 3) return;
    const trace = await folder.import(folder.write('w.npz', npz({ w: ramp(shape) })), {
      layout,
      input: shape.length === 3 ? '9' : input,
    });
    const { groups, channels, filters } = trace.layers[0].shape;
    if (depthwise) expect([groups, channels, filters]).toEqual([8, 8, 8]);
    else expect(groups).toBe(1);
  });

  it('number their filters by channel, then multiplier, in hwio', async () => {
    const shape = [1, 2, 3, 2];
    const trace = await folder.import(folder.write('w.npz', npz({ w: ramp(shape) })), {
      layout: 'hwio',
      input,
      depthwise: '*',
    });
    expect(trace.layers[0].shape).toMatchObject({
      filters: 6,
      channels: 3,
      groups: 3,
      kernelHeight: 1,
      kernelWidth: 2,
    });
    // Filter 3 is channel 1, multiplier 1.
    expect(values(trace.layers[0], 'weight').slice(6, 8)).toEqual([
      at(shape, [0, 0, 1, 1]),
      at(shape, [0, 1, 1, 1]),
    ]);
  });

  it('are settled by op in the metadata, against their names and shapes', async () => {
    const meta = { tensors: { Conv2D: { op: 'DEPTHWISE_CONV_2D' }, head: { op: 'CONV_2D' } } };
    const file = folder.write('w.npz', npz({ Conv2D: ramp([1, 3, 3, 4]), head: ramp([1, 1, 1, 4]) }, meta));
    const trace = await folder.import(file, { layout: 'ohwi', input });
    expect(trace.layers.map((l) => [l.shape.filters, l.shape.groups])).toEqual([[4, 4], [1, 1]]); // prettier-ignore
    expect(values(trace.layers[0], 'weight').slice(0, 3)).toEqual([1, 5, 9]);
  });

  it('are settled by globs, which cross slashes, above metadata and shapes', async () => {
    const arrays = { 'a/b/dw': ramp([6, 1, 3, 3]), 'a/c': ramp([6, 1, 3, 3]) };
    const file = folder.write('w.npz', npz(arrays, { tensors: { 'a/b/dw': { op: 'conv' } } }));
    const groups = async (options: object) =>
      (await folder.import(file, { input, ...options })).layers.map((l) => l.shape.groups);
    expect(await groups({})).toEqual([1, 6]);
    expect(await groups({ depthwise: 'a*dw' })).toEqual([6, 6]);
    expect(await groups({ conv: 'a/*' })).toEqual([1, 1]);
    await folder.refuses(file, /fits --depthwise and --conv/, { input, conv: '*', depthwise: '*' });
  });

  it('are refused for weights that cannot be depthwise', async () => {
    const file = folder.write('w.npz', npz({ w: ramp([1, 3, 3, 16]) }));
    await folder.refuses(
      file,
      /\[1, 3, 3, 16\], expected weights of a depthwise layer in layout oihw; set --layout/,
      {
        input,
        depthwise: '*',
      },
    );
  });
});

describe('--input and --layers', () => {
  const arrays = {
    'net/c1': ramp([4, 2, 3, 3]),
    'net/c2': ramp([4, 2, 3, 3]),
    t: ramp([2, 4, 5]),
    fc: ramp([3, 2]),
  };
  const table = (...rows: string[]) => folder.write('l.csv', rows.join('\n'));

  it('gives what the table says, exact names before globs, defaults for empty cells', async () => {
    const file = folder.write('w.npz', npz(arrays));
    const layers = table(
      'name,op,input,stride,padding,dilation,groups',
      '"net/*",,7x8,2x1,1:2:3:4,2,',
      'net/c2,conv,6x6,2,,,2',
      't,,1x20,3,4:0,2,',
    );
    const trace = await folder.import(file, { layers, input: '30x30' });
    const [c1, c2, t, fc] = trace.layers.map((layer) => layer.shape);
    expect(c1).toMatchObject({ height: 7, width: 8, strideY: 2, strideX: 1, padTop: 1, padBottom: 2, padLeft: 3, padRight: 4, dilationY: 2, dilationX: 2, groups: 1 }); // prettier-ignore
    expect(c2).toMatchObject({ height: 6, width: 6, strideY: 2, strideX: 2, padTop: 1, padRight: 1, dilationX: 1, groups: 2, channels: 4 }); // prettier-ignore
    expect(t).toMatchObject({ rank: 1, height: 1, width: 20, strideY: 1, strideX: 3, padTop: 0, padLeft: 4, padRight: 0, dilationY: 1, dilationX: 2 }); // prettier-ignore
    expect(fc).toMatchObject({ op: 'linear', height: 1 });
  });

  it('takes columns in any order, quotes, CRLF and a byte-order mark', async () => {
    const file = folder.write('w.npz', npz({ 'a,b': ramp([4, 2, 3, 3]) }));
    const layers = table('\ufeffinput,name\r', '5x6,"a,b"\r', '');
    expect((await folder.import(file, { layers })).layers[0].shape).toMatchObject({ height: 5, width: 6 });
  });

  it('can make a matrix a 1x1 convolution', async () => {
    const file = folder.write('w.npz', npz({ fc: ramp([3, 2]) }));
    const trace = await folder.import(file, { layers: table('name,op,input', 'fc,conv,4x4') });
    expect(trace.layers[0].shape).toMatchObject({ op: 'conv', height: 4, kernelWidth: 1, channels: 2 });
  });

  it.each<[string, string[], RegExp]>([
    ['an unknown column', ['name,colour', 'fc,red'], /l\.csv: line 1: found column "colour"/],
    ['no name column', ['op', 'conv'], /no column "name"/],
    ['a column twice', ['name,op,op', 'fc,,'], /a column twice/],
    ['no rows at all', [''], /found no rows/],
    ['too many cells', ['name,op', 'fc,linear,1'], /line 2: found 3 cells/],
    ['a row without a name', ['name,op', ',conv'], /line 2: found no name/],
    ['an unknown op', ['name,op', 'fc,lstm'], /op "lstm", expected conv, depthwise, linear/],
    ['a bad input', ['name,input', 't,0x3'], /input "0x3"/],
    ['a bad stride', ['name,stride', 't,0'], /stride "0"/],
    ['a bad padding', ['name,padding', 't,1:2:3'], /padding "1:2:3"/],
    ['a bad dilation', ['name,dilation', 't,1.5'], /dilation "1\.5"/],
    ['bad groups', ['name,groups', 't,-1'], /groups "-1"/],
    ['a name that fits no layer', ['name,groups', 'ct,1'], /line 2: found name "ct", which fits no layer/],
    ['a two-dimensional size for one dimension', ['name,input', 't,3x4'], /layer "t".*input 3x4.*1xW/],
    ['groups that contradict the filters', ['name,input,groups', 't,20,3'], /layer "t".*cannot be cut/],
    [
      'a kernel that does not fit',
      ['name,input,padding', 't,2,0'],
      /does not fit the padded input 1x2.*--layers/,
    ],
  ])('refuses %s', async (_, rows, pattern) => {
    const file = folder.write('w.npz', npz({ t: ramp([2, 4, 5]), fc: ramp([3, 2]) }));
    await folder.refuses(file, pattern, { layers: table(...rows), input: '40' });
  });

  it('needs a size for convolutions, not for linear layers', async () => {
    await folder.refuses(
      folder.write('w.npz', npz(arrays)),
      /layer "net\/c1".*give --input HxW, or the layer in a --layers/,
    );
    expect((await folder.import(folder.write('fc.npz', npz({ fc: ramp([3, 2]) })))).layers).toHaveLength(1);
    await folder.refuses(folder.write('w.npz', npz(arrays)), /--input: found "big"/, { input: 'big' });
  });
});

describe('numeric formats', () => {
  it('turns a min into a zero point and keeps it, and takes a zero point as it is', async () => {
    const codes: NpyParts = { shape: [1, 2], data: Uint8Array.of(0, 255) };
    const meta = {
      tensors: {
        a: { quant: { scale: 0.5, min: -2 } },
        b: { quant: { scale: 0.25, zero_point: 7 } },
        c: { quant: null },
      },
    };
    const trace = await folder.import(folder.write('w.npz', npz({ a: codes, b: codes, c: codes }, meta)));
    expect(trace.layers.map((l) => l.read('weight').affine)).toEqual([
      { scale: 0.5, zeroPoint: 4, min: -2 },
      { scale: 0.25, zeroPoint: 7 },
      undefined,
    ]);
  });

  it('reads bfloat16 and float16 of foreign safetensors, and keeps them', async () => {
    const file = folder.write(
      'm.safetensors',
      safetensorsOf(
        {
          'l.0.weight': { dtype: 'BF16', shape: [1, 3], data: Uint16Array.of(0x3f80, 0xc049, 0x0001) },
          'l.0.bias': { dtype: 'F16', shape: [1], data: Uint16Array.of(0x3555) },
          'norm.weight': { dtype: 'F32', shape: [4], data: new Float32Array(4) },
          steps: { dtype: 'I64', shape: [], data: BigInt64Array.of(9n) },
          'l.1.weight': { dtype: 'F64', shape: [1, 1], data: Float64Array.of(0.1) },
        },
        { format: 'pt' },
      ),
    );
    const trace = await folder.import(file, { licence: 'MIT', network: 'm', source: 'here' });
    expect(trace).toMatchObject({
      licence: 'MIT',
      network: 'm',
      source: 'here',
      provenance: { format: 'pt' },
    });
    expect(trace.layers.map((l) => l.name)).toEqual(['l.0', 'l.1']);
    expect(trace.layers[0].read('weight')).toMatchObject({ dtype: 'bfloat16' });
    expect(values(trace.layers[0], 'weight')).toEqual([1, -3.140625, Math.fround(9.183549615799121e-41)]);
    expect(values(trace.layers[0], 'bias')).toEqual([0.333251953125]);
  });

  it.each(['I64', 'I32', 'BOOL', 'F8_E4M3', 'X9'])('refuses weights of dtype %s', async (dtype) => {
    const size = { I64: 8, I32: 4 }[dtype] ?? 1;
    const file = folder.write(
      'm.safetensors',
      safetensorsOf({ w: { dtype, shape: [1, 2], data: new Uint8Array(2 * size) } }),
    );
    await folder.refuses(file, /tensor "w": found dtype/);
  });

  it('copies a canonical trace, with a new description', async () => {
    await folder.import(folder.write('w.npz', npz({ fc: ramp([3, 2]) })));
    const { importTrace } = await import('../../src/trace/import/import.js');
    await importTrace(folder.path('imported.safetensors'), folder.path('copy.safetensors'), {
      licence: 'CC0',
    });
    const copy = folder.open(folder.path('copy.safetensors'));
    expect(copy.licence).toBe('CC0');
    expect(values(copy.layers[0], 'weight')).toEqual([1, 2, 3, 4, 5, 6]);
    expect(copy.origin?.name).toBe('w.npz');
  });
});

it('names what a bare list of one array is called, and refuses to guess', async () => {
  const trace = await folder.import(folder.write('conv.npy', npy(ramp([2, 2, 3, 3]))), { input });
  expect(trace.layers[0].name).toBe('conv');
  expect(trace.network).toBe('conv');
  const same = { 'a/weight': ramp([2, 2]), 'a.weight': ramp([2, 2]) };
  await folder.refuses(folder.write('w.npz', npz(same)), /a second weight of layer "a"/);
});
