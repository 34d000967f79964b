/** The recorder: a span of cycles, components that come late or rest early, and what it refuses. */
import { describe, expect, it } from 'vitest';
import { lookAt, type Signals } from '../../src/sim/probe.js';
import { Recorder, type Limits, type Span } from '../../src/wave/recorder.js';
import { RESERVED } from '../../src/wave/wave.js';
import { Wave } from './parseVcd.js';
import { textOf, TOP } from './recorded.js';

/** A counter that goes up by one in each cycle until it is held. */
class Counter {
  clock = 0;
  held = false;
  readonly value = new Int32Array(2);
  readonly signals: Signals[] = [
    { spec: { name: 'value', bits: 16, signed: true, count: 2 }, kind: 'register', values: this.value },
  ];

  cycle(): void {
    if (!this.held) this.value[0]++;
    this.clock++;
  }

  skip(cycles: number): void {
    this.clock += cycles;
  }
}

const recorderOf = (span: Span, limits?: Limits): Recorder =>
  new Recorder(span, 'all', TOP, RESERVED, limits);

function watched(recorder: Recorder, name: string): Counter {
  const counter = new Counter();
  lookAt(counter, recorder.component([name], counter.signals));
  return counter;
}

const run = (counter: Counter, cycles: number): void => {
  for (let i = 0; i < cycles; i++) counter.cycle();
};

describe('a recorded span', () => {
  it('holds the values before each edge, of components that were clocked one after another', () => {
    const recorder = recorderOf({ from: 3, to: 8 });
    for (const name of ['a', 'b']) run(watched(recorder, name), 20);
    const wave = new Wave(textOf(recorder, 8), TOP);
    expect([wave.from, wave.to, wave.vcd.stray, wave.vcd.timescale]).toEqual([3, 8, 0, '100 ps']);
    for (let cycle = 3; cycle < 8; cycle++)
      expect(['a.value0', 'b.value0', 'a.value1', 'cycle'].map((path) => wave.at(path, cycle))).toEqual([
        cycle,
        cycle,
        0,
        cycle,
      ]);
    const clk = wave.signal('clk');
    expect(clk.times).toEqual([30, 35, 40, 45, 50, 55, 60, 65, 70, 75]);
    expect(clk.values).toEqual(['1', '0', '1', '0', '1', '0', '1', '0', '1', '0']);
    expect(wave.signal('a.value1').values).toEqual(['0']);
  });

  it('begins right in a component that skips its beginning, whatever changes after the skip', () => {
    const recorder = recorderOf({ from: 10, to: 60 });
    const counter = watched(recorder, 'a');
    run(counter, 5);
    counter.skip(45);
    counter.value[1] = 7;
    run(counter, 5);
    const wave = new Wave(textOf(recorder, 55), TOP);
    expect([10, 49, 50, 51].map((cycle) => wave.at('a.value0', cycle))).toEqual([5, 5, 5, 6]);
    expect([10, 49, 50].map((cycle) => wave.at('a.value1', cycle))).toEqual([0, 0, 7]);
  });

  it('shows a component that is at rest by then as it was left', () => {
    const recorder = recorderOf({ from: 30, to: 40 });
    run(watched(recorder, 'a'), 4);
    expect(new Wave(textOf(recorder, 40), TOP).at('a.value0', 35)).toBe(4);
  });

  it('does not look at the same cycle twice', () => {
    const recorder = recorderOf({ from: 0, to: 10 });
    const counter = new Counter();
    const look = recorder.component(['a'], counter.signals);
    look(0);
    counter.value[0] = 1;
    look(0);
    look(1);
    const wave = new Wave(textOf(recorder, 2), TOP);
    expect([wave.at('a.value0', 0), wave.at('a.value0', 1)]).toEqual([0, 1]);
  });

  it('leaves other components of the class as they are', () => {
    watched(recorderOf({ from: 0, to: 10 }), 'a');
    expect(Object.hasOwn(new Counter(), 'cycle')).toBe(false);
  });
});

describe('the recorder refuses', () => {
  it('more changes than fit, with their number and a remedy', () => {
    const counter = watched(recorderOf({ from: 0, to: 1e6 }, { signals: 100, bytes: 1000 }), 'a');
    expect(() => run(counter, 1e6)).toThrow(
      /^--cycles 0:1000000: found 1\d\d changes of 2 signals up to cycle 1\d\d, more than 1,000 bytes; choose fewer/,
    );
  });

  it('more signals than viewers open', () => {
    const recorder = recorderOf({ from: 0, to: 10 }, { signals: 3, bytes: 1000 });
    watched(recorder, 'a');
    expect(() => watched(recorder, 'b')).toThrow(/^--tile: found more than 3 signals up to b, .*fewer tiles/);
  });

  it('a value that does not fit its register', () => {
    const recorder = recorderOf({ from: 0, to: 10 });
    const counter = watched(recorder, 'a');
    counter.value[1] = 2 ** 15;
    expect(() => run(counter, 1)).toThrow(/^a: value, register 1 of 2: found 32768, .*16 signed bits/);
  });

  it('a tile that is not there', () => {
    const recorder = new Recorder({ from: 0, to: 10 }, [1, 4], TOP);
    expect(() => recorder.places('tile', 4)).toThrow(
      /^--tile: found 4, expected at most 3: the array has 4 tiles/,
    );
    const wanted = recorder.places('group', 5);
    expect([0, 1, 2, 3, 4].map(wanted)).toEqual([false, true, false, false, true]);
    expect(recorder.array).toEqual({ scope: 'group', count: 5, recorded: [1, 4] });
  });
});
