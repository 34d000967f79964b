/**
 * A folder as the public DNNsim tool reads it: `model.csv` with lines `name,conv,stride,pad` or
 * `name,fc,stride,pad`, `wgt-NAME.npy` (K, C, Kx, Ky) and `act-NAME-0.npy` (N, C, Nx, Ny), x being the width.
 * A slash in a name is a dash in the file name.
 */
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { badInput } from '../../errors.js';
import { readTextInput } from '../../files.js';
import { elementCount } from '../../tensor.js';
import { parseCsv, type CsvRow } from './csv.js';
import { permute } from './layout.js';
import { npyTensor } from './npyFile.js';
import type { SourceLayer, SourceNetwork, SourceTensor } from './source.js';

export function openDnnsim(folder: string): SourceNetwork {
  const model = join(folder, 'model.csv');
  if (!existsSync(model))
    throw badInput('not-a-source', {
      file: folder,
      found: 'a folder without model.csv',
      expected: 'a folder in DNNsim layout (model.csv, wgt-NAME.npy, act-NAME-0.npy)',
      remedy: 'name the folder that holds model.csv, or a file',
    });
  const rows = parseCsv(readTextInput(model));
  const notes: string[] = [];
  const names = new Set<string>();
  const layers = rows.map((row) => readLayer(folder, model, row, names, notes));
  return { file: folder, network: basename(folder), provenance: {}, layers, notes, close: () => {} };
}

function readLayer(
  folder: string,
  model: string,
  { line, cells }: CsvRow,
  names: Set<string>,
  notes: string[],
): SourceLayer {
  const fault = (found: string, expected: string) =>
    badInput('bad-model', {
      file: model,
      place: `line ${line}`,
      found,
      expected,
      remedy: 'correct the line',
    });
  const [name, kind, stride, pad] = cells;
  if (cells.length !== 4) throw fault(`${cells.length} cells`, 'name,conv|fc,stride,pad');
  if (kind !== 'conv' && kind !== 'fc') throw fault(`kind "${kind}"`, 'conv or fc');
  if (!/^[1-9]\d{0,5}$/.test(stride)) throw fault(`stride "${stride}"`, 'a whole number of at least 1');
  if (!/^\d{1,6}$/.test(pad)) throw fault(`pad "${pad}"`, 'a whole number of at least 0');
  if (names.has(name)) throw fault(`layer "${name}" again`, 'each layer once');
  names.add(name);

  const fileName = name.replaceAll('/', '-');
  const linear = kind === 'fc';
  const [s, p] = [Number(stride), Number(pad)];
  const weight = dnnsimTensor(join(folder, `wgt-${fileName}.npy`), linear);
  const actPath = join(folder, `act-${fileName}-0.npy`);
  const tensors: SourceLayer['tensors'] = { weight };
  if (existsSync(actPath)) tensors.input = dnnsimTensor(actPath, linear);
  else notes.push(`${name}: no act-${fileName}-0.npy, weights only`);
  return {
    name,
    weightName: `wgt-${fileName}`,
    tensors,
    facts: linear
      ? { kind: 'linear', layout: 'oihw' }
      : { kind: 'conv', layout: 'oihw', stride: [s, s], padding: [p, p, p, p] },
  };
}

/** The last two axes are width and height there, height and width here; fully connected layers are flattened. */
function dnnsimTensor(path: string, linear: boolean): SourceTensor {
  const tensor = npyTensor(path);
  const { shape } = tensor;
  const place = basename(path);
  if (shape.length !== 4 && !(linear && shape.length === 2))
    throw badInput('bad-layer', {
      file: path,
      found: `shape [${shape.join(', ')}]`,
      expected: linear ? '2 or 4 axes' : '4 axes',
      remedy: 'record the array again',
    });
  if (linear) return { ...tensor, place, shape: [shape[0], elementCount(shape.slice(1))] };
  return {
    ...tensor,
    place,
    shape: [shape[0], shape[1], shape[3], shape[2]],
    read: async () => permute(await tensor.read(), shape, [0, 1, 3, 2]),
  };
}
