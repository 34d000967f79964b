/**
 * A SCALE-Sim topology: one header row, then Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width,
 * Channels, Num Filter, Strides. It holds no values, so seeded ones are made: normal weights, and activations as
 * after a ReLU, half of them zero. IFMAP sizes include any padding, as SCALE-Sim has it.
 */
import { basename } from 'node:path';
import { badInput } from '../../errors.js';
import { readTextInput } from '../../files.js';
import { Random, hash32 } from '../../random.js';
import { elementCount, type NumericArray } from '../../tensor.js';
import { parseCsv } from './csv.js';
import type { SourceLayer, SourceNetwork, SourceTensor } from './source.js';

const COLUMNS = [
  'Layer name',
  'IFMAP Height',
  'IFMAP Width',
  'Filter Height',
  'Filter Width',
  'Channels',
  'Num Filter',
  'Strides',
];

export interface TopologyOptions {
  seed: number;
  /** Layers whose every channel has `Num Filter` filters of its own; the format cannot say so. */
  depthwise?: (name: string) => boolean;
}

export function openTopology(file: string, options: TopologyOptions): SourceNetwork {
  const [header, ...rows] = parseCsv(readTextInput(file));
  const fault = (line: number, found: string, expected: string) =>
    badInput('bad-topology', {
      file,
      place: `line ${line}`,
      found,
      expected,
      remedy: `write one header row, then rows of ${COLUMNS.join(', ')}`,
    });
  if (!header) throw fault(1, 'an empty file', 'a header row');
  if (header.cells.length !== COLUMNS.length || /^\d/.test(header.cells[1]))
    throw fault(
      header.line,
      `a first row of ${header.cells.length} cells, ${JSON.stringify(header.cells.slice(0, 3).join(','))}`,
      `a header of ${COLUMNS.length} columns`,
    );
  if (rows.length === 0) throw fault(header.line, 'a header and no layers', 'at least one layer');
  const names = new Set<string>();
  const layers = rows.map(({ line, cells }, index) => {
    if (cells.length !== COLUMNS.length) throw fault(line, `${cells.length} cells`, `${COLUMNS.length}`);
    const [name, ...texts] = cells;
    if (name === '') throw fault(line, 'no layer name', 'a name in the first column');
    if (names.has(name)) throw fault(line, `layer "${name}" again`, 'each layer once');
    names.add(name);
    texts.forEach((text, i) => {
      if (!/^[1-9]\d{0,8}$/.test(text))
        throw fault(line, `${COLUMNS[i + 1]} "${text}"`, 'a whole number of at least 1');
    });
    return syntheticLayer(name, texts.map(Number), index, options);
  });
  return {
    file,
    network: basename(file).replace(/\.csv$/i, ''),
    source: `SCALE-Sim topology ${basename(file)}, synthetic values`,
    provenance: { synthetic: true, seed: options.seed },
    layers,
    notes: [],
    close: () => {},
  };
}

function syntheticLayer(name: string, sizes: number[], index: number, options: TopologyOptions): SourceLayer {
  const [height, width, kernelHeight, kernelWidth, channels, filters, stride] = sizes;
  const depthwise = options.depthwise?.(name) === true;
  const perGroup = depthwise ? 1 : channels;
  const linear = !depthwise && height === 1 && width === 1 && kernelHeight === 1 && kernelWidth === 1;
  const weightShape = [depthwise ? filters * channels : filters, perGroup, kernelHeight, kernelWidth];
  // As networks are initialised, so that the spread falls with the number of terms.
  const spread = Math.sqrt(2 / (perGroup * kernelHeight * kernelWidth));
  // A stream of its own per tensor: adding a layer changes no other.
  const stream = (role: number): Random => new Random(hash32(options.seed, index, role));
  return {
    name,
    weightName: name,
    tensors: {
      weight: synthetic(`weights of "${name}"`, weightShape, () => {
        const random = stream(0);
        return () => random.normal() * spread;
      }),
      input: synthetic(`input of "${name}"`, [1, channels, height, width], () => {
        const random = stream(1);
        return () => Math.max(0, random.normal());
      }),
    },
    facts: {
      kind: linear ? 'linear' : 'conv',
      layout: 'oihw',
      stride: [stride, stride],
      padding: [0, 0, 0, 0],
      dilation: [1, 1],
      groups: depthwise ? channels : 1,
      postRelu: true,
    },
  };
}

function synthetic(place: string, shape: number[], start: () => () => number): SourceTensor {
  return {
    place,
    dtype: 'float32',
    shape,
    read: async (): Promise<NumericArray> => {
      const next = start();
      const data = new Float32Array(elementCount(shape));
      for (let i = 0; i < data.length; i++) data[i] = next();
      return data;
    },
  };
}
