import { describe, expect, it } from 'vitest';
import { openTrace } from '../../src/trace/open.js';
import { concat, expectUserError, raw, safetensors, safetensorsOf, thrown, useFolder } from './support.js';

const folder = useFolder();

const layer = {
  name: 'a',
  op: 'conv',
  rank: 2,
  shape: { batch: 1, channels: 1, height: 3, width: 3, filters: 2, kernelHeight: 1, kernelWidth: 1 },
  stride: [1, 1],
  padding: { top: 0, bottom: 0, left: 0, right: 0 },
  dilation: [1, 1],
  groups: 1,
  postRelu: false,
  tensors: { weight: { dtype: 'float32' } },
};
const about = { formatVersion: 1, network: 'n', source: 's', licence: 'l', origin: null, provenance: {} };
const metadata = (layers: object[] = [layer], more: object = {}) => ({
  kneadsim: JSON.stringify({ ...about, layers, ...more }),
});
const weight = { dtype: 'F32', shape: [2, 1, 1, 1], data: Float32Array.of(1, 2) };
const entry = (offsets: number[], shape = [2, 1, 1, 1], dtype = 'F32') => ({
  dtype,
  shape,
  data_offsets: offsets,
});
const eight = new Uint8Array(8);

/** The file must be refused when it is opened, within a memory far below what it claims. */
function refused(content: Uint8Array, pattern: RegExp): void {
  const file = folder.write('bad.safetensors', content);
  const error = thrown(() => openTrace(file));
  expectUserError(error, pattern);
  expect((error as Error).message).toContain(file);
}

describe('a container that is no sound safetensors file', () => {
  const good = safetensorsOf({ 'a/weight': weight }, metadata());

  it('is refused, but a sound one opens', () => {
    expect(folder.open(folder.write('ok.safetensors', good)).layers[0].read('weight').data).toEqual(
      weight.data,
    );
  });

  it.each<[string, Uint8Array, RegExp]>([
    ['an empty file', new Uint8Array(0), /found 0 bytes/],
    ['seven bytes', new Uint8Array(7), /found 7 bytes/],
    ['another magic', concat(new Uint8Array([0x93, 0x4e]), eight, eight), /header length/],
    ['a header longer than the file', safetensors('{}', eight, 1000n), /found 1000 bytes, expected 2 to 10/],
    ['a header of 2^63 bytes', safetensors('{}', eight, 2n ** 63n), /found 9223372036854775808 bytes/],
    ['a header of no bytes', safetensors('', eight, 0n), /header length: found 0/],
    ['a header that is no JSON', safetensors('{"a', eight), /found text beginning/],
    ['a header that is no UTF-8', concat(safetensors('', eight, 2n), eight).fill(0xff, 8, 10), /not UTF-8/],
    ['a header that is a list', safetensors('[1]', eight), /not an object/],
    ['a header of null', safetensors('null', eight), /not an object/],
    ['an entry without a shape', safetensors('{"t":{"dtype":"F32"}}', eight), /"t": found a bad shape/],
    ['an entry of null', safetensors('{"t":null}', eight), /"t": found a bad entry/],
    ['a negative size', safetensors({ t: entry([0, 8], [-2]) }, eight), /bad shape/],
    ['a fractional offset', safetensors({ t: entry([0, 7.5]) }, eight), /bad data_offsets/],
    [
      'offsets outside the file',
      safetensors({ t: entry([0, 16]) }, eight),
      /offsets 0 to 16.*within 8 bytes/,
    ],
    [
      'offsets of 2^52',
      safetensors({ t: entry([0, 2 ** 52], [2 ** 50]) }, eight),
      /offsets 0 to 4503599627370496/,
    ],
    ['offsets the wrong way round', safetensors({ t: entry([8, 0]) }, eight), /offsets 8 to 0/],
    [
      'a shape of another size',
      safetensors({ t: entry([0, 8], [3]) }, eight),
      /found 8 bytes of data, expected 12/,
    ],
    [
      'a shape of 2^80 elements',
      safetensors({ t: entry([0, 8], [2 ** 40, 2 ** 40]) }, eight),
      /found 8 bytes/,
    ],
    [
      'overlapping tensors',
      safetensors({ t: entry([0, 8]), u: entry([4, 8], [1]) }, eight),
      /"u": found data at offset 4, overlapping tensor "t", expected offset 8/,
    ],
    ['a hole', safetensors({ t: entry([4, 8], [1]) }, eight), /offset 4, with a hole after the header/],
    [
      'bytes that belong to nothing',
      safetensors({ t: entry([0, 4], [1]) }, eight),
      /the file was extended or cut/,
    ],
    [
      'a name twice',
      safetensors(
        `{"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"\\u0074":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`,
        eight,
      ),
      /tensor "t": found the name twice/,
    ],
    ['metadata that is no map', safetensors('{"__metadata__":{"a":1}}', new Uint8Array(0)), /__metadata__/],
  ])('refuses %s', (_, content, pattern) => refused(content, pattern));

  it('refuses every truncation and extension', () => {
    for (let length = 0; length < good.length; length++) refused(good.subarray(0, length), /found/);
    refused(concat(good, new Uint8Array(1)), /found/);
  });

  it('never does worse than refuse when any one byte is changed', () => {
    for (let at = 0; at < good.length - 8; at++) {
      const bad = good.slice();
      bad[at] ^= 1 << (at % 8);
      const file = folder.write('bad.safetensors', bad);
      const error = thrown(() => {
        const trace = openTrace(file);
        trace.layers[0].read('weight');
        trace.close();
      });
      if (error !== undefined) expectUserError(error, /found/);
    }
  });
});

describe('a safetensors file that is no canonical trace', () => {
  const file = (meta: object, tensors: object = { 'a/weight': weight }) =>
    safetensorsOf(tensors as Parameters<typeof safetensorsOf>[0], meta);
  const changed = (change: object) => metadata([{ ...layer, ...change }]);
  const shaped = (change: object) => changed({ shape: { ...layer.shape, ...change } });

  it.each<[string, Uint8Array, RegExp]>([
    ['no metadata', safetensorsOf({ 'a/weight': weight }), /no key "kneadsim".*trace import/],
    ['metadata that are no JSON', file({ kneadsim: '{' }), /not JSON/],
    ['metadata of null', file({ kneadsim: 'null' }), /formatVersion: found none/],
    ['another version', file(metadata([layer], { formatVersion: 2 })), /formatVersion: found 2, expected 1/],
    ['no layers', file(metadata([])), /metadata layers/],
    ['an unknown field', file(changed({ colour: 1 })), /metadata layers\.0.*colour/],
    [
      'an unknown role',
      file(changed({ tensors: { weight: { dtype: 'float32' }, guess: {} } })),
      /metadata layers/,
    ],
    ['an unknown dtype', file(changed({ tensors: { weight: { dtype: 'int4' } } })), /tensors\.weight\.dtype/],
    ['a layer without weights', file(changed({ tensors: {} })), /layer "a": found no weight/],
    ['a layer twice', file(metadata([layer, layer])), /layer "a": found the name twice/],
    ['a size of zero', file(shaped({ channels: 0 })), /shape\.channels/],
    ['a size of 10^300', file(shaped({ channels: 1e300 })), /shape\.channels/],
    ['groups that do not divide', file(changed({ groups: 2 })), /layer "a".*cannot be cut into 2 groups/],
    ['a kernel that does not fit', file(shaped({ kernelWidth: 4 })), /does not fit the padded input 3x3/],
    [
      'another dtype than stated',
      file(changed({ tensors: { weight: { dtype: 'int8' } } })),
      /found float32 of shape/,
    ],
    ['another shape than stated', file(shaped({ filters: 1 })), /expected float32 of shape \[1, 1, 1, 1\]/],
    ['a tensor missing', file(metadata(), { 'b/weight': weight }), /layer "a", weight: found no such tensor/],
    [
      'a tensor too many',
      file(metadata(), { 'a/weight': weight, 'a/x': weight }),
      /"a\/x": found a tensor of no layer/,
    ],
  ])('refuses %s', (_, content, pattern) => refused(content, pattern));

  it.each([NaN, Infinity, -Infinity])('refuses %d when the tensor is read, naming the place', (value) => {
    const bad = { ...weight, data: Float32Array.of(1, value) };
    const trace = folder.open(folder.write('nan.safetensors', file(metadata(), { 'a/weight': bad })));
    expectUserError(
      thrown(() => trace.layers[0].read('weight')),
      new RegExp(`nan\\.safetensors: layer "a", weight at \\[1,0,0,0\\] \\(element 1\\): found ${value}`),
    );
  });

  it('refuses a tensor whose bytes vanish after the file was opened', () => {
    const path = folder.write('cut.safetensors', file(metadata()));
    const trace = folder.open(path);
    folder.write('cut.safetensors', file(metadata()).subarray(0, 20));
    expectUserError(
      thrown(() => trace.layers[0].read('weight')),
      /cut\.safetensors.*found \d+ bytes, expected 8/,
    );
  });

  it('keeps the format of affine codes', () => {
    const codes = { dtype: 'U8', shape: [2, 1, 1, 1], data: Uint8Array.of(3, 250) };
    const format = { dtype: 'uint8', scale: 0.5, zeroPoint: 3, min: -1.5 };
    const content = file(changed({ tensors: { weight: format } }), { 'a/weight': codes });
    const trace = folder.open(folder.write('u8.safetensors', content));
    expect(trace.layers[0].read('weight')).toEqual({
      dtype: 'uint8',
      shape: [2, 1, 1, 1],
      affine: { scale: 0.5, zeroPoint: 3, min: -1.5 },
      data: codes.data,
    });
    expect(raw(codes.data)).toHaveLength(2);
  });
});
