/** The on-line kneader (SPEC section 7) as a twin: `sim/onlineKneader.ts` and `rtl/verilog/kneader.v` under one stimulus. */
import { z } from 'zod';
import { KneadedWords, packedWord, PASS } from '../../bit/knead.js';
import { planeWords } from '../../bit/planes.js';
import type { Random } from '../../random.js';
import { OnlineKneaders } from '../../sim/onlineKneader.js';
import { boundaryCode, checkForm, faultsOf, mask, randomReady, stuck } from '../stimulus.js';
import type { Hardware, RtlUnit } from '../unit.js';

const bit = z.union([z.literal(0), z.literal(1)]);
const schema = z.strictObject({
  magnitudeBits: z.int().min(1).max(24),
  kneadingStride: z.int().min(1).max(256),
  /** Sign-magnitude codes, 1 to KS of them, and whether the group is the last of its output. */
  groups: z.array(z.strictObject({ codes: z.array(z.int()).min(1), flush: bit })),
  /** One mask per group, as long as the group. */
  masks: z.array(z.array(bit)),
  /** [cycle][group, mask, word] */
  ready: z.array(z.tuple([bit, bit, bit]).nullable()).default([]),
});
type KneaderStimulus = z.output<typeof schema>;

function parse(json: unknown, file: string): KneaderStimulus {
  const s = checkForm(schema, json, file);
  const fault = faultsOf(file);
  const most = 2 ** s.magnitudeBits - 1;
  if (s.masks.length !== s.groups.length)
    throw fault('masks', `${s.masks.length} masks`, `${s.groups.length}, one per group`);
  s.groups.forEach(({ codes }, g) => {
    if (codes.length > s.kneadingStride)
      throw fault(`groups[${g}].codes`, `${codes.length} codes`, `at most ${s.kneadingStride}`);
    if (s.masks[g].length !== codes.length)
      throw fault(`masks[${g}]`, `${s.masks[g].length} bits`, `${codes.length}, one per code of the group`);
    codes.forEach((code, k) => {
      if (Math.abs(code) > most) throw fault(`groups[${g}].codes[${k}]`, `${code}`, `${-most} to ${most}`);
    });
  });
  return s;
}

function random(random: Random, run: number, given: Hardware = {}): KneaderStimulus {
  const hardware = {
    magnitudeBits: [1, 2, 7, 15][run % 4],
    kneadingStride: [1, 2, 3, 5, 16, 33][Math.floor(run / 4) % 6],
    ...given,
  };
  const { magnitudeBits, kneadingStride } = hardware;
  const density = random.uniform();
  const groups = range(1 + random.int(10)).map(() => ({
    codes: range(1 + random.int(kneadingStride)).map(() => boundaryCode(random, magnitudeBits)),
    flush: random.int(2) as 0 | 1,
  }));
  const masks = groups.map(({ codes }) => codes.map((): 0 | 1 => (random.uniform() < density ? 1 : 0)));
  const ready = random.int(4) === 0 ? [] : randomReady(random, random.int(60), 3);
  return { ...hardware, groups, masks, ready: ready as [0 | 1, 0 | 1, 0 | 1][] };
}

/** Every ready row may be wasted; after that each word takes a cycle, and the first group one more. */
const cycleLimit = ({ ready, groups, kneadingStride }: KneaderStimulus): number =>
  ready.length + groups.length * kneadingStride + 2;

function pack(s: KneaderStimulus): string {
  const B = BigInt(s.magnitudeBits);
  const magnitudes = (codes: number[]): string =>
    codes.reduceRight((packed, code) => (packed << B) | BigInt(Math.abs(code)), 0n).toString(16);
  return [
    `${cycleLimit(s)} ${s.groups.length} ${s.groups.length}`,
    ...s.groups.map(
      ({ codes, flush }) => `${flush} ${mask(codes.map((code) => code < 0))} ${magnitudes(codes)}`,
    ),
    [s.masks.length, ...s.masks.map(mask)].join(' '),
    [s.ready.length, ...s.ready.map((row) => mask(row ?? [1, 1, 1]))].join(' '),
    '',
  ].join('\n');
}

function trace(s: KneaderStimulus, registers: boolean): string[] {
  const { magnitudeBits, kneadingStride, groups, masks } = s;
  const kneaders = new OnlineKneaders(1, magnitudeBits, kneadingStride);
  const words = new KneadedWords(magnitudeBits, kneadingStride, 1);
  const inOrder = Int32Array.from(range(kneadingStride));
  const lines: string[] = [];
  let next = 0;
  let done = 0;
  for (let cycle = 0; done < groups.length; cycle++) {
    const [offers, masked, takes] = s.ready[cycle] ?? [1, 1, 1];
    const valid = kneaders.valid[0] === 1;
    const fired = valid && takes === 1;
    const last = fired && (words.marks[0] & PASS) !== 0;
    const loads = (!valid || last) && offers === 1 && masked === 1 && next < groups.length;
    const load = loads ? 1 : 0;
    const shown = [
      cycle,
      load,
      load,
      valid ? 1 : 0,
      fired ? 1 : 0,
      ...(fired ? [packedWord(words, 0).toString(16)] : []),
    ];
    lines.push(`${shown.join(' ')}${registers ? ` | ${registersOf(kneaders, s)}` : ''}`);
    if (last) done++;
    if (fired && !kneaders.taken(0)) kneaders.offer(0, words, 0);
    if (loads) {
      const codes = Int32Array.from(groups[next].codes);
      const values = Int32Array.from(masks[next]);
      const { length } = codes;
      kneaders.load(0, codes, 0, inOrder, values, 0, inOrder, 0, length, groups[next].flush === 1);
      kneaders.offer(0, words, 0);
      next++;
    }
    if (cycle > cycleLimit(s)) throw stuck(cycle, `${groups.length - done} groups are left`);
  }
  return lines;
}

/** Flush, signs and planes while a group is held. */
function registersOf({ registers, valid }: OnlineKneaders, s: KneaderStimulus): string {
  if (valid[0] === 0) return '-';
  const W = planeWords(s.kneadingStride);
  const wide = (name: string, at: number): string => {
    const parts = registers.ints(name).subarray(at * W, (at + 1) * W);
    return parts.reduceRight((bits, part) => (bits << 32n) | BigInt(part >>> 0), 0n).toString(16);
  };
  return [
    registers.ints('kneaderFlush')[0],
    wide('kneaderSign', 0),
    ...range(s.magnitudeBits).map((b) => wide('kneaderPlane', b)),
  ].join(' ');
}

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

export const kneaderUnit: RtlUnit<KneaderStimulus> = {
  name: 'kneader',
  aliases: [],
  summary: 'on-line kneader of masked: groups of raw codes and their masks in, kneaded words out',
  sources: ['kneader.v'],
  bench: 'tb_kneader.v',
  parse,
  random,
  parameters: (s) => ({
    MAGNITUDE_BITS: s.magnitudeBits,
    KNEADING_STRIDE: s.kneadingStride,
    DEPTH: Math.max(1024, 2 ** Math.ceil(Math.log2(1 + Math.max(s.groups.length, s.ready.length)))),
  }),
  pack,
  trace,
};
