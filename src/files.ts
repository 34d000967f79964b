/**
 * Opening inputs and writing outputs: every system error becomes one line that names the path and a remedy, and
 * a result appears under its name only when it is complete.
 */
import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeSync,
  type Stats,
} from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { KneadsimError, UserError } from './errors.js';

const READ_FAULTS: Record<string, string> = {
  ENOENT: 'no such file; check the path',
  ENOTDIR: 'part of the path is a file, not a folder; check the path',
  EACCES: 'may not be read; change its permissions or copy it',
  EPERM: 'may not be read; change its permissions or copy it',
  EISDIR: 'is a folder, expected a file; name a file inside it',
  ELOOP: 'is a symbolic link that leads in a circle; name the file itself',
  ENAMETOOLONG: 'the path is too long; check it',
  EMFILE: 'too many open files; close some or raise the limit',
};

const WRITE_FAULTS: Record<string, string> = {
  EEXIST: 'is a file, expected a folder; choose another path',
  ENOENT: 'its folder does not exist; create the folder or choose another path',
  ENOTDIR: 'part of the path is a file, not a folder; choose another path',
  EACCES: 'may not be written; change the permissions or choose another path',
  EPERM: 'may not be written; change the permissions or choose another path',
  EISDIR: 'is a folder; add a file name to the path',
  EROFS: 'lies on a read-only file system; choose another path',
  ENOSPC: 'no space left on the device; free some or choose another path',
  EDQUOT: 'the disk quota is used up; free some space or choose another path',
  EFBIG: 'the file would become too large for its file system; choose another path',
  ENAMETOOLONG: 'the path is too long; choose a shorter one',
  ELOOP: 'is a symbolic link that leads in a circle; choose another path',
};

function explain(path: string, verb: 'read' | 'write', error: unknown): Error {
  if (error instanceof KneadsimError) return error;
  const code = (error as NodeJS.ErrnoException).code;
  // Errors without a system code are bugs and keep their stack trace.
  if (code === undefined || typeof (error as NodeJS.ErrnoException).syscall !== 'string')
    return error as Error;
  const text = (verb === 'read' ? READ_FAULTS : WRITE_FAULTS)[code];
  return new UserError(
    `cannot-${verb}`,
    `${path}: ${text ?? `cannot ${verb} it (${code}); check the path and the device`}`,
  );
}

/** Runs a read access to `path`; a system error becomes a UserError. */
export function reading<T>(path: string, access: () => T): T {
  try {
    return access();
  } catch (error) {
    throw explain(path, 'read', error);
  }
}

/** What the path leads to. @throws UserError if there is nothing, or no permission to look. */
export const inputStats = (path: string): Stats => reading(path, () => statSync(path));

/** Opens a regular file for reading. @throws UserError naming the path if it is missing, a folder or closed to us. */
export function openInput(path: string): number {
  return reading(path, () => {
    if (path === '') throw new UserError('cannot-read', 'the input path is empty; name a file');
    // Looked at before it is opened: opening a pipe nobody writes to would wait for ever.
    const stats = statSync(path);
    if (stats.isDirectory())
      throw new UserError('cannot-read', `${path}: is a folder, expected a file; name a file inside it`);
    if (!stats.isFile())
      throw new UserError(
        'cannot-read',
        `${path}: is not a regular file; save the data to a file first, then name that`,
      );
    return openSync(path, 'r');
  });
}

export const fileSize = (fd: number): number => fstatSync(fd).size;

/** Reads `target.length` bytes from `position`; returns how many there were. */
export function readFully(path: string, fd: number, target: Uint8Array, position: number): number {
  let done = 0;
  while (done < target.length) {
    // One read call takes less than 2 GiB.
    const length = Math.min(target.length - done, 1 << 30);
    const count = reading(path, () => readSync(fd, target, done, length, position + done));
    if (count === 0) break;
    done += count;
  }
  return done;
}

/** Reads a small file whole. @throws UserError if it is larger than `limit` bytes. */
export function readInput(path: string, limit = 64 * 2 ** 20, what = 'a file'): Uint8Array {
  const fd = openInput(path);
  try {
    const size = fileSize(fd);
    if (size > limit)
      throw new UserError(
        'too-large',
        `${path}: found ${size} bytes, expected ${what} of at most ${limit}; check that this is the right file`,
      );
    const bytes = new Uint8Array(size);
    return bytes.subarray(0, readFully(path, fd, bytes, 0));
  } finally {
    closeSync(fd);
  }
}

/** Reads a small text file whole. @throws UserError if it is larger than `limit` bytes. */
export const readTextInput = (path: string, limit?: number): string =>
  new TextDecoder().decode(readInput(path, limit, 'a text'));

/** Whether there is a regular file of this name. */
export const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;

/** Makes a folder for results, unless there is one. @throws UserError if that cannot be, or it cannot be written. */
export function makeFolder(path: string): void {
  if (path === '') throw new UserError('cannot-write', 'the output path is empty; name a folder');
  attempt(path, () => {
    makeFolders(resolve(path));
    accessSync(path, constants.W_OK);
  });
}

/** Like a recursive mkdir, which Node never ends where the system says that a parent is missing though it is not. */
function makeFolders(path: string): void {
  const isFolder = (): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  if (isFolder()) return;
  if (dirname(path) !== path) makeFolders(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    // Somebody else may have made it in between.
    if (!isFolder()) throw error;
  }
}

/** Removes a file, if it is there. @throws UserError if that cannot be */
export const removeFile = (path: string): void => attempt(path, () => rmSync(path, { force: true }));

/** Writes all bytes at the end of what was written so far. */
export function writeFully(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;)
    done += writeSync(fd, bytes, done, Math.min(bytes.length - done, 1 << 30));
}

interface Output {
  fd: number;
  temporary: string | null;
  target: string;
  mode: number | null;
}

let serial = 0;

/** Names the machine too: on a shared file system a process of another one may be at work. */
const TEMPORARY = `.kneadsim-${hostname().replace(/[^A-Za-z0-9]/g, '_')}-`;

/** Removes what processes of this machine left behind in a folder that were killed while they wrote. */
export function removeLeftovers(folder: string): void {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return; // A folder may be writable without being readable.
  }
  for (const name of names) {
    const pid = /^(\d+)-\d+\.tmp$/.exec(name.startsWith(TEMPORARY) ? name.slice(TEMPORARY.length) : '');
    if (pid && !isAlive(Number(pid[1]))) rmSync(join(folder, name), { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // A process of somebody else is there, but not ours to signal.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

function begin(path: string): Output {
  if (path === '') throw new UserError('cannot-write', 'the output path is empty; name a file');
  const existing = statSync(path, { throwIfNoEntry: false });
  if (existing?.isDirectory() || (!existing && basename(path) !== '' && /[/\\]$/.test(path)))
    throw new UserError('cannot-write', `${path}: ${WRITE_FAULTS.EISDIR}`);
  if (existing) accessSync(path, constants.W_OK);
  // A device or a pipe must never be replaced by a file, so it is written in place.
  if (existing && !existing.isFile())
    return { fd: openSync(path, 'w'), temporary: null, target: path, mode: null };
  // Through a symbolic link to the file it names, so that the link survives.
  const target = existing ? realpathSync(path) : path;
  removeLeftovers(dirname(target));
  const temporary = join(dirname(target), `${TEMPORARY}${process.pid}-${serial++}.tmp`);
  return { fd: openSync(temporary, 'wx'), temporary, target, mode: existing ? existing.mode & 0o7777 : null };
}

function finish(output: Output): void {
  closeSync(output.fd);
  if (output.temporary === null) return;
  try {
    if (output.mode !== null) chmodSync(output.temporary, output.mode);
    renameSync(output.temporary, output.target);
  } catch (error) {
    unlinkSync(output.temporary);
    throw error;
  }
}

function abandon(output: Output): void {
  closeSync(output.fd);
  if (output.temporary !== null) unlinkSync(output.temporary);
}

function attempt<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw explain(path, 'write', error);
  }
}

/**
 * Writes a file under a temporary name in the same folder and renames it when `write` has returned. If `write`
 * throws, nothing is left behind and an existing file stays as it was.
 */
export function atomicWrite(path: string, write: (fd: number) => void): void {
  const output = attempt(path, () => begin(path));
  try {
    write(output.fd);
  } catch (error) {
    abandon(output);
    throw explain(path, 'write', error);
  }
  attempt(path, () => finish(output));
}

/** As atomicWrite, for a writer that has to wait for its data. */
export async function atomicWriteAsync(path: string, write: (fd: number) => Promise<void>): Promise<void> {
  const output = attempt(path, () => begin(path));
  try {
    await write(output.fd);
  } catch (error) {
    abandon(output);
    throw explain(path, 'write', error);
  }
  attempt(path, () => finish(output));
}

export const atomicWriteText = (path: string, text: string): void =>
  atomicWrite(path, (fd) => writeFully(fd, new TextEncoder().encode(text)));
