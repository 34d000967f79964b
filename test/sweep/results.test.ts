/** Point files and result files: what is damaged is noticed; Parquet says what CSV says; the same table, the same bytes. */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test as law, fc } from '@fast-check/vitest';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { expect, test } from 'vitest';
import { parquetBytes } from '../../src/sweep/parquet.js';
import { pointPath, readPoint } from '../../src/sweep/pointFile.js';
import { readSpec, specHash } from '../../src/sweep/spec.js';
import { good, LENET, temporaryFolder } from '../cli/harness.js';
import { parseCsv } from '../report/parseCsv.js';
import { GRID } from './support.js';

test('a torn or changed point file is noticed, wherever it is torn', async () => {
  const folder = temporaryFolder();
  await good('sweep', ...GRID, '--out', folder, '--workers', '2');
  const sweep = specHash(readSpec(folder));
  const path = pointPath(folder, 3);
  const whole = readFileSync(path, 'utf8');
  const stateOf = (text: string): string => {
    writeFileSync(path, text);
    return readPoint(folder, sweep, 3).state;
  };
  expect(stateOf(whole)).toBe('good');
  // All but the line end at the end, which carries nothing.
  for (let length = 0; length < whole.trimEnd().length; length += 97)
    expect([length, stateOf(whole.slice(0, length))]).toEqual([length, 'damaged']);
  const cycles = /"cycles": (\d+)/.exec(whole)!;
  expect(stateOf(whole.replace(cycles[0], `"cycles": ${Number(cycles[1]) + 1}`))).toBe('damaged');
  expect(stateOf('null')).toBe('damaged');
  expect(stateOf(whole.replace(sweep, '0'.repeat(64)))).toBe('damaged');
  copyFileSync(pointPath(folder, 4), path);
  expect(readPoint(folder, sweep, 3).state).toBe('damaged');
  expect(readPoint(folder, sweep, 12).state).toBe('missing');
});

test('Parquet holds what CSV holds, typed', async () => {
  const folder = temporaryFolder();
  await good(
    ...[
      'sweep',
      LENET,
      '--machine',
      'tetris,sparsetrain',
      '--level',
      'count',
      '--layer',
      'conv3',
      '--seed',
      '1,2',
    ],
    ...['--phase', 'forward,gradWeight', '--prune', '0.5', '--set', 'windowSlots=1,2', '--set', 'sync=skew'],
    ...['--out', folder],
  );
  const [header, ...rows] = parseCsv(readFileSync(join(folder, 'sweep.csv'), 'utf8'));
  expect(header.slice(0, 10)).toEqual(
    'point,machine,level,phases,layer,prune,seed,windowSlots,sync,name'.split(','),
  );
  // Forward once, gradWeight by seeds: by both slots on tetris, once on sparsetrain. A layer and a total each.
  expect(rows).toHaveLength(2 * ((1 + 2) * 2 + (1 + 2)));
  const file = readFileSync(join(folder, 'sweep.parquet'));
  const buffer = file.buffer.slice(file.byteOffset, file.byteOffset + file.length);
  const objects = await parquetReadObjects({ file: buffer });
  expect(objects.map((object) => Object.values(object).map((v) => (v === null ? '' : String(v))))).toEqual(
    rows,
  );
  expect(Object.keys(objects[0])).toEqual(header);
  const { schema, key_value_metadata } = parquetMetadata(buffer);
  const types = Object.fromEntries(schema.map(({ name, type }) => [name, type]));
  expect(types).toMatchObject({
    point: 'INT64',
    windowSlots: 'INT64',
    seed: 'INT64',
    prune: 'DOUBLE',
    sync: 'BYTE_ARRAY',
    cycles: 'DOUBLE',
    verified: 'BOOLEAN', // null in every row: nothing was stepped
    float32Error: 'DOUBLE',
    'stall.window': 'DOUBLE',
    'portCycles.one': 'DOUBLE',
  });
  expect(key_value_metadata).toContainEqual({ key: 'kneadsim.sweep', value: specHash(readSpec(folder)) });
  // Every row has a cell per column, rows with port cycles too.
  expect(new Set(rows.map((cells) => cells.length))).toEqual(new Set([header.length]));
  expect(header).not.toContain('portCycles');
  expect(rows.some((cells) => cells[header.indexOf('portCycles.one')] !== '')).toBe(true);
});

law.prop([
  fc.array(
    fc.tuple(fc.option(fc.string({ unit: 'binary' })), fc.option(fc.double({ noNaN: true })), fc.integer()),
  ),
])('any texts and numbers come back from Parquet, and give the same bytes again', async (rows) => {
  const columns = (['text', 'real', 'integer'] as const).map((type, i) => ({
    name: type,
    type,
    values: rows.map((row) => row[i]),
  }));
  const bytes = parquetBytes(columns, { a: 'b' });
  const back = await parquetReadObjects({ file: bytes.slice().buffer as ArrayBuffer });
  expect(back).toEqual(rows.map(([text, real, integer]) => ({ text, real, integer: BigInt(integer) })));
  expect(parquetBytes(columns, { a: 'b' })).toEqual(bytes);
});

test('memory is an axis by preset and by parameter, and its columns are told from those of results', async () => {
  const folder = temporaryFolder();
  await good(
    ...['sweep', LENET, '--machine', 'tetris,dadiannao', '--level', 'count', '--layer', 'conv3'],
    ...['--memory', 'edge-like,infinite', '--set', 'memory.dramBytesPerCycle=2,4,infinite', '--out', folder],
  );
  const [header, ...rows] = parseCsv(readFileSync(join(folder, 'sweep.csv'), 'utf8'));
  expect(header.slice(0, 7)).toEqual(
    'point,machine,level,layer,memoryPreset,memory.dramBytesPerCycle,name'.split(','),
  );
  const of = (row: string[], name: string): string => row[header.indexOf(name)];
  // A layer and a total each.
  expect(rows).toHaveLength(2 * 2 * 3 * 2);
  for (const row of rows) {
    const slower = Number(of(row, 'memory.systemCycles')) - Number(of(row, 'cycles'));
    const free = of(row, 'memoryPreset') === 'infinite' && of(row, 'memory.dramBytesPerCycle') === 'infinite';
    expect(slower > 0).toBe(!free);
  }
  const file = readFileSync(join(folder, 'sweep.parquet'));
  const buffer = file.buffer.slice(file.byteOffset, file.byteOffset + file.length);
  const objects = await parquetReadObjects({ file: buffer });
  expect(objects.map((object) => Object.values(object).map((v) => (v === null ? '' : String(v))))).toEqual(
    rows,
  );
  const types = Object.fromEntries(parquetMetadata(buffer).schema.map(({ name, type }) => [name, type]));
  expect(types).toMatchObject({
    memoryPreset: 'BYTE_ARRAY',
    'memory.boundBy': 'BYTE_ARRAY',
    'memory.stored.masks.form': 'BYTE_ARRAY',
    'memory.keepsSwept': 'BOOLEAN',
    'memory.traffic.dram.reads.weights': 'DOUBLE',
    'energy.total': 'DOUBLE',
  });
});
