/**
 * Members of a zip archive, read one at a time. yauzl checks the directory and the lengths; here are the guards
 * that it leaves to its callers: ratios no honest member has, overlaps, encryption, and the CRC of the data.
 */
import * as zlib from 'node:zlib';
import * as yauzl from 'yauzl';
import { KneadsimError, badInput, type UserError } from '../../errors.js';
import { inputStats, openInput } from '../../files.js';

/** Deflate cannot do better than 1,032:1; recorded tensors stay far below 100:1 once they are large. */
const RATIO_LIMIT = 100;
const RATIO_FREE_BYTES = 64 * 2 ** 20;
const MEMBER_LIMIT = 2 ** 32 - 1 + 65_536;

export interface ZipMember {
  name: string;
  bytes: number;
  entry: yauzl.Entry;
}

export class ZipArchive {
  private constructor(
    readonly file: string,
    private readonly zip: yauzl.ZipFile,
    readonly members: ZipMember[],
  ) {}

  /** @throws UserError for anything that is not a sound archive of plain files. */
  static async open(file: string): Promise<ZipArchive> {
    const fd = openInput(file);
    const zip = await guarded(file, '', () =>
      promise<yauzl.ZipFile>((done) => yauzl.fromFd(fd, OPTIONS, done)),
    );
    try {
      const archive = new ZipArchive(file, zip, await guarded(file, '', () => listEntries(zip)));
      archive.check();
      return archive;
    } catch (error) {
      zip.close();
      throw error;
    }
  }

  close(): void {
    this.zip.close();
  }

  /** The first `limit` bytes of a member, or all if it is shorter. */
  start(member: ZipMember, limit: number): Promise<Uint8Array> {
    return this.stream(member, Math.min(limit, member.bytes), false);
  }

  /** A whole member, its length and CRC checked. */
  read(member: ZipMember): Promise<Uint8Array> {
    return this.stream(member, member.bytes, true);
  }

  private fault(place: string, found: string, expected: string, remedy: string): UserError {
    return badInput('bad-zip', { file: this.file, place, found, expected, remedy });
  }

  private check(): void {
    const seen = new Set<string>();
    let stored = 0;
    for (const { name, bytes, entry } of this.members) {
      const place = `member "${name}"`;
      if (seen.has(name))
        throw this.fault(place, 'the name twice', 'unique members', 'save the archive again');
      seen.add(name);
      if (entry.isEncrypted())
        throw this.fault(place, 'an encrypted member', 'plain data', 'save it without a password');
      if (entry.compressionMethod !== 0 && entry.compressionMethod !== 8)
        throw this.fault(
          place,
          `compression method ${entry.compressionMethod}`,
          'stored (0) or deflated (8)',
          'save it with numpy.savez or numpy.savez_compressed',
        );
      if (bytes > MEMBER_LIMIT)
        throw this.fault(place, `a declared size of ${bytes} bytes`, `at most ${MEMBER_LIMIT}`, BOMB);
      if (bytes > RATIO_FREE_BYTES && bytes > RATIO_LIMIT * entry.compressedSize)
        throw this.fault(
          place,
          `${bytes} bytes packed into ${entry.compressedSize}`,
          `at most ${RATIO_LIMIT} to 1 for large members`,
          BOMB,
        );
      stored += entry.compressedSize;
    }
    const total = inputStats(this.file).size;
    if (stored > total)
      throw this.fault(
        '',
        `members of ${stored} bytes in a file of ${total}`,
        'members that do not overlap',
        BOMB,
      );
  }

  private async stream(member: ZipMember, length: number, whole: boolean): Promise<Uint8Array> {
    const place = `member "${member.name}"`;
    return guarded(this.file, place, async () => {
      const readable = await promise<NodeJS.ReadableStream & { destroy(): void }>((done) =>
        this.zip.openReadStream(member.entry, done as never),
      );
      const bytes = new Uint8Array(length);
      let filled = 0;
      for await (const chunk of readable as AsyncIterable<Buffer>) {
        const taken = chunk.subarray(0, length - filled);
        bytes.set(taken, filled);
        filled += taken.length;
        // Leaving the loop destroys the stream; of a whole member the end must be seen, which proves its length.
        if (!whole && filled === length) break;
      }
      if (filled !== length) throw this.fault(place, `${filled} bytes`, `${length}`, DAMAGED);
      if (whole && crc32(bytes) !== member.entry.crc32)
        throw this.fault(place, 'data that contradict their CRC', 'the data that were packed', DAMAGED);
      return bytes;
    });
  }
}

const OPTIONS = { lazyEntries: true, autoClose: false, strictFileNames: true };
const DAMAGED = 'the archive is damaged; fetch or save it again';
const BOMB = 'if the archive is genuine, save it uncompressed with numpy.savez';

function listEntries(zip: yauzl.ZipFile): Promise<ZipMember[]> {
  return new Promise((resolve, reject) => {
    const members: ZipMember[] = [];
    zip.on('error', reject);
    zip.on('end', () => resolve(members));
    zip.on('entry', (entry: yauzl.Entry) => {
      if (!entry.fileName.endsWith('/'))
        members.push({ name: entry.fileName, bytes: entry.uncompressedSize, entry });
      zip.readEntry();
    });
    zip.readEntry();
  });
}

function promise<T>(start: (done: (error: Error | null, value: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => start((error, value) => (error ? reject(error) : resolve(value))));
}

/** Errors of yauzl and zlib speak of the archive, so they are the user's; others pass. */
async function guarded<T>(file: string, place: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof KneadsimError || error instanceof TypeError || error instanceof RangeError)
      throw error;
    throw badInput('bad-zip', {
      file,
      place,
      found: `a fault (${(error as Error).message})`,
      expected: 'a sound zip archive',
      remedy: DAMAGED,
    });
  }
}

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? (n >>> 1) ^ 0xedb88320 : n >>> 1;
  return n;
});

/** zlib has it from Node 20.15 on. */
function crc32(bytes: Uint8Array): number {
  if (typeof zlib.crc32 === 'function') return zlib.crc32(bytes);
  let crc = -1;
  for (let i = 0; i < bytes.length; i++) crc = TABLE[(crc ^ bytes[i]) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}
