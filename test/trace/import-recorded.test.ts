/** Recorded layers: training archives, DNNsim folders, and synthetic values for SCALE-Sim topologies. */
import { describe, expect, it } from 'vitest';
import { npy, npz, ramp, useFolder, values, type NpyParts } from './support.js';

const folder = useFolder();
const f32 = (shape: number[], ...data: number[]): NpyParts => ({ shape, data: Float32Array.from(data) });

describe('a recorded archive', () => {
  const meta = (layer: object) => ({ dataset: 'D', layers: [{ name: 'a', ...layer }] });

  it('takes geometry, post-ReLU and provenance from the metadata, layers in its order', async () => {
    const arrays = {
      'z/weight': ramp([2, 3]),
      'a/weight': ramp([4, 1, 3, 2]),
      'a/input': ramp([2, 2, 5, 6]),
      'a/grad_output': ramp([2, 4, 3, 7]),
      'a/grad_weight': ramp([4, 1, 3, 2]),
      'a/grad_weight_batch': ramp([4, 1, 3, 2]),
      'a/bias': ramp([4]),
      'a/input_mask': { shape: [2, 2, 5, 6], data: new Uint8Array(120).fill(1) },
    };
    const about = { dataset: 'D', network: 'n', step: 7, eval: { accuracy: 0.5 } };
    const layers = [
      { name: 'a', kind: 'conv2d', stride: [2, 1], padding: [1, 2, 0, 3], dilation: [1, 2], groups: 2, input_is_post_relu: true },
      { name: 'z', kind: 'linear' },
    ]; // prettier-ignore
    const trace = await folder.import(folder.write('w.npz', npz(arrays, { ...about, layers })));
    expect(trace.source).toBe('recorded while training on D');
    expect(trace.provenance).toEqual({ dataset: 'D', step: 7, eval: { accuracy: 0.5 } });
    expect(trace.layers.map((l) => l.name)).toEqual(['a', 'z']);
    const [a] = trace.layers;
    expect(a.postRelu).toBe(true);
    expect(a.shape).toEqual({
      op: 'conv', rank: 2, batch: 2, channels: 2, height: 5, width: 6, filters: 4, kernelHeight: 3, kernelWidth: 2,
      strideY: 2, strideX: 1, padTop: 1, padBottom: 2, padLeft: 0, padRight: 3, dilationY: 1, dilationX: 2, groups: 2,
    }); // prettier-ignore
    expect(Object.keys(a.tensors).sort()).toEqual(
      ['bias', 'grad_output', 'grad_weight', 'input', 'input_mask', 'weight'],
    ); // prettier-ignore
    expect(a.tensors.bias!.shape).toEqual([4]);
    expect(values(a, 'input')).toEqual(Array.from({ length: 120 }, (_, i) => i + 1));
  });

  it('strips stored padding to padding per side', async () => {
    const arrays = {
      'a/weight': ramp([1, 1, 3]),
      'a/input': f32([1, 1, 7], 0, 0, 1, 2, 3, 4, 0),
      'a/input_mask': { shape: [1, 1, 7], data: Uint8Array.of(0, 0, 1, 1, 1, 1, 0) },
      'a/grad_input': f32([1, 1, 7], 9, 9, 5, 6, 7, 8, 9),
      'a/grad_output': ramp([1, 1, 3]),
    };
    const layer = {
      kind: 'conv1d',
      stride: [1],
      padding: [0],
      dilation: [2],
      groups: 1,
      external_padding: [2, 1],
    };
    const trace = await folder.import(folder.write('w.npz', npz(arrays, meta(layer))));
    const [a] = trace.layers;
    expect(a.shape).toMatchObject({
      rank: 1,
      width: 4,
      padLeft: 2,
      padRight: 1,
      padTop: 0,
      dilationX: 2,
      dilationY: 1,
    });
    expect(values(a, 'input')).toEqual([1, 2, 3, 4]);
    expect(values(a, 'input_mask')).toEqual([1, 1, 1, 1]);
    expect(values(a, 'grad_input')).toEqual([5, 6, 7, 8]);
    const wrong = { ...arrays, 'a/input': f32([1, 1, 7], 0, 5, 1, 2, 3, 4, 0) };
    await folder.refuses(
      folder.write('w.npz', npz(wrong, meta(layer))),
      /layer "a", member "a\/input\.npy": found 5 in the padding \(element 1, x = 1\).*external_padding/,
    );
  });

  it('finds groups from the channels of the input, and one channel per filter is then no guess', async () => {
    const arrays = {
      'a/weight': ramp([4, 1, 1, 1]),
      'a/input': ramp([1, 1, 2, 2]),
      'b/weight': ramp([4, 2, 1, 1]),
      'b/input': ramp([1, 4, 2, 2]),
    };
    const trace = await folder.import(folder.write('w.npz', npz(arrays)));
    expect(trace.layers.map((l) => [l.shape.groups, l.shape.channels])).toEqual([[1, 1], [2, 4]]); // prettier-ignore
  });

  it('knows depthwise weights with channels last beside their input, and a multiplier that contradicts it', async () => {
    const arrays = { 'a/weight': ramp([1, 2, 4, 1]), 'a/input': ramp([1, 3, 3, 4]) };
    const layers = folder.write('l.csv', 'name,padding\na,0');
    const file = folder.write('w.npz', npz(arrays));
    const [a] = (await folder.import(file, { layout: 'hwio', layers })).layers;
    expect(a.shape).toMatchObject({ channels: 4, groups: 4, filters: 4, kernelWidth: 2, height: 3 });
    expect(values(a, 'weight')).toEqual([1, 5, 2, 6, 3, 7, 4, 8]);
    const wrong = { 'a/weight': ramp([1, 1, 4, 2]), 'a/input': ramp([1, 3, 3, 8]) };
    await folder.refuses(folder.write('w.npz', npz(wrong)), /8 channels, 1 per filter and 4 groups/, {
      layout: 'hwio',
      depthwise: '*',
    });
  });

  it('reads linear layers, flattening what follows the examples', async () => {
    const arrays = {
      'a/weight': ramp([2, 12]),
      'a/input': ramp([3, 3, 2, 2]),
      'a/grad_output': ramp([3, 2]),
    };
    const [a] = (await folder.import(folder.write('w.npz', npz(arrays)))).layers;
    expect(a.shape).toMatchObject({ op: 'linear', batch: 3, channels: 12, filters: 2, height: 1, width: 1 });
    expect(a.tensors.input!.shape).toEqual([3, 12, 1, 1]);
    expect(values(a, 'input')[13]).toBe(14);
  });

  it.each(['hwio', 'ohwi'] as const)('reads activations with channels last under %s', async (layout) => {
    const weight = layout === 'hwio' ? [1, 1, 2, 3] : [3, 1, 1, 2];
    const arrays = {
      'a/weight': ramp(weight),
      'a/input': ramp([1, 4, 5, 2]),
      'a/grad_output': ramp([1, 4, 5, 3]),
    };
    const [a] = (await folder.import(folder.write('w.npz', npz(arrays)), { layout })).layers;
    expect(a.tensors.input!.shape).toEqual([1, 2, 4, 5]);
    expect(a.tensors.grad_output!.shape).toEqual([1, 3, 4, 5]);
    expect(values(a, 'input').slice(0, 3)).toEqual([1, 3, 5]);
  });

  it.each<[string, Record<string, NpyParts>, object | undefined, RegExp]>([
    ['an input without weights', { 'a/input': ramp([1, 2]) }, undefined, /layer "a": found input but no weight/],
    ['channels that do not fit', { 'a/weight': ramp([2, 3, 1, 1]), 'a/input': ramp([1, 4, 5, 5]) }, undefined, /layer "a".*multiple of 3 channels/],
    ['an output that contradicts the stride', { 'a/weight': ramp([1, 1, 1, 1]), 'a/input': ramp([1, 1, 4, 4]), 'a/grad_output': ramp([1, 1, 2, 2]) }, undefined, /grad_output of shape \[1, 1, 2, 2\], expected \[1, 1, 4, 4\]/],
    ['a bias of another length', { 'a/weight': ramp([2, 3]), 'a/bias': ramp([3]) }, undefined, /bias of shape \[3\], expected \[2\]/],
    ['an empty input', { 'a/weight': ramp([2, 3]), 'a/input': ramp([0, 3]) }, undefined, /"a\/input\.npy": found an empty tensor/],
    ['NaN in an input', { 'a/weight': ramp([1, 1]), 'a/input': f32([1, 1], NaN) }, undefined, /layer "a", member "a\/input\.npy" at \[0,0,0,0\].*NaN/],
    ['a listed layer that is absent', { 'b/weight': ramp([1, 1]) }, meta({ kind: 'linear' }), /meta\.json, layer "a": found no tensors/],
    ['a kind that is none of ours', { 'a/weight': ramp([1, 1]) }, meta({ kind: 'lstm' }), /kind "lstm"/],
    ['a transposed convolution', { 'a/weight': ramp([1, 1, 3, 3]) }, meta({ kind: 'TRANSPOSE_CONV' }), /kind "TRANSPOSE_CONV"/],
    ['a stride of three numbers', { 'a/weight': ramp([1, 1, 1, 1]) }, meta({ kind: 'conv2d', stride: [1, 1, 1] }), /stride \[1,1,1\]/],
    ['external padding in two dimensions', { 'a/weight': ramp([1, 1, 1, 1]) }, meta({ kind: 'conv2d', external_padding: [1, 1] }), /external_padding \[1,1\]/],
  ])('refuses %s', async (_, arrays, about, pattern) => {
    await folder.refuses(folder.write('w.npz', npz(arrays, about)), pattern);
  }); // prettier-ignore
});

describe('a DNNsim folder', () => {
  const write = (files: Record<string, Uint8Array | string>): string => {
    for (const [name, content] of Object.entries(files)) folder.write(`net/${name}`, content);
    return folder.path('net');
  };

  it('swaps width and height, finds groups, flattens, and maps slashes to dashes', async () => {
    const source = write({
      'model.csv': 'block/conv1,conv,2,1\nfc1,fc,1,0\nfc2,fc,1,0,\n',
      'wgt-block-conv1.npy': npy(ramp([4, 1, 2, 3])),
      'act-block-conv1-0.npy': npy(ramp([1, 2, 5, 7])),
      'wgt-fc1.npy': npy(ramp([2, 12])),
      'act-fc1-0.npy': npy(ramp([1, 3, 2, 2])),
      'wgt-fc2.npy': npy(ramp([2, 3, 1, 1])),
      'act-fc2-0.npy': npy(ramp([4, 3])),
    });
    const trace = await folder.import(source);
    const [conv, fc1, fc2] = trace.layers;
    expect(trace.network).toBe('net');
    expect(conv.name).toBe('block/conv1');
    expect(conv.shape).toMatchObject({
      channels: 2, groups: 2, filters: 4, kernelHeight: 3, kernelWidth: 2, height: 7, width: 5,
      strideX: 2, strideY: 2, padTop: 1, padRight: 1,
    }); // prettier-ignore
    // (k, c, x, y) holds x of the width: the first row of the kernel is y = 0, x = 0 and 1.
    expect(values(conv, 'weight').slice(0, 6)).toEqual([1, 4, 2, 5, 3, 6]);
    expect(values(conv, 'input').slice(0, 5)).toEqual([1, 8, 15, 22, 29]);
    expect(fc1.shape).toMatchObject({ op: 'linear', channels: 12, filters: 2 });
    expect(values(fc1, 'input')).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));
    expect(fc2.shape).toMatchObject({ op: 'linear', batch: 4, channels: 3 });
  });

  it('takes integral floats as codes with --integers, one width per kind', async () => {
    const source = write({
      'model.csv': 'a,fc,1,0\nb,fc,1,0\n',
      'wgt-a.npy': npy(f32([1, 2], -3, 5)),
      'act-a-0.npy': npy(f32([1, 2], 0, 255)),
      'wgt-b.npy': npy(f32([1, 2], 200, 1)),
      'act-b-0.npy': npy(f32([1, 2], 7, 1)),
    });
    const trace = await folder.import(source, { integers: true });
    expect(trace.layers.map((l) => [l.tensors.weight!.dtype, l.tensors.input!.dtype])).toEqual([
      ['int16', 'uint8'],
      ['int16', 'uint8'],
    ]);
  });

  it('asks for a size where activations are missing, and takes it', async () => {
    const source = write({ 'model.csv': 'a,conv,2,1\n', 'wgt-a.npy': npy(ramp([2, 2, 3, 3])) });
    await folder.refuses(source, /layer "a".*--input HxW/);
    const [a] = (await folder.import(source, { input: '8x8' })).layers;
    expect(a.shape).toMatchObject({ height: 8, strideX: 2, padLeft: 1 });
  });

  it.each<[string, string, RegExp]>([
    ['missing weights', 'b,conv,1,0', /wgt-b\.npy: no such file/],
    ['another kind', 'a,lstm,1,0', /model\.csv: line 1: found kind "lstm"/],
    ['a missing cell', 'a,conv,1', /line 1: found 3 cells/],
    ['a stride of 0', 'a,conv,0,1', /stride "0"/],
    ['a pad that is no number', 'a,conv,1,same', /pad "same"/],
    ['a layer twice', 'a,conv,1,0\na,conv,1,0', /line 2: found layer "a" again/],
    ['an empty list', '', /no layer weights/],
  ])('refuses %s', async (_, model, pattern) => {
    await folder.refuses(write({ 'model.csv': model, 'wgt-a.npy': npy(ramp([1, 1, 1, 1])) }), pattern);
  });

  it('refuses its list in place of the folder', async () => {
    const source = write({ 'model.csv': 'a,conv,1,1' });
    await folder.refuses(`${source}/model.csv`, /name the folder/);
  });
});

describe('a SCALE-Sim topology', () => {
  const head =
    'Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,\n';
  const rows = 'Conv1, 30, 32, 3, 3, 8, 16, 2,\nDW, 16, 16, 3, 3, 16, 1, 1,\nFC, 1, 1, 1, 1, 256, 10, 1,\n';
  const topology = () => folder.write('net.csv', head + rows);

  it('becomes layers without padding, with seeded values', async () => {
    const trace = await folder.import(topology(), { seed: 7, depthwise: 'DW*' });
    const [conv, dw, fc] = trace.layers;
    expect(conv.shape).toMatchObject({ height: 30, width: 32, kernelWidth: 3, channels: 8, filters: 16, strideX: 2, padTop: 0, groups: 1 }); // prettier-ignore
    expect(dw.shape).toMatchObject({ channels: 16, filters: 16, groups: 16 });
    expect(fc.shape).toMatchObject({ op: 'linear', channels: 256, filters: 10 });
    expect(trace).toMatchObject({ network: 'net', provenance: { synthetic: true, seed: 7 } });
    const weight = values(conv, 'weight');
    const variance = weight.reduce((sum, w) => sum + w * w, 0) / weight.length;
    expect(Math.abs(variance * 36 - 1)).toBeLessThan(0.15);
    const input = values(conv, 'input');
    expect(Math.min(...input)).toBe(0);
    expect(Math.abs(input.filter((x) => x === 0).length / input.length - 0.5)).toBeLessThan(0.02);
  });

  it('gives the same bytes for the same seed, others for another', async () => {
    const hash = async (seed: number) =>
      (await folder.import(topology(), { seed })).layers[0].read('weight').data[0];
    expect(await hash(1)).toBe(await hash(1));
    expect(await hash(1)).not.toBe(await hash(2));
  });

  it.each<[string, string, RegExp]>([
    ['an empty file', '', /line 1: found an empty file/],
    ['no header', rows, /line 1: found a first row of 8 cells/],
    ['a header of another format', `Layer, M, N, K,\n${rows}`, /line 1: found a first row of 4 cells/],
    ['no layers', head, /no layers/],
    ['a missing cell', `${head}a,1,1,1,1,1,1,\n`, /line 2: found 7 cells, expected 8/],
    ['a size that is no number', `${head}a,x,1,1,1,1,1,1,\n`, /line 2: found IFMAP Height "x"/],
    ['a size of 0', `${head}a,1,1,1,1,0,1,1,\n`, /found Channels "0"/],
    ['a layer twice', `${head}a,1,1,1,1,1,1,1,\na,1,1,1,1,1,1,1,\n`, /line 3: found layer "a" again/],
    ['a kernel that does not fit', `${head}a,2,2,3,3,1,1,1,\n`, /kernel 3x3 .*does not fit/],
    [
      'absurd sizes',
      `${head}a,99999999,99999999,1,1,999,1,1,\n`,
      /layer "a", input: found shape.*at most 4294967295/,
    ],
  ])('refuses %s', async (_, text, pattern) => {
    await folder.refuses(folder.write('net.csv', text), pattern);
  });
});
