/** A hash of Verilog sources that does not see comments and spacing: it tells whether coefficients are still of them. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export function verilogHash(folder: string, sources: readonly string[]): string {
  const text = sources
    .map((file) => readFileSync(join(folder, file), 'utf8'))
    .map((source) => source.replace(/\/\/.*|\/\*[\s\S]*?\*\//g, '').replace(/\s+/g, ' '));
  return createHash('sha256').update(text.join('\n')).digest('hex');
}
