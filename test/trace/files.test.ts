import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  atomicWrite,
  atomicWriteAsync,
  atomicWriteText,
  openInput,
  readTextInput,
  writeFully,
} from '../../src/files.js';
import { bytes, expectUserError, thrown, useFolder } from './support.js';

const folder = useFolder();
const isRoot = process.getuid?.() === 0;

describe('atomicWrite', () => {
  it('writes a whole file and nothing else', () => {
    atomicWriteText(folder.path('a.txt'), 'one\n');
    atomicWriteText(folder.path('a.txt'), 'two\n');
    expect(readFileSync(folder.path('a.txt'), 'utf8')).toBe('two\n');
    expect(folder.list()).toEqual(['a.txt']);
  });

  it('removes what a killed process of this machine left behind, and only that', () => {
    // A process that has ended: its number is free, or was a moment ago.
    const dead = Number(execFileSync(process.execPath, ['-p', 'process.pid'], { encoding: 'utf8' }));
    atomicWrite(folder.path('a.txt'), () => {
      const [mine] = folder.list().filter((name) => name.endsWith('.tmp'));
      const [head, tail] = mine.split(`-${process.pid}-`);
      const left = [`${head}-${dead}-${tail}`, `.kneadsim-elsewhere-${dead}-0.tmp`, `${head}-${dead}-x.tmp`];
      for (const name of left) writeFileSync(folder.path(name), 'half');
      atomicWriteText(folder.path('b.txt'), 'b');
      expect(folder.list().sort()).toEqual([mine, ...left.slice(1), 'b.txt'].sort());
      for (const name of left.slice(1)) rmSync(folder.path(name));
    });
    expect(folder.list().sort()).toEqual(['a.txt', 'b.txt']);
  });

  it('leaves the old file and no new one when the writer fails', async () => {
    atomicWriteText(folder.path('a.txt'), 'old');
    const fail = (fd: number): void => {
      writeFully(fd, bytes('half'));
      throw new Error('power cut');
    };
    expect(() => atomicWrite(folder.path('a.txt'), fail)).toThrow('power cut');
    await expect(atomicWriteAsync(folder.path('b.txt'), async (fd) => fail(fd))).rejects.toThrow('power cut');
    expect(folder.list()).toEqual(['a.txt']);
    expect(readFileSync(folder.path('a.txt'), 'utf8')).toBe('old');
  });

  it('keeps the mode of a file and the symbolic link to it', () => {
    atomicWriteText(folder.path('a.txt'), 'old');
    chmodSync(folder.path('a.txt'), 0o640);
    symlinkSync('a.txt', folder.path('link'));
    atomicWriteText(folder.path('link'), 'new');
    expect(readFileSync(folder.path('a.txt'), 'utf8')).toBe('new');
    expect(statSync(folder.path('a.txt')).mode & 0o777).toBe(0o640);
    expect(folder.list()).toEqual(['a.txt', 'link']);
  });

  // A pipe of our own stands for devices: if the guard broke, a test as root would replace the real one.
  it('writes to what is no regular file in place instead of replacing it', () => {
    const pipe = folder.path('pipe');
    execFileSync('mkfifo', [pipe]);
    const reader = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK);
    atomicWriteText(pipe, 'through');
    const text = Buffer.alloc(16);
    expect(text.toString('utf8', 0, readSync(reader, text))).toBe('through');
    closeSync(reader);
    expect(statSync(pipe).isFIFO()).toBe(true);
    expect(folder.list()).toEqual(['pipe']);
  });

  it.each([
    [
      'a folder that does not exist',
      (p: string) => `${p}/none/out.json`,
      /none\/out\.json.*folder does not exist/,
    ],
    ['a folder', (p: string) => p, /is a folder; add a file name/],
    ['a name that ends in a slash', (p: string) => `${p}/new/`, /is a folder/],
    ['a path through a file', (p: string) => `${p}/file/out.json`, /part of the path is a file/],
    ['a name that is too long', (p: string) => `${p}/${'x'.repeat(300)}`, /too long/],
    ['no name', () => '', /empty/],
  ])('refuses %s in one line', (_, path, pattern) => {
    mkdirSync(folder.path('d'));
    writeFileSync(folder.path('d/file'), '');
    expectUserError(
      thrown(() => atomicWriteText(path(folder.path('d')), 'x')),
      pattern,
    );
  });

  it('says so when the device is full, and leaves nothing', () => {
    const full = Object.assign(new Error('ENOSPC'), { code: 'ENOSPC', syscall: 'write' });
    const write = () =>
      atomicWrite(folder.path('a'), () => {
        throw full;
      });
    expectUserError(thrown(write), /a: no space left on the device/);
    expect(folder.list()).toEqual([]);
  });

  it.skipIf(isRoot)('refuses a file and a folder without permission', () => {
    mkdirSync(folder.path('locked'), { mode: 0o500 });
    writeFileSync(folder.path('fixed'), '', { mode: 0o400 });
    expectUserError(
      thrown(() => atomicWriteText(folder.path('locked/a'), 'x')),
      /may not be written/,
    );
    expectUserError(
      thrown(() => atomicWriteText(folder.path('fixed'), 'x')),
      /may not be written/,
    );
  });
});

describe('openInput', () => {
  it.each([
    ['a missing file', (p: string) => `${p}/none`, /none: no such file/],
    ['a folder', (p: string) => p, /is a folder, expected a file/],
    ['a device', () => '/dev/null', /not a regular file/],
    ['a path through a file', (p: string) => `${p}/f/x`, /part of the path is a file/],
    ['no name', () => '', /empty/],
  ])('refuses %s in one line', (_, path, pattern) => {
    folder.write('f', 'x');
    expectUserError(
      thrown(() => openInput(path(folder.path('')))),
      pattern,
    );
  });

  it.skipIf(isRoot)('refuses a file without permission', () => {
    folder.write('secret', 'x');
    chmodSync(folder.path('secret'), 0);
    expectUserError(
      thrown(() => openInput(folder.path('secret'))),
      /secret: may not be read/,
    );
  });

  it('refuses a text that is larger than it can be', () => {
    expectUserError(
      thrown(() => readTextInput(folder.write('t', 'abcdef'), 5)),
      /found 6 bytes/,
    );
  });
});
