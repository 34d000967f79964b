/** NumPy archives: recorded layers with `meta.json`, or a bare list of weights. */
import { badInput } from '../../errors.js';
import { isIntegerDtype } from '../../tensor.js';
import {
  affineOf,
  layerFacts,
  layoutOf,
  parseMeta,
  provenanceOf,
  tensorFacts,
  type SourceMeta,
} from './facts.js';
import { groupTensors } from './group.js';
import { NPY_HEADER_LIMIT, decodeNpy, parseNpyHeader } from './npy.js';
import type { NamedTensor, SourceLayer, SourceNetwork, SourceTensor } from './source.js';
import { ZipArchive, type ZipMember } from './zip.js';

const META_LIMIT = 64 * 2 ** 20;

export async function openNpz(file: string): Promise<SourceNetwork> {
  const archive = await ZipArchive.open(file);
  try {
    return await readNetwork(archive);
  } catch (error) {
    archive.close();
    throw error;
  }
}

async function readNetwork(archive: ZipArchive): Promise<SourceNetwork> {
  const file = archive.file;
  const notes: string[] = [];
  let meta: SourceMeta = {};
  const tensors: NamedTensor[] = [];
  for (const member of archive.members) {
    const name = member.name.replace(/\.npy$/, '');
    if (name === 'meta.json') meta = parseMeta(file, await readText(archive, member));
    else if (name === member.name) notes.push(`${name}: not an .npy member, left out`);
    else tensors.push({ name, tensor: await memberTensor(archive, member) });
  }
  for (const { name, tensor } of tensors) {
    const affine = affineOf(meta, name);
    if (affine && isIntegerDtype(tensor.dtype)) tensor.affine = affine;
  }
  const layers = inMetaOrder(file, meta, groupTensors(file, tensors, notes));
  const layout = layoutOf(file, 'meta.json', meta.layout);
  for (const layer of layers) if (layout) layer.facts.layout ??= layout;
  const source = meta.source ?? (meta.dataset ? `recorded while training on ${meta.dataset}` : undefined);
  const licence = meta.licence ?? meta.license;
  return {
    file,
    ...(meta.network ? { network: meta.network } : {}),
    ...(source ? { source } : {}),
    ...(licence ? { licence } : {}),
    provenance: provenanceOf(meta),
    layers,
    notes,
    close: () => archive.close(),
  };
}

async function memberTensor(archive: ZipArchive, member: ZipMember): Promise<SourceTensor> {
  const place = `member "${member.name}"`;
  // The header is judged before memory is taken for the elements.
  const start = await archive.start(member, NPY_HEADER_LIMIT);
  const header = parseNpyHeader(start, member.bytes, archive.file, place);
  return {
    place,
    dtype: header.dtype,
    ...(header.wide ? { wide: header.wide } : {}),
    shape: header.shape,
    read: async () => decodeNpy((await archive.read(member)).subarray(header.dataStart), header),
  };
}

/** Either an array of bytes that hold the text, as numpy can write it, or the text itself. */
async function readText(archive: ZipArchive, member: ZipMember): Promise<string> {
  if (member.bytes > META_LIMIT)
    throw badInput('bad-meta', {
      file: archive.file,
      place: `member "${member.name}"`,
      found: `${member.bytes} bytes`,
      expected: `at most ${META_LIMIT}`,
      remedy: 'check that this is the right file',
    });
  const bytes = await archive.read(member);
  if (!member.name.endsWith('.npy')) return new TextDecoder().decode(bytes);
  const header = parseNpyHeader(
    bytes.subarray(0, NPY_HEADER_LIMIT),
    bytes.length,
    archive.file,
    `member "${member.name}"`,
  );
  return new TextDecoder().decode(bytes.subarray(header.dataStart));
}

function inMetaOrder(file: string, meta: SourceMeta, layers: SourceLayer[]): SourceLayer[] {
  const byName = new Map(layers.map((layer) => [layer.name, layer]));
  const ordered: SourceLayer[] = [];
  for (const listed of meta.layers ?? []) {
    const layer = byName.get(listed.name);
    if (!layer)
      throw badInput('bad-meta', {
        file,
        place: `meta.json, layer "${listed.name}"`,
        found: 'no tensors of that layer',
        expected: `a member "${listed.name}/weight.npy"`,
        remedy: 'add the tensors or take the layer out of meta.json',
      });
    byName.delete(listed.name);
    layer.facts = { ...tensorFacts(file, meta, layer.weightName), ...layerFacts(file, listed) };
    ordered.push(layer);
  }
  for (const layer of byName.values()) {
    layer.facts = tensorFacts(file, meta, layer.weightName);
    ordered.push(layer);
  }
  return ordered;
}
