/** A waveform goes to its file piece by piece: it may be larger than a string can be. */
import { atomicWrite, writeFully } from '../files.js';
import { waveText, type WaveFile } from '../wave/wave.js';

/** Pieces are gathered, so that a file is not written line by line. */
const PIECE_CHARACTERS = 1 << 20;

/** Returns the bytes written. */
export function writeWave(path: string, wave: WaveFile): number {
  let bytes = 0;
  atomicWrite(path, (fd) => {
    const encoder = new TextEncoder();
    let pieces: string[] = [];
    let gathered = 0;
    const flush = (): void => {
      const data = encoder.encode(pieces.join(''));
      writeFully(fd, data);
      bytes += data.length;
      pieces = [];
      gathered = 0;
    };
    for (const piece of waveText(wave)) {
      pieces.push(piece);
      if ((gathered += piece.length) > PIECE_CHARACTERS) flush();
    }
    flush();
  });
  return bytes;
}
