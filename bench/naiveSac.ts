/**
 * A SAC tile as one would first write it: objects per word and slot, arrays that grow and shift, every slot looked
 * at in every cycle. The timing is that of the clocked PE with throttle buffers that never run empty, so cycles and
 * outputs must be equal.
 */
import { FLUSH, PASS, emptySlot } from '../src/bit/knead.js';
import { outputIndex } from '../src/lower/forward.js';
import type { BlockWork } from './sacArray.js';

interface Word {
  slots: ({ pointer: number; sign: 1 | -1 } | null)[];
  pass: boolean;
  flush: boolean;
}
interface Lane {
  words: Word[];
  next: number;
  ahead: number;
  flushed: boolean;
}
interface Unit {
  lanes: Lane[];
  segments: number[];
  position: number;
}

export interface NaiveTile {
  /** Runs the tile's block. Returns its cycles. */
  run(): number;
  readonly output: Float64Array;
}

/** A single tile that serves all filters and positions of a layer, without absent lanes. */
export function naiveTile(layer: BlockWork, stride: number, windowSlots: number): NaiveTile {
  const { shape, terms } = layer;
  const { positions } = layer.layer.lowering;
  const streams: Word[][][] = [];
  for (let f = 0; f < shape.filters; f++) {
    streams.push([]);
    for (let l = 0; l < terms.lanes; l++) {
      const at = f * terms.lanes + l;
      streams[f].push(wordsOf(layer, stride, layer.streams[at], layer.streams[at + 1] ?? layer.words.count));
    }
  }
  const output = new Float64Array(layer.layer.output.length);
  return { output, run: () => runTile(layer, streams, stride, windowSlots, positions, output) };
}

function wordsOf({ words }: BlockWork, stride: number, from: number, to: number): Word[] {
  const result: Word[] = [];
  for (let w = from; w < to; w++) {
    const slots: Word['slots'] = [];
    for (let b = 0; b < words.magnitudeBits; b++) {
      const slot = words.slots[w * words.magnitudeBits + b];
      if (slot === emptySlot(stride)) slots.push(null);
      else slots.push(slot < stride ? { pointer: slot, sign: 1 } : { pointer: slot - stride, sign: -1 });
    }
    const mark = words.marks[w];
    result.push({ slots, pass: (mark & PASS) !== 0, flush: (mark & FLUSH) !== 0 });
  }
  return result;
}

function runTile(
  layer: BlockWork,
  streams: Word[][][],
  stride: number,
  windowSlots: number,
  positions: number,
  output: Float64Array,
): number {
  const { terms } = layer;
  const units = streams.map((lanes): Unit => ({
    lanes: lanes.map((words) => ({ words, next: 0, ahead: 0, flushed: false })),
    segments: new Array<number>(layer.words.magnitudeBits).fill(0),
    position: 0,
  }));
  const windows: number[][][] = Array.from({ length: terms.lanes }, () => []);
  const loaded = Array.from({ length: terms.lanes }, () => ({ position: 0, from: 0 }));
  let last = 0;
  for (let clock = 0; units.some((unit) => unit.position < positions); clock++) {
    const takes = windows.map((held, l) => held.length < windowSlots && loaded[l].position < positions);
    units.forEach((unit, n) => {
      if (unit.position >= positions) return;
      unit.lanes.forEach((lane, l) => {
        if (lane.flushed || lane.ahead >= windows[l].length) return;
        const word = lane.words[lane.next++];
        const window = windows[l][lane.ahead];
        word.slots.forEach((slot, b) => {
          if (slot !== null) unit.segments[b] += slot.sign * window[slot.pointer];
        });
        last = clock;
        if (word.pass) lane.ahead++;
        if (word.flush) lane.flushed = true;
      });
      if (!unit.lanes.every((lane) => lane.flushed)) return;
      const sum = unit.segments.reduce((total, segment, b) => total + segment * 2 ** b, 0);
      output[outputIndex(layer.shape, n, unit.position++)] = sum;
      unit.segments.fill(0);
      for (const lane of unit.lanes) {
        lane.flushed = false;
        lane.next = 0;
      }
    });
    windows.forEach((held, l) => {
      if (units.every((unit) => unit.lanes[l].ahead > 0)) {
        held.shift();
        for (const unit of units) unit.lanes[l].ahead--;
      }
      if (takes[l]) held.push(nextWindow(layer, l, loaded[l], stride));
    });
  }
  return last;
}

function nextWindow(layer: BlockWork, l: number, at: { position: number; from: number }, stride: number) {
  const { terms, input } = layer;
  const window: number[] = [];
  for (let i = at.from; i < Math.min(terms.items[l], at.from + stride); i++)
    window.push(input.data[input.base(0, at.position) + terms.windowOffset[l * terms.stride + i]]);
  at.from += stride;
  if (at.from >= terms.items[l]) {
    at.from = 0;
    at.position++;
  }
  return window;
}
