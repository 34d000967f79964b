import { describe, expect, it } from 'vitest';
import { bytes, npy, npz, raw, ramp, useFolder, values, zip, type Member, type NpyParts } from './support.js';

const folder = useFolder();
const linear = (data: ArrayBufferView, descr?: string): NpyParts => ({
  shape: [1, 2],
  data,
  ...(descr ? { descr } : {}),
});

describe('.npy', () => {
  it.each<[string, NpyParts, string, number[]]>([
    ['float64', linear(Float64Array.of(0.1, -2)), 'float64', [0.1, -2]],
    ['float32', linear(Float32Array.of(0.5, -2)), 'float32', [0.5, -2]],
    [
      'float16',
      linear(Uint16Array.of(0x3555, 0x0001), '<f2'),
      'float16',
      [0.333251953125, 5.960464477539063e-8],
    ],
    ['int8', linear(Int8Array.of(-128, 127)), 'int8', [-128, 127]],
    ['int8 with a needless byte order', linear(Int8Array.of(-1, 1), '>i1'), 'int8', [-1, 1]],
    ['int16', linear(Int16Array.of(-32768, 5)), 'int16', [-32768, 5]],
    ['uint8', linear(Uint8Array.of(255, 0)), 'uint8', [255, 0]],
    ['uint16', linear(Uint16Array.of(65535, 1)), 'uint16', [65535, 1]],
    ['version 2', { ...linear(Float32Array.of(1, 2)), version: 2 }, 'float32', [1, 2]],
    ['version 3', { ...linear(Float32Array.of(1, 2)), version: 3 }, 'float32', [1, 2]],
  ])('reads %s', async (_, parts, dtype, expected) => {
    const trace = await folder.import(folder.write('w.npy', npy(parts)));
    expect(trace.layers[0].name).toBe('w');
    expect(trace.layers[0].read('weight').dtype).toBe(dtype);
    expect(values(trace.layers[0], 'weight')).toEqual(expected);
  });

  const good = npy(linear(Float32Array.of(1, 2)));
  it.each<[string, Uint8Array, RegExp]>([
    ['an empty file', new Uint8Array(0), /w\.npy.*no bytes/],
    ['another magic', bytes('hello there'), /w\.npy.*found bytes 68 65/],
    ['a magic and no more', good.subarray(0, 8), /magic|damaged/],
    ['an unknown version', npy({ ...linear(Float32Array.of(1, 2)), version: 4 }), /version 4\.0/],
    ['a header beyond the file', npy({ ...linear(Float32Array.of(1, 2)), headerLength: 60000 }), /header of 60000/],
    ['a header of 4 GB', npy({ ...linear(Float32Array.of(1, 2)), version: 2, headerLength: 2 ** 32 - 1 }), /header of 4294967295/],
    ['elements cut short', good.subarray(0, good.length - 1), /found 7 bytes of elements, expected 8/],
    ['elements too many', new Uint8Array([...good, 0]), /found 9 bytes of elements, expected 8/],
    ['a shape that lies', npy({ shape: [10 ** 6, 10 ** 6], data: Float32Array.of(1) }), /expected 4000000000000 for float32/],
    ['a shape of 10^30', npy({ shape: [1, 2], data: Float32Array.of(1), header: dict('<f4', '(10000000000,10000000000,10000000000)') }), /found 4 bytes/],
    ['a negative size', npy({ shape: [1, 2], data: Float32Array.of(1), header: dict('<f4', '(-1,-1)') }), /descr, fortran_order and shape/],
    ['no dictionary', npy({ ...linear(Float32Array.of(1, 2)), header: 'nothing\n' }), /found header "nothing"/],
    ['Fortran order', npy({ ...linear(Float32Array.of(1, 2)), fortran: true }), /Fortran order.*ascontiguousarray/],
    ['big-endian elements', npy(linear(Float32Array.of(1, 2), '>f4')), /big-endian dtype '>f4'.*astype\("<f4"\)/],
    ['complex elements', npy(linear(Float64Array.of(1, 2), '<c8')), /dtype '<c8'/],
    ['objects', npy(linear(Float64Array.of(1, 2), '|O')), /dtype '\|O'/],
    ['strings', npy(linear(Float64Array.of(1, 2), '<U4')), /dtype '<U4'/],
    ['structured elements', npy({ ...linear(Float64Array.of(1, 2)), header: "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1, 2), }\n" }), /structured dtype/],
    ['int32', npy(linear(Int32Array.of(1, 2))), /found dtype int32.*--integers/],
    ['int64', npy(linear(BigInt64Array.of(1n, 2n))), /found dtype int64.*--integers/],
    ['NaN', npy(linear(Float32Array.of(1, NaN))), /array at \[0,1,0,0\] \(element 1\): found NaN/],
    ['an infinite float16', npy(linear(Uint16Array.of(0, 0xfc00), '<f2')), /found -Infinity/],
    ['an empty array', npy({ shape: [0, 5], data: new Float32Array(0) }), /empty tensor of shape \[0, 5\]/],
    ['five axes', npy(ramp([1, 1, 1, 1, 2])), /shape \[1, 1, 1, 1, 2\]/],
    ['one axis', npy(ramp([2])), /shape \[2\]/],
  ])('refuses %s', async (_, content, pattern) => {
    await folder.refuses(folder.write('w.npy', content), pattern);
  }); // prettier-ignore
});

describe('.npz', () => {
  const member = (more: Partial<Member> = {}): Member => ({
    name: 'fc.npy',
    content: npy(ramp([2, 3])),
    ...more,
  });

  it.each([0, 8])('reads members of method %i, whose local headers have extra bytes', async (method) => {
    const trace = await folder.import(
      folder.write('w.npz', npz({ fc: ramp([2, 3]) }, { network: 'net' }, method)),
    );
    expect(trace.network).toBe('net');
    expect(trace.layers[0].shape).toMatchObject({ op: 'linear', filters: 2, channels: 3 });
    expect(values(trace.layers[0], 'weight')).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('reads names of 140 characters with slashes, dots and semicolons', async () => {
    const name = `StatefulPartitionedCall/${'block.1;'.repeat(14)}/x`.padEnd(140, 'y');
    const trace = await folder.import(folder.write('w.npz', npz({ [name]: ramp([2, 3]) })));
    expect(trace.layers[0].name).toBe(name);
  });

  it('takes meta.json as a plain member too, and leaves other files out aloud', async () => {
    const meta = { name: 'meta.json', content: bytes('{"licence":"MIT"}') };
    const trace = await folder.import(
      folder.write('w.npz', zip([member(), meta, { name: 'README', content: bytes('x') }])),
    );
    expect(trace.licence).toBe('MIT');
  });

  const whole = zip([member()]);
  const flipped = whole.slice();
  flipped[30 + 6 + 20 + 12] ^= 0xff;
  const stored = zip([member({ method: 0 })]);
  stored[stored.length - 100] ^= 1;
  it.each<[string, Uint8Array, RegExp]>([
    ['an empty file', new Uint8Array(0), /w\.npz.*fault/],
    ['another magic', bytes('not a zip archive, whatever its name says'), /w\.npz.*fault/],
    ['an archive cut in half', whole.subarray(0, whole.length / 2), /w\.npz.*fault \(/],
    ['an archive without its last byte', whole.subarray(0, whole.length - 1), /w\.npz.*fault/],
    ['packed data that are damaged', flipped, /w\.npz: member "fc\.npy"/],
    ['stored data that are damaged', stored, /w\.npz.*(CRC|fault|magic)/],
    ['a wrong CRC', zip([member({ crc: 1 })]), /member "fc\.npy": found data that contradict their CRC/],
    ['an encrypted member', zip([member({ flags: 1 })]), /encrypted/],
    ['an unknown method', zip([member({ method: 12 })]), /compression method 12/],
    ['a declared size below the data', zip([member({ size: 140 })]), /w\.npz: member/],
    ['a declared size above the data', zip([member({ size: 200 })]), /w\.npz: member/],
    ['a bomb by its declared size', zip([member({ size: 0xfffffff0 })]), /4294967280 bytes packed into.*savez/],
    ['a member twice', zip([member(), member()]), /member "fc\.npy": found the name twice/],
    ['a name that climbs out', zip([member({ name: '../fc.npy' })]), /w\.npz.*fault \(/],
    ['an absolute name', zip([member({ name: '/fc.npy' })]), /w\.npz.*fault \(/],
    ['no members', zip([]), /no layer weights/],
    ['a member that is no array', zip([member({ content: bytes('x'.repeat(50)) })]), /member "fc\.npy": found bytes 78/],
    ['an empty member', zip([member({ content: new Uint8Array(0) })]), /member "fc\.npy": found no bytes/],
    ['metadata that are no JSON', zip([member(), { name: 'meta.json', content: bytes('{') }]), /meta\.json: found text that is not JSON/],
    ['metadata of the wrong form', zip([member(), { name: 'meta.json', content: bytes('{"layers":3}') }]), /meta\.json layers/],
  ])('refuses %s', async (_, content, pattern) => {
    await folder.refuses(folder.write('w.npz', content), pattern);
  }); // prettier-ignore

  it('refuses a bomb of a gigabyte of zeros before it takes the memory', async () => {
    // The header is honest, so that only the ratio gives it away; 80 MB stand for more.
    const elements = 20 * 2 ** 20;
    const content = npy({ shape: [elements, 1], data: new Float32Array(elements) });
    const before = process.memoryUsage().arrayBuffers;
    const file = folder.write('w.npz', zip([member({ content })]));
    await folder.refuses(file, /packed into \d+, expected at most 100 to 1/);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 * content.length);
  });

  it('refuses a lying array header before it takes the memory', async () => {
    const content = npy({ shape: [2 ** 20, 2 ** 20], data: Float32Array.of(1) });
    await folder.refuses(
      folder.write('w.npz', zip([member({ content })])),
      /expected 4398046511104 for float32/,
    );
  });

  it('never does worse than refuse when any one byte is changed', async () => {
    for (let at = 0; at < whole.length; at++) {
      const bad = whole.slice();
      bad[at] ^= 1 << (at % 8);
      const file = folder.write('w.npz', bad);
      await folder.import(file).then(
        () => {},
        (error: Error) => expect(error).toMatchObject({ exitCode: 1 }),
      );
    }
  });
});

function dict(descr: string, shape: string): string {
  return `{'descr': '${descr}', 'fortran_order': False, 'shape': ${shape}, }\n`;
}

describe('sources', () => {
  it.each<[string, (p: string) => string, RegExp]>([
    ['a missing file', (p) => `${p}/none.npz`, /none\.npz: no such file/],
    ['a folder that is no DNNsim folder', (p) => p, /without model\.csv/],
    ['a device', () => '/dev/null', /not a regular file/],
  ])('refuses %s', async (_, path, pattern) => {
    await folder.refuses(path(folder.path('')), pattern);
  });

  it('refuses a file of no known format, and the source as output', async () => {
    await folder.refuses(folder.write('x.onnx', raw(Uint8Array.of(8, 7, 6))), /expected \.npz, \.npy/);
    const file = folder.write('imported.safetensors', npy(ramp([2, 2])));
    await folder.refuses(file, /is the source itself/);
  });
});
