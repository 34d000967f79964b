/** A single .npy file as a source tensor. */
import { closeSync } from 'node:fs';
import { fileSize, openInput, readFully } from '../../files.js';
import { NPY_HEADER_LIMIT, decodeNpy, parseNpyHeader } from './npy.js';
import type { SourceTensor } from './source.js';

/** Reads the header now and the elements when asked; the file is open only meanwhile. */
export function npyTensor(file: string): SourceTensor {
  const header = withFile(file, (fd) => {
    const total = fileSize(fd);
    const start = new Uint8Array(Math.min(total, NPY_HEADER_LIMIT));
    return parseNpyHeader(start.subarray(0, readFully(file, fd, start, 0)), total, file, '');
  });
  return {
    place: 'array',
    dtype: header.dtype,
    ...(header.wide ? { wide: header.wide } : {}),
    shape: header.shape,
    read: async () =>
      withFile(file, (fd) => {
        const bytes = new Uint8Array(header.dataBytes);
        const count = readFully(file, fd, bytes, header.dataStart);
        return decodeNpy(bytes.subarray(0, count), header);
      }),
  };
}

function withFile<T>(file: string, use: (fd: number) => T): T {
  const fd = openInput(file);
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}
