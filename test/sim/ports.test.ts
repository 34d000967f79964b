/**
 * Random back-pressure on the ports that training adds: those of a PE behind on-line kneaders (outputs, windows, raw
 * groups with their masks, kneaded words), and the way out of the PPU. It changes cycles, never values nor work.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PHASES, type LayerWork } from '../../src/arch/machine.js';
import { requireOperands } from '../../src/arch/activations.js';
import { rowOperands } from '../../src/arch/sparsetrainOperands.js';
import { expectedOutput } from '../../src/expected.js';
import { shapeArbitrary } from '../../src/fuzz.js';
import { lowerPhase } from '../../src/lower/phases.js';
import { fromRows, rowShape } from '../../src/lower/rowOperations.js';
import { Random } from '../../src/random.js';
import { GroupWalk } from '../../src/sim/groupWalk.js';
import { KneadingPe } from '../../src/sim/kneadingPe.js';
import { RowArray } from '../../src/sim/rowArray.js';
import { sacLayer, SacTile, WindowPort } from '../../src/sim/sacTile.js';
import { outputDifferences } from '../support/laws.js';
import { layer } from '../support/layers.js';
import { peConfig } from '../support/pe.js';
import { runs } from '../support/runs.js';

/** How likely a port is ready in a cycle. */
type Ready = () => boolean;
const always: Ready = () => true;
const sometimes = (random: Random): Ready => {
  const density = 0.2 + 0.7 * random.uniform();
  return () => random.uniform() < density;
};

const MAGNITUDE_BITS = 7;
const SPARSE = [0, 5, -3, 0, 0, 127];

interface Ports {
  out: Ready;
  window: Ready;
  /** Raw groups into the kneaders. */
  group: Ready;
  /** Kneaded words out of them. */
  word: Ready;
}
const OPEN: Ports = { out: always, window: always, group: always, word: always };

interface KneadingArray {
  units: number;
  lanes: number;
  kneadingStride: number;
  windowSlots: number;
  throttleWords: number;
  windowLoadCycles: number;
  barrier: boolean;
}

const array: fc.Arbitrary<KneadingArray> = fc.record({
  units: fc.integer({ min: 1, max: 4 }),
  lanes: fc.integer({ min: 1, max: 4 }),
  kneadingStride: fc.integer({ min: 1, max: 5 }),
  windowSlots: fc.integer({ min: 1, max: 4 }),
  throttleWords: fc.integer({ min: 0, max: 4 }),
  windowLoadCycles: fc.integer({ min: 1, max: 3 }),
  barrier: fc.boolean(),
});

/** Hides what flags offer from the coming cycle where the port is not ready. Returns what puts it back. */
function hide(flags: Uint8Array | Int32Array, ready: (i: number) => boolean): () => void {
  const hidden = [...flags.keys()].filter((i) => flags[i] !== 0 && !ready(i));
  for (const i of hidden) flags[i] = 0;
  return () => {
    for (const i of hidden) flags[i] = 1;
  };
}

interface Run {
  cycles: number;
  output: Float64Array;
  work: number[];
}

function runKneading(work: LayerWork, hardware: KneadingArray, ports: Ports): Run {
  const size = { ...hardware, tiles: 1, tileBy: 'filters', lowering: 'channelBlock' } as const;
  const lowering = lowerPhase(work.phase, work.shape, size);
  const operands = requireOperands('masked', work);
  const shared = sacLayer(lowering, operands.window);
  const windows = new GroupWalk(lowering, 0, size.lanes, 1, size.kneadingStride);
  const groups = new GroupWalk(lowering, 0, size.lanes, size.units, size.kneadingStride);
  const source = new WindowPort(shared, windows, size.kneadingStride);
  const config = peConfig({ ...hardware, magnitudeBits: MAGNITUDE_BITS });
  const pe = new KneadingPe(config, lowering, operands, source, groups);
  const cycle = pe.cycle.bind(pe);
  let open = false;
  pe.cycle = () => {
    if (open) return cycle();
    for (let n = 0; n < size.units; n++) pe.outReady[n] = ports.out() ? 1 : 0;
    const { valid } = pe.kneaders;
    const offered = valid.slice();
    const putBack = [hide(valid, ports.word)];
    // A kneader whose word is held up is not free for a group either.
    const held = (i: number): boolean => offered[i] !== 0 && valid[i] === 0;
    putBack.push(
      hide(groups.more, (i) => !held(i) && ports.group()),
      hide(windows.more, ports.window),
    );
    cycle();
    for (const show of putBack) show();
  };
  const tile = new SacTile(pe, shared, 0, windows, 2);
  // The guard against deadlocks would take such pressure for one.
  Object.assign(tile, { settleCycles: 5000 });
  let cycles = 0;
  for (const block of lowering.blocks) {
    tile.startBlock(block, null);
    cycles = tile.runBlock();
  }
  open = true;
  pe.outReady.fill(1);
  tile.drain();
  const { busy, essentialBits } = pe.counters;
  return {
    cycles,
    output: shared.output,
    work: [busy, essentialBits, pe.terms, pe.rows, pe.items, pe.groups],
  };
}

/** Throws where values or work change, or where time is won. Returns the cycles lost. */
function compare(work: LayerWork, free: Run, pressed: Run, ordered = true): number {
  const masks = work.inputMask !== null;
  const expected = expectedOutput(work, masks);
  for (const [what, { output }] of Object.entries({ free, pressed })) {
    const wrong = outputDifferences(what, output, expected);
    if (wrong.length > 0) throw new Error(wrong.join());
  }
  expect(pressed.work).toEqual(free.work);
  if (ordered) expect(pressed.cycles).toBeGreaterThanOrEqual(free.cycles);
  return pressed.cycles - free.cycles;
}

const phases = fc.constantFrom(...PHASES);
const workFor = (shape: LayerWork['shape'], phase: LayerWork['phase'], seed: number): LayerWork =>
  layer(shape, 'int8', { phase, seed, activations: SPARSE, gradients: [...SPARSE, 9] });

describe('back-pressure on a PE behind on-line kneaders', () => {
  it.each(['out', 'window', 'group', 'word', 'all'] as const)('%s: later, with the same values', (port) => {
    let later = 0;
    fc.assert(
      fc.property(shapeArbitrary, array, phases, fc.nat(), (shape, hardware, phase, seed) => {
        const work = workFor(shape, phase, seed);
        const random = new Random(seed);
        const ports = { ...OPEN };
        for (const name of Object.keys(OPEN) as (keyof Ports)[])
          if (port === name || port === 'all') ports[name] = sometimes(random);
        const lost = compare(work, runKneading(work, hardware, OPEN), runKneading(work, hardware, ports));
        if (lost > 0) later++;
      }),
      { numRuns: runs(40) },
    );
    expect(later).toBeGreaterThan(10);
  });
});

function runRows(work: LayerWork, groups: number, ready: Ready): Run {
  const { shape, phase } = work;
  const output = new Float64Array(expectedOutput(work, true).length);
  const rows = new RowArray(
    { groups, pesPerGroup: 2, taps: 2, ports: 2, dispatch: 'dynamic', keepZeros: false, float32: false },
    { shape: rowShape(shape), phase, ...rowOperands(work, false), weights: work.weights.codes, output },
  );
  for (const { ppu } of rows.groups) {
    const cycle = ppu.cycle.bind(ppu);
    ppu.cycle = () => {
      if (ready()) cycle();
    };
  }
  rows.run();
  const total = (of: (group: RowArray['groups'][number]) => number): number =>
    rows.groups.reduce((sum, group) => sum + of(group), 0);
  return {
    cycles: rows.cycles + rows.drainCycles,
    output: fromRows(shape, phase, output),
    work: [
      total(({ ppu }) => ppu.storedCount),
      total(({ ppu }) => ppu.magnitudeSum),
      total(({ operationCount }) => operationCount),
      total(({ pes }) => pes.reduce((sum, { counters }) => sum + counters.operands, 0)),
    ],
  };
}

describe('back-pressure on the way out of the PPU', () => {
  it('delays rows, and loses none', () => {
    let later = 0;
    fc.assert(
      fc.property(
        shapeArbitrary,
        fc.constantFrom('forward' as const, 'gradInput' as const),
        fc.integer({ min: 1, max: 4 }),
        fc.boolean(),
        fc.nat(),
        (shape, phase, groups, masked, seed) => {
          const plain = workFor(shape, phase, seed);
          const inputMask =
            masked && phase === 'gradInput' ? plain.activations!.codes.map((a) => (a === 0 ? 0 : 1)) : null;
          const work = { ...plain, inputMask: inputMask && Uint8Array.from(inputMask) };
          const pressed = runRows(work, groups, sometimes(new Random(seed)));
          // Several groups may share the rows out otherwise, and by that anomaly of list scheduling even end sooner.
          if (compare(work, runRows(work, groups, always), pressed, groups === 1) > 0) later++;
        },
      ),
      { numRuns: runs(80) },
    );
    expect(later).toBeGreaterThan(40);
  });
});
