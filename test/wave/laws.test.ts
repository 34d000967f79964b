/** What the wave of every machine must obey, over random hardware, layers and phases; then one small layer each. */
import { describe, expect, it } from 'vitest';
import type { LayerWork, Machine, MachineKind } from '../../src/arch/machine.js';
import { MACHINES } from '../../src/arch/registry.js';
import { expectedOutput } from '../../src/expected.js';
import { workOf } from '../../src/fuzz.js';
import { conv, configured, layer, pad } from '../support/layers.js';
import { law } from '../support/laws.js';
import { CYCLE, numberAt, type Wave } from './parseVcd.js';
import { cyclesOf, recorded, type Recorded } from './recorded.js';

const sorted = (values: Iterable<number>): number[] => [...values].sort((a, b) => a - b);

/** Ports of outputs: the flag, the values that it is for, and which of them are known whenever it is set. */
function outputPorts({ paths }: Wave): { valid: string; values: string[] }[] {
  const ppus = paths.filter((path) => path.endsWith('.outControlValid'));
  const units = paths.filter((path) => path.endsWith('.outValid'));
  return [
    ...ppus.map((valid) => ({ valid, values: [valid.replace('outControlValid', 'outSum')] })),
    ...units.map((valid) => {
      const scope = valid.slice(0, -'outValid'.length);
      return { valid, values: paths.filter((path) => path.startsWith(scope) && path.endsWith('.outValue')) };
    }),
  ];
}

/** Values on the output ports while they are valid; and what is wrong with the ports. */
function outputsSeen(wave: Wave): { seen: number[]; faults: string[] } {
  const seen: number[] = [];
  const faults: string[] = [];
  for (const { valid, values } of outputPorts(wave))
    for (const cycle of cyclesOf(wave)) {
      const isValid = wave.at(valid, cycle) === 1;
      // A bit-serial tile may be short of units at the end: nothing is known of their ports.
      const known = values.map((path) => wave.at(path, cycle)).filter((value) => !Number.isNaN(value));
      if (isValid) seen.push(...known);
      const ppu = valid.endsWith('outControlValid');
      if (!ppu && isValid !== known.length > 0)
        faults.push(`${valid} is ${isValid} in cycle ${cycle}, with ${known.length} values`);
    }
  return { seen, faults };
}

/** Outputs that leave through a port: rows of gradWeight go past the PPU, and what has no terms goes nowhere. */
function outputsExpected(kind: MachineKind, work: LayerWork, { result }: Recorded): number[] | null {
  const row = ['row', 'denseRow'].includes(kind.units(work.phase));
  if (row && work.phase === 'gradWeight') return null;
  return [...result.output].filter((value) => value !== 0);
}

function waveFaults(kind: MachineKind, machine: Machine, work: LayerWork, salt: number): string[] {
  const faults: string[] = [];
  const whole = recorded(machine, work);
  const plain = machine.step(work);
  if (JSON.stringify(plain.counters) !== JSON.stringify(whole.result.counters))
    faults.push('counters differ under a probe');
  if (plain.output.some((value, i) => value !== whole.result.output[i])) faults.push('outputs differ');
  const { wave, end } = whole;
  if (wave.vcd.stray > 0) faults.push(`${wave.vcd.stray} signals without a first value`);
  const expected = outputsExpected(kind, work, whole);
  const ports = outputsSeen(wave);
  faults.push(...ports.faults);
  if (expected) {
    const seen = sorted(ports.seen.filter((value) => value !== 0));
    if (JSON.stringify(seen) !== JSON.stringify(sorted(expected)))
      faults.push(`outputs seen: ${seen.length}, not ${expected.length}, or other ones`);
  }
  const from = salt % end;
  const to = Math.min(end, from + 1 + ((salt >> 8) % 40));
  const part = recorded(machine, work, { from, to });
  if (part.wave.from !== from || part.wave.to !== to) faults.push('a part has other cycles');
  for (const path of wave.paths) {
    const [a, b] = [wave.signal(path), part.wave.signal(path)];
    for (let time = from * CYCLE; time < to * CYCLE; time += CYCLE / 2)
      if (!Object.is(numberAt(a, time), numberAt(b, time))) {
        faults.push(
          `${path} at ${time}: ${numberAt(b, time)} in ${from}:${to}, ${numberAt(a, time)} in the whole`,
        );
        break;
      }
  }
  if (recorded(machine, work, { from, to }).text !== part.text) faults.push('two runs, two texts');
  return faults;
}

const holds = law((kind, c, salt) => waveFaults(kind, configured(kind, c.settings), workOf(c), salt), 12);

/** Small, but with several blocks, padding and a stride. */
const SHAPE = conv({
  batch: 2,
  channels: 3,
  height: 4,
  width: 5,
  filters: 5,
  kernelHeight: 2,
  kernelWidth: 3,
  strideX: 2,
  ...pad(1),
});
const SMALL = {
  tiles: 2,
  units: 2,
  lanes: 2,
  columns: 3,
  groups: 2,
  pesPerGroup: 2,
  taps: 2,
  kneadingStride: 4,
};

describe.each(MACHINES.map((kind) => [kind.name, kind] as const))('waves of %s', (name, kind) => {
  const settings = Object.fromEntries(
    Object.entries(SMALL).filter(([p]) => kind.parameters.some((q) => q.name === p)),
  );
  const machine = configured(kind, settings);

  it('are the same run, part for part', () => {
    holds(kind);
  });

  it.each(kind.phases)('have the registers of its tiles in %s', (phase) => {
    const work = layer(SHAPE, 'int8', { phase });
    const { wave, result, recorder } = recorded(machine, work);
    const masked = Boolean(kind.masksGradInput && work.inputMask);
    expect([...result.output]).toEqual([...expectedOutput(work, masked)]);
    const unitKind = kind.units(phase);
    const rows = unitKind === 'row' || unitKind === 'denseRow';
    expect(recorder.array).toEqual({ scope: rows ? 'group' : 'tile', count: 2, recorded: [0, 1] });
    const expected = {
      mac: ['tile1.unit1.lane1.product', 'tile0.unit0.sum', 'tile0.unit1.accumulator', 'tile1.stageSumLast'],
      sac: [
        'tile1.unit1.lane1.throttleCount',
        'tile0.unit1.segment6',
        'tile1.lane0.window1_3',
        'tile0.unit0.pending',
      ],
      maskedSac: [
        'tile1.unit1.lane1.kneaderPlane6',
        'tile0.unit0.lane1.kneaderValid',
        'tile0.unit1.treeSum0_3',
      ],
      serial: ['tile1.column2.lane1.magnitude', 'tile0.column0.unit1.accumulator', 'tile1.column1.executing'],
      row: [
        'group1.pe1.accumulator1',
        'group0.pe0.weight1',
        'group0.ppu.sums1_2',
        'group1.ppu.controlColumn',
      ],
    }[unitKind === 'denseRow' ? 'row' : unitKind];
    for (const path of expected) expect(wave.paths, name).toContain(path);
  });

  it.each(kind.phases)('begin right in every cycle of %s', (phase) => {
    const work = layer(SHAPE, 'int8', { phase });
    const { wave, end } = recorded(machine, work);
    const signals = wave.paths.map((path) => wave.signal(path));
    for (let from = 1; from < end; from += from < 80 ? 1 : 7) {
      const part = recorded(machine, work, { from, to: from + 1 }).wave;
      const wrong = signals.filter((signal) => {
        const own = part.vcd.signals.get(signal.path)!;
        return !Object.is(numberAt(own, from * CYCLE), numberAt(signal, from * CYCLE));
      });
      expect(wrong.map(({ path }) => `${path} at ${from}`)).toEqual([]);
    }
  });
});
