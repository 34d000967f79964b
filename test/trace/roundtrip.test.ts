import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DTYPES,
  elementCount,
  outputSize,
  type ConvShape,
  type DType,
  type NumericArray,
} from '../../src/tensor.js';
import { decodeElements } from '../../src/trace/elements.js';
import { roleShape } from '../../src/trace/metadata.js';
import { ROLES, type Role } from '../../src/trace/trace.js';
import { writeTrace, type WritableLayer } from '../../src/trace/write.js';
import { expectUserError, thrown, useFolder } from './support.js';

const folder = useFolder();
const small = fc.integer({ min: 1, max: 4 });
const side = fc.integer({ min: 0, max: 2 });

const shapes: fc.Arbitrary<ConvShape> = fc
  .record({
    op: fc.constant('conv' as const),
    rank: fc.constantFrom(1 as const, 2 as const),
    batch: small,
    channels: small,
    height: small,
    width: small,
    filters: small,
    kernelHeight: small,
    kernelWidth: small,
    strideY: small,
    strideX: small,
    padTop: side,
    padBottom: side,
    padLeft: side,
    padRight: side,
    dilationY: small,
    dilationX: small,
    groups: small,
  })
  .map((s) => ({ ...s, channels: s.channels * s.groups, filters: s.filters * s.groups }))
  .map((s) => (s.rank === 1 ? { ...s, height: 1, kernelHeight: 1, padTop: 0, padBottom: 0 } : s))
  .filter((s) => Math.min(...Object.values(outputSize(s))) >= 1);

/** Random bytes are a good source of odd floats; those that are no numbers are put to zero. */
function dataOf(dtype: DType, n: number, bytes: Uint8Array): NumericArray {
  const data = decodeElements(bytes.slice(0, n * (dtype.includes('64') ? 8 : 4)), dtype).slice(0, n);
  return data.map((v) => (Number.isFinite(v) ? v : 0)) as NumericArray;
}

const layers = fc.array(
  fc.record({
    shape: shapes,
    postRelu: fc.boolean(),
    roles: fc.subarray([...ROLES]),
    dtypes: fc.array(fc.constantFrom(...DTYPES), { minLength: ROLES.length, maxLength: ROLES.length }),
    affine: fc.option(
      fc.record({ scale: fc.double({ min: 1e-9, max: 9, noNaN: true }), zeroPoint: fc.integer() }),
    ),
    min: fc.boolean(),
    suffix: fc.string({ maxLength: 140 }),
  }),
  { minLength: 1, maxLength: 4 },
);

describe('a canonical trace', () => {
  it('reads back as it was written, whatever the layers and types', async () => {
    const file = folder.path('t.safetensors');
    await fc.assert(
      fc.asyncProperty(
        layers,
        fc.string(),
        fc.infiniteStream(fc.nat(255)),
        async (drawn, network, stream) => {
          const written = drawn.map((layer, index): WritableLayer => {
            const tensors: WritableLayer['tensors'] = {};
            for (const role of new Set<Role>(['weight', ...layer.roles])) {
              const dtype = layer.dtypes[ROLES.indexOf(role)];
              const shape = roleShape(role, layer.shape);
              const n = elementCount(shape);
              const bytes = Uint8Array.from({ length: Math.min(n * 8, 64) }, () => stream.next().value);
              const repeated = Uint8Array.from({ length: n * 8 }, (_, i) => bytes[i % bytes.length]);
              const data = dataOf(dtype, n, repeated);
              const affine =
                layer.affine && /int/.test(dtype)
                  ? { ...layer.affine, ...(layer.min ? { min: -0.1 } : {}) }
                  : null;
              const info = { dtype, shape, ...(affine ? { affine } : {}) };
              tensors[role] = { ...info, read: () => ({ ...info, data }) };
            }
            return { name: `${index}${layer.suffix}`, shape: layer.shape, postRelu: layer.postRelu, tensors };
          });
          await writeTrace(file, {
            network,
            source: 's',
            licence: 'l',
            origin: null,
            provenance: { step: 3 },
            layers: written,
          });
          const trace = folder.open(file);
          expect(trace.network).toBe(network);
          expect(trace.hash).toBe(createHash('sha256').update(readFileSync(file)).digest('hex'));
          expect(trace.layers.map(({ name }) => name)).toEqual(written.map(({ name }) => name));
          for (const [i, layer] of trace.layers.entries()) {
            expect(layer.shape).toEqual(written[i].shape);
            expect(layer.postRelu).toBe(written[i].postRelu);
            expect(Object.keys(layer.tensors).sort()).toEqual(Object.keys(written[i].tensors).sort());
            for (const role of Object.keys(layer.tensors) as Role[])
              expect(layer.read(role)).toEqual(await written[i].tensors[role]!.read());
          }
        },
      ),
      { numRuns: 60 },
    );
    expect(folder.list()).toEqual(['t.safetensors']);
  });

  const one: ConvShape = {
    op: 'conv', rank: 2, batch: 1, channels: 1, height: 2, width: 2, filters: 1, kernelHeight: 1, kernelWidth: 1,
    strideY: 1, strideX: 1, padTop: 0, padBottom: 0, padLeft: 0, padRight: 0, dilationY: 1, dilationX: 1, groups: 1,
  }; // prettier-ignore
  const write = (data: Float32Array, path = folder.path('t.safetensors')) => {
    const info = { dtype: 'float32' as const, shape: [1, 1, 1, 1] };
    return writeTrace(path, {
      network: 'n',
      source: 's',
      licence: 'l',
      origin: null,
      provenance: {},
      layers: [
        {
          name: 'a',
          shape: one,
          postRelu: false,
          tensors: { weight: { ...info, read: () => ({ ...info, data }) } },
        },
      ],
    });
  };

  it('starts each tensor at a multiple of its element size, after an aligned header', async () => {
    await write(Float32Array.of(1));
    const fd = openSync(folder.path('t.safetensors'), 'r');
    const start = Buffer.alloc(8);
    readSync(fd, start);
    closeSync(fd);
    expect(start.readBigUInt64LE() % 8n).toBe(0n);
  });

  it('is not written when a tensor holds NaN, and nothing is left', async () => {
    const error = await write(Float32Array.of(NaN)).catch((e: unknown) => e);
    expectUserError(error, /"a\/weight" at \[0,0,0,0\].*found NaN/);
    expect(folder.list()).toEqual([]);
  });

  it('says which role is absent', async () => {
    await write(Float32Array.of(1));
    const trace = folder.open(folder.path('t.safetensors'));
    expectUserError(
      thrown(() => trace.layers[0].read('input')),
      /layer "a": found no input.*this one has weight/,
    );
  });
});
