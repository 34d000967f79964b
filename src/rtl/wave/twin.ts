/**
 * The waveform of the Verilog twin of a tile's SAC PE (SPEC section 3), under the names of the model's own: the same words
 * and windows go to the PE under Icarus Verilog, whose dump is read at every clock edge.
 */
import { VerificationError } from '../../errors.js';
import { valueChange, type VcdVariable } from '../../wave/vcd.js';
import type { WaveSource } from '../../wave/wave.js';
import { sacUnit } from '../units/sac.js';
import { waveformUnderIcarus } from '../simulator.js';
import { WINDOW_BITS, type SacCapture } from './capture.js';
import { rtlSignal, type RtlSignal } from './names.js';
import { parseVcd, widened } from './parse.js';

/** A variable of the model's waveform with its place in the Verilog. */
interface Follower {
  variable: VcdVariable;
  signal: RtlSignal;
}

const PERIOD = 10;
/** Cycle c begins at 10 c + 10, and the clock rises at 10 c + 15; see tb_sac_pe.v. */
const edgeOf = (cycle: number): number => PERIOD * cycle + 15;

/**
 * @param tile scopes of the tile, outermost first
 * @param variables of the model's waveform
 * @throws VerificationError if the Verilog does not run
 */
export function rtlWave(
  capture: SacCapture,
  tile: readonly string[],
  variables: readonly VcdVariable[],
  span: { from: number; to: number },
): WaveSource {
  const { config } = capture.pe;
  const { units, lanes, magnitudeBits, kneadingStride, windowSlots, throttleWords } = config;
  const segmentBits = config.wideSegments ? 53 : 32;
  const most = (lists: string[][]): number => lists.reduce((sum, list) => sum + list.length, 0);
  const depth = Math.max(most(capture.words), most(capture.windows), capture.inputs.length) + 1;
  const vcd = parseVcd(
    waveformUnderIcarus(
      sacUnit,
      {
        ...{ UNITS: units, LANES: lanes, MAGNITUDE_BITS: magnitudeBits, ACTIVATION_BITS: WINDOW_BITS },
        ...{ KNEADING_STRIDE: kneadingStride, WINDOW_SLOTS: windowSlots, THROTTLE_WORDS: throttleWords },
        ...{ BARRIER: config.barrier ? 1 : 0, WINDOW_LOAD_CYCLES: config.windowLoadCycles },
        ...{ SEGMENT_BITS: segmentBits, DEPTH: depth },
      },
      { stimulus: stimulusOf(capture, span.to), control: controlOf(capture), from: span.from },
    ),
  );
  const prefix = `${tile.join('.')}.`;
  const followers = variables.flatMap((variable): Follower[] => {
    const scope = variable.scope.join('.');
    if (!`${scope}.`.startsWith(prefix)) return [];
    const signal = rtlSignal(variable.scope.slice(tile.length), variable.name, config);
    return signal ? [{ variable, signal }] : [];
  });
  return sampled(vcd, followers, span);
}

/** A file of the bench: more outputs than can leave, so that it runs to its limit of cycles. */
const stimulusOf = ({ words, windows, laneMask, inputs }: SacCapture, cycles: number): string =>
  [
    `${cycles} 2147483647 0 ${laneMask}`,
    ...[...words, ...windows].map((list) => [list.length, ...list].join(' ')),
    [inputs.length, ...inputs.map(({ ready }) => ready)].join(' '),
    '',
  ].join('\n');

const controlOf = ({ inputs }: SacCapture): string =>
  [inputs.length, ...inputs.map(({ holds, active }) => `${holds} ${active}`), ''].join('\n');

/** What each follower shows just before each clock edge. */
function sampled(
  vcd: ReturnType<typeof parseVcd>,
  followers: readonly Follower[],
  span: { from: number; to: number },
): WaveSource {
  const instance = 'tb_sac_pe.pe.';
  const declared = new Map(vcd.declarations.map((d) => [d.path, d]));
  const values = new Map<string, string>();
  const followersOf = new Map<string, number[]>();
  const idOf = (path: string, what: string): string => {
    const found = declared.get(instance + path);
    if (!found) throw new VerificationError('rtl-wave', `the Verilog's waveform has no ${path} for ${what}`);
    return found.id;
  };
  const readers = followers.map(({ variable, signal }, f) => {
    const { path, valid } = signal;
    const id = idOf(path, variable.name);
    const { bits: width } = declared.get(instance + path)!;
    const [low, bits] = sliceOf(signal, width, declared.get(`${instance}out_valid`)?.bits ?? 1);
    const validId = valid ? idOf(valid.path, variable.name) : null;
    const validWidth = valid ? declared.get(instance + valid.path)!.bits : 0;
    for (const own of new Set([id, ...(validId === null ? [] : [validId])]))
      followersOf.set(own, [...(followersOf.get(own) ?? []), f]);
    return (): string => {
      if (validId !== null) {
        const flags = widened(values.get(validId) ?? 'x', validWidth);
        if (flags[validWidth - 1 - valid!.bit] !== '1') return 'x';
      }
      const digits = widened(values.get(id) ?? 'x', width).slice(width - low - bits, width - low);
      return shown(digits, variable);
    };
  });
  const last = followers.map(() => '');
  const texts: string[] = [];
  const dirty = new Set<number>();
  const sample = (): void => {
    let text = '';
    for (const f of [...dirty].sort((a, b) => a - b)) {
      const value = readers[f]();
      if (value === last[f]) continue;
      last[f] = value;
      const { bits, id } = followers[f].variable;
      text += valueChange(value, bits, id);
    }
    dirty.clear();
    texts.push(text);
  };
  followers.forEach((_, f) => dirty.add(f));
  let next = span.from;
  vcd.replay(
    (time) => {
      while (next < span.to && time >= edgeOf(next)) {
        sample();
        next++;
      }
    },
    (id, digits) => {
      values.set(id, digits);
      for (const f of followersOf.get(id) ?? []) dirty.add(f);
    },
  );
  while (next++ < span.to) sample();
  return {
    span,
    variables: followers.map(({ variable }) => variable),
    initial: () => texts[0],
    *changesByCycle(to) {
      for (let cycle = span.from + 1; cycle < to; cycle++) yield [cycle, texts[cycle - span.from]];
    },
  };
}

function sliceOf({ low, bits }: RtlSignal, width: number, units: number): [low: number, bits: number] {
  if (bits === 0) return [0, width];
  // One of the outputs that share a port.
  if (bits < 0) return [(low * width) / units, width / units];
  return [low, bits];
}

/** In the width of the model's variable, without leading zeros. */
function shown(digits: string, { bits, type }: VcdVariable): string {
  if (/[xz]/.test(digits)) return 'x';
  const sign = type === 'integer' ? digits[0] : '0';
  const wide = digits.length < bits ? digits.padStart(bits, sign) : digits.slice(digits.length - bits);
  return bits === 1 ? wide : wide.replace(/^0+(?=.)/, '');
}

/** Signals that may be unknown in the Verilog: storage before its first value, and what is not valid. */
export const mayBeUnknown = (name: string): boolean =>
  /^(window\d+_\d+|treeSum\d+_\d+|word|pass|flush|outValue)$/.test(name);
