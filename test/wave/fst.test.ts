/** GTKWave's own reader takes the file, and holds the same values. Without GTKWave there is nothing to ask. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { machineKind } from '../../src/arch/registry.js';
import { configured, conv, layer, pad } from '../support/layers.js';
import { numberAt, parseVcd } from './parseVcd.js';
import { recorded } from './recorded.js';

/** The tools say how they are used and fail, if they are there. */
const installed = ['vcd2fst', 'fst2vcd'].every((tool) => spawnSync(tool, ['--help']).error === undefined);

it.skipIf(!installed).each(['tetris', 'masked', 'dadiannao', 'pragmatic', 'sparsetrain'])(
  'vcd2fst reads a wave of %s, and fst2vcd gives it back',
  (name) => {
    const kind = machineKind(name);
    const small = { tiles: 2, units: 2, lanes: 2, columns: 2, groups: 2 };
    const settings = Object.fromEntries(
      Object.entries(small).filter(([p]) => kind.parameters.some((q) => q.name === p)),
    );
    const shape = conv({
      channels: 3,
      height: 3,
      width: 4,
      filters: 3,
      kernelHeight: 3,
      kernelWidth: 3,
      ...pad(1),
    });
    const { text } = recorded(configured(kind, settings), layer(shape, 'int16'), { from: 5, to: 60 });
    const folder = mkdtempSync(join(tmpdir(), 'kneadsim-test-'));
    try {
      const [vcd, fst, back] = ['wave.vcd', 'wave.fst', 'back.vcd'].map((file) => join(folder, file));
      writeFileSync(vcd, text);
      expect(spawnSync('vcd2fst', [vcd, fst]).status).toBe(0);
      expect(spawnSync('fst2vcd', ['-f', fst, '-o', back]).status).toBe(0);
      const ours = parseVcd(text);
      const theirs = parseVcd(readFileSync(back, 'latin1'));
      expect([...theirs.signals.keys()].sort()).toEqual([...ours.signals.keys()].sort());
      for (const [path, signal] of ours.signals) {
        const other = theirs.signals.get(path)!;
        expect([other.bits, other.type], path).toEqual([signal.bits, signal.type]);
        for (const time of new Set([...signal.times, ...other.times]))
          if (!Object.is(numberAt(other, time), numberAt(signal, time)))
            throw new Error(
              `${path} at ${time}: ${numberAt(other, time)}, expected ${numberAt(signal, time)}`,
            );
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
);
