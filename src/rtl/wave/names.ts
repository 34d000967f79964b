/**
 * Where in the Verilog of a SAC PE each signal of the model's waveform is: the instance and register, and which bits of it.
 */
import { kneadedWordBits } from '../../bit/knead.js';
import type { SacPeConfig } from '../../sim/sacRegisters.js';
import { WINDOW_BITS } from './capture.js';

export interface RtlSignal {
  /** Below the PE's instance. */
  path: string;
  /** Lowest bit, and how many; 0: all of them. */
  low: number;
  bits: number;
  /** A bit that says whether the signal means anything; if not, the model shows nothing. */
  valid?: { path: string; bit: number };
  /** Storage without reset: unknown until it is written. */
  unwritten?: true;
}

/**
 * @param scope of the signal in its tile: ['lane2'], ['unit3'], or ['unit3', 'lane2']
 * @returns null where the Verilog has no such register
 */
export function rtlSignal(scope: readonly string[], name: string, c: SacPeConfig): RtlSignal | null {
  const unit = numberOf(scope, 'unit');
  const lane = numberOf(scope, 'lane');
  if (unit === null) return lane === null ? null : laneSignal(lane, name);
  return lane === null ? unitSignal(unit, name) : streamSignal(unit, lane, name, c);
}

function numberOf(scope: readonly string[], level: string): number | null {
  const found = scope.find((part) => part.startsWith(level));
  return found === undefined ? null : Number(found.slice(level.length));
}

const whole = (path: string): RtlSignal => ({ path, low: 0, bits: 0 });
const one = (path: string, low: number): RtlSignal => ({ path, low, bits: 1 });

function laneSignal(lane: number, name: string): RtlSignal | null {
  const windows = `lane[${lane}].windows`;
  const activation = /^window(\d+)_(\d+)$/.exec(name);
  if (activation) {
    const [, slot, pointer] = activation;
    const width = WINDOW_BITS + 1;
    const path = `${windows}.slot[${slot}].activations`;
    return { path, low: Number(pointer) * width, bits: width, unwritten: true };
  }
  const registers: Record<string, string> = {
    windowCount: 'window_count',
    windowHead: 'window_head',
    loadTimer: 'load_timer',
  };
  return name in registers ? whole(`${windows}.${registers[name]}`) : null;
}

function unitSignal(unit: number, name: string): RtlSignal | null {
  const sac = `unit[${unit}].sac`;
  const segment = /^segment(\d+)$/.exec(name);
  if (segment) return whole(`${sac}.column[${segment[1]}].segment`);
  const valid = /^treeValid(\d+)$/.exec(name);
  if (valid) return whole(`${sac}.tree.stage[${valid[1]}].tree_valid`);
  const sum = /^treeSum(\d+)_(\d+)$/.exec(name);
  if (sum) return { ...whole(`${sac}.tree.stage[${sum[1]}].node[${sum[2]}].tree_sum`), unwritten: true };
  if (name === 'pending') return whole(`${sac}.pending`);
  if (name === 'outValid') return one('out_valid', unit);
  if (name === 'outValue')
    return { path: 'out_value', low: unit, bits: -1, valid: { path: 'out_valid', bit: unit } };
  return null;
}

function streamSignal(unit: number, lane: number, name: string, c: SacPeConfig): RtlSignal | null {
  const stream = `unit[${unit}].stream[${lane}]`;
  const width = kneadedWordBits(c.magnitudeBits, c.kneadingStride);
  const head = (low: number, bits: number): RtlSignal => ({
    path: `unit[${unit}].head`,
    low: lane * width + low,
    bits,
    valid: { path: `unit[${unit}].head_valid`, bit: lane },
  });
  switch (name) {
    case 'throttleCount':
      return c.throttleWords === 0 ? null : whole(`${stream}.throttle.queue.throttle_count`);
    case 'lead':
      return whole(`${stream}.reader.lead`);
    case 'readSlot':
      return whole(`${stream}.reader.read_slot`);
    case 'flushed':
      return one(`unit[${unit}].sac.flushed`, lane);
    case 'accept':
      return one(`unit[${unit}].accept`, lane);
    case 'wordValid':
      return one(`unit[${unit}].head_valid`, lane);
    case 'word':
      return head(0, width);
    case 'flush':
      return head(width - 1, 1);
    case 'pass':
      return head(width - 2, 1);
    default:
      return null;
  }
}
