/** Registers in a wave, cycle by cycle, against those of components that are stepped by hand, unwatched. */
import { expect, it } from 'vitest';
import { lookAt, registersOf, type Signals } from '../../src/sim/probe.js';
import { lowerPhase } from '../../src/lower/phases.js';
import { RowOperations, rowShape } from '../../src/lower/rowOperations.js';
import { machineKind } from '../../src/arch/registry.js';
import { expectedOutput } from '../../src/expected.js';
import { Random } from '../../src/random.js';
import { MacPe } from '../../src/sim/macPe.js';
import { RowPe } from '../../src/sim/rowPe.js';
import { dimensionsOf, type RegisterFile } from '../../src/sim/registers.js';
import { SacPe } from '../../src/sim/sacPe.js';
import { watchSac } from '../../src/sim/sacProbe.js';
import { rowSpan } from '../../src/sparse/rowOperation.js';
import { compressRows } from '../../src/sparse/rows.js';
import { Recorder } from '../../src/wave/recorder.js';
import { placesOf } from '../../src/wave/signals.js';
import { RESERVED } from '../../src/wave/wave.js';
import { configured, conv, layer, pad, range, randomValues } from '../support/layers.js';
import { peConfig, runPe, type PeWork } from '../support/pe.js';
import { Wave } from './parseVcd.js';
import { recorded, textOf, TOP } from './recorded.js';

/** All registers that hardware has, by path below `at`. */
const registersIn = (file: RegisterFile, at: string): Map<string, number> =>
  new Map(
    file.specs.flatMap((spec) =>
      placesOf(spec).map(({ at: i, scope, name }) => [
        [at, ...scope, name].join('.'),
        file.view(spec.name)[i],
      ]),
    ),
  );

/** Paths whose value in the wave differs from the one noted in the cycle. */
const differences = (wave: Wave, notes: Map<string, number>[]): string[] =>
  notes.flatMap((note, cycle) =>
    [...note]
      .filter(([path, value]) => !(wave.at(path, cycle) === value))
      .map(([path, value]) => `cycle ${cycle}: ${path} is ${wave.at(path, cycle)}, by hand ${value}`),
  );

it.each([
  { throttleWords: 0, barrier: true },
  { throttleWords: 1, windowSlots: 1 },
  { throttleWords: 3, windowSlots: 3, windowLoadCycles: 2 },
  { throttleWords: 2, wideSegments: true },
])('a SAC PE under back-pressure on every port, %o', (given) => {
  const config = peConfig({ units: 2, lanes: 2, magnitudeBits: 5, kneadingStride: 4, ...given });
  const random = new Random(31);
  const groups = (): number[][] =>
    range(1 + random.int(3)).map(() => randomValues(1 + random.int(4), 5, 0.3, random.int(1e6)));
  const perLane = range(2).map(() => range(10).map(groups));
  const work: PeWork = {
    config,
    // Units share windows, so that groups of a lane are alike in number.
    weights: range(2).map(() =>
      perLane.map((outputs) =>
        outputs.map((output) => output.map((group) => group.map(() => random.int(63) - 31))),
      ),
    ),
    windows: perLane.map((outputs) => outputs.flat().map(() => range(4).map(() => random.int(200) - 100))),
  };
  const stall =
    (salt: number) =>
    (cycle: number, a: number, b = 0) =>
      new Random(cycle * 977 + a * 31 + b * 7 + salt).int(3) > 0;
  const ports = {
    word: stall(1),
    window: (cycle: number, lane: number) => stall(2)(cycle, lane),
    out: stall(3),
  };
  const notes: Map<string, number>[] = [];
  class Noted extends SacPe {
    override cycle(): void {
      notes.push(registersIn(this.registers, 'tile0'));
      super.cycle();
    }
  }
  const byHand = runPe(work, ports, (...parts) => new Noted(...parts));
  const recorder = new Recorder({ from: 0, to: Infinity }, 'all', TOP, RESERVED);
  const watched = runPe(work, ports, (...parts) => {
    const pe = new SacPe(...parts);
    watchSac(recorder, ['tile0'], pe);
    return pe;
  });
  expect(watched.accepts).toEqual(byHand.accepts);
  const wave = new Wave(textOf(recorder, notes.length), TOP);
  expect(notes.length).toBeGreaterThan(60);
  expect(differences(wave, notes)).toEqual([]);
  // The bench has seen the words go.
  for (let n = 0; n < 2; n++)
    for (let l = 0; l < 2; l++) {
      const lane = `tile0.unit${n}.lane${l}`;
      const accepts = range(notes.length).filter((cycle) => wave.at(`${lane}.accept`, cycle) === 1);
      expect(accepts).toEqual(byHand.accepts[n][l]);
      expect(accepts.filter((cycle) => wave.at(`${lane}.flush`, cycle) === 1)).toEqual(byHand.flushes[n][l]);
    }
});

it('a MAC PE through two blocks, the second behind the first in the pipeline', () => {
  const [units, lanes] = [2, 3];
  const shape = conv({ channels: 4, height: 2, width: 3, filters: 3 });
  const work = layer(shape, 'int8');
  const array = { tiles: 1, units, lanes, tileBy: 'positions', lowering: 'channelBlock' } as const;
  const machine = configured(machineKind('dadiannao'), array);
  const { wave, result, end } = recorded(machine, work);
  // A 1x1 kernel: an output has two bricks, channels 0 to 2 and channel 3.
  const pe = new MacPe(units, lanes);
  const notes: Map<string, number>[] = [];
  const C = shape.channels;
  const positions = shape.height * shape.width;
  for (const filters of [[0, 1], [2]])
    for (let p = 0; p < positions; p++)
      for (const brick of [0, 1]) {
        const channels = range(lanes).map((l) => brick * lanes + l);
        const weights = filters.flatMap((f) =>
          channels.map((c) => (c < C ? work.weights.codes[f * C + c] : 0)),
        );
        const activations = channels.map((c) => (c < C ? work.activations!.codes[c * positions + p] : 0));
        notes.push(registersIn(pe.registers, 'tile0'));
        pe.setUnits(filters.length);
        pe.cycle(Int32Array.from(weights), 0, Int32Array.from(activations), brick === 1);
      }
  while (notes.length < end) {
    notes.push(registersIn(pe.registers, 'tile0'));
    pe.cycle(null, 0, new Int32Array(lanes), false);
  }
  expect([...result.output]).toEqual([...expectedOutput(work, false)]);
  expect(notes.length).toBe(result.counters.cycles + MacPe.latency + 1);
  expect(differences(wave, notes)).toEqual([]);
  expect(lowerPhase('forward', shape, array).blocks).toHaveLength(2);
  const valid = (unit: number): number[] =>
    range(end).filter((cycle) => wave.at(`tile0.unit${unit}.outValid`, cycle) === 1);
  // The last brick of the first output comes in cycle 1.
  expect(valid(0)).toEqual(range(12).map((k) => 2 * k + 1 + MacPe.latency));
  expect(valid(1)).toEqual(range(6).map((k) => 2 * k + 1 + MacPe.latency));
});

it.each(['forward', 'gradInput', 'gradWeight'] as const)('a row PE alone in its group, %s', (phase) => {
  const shape = conv({
    channels: 3,
    height: 4,
    width: 6,
    filters: 3,
    kernelHeight: 3,
    kernelWidth: 3,
    ...pad(1),
  });
  const work = layer(shape, 'int8', {
    phase,
    activations: [3, 0, -5, 7, 1],
    gradients: [0, 2, 9, -4, 6, 0, 1],
  });
  const machine = configured(machineKind('sparsetrain'), { groups: 1, pesPerGroup: 1, taps: 3 });
  const { wave, result } = recorded(machine, work);
  const operations = new RowOperations(rowShape(shape), phase, 3);
  const rows = (values: Int32Array, width: number) =>
    compressRows(values, values.length / width, width, false);
  const gradients = work.gradOutput && rows(work.gradOutput.codes, 6);
  const inputs = rows(work.activations!.codes, 6);
  const { geometry } = operations.pieces[0];
  const pe = new RowPe({ taps: 3, span: Math.max(3, rowSpan(geometry)), ports: 2 });
  const notes: Map<string, number>[] = [];
  const note = (): unknown => notes.push(registersIn(pe.registers, 'group0.pe0'));
  for (let row = 0; row < operations.rows; row++) {
    operations.load(row);
    for (let i = 0; i < operations.count; i++) {
      note();
      pe.begin({
        kind: ({ forward: 'src', gradInput: 'msrc', gradWeight: 'osrc' } as const)[phase],
        geometry,
        operands: phase === 'gradInput' ? gradients! : inputs,
        row: operations.streamed[i],
        gradients: phase === 'gradWeight' ? gradients : null,
        gradientRow: operations.gradient[i],
        weights: work.weights.codes,
        weightsAt: operations.kernel[i],
        mask: null,
        maskAt: 0,
        target: new Float64Array(operations.width),
        targetAt: 0,
      });
      pe.cycle();
      while (pe.busy) {
        note();
        pe.cycle();
      }
    }
  }
  expect(notes.length).toBe(result.counters.cycles);
  expect(differences(wave, notes)).toEqual([]);
  // The first row claims its buffer in cycle 0.
  expect([0, 1].map((cycle) => wave.at('group0.ppu.state0', cycle))).toEqual([0, 1]);
});

it('the differences above can be seen', () => {
  const value = new Int32Array(1);
  const signals: Signals[] = [
    { spec: { name: 'r', bits: 4, signed: false, count: 1 }, kind: 'register', values: value },
  ];
  const recorder = new Recorder({ from: 0, to: 3 }, 'all', TOP, RESERVED);
  const part = { clock: 0, cycle: () => void part.clock++, skip: () => undefined };
  lookAt(part, recorder.component(['p'], signals));
  for (let i = 0; i < 3; i++) part.cycle();
  const wave = new Wave(textOf(recorder, 3), TOP);
  expect(differences(wave, [new Map([['p.r', 0]]), new Map([['p.r', 1]])])).toHaveLength(1);
  expect(registersOf()).toEqual([]);
  expect(dimensionsOf(signals[0].spec)).toEqual([]);
});
