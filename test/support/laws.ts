/**
 * What every machine must obey, as functions over a machine kind: each draws hardware, layers and data, and throws
 * on the first violation. test/arch/laws.test.ts applies them to the registry, and to machines that are broken
 * on purpose, to show that each law can fail.
 */
import fc from 'fast-check';
import { essentialBitUses } from '../../src/arch/bitUses.js';
import { conservationViolations } from '../../src/arch/conservation.js';
import {
  addCounters,
  zeroCounters,
  type Counters,
  type LayerWork,
  type Machine,
  type MachineKind,
} from '../../src/arch/machine.js';
import { caseArbitrary, counterDifferences, workOf, type FuzzCase } from '../../src/fuzz.js';
import { expectedOutput } from '../../src/expected.js';
import { Random } from '../../src/random.js';
import { configured } from './layers.js';
import {
  cutGroups,
  everything,
  outputPart,
  select,
  summed,
  swapLanes,
  swapUnits,
  type Selection,
} from './parts.js';
import { runs } from './runs.js';

export type Law = (kind: MachineKind, options?: fc.Parameters<unknown>) => void;

/** A law that must hold for each random case. `check` returns what does not hold. */
export function law(
  check: (kind: MachineKind, c: FuzzCase, salt: number) => string[],
  usual = 60,
  cases: (kinds: MachineKind[]) => fc.Arbitrary<FuzzCase> = caseArbitrary,
): Law {
  return (kind, options = {}) => {
    const property = fc.property(cases([kind]), fc.nat(), (c, salt) => {
      const violations = check(kind, c, salt);
      if (violations.length > 0) throw new Error(violations.join('; '));
    });
    fc.assert(property, { numRuns: runs(usual), ...(options as object) });
  };
}

/** A machine, its layer, and the settings it was made with. */
const build = (kind: MachineKind, c: FuzzCase): { machine: Machine; work: LayerWork } => ({
  machine: configured(kind, c.settings),
  work: workOf(c),
});

export function outputDifferences(what: string, found: Float64Array, expected: Float64Array): string[] {
  if (found.length !== expected.length) return [`${what}: ${found.length} outputs, not ${expected.length}`];
  const wrong = expected.findIndex((value, i) => found[i] !== value);
  return wrong < 0 ? [] : [`${what}: output ${wrong} is ${found[wrong]}, not ${expected[wrong]}`];
}

/** Differences of the named counters; `names` may hold 'stall' and 'idle'. */
export function differences(
  what: string,
  found: Counters,
  expected: Counters,
  names: (keyof Counters)[],
): string[] {
  return names
    .filter((name) => JSON.stringify(found[name]) !== JSON.stringify(expected[name]))
    .map(
      (name) => `${what}: ${name} is ${JSON.stringify(found[name])}, not ${JSON.stringify(expected[name])}`,
    );
}

export const outputIsReference = law((kind, c) => {
  const { machine, work } = build(kind, c);
  const expected = expectedOutput(work, kind.masksGradInput === true);
  return outputDifferences('step against the dense reference', machine.step(work).output, expected);
});

export const countIsStep = law((kind, c) => {
  const { machine, work } = build(kind, c);
  return counterDifferences(machine.count(work), machine.step(work).counters);
});

/** At both levels, each on its own. */
export const conserves = law((kind, c) => {
  const { machine, work } = build(kind, c);
  const essentialBits = essentialBitUses(kind.units(work.phase), work);
  return [machine.count(work), machine.step(work).counters].flatMap((counters) =>
    conservationViolations(kind, machine, work, counters, essentialBits),
  );
});

/** Same input, same result: run again, after another layer, on a fresh machine; and the input is left alone. */
export const isDeterministic = law((kind, c, salt) => {
  const { machine, work } = build(kind, c);
  const before = JSON.stringify(work);
  const first = machine.step(work);
  const counted = machine.count(work);
  const other = workOf({ ...c, weights: [...c.weights, salt % 100], precision: c.precision });
  machine.step(other);
  machine.count(other);
  const violations: string[] = [];
  for (const again of [machine, configured(kind, c.settings)]) {
    const second = again.step(work);
    violations.push(...outputDifferences('a second run', second.output, first.output));
    violations.push(...counterDifferences(first.counters, second.counters));
    violations.push(...counterDifferences(counted, again.count(work)));
  }
  if (JSON.stringify(work) !== before) violations.push('the layer was changed by running it');
  return violations;
});

/** Counters of work: each unit of it belongs to one output of one position, wherever it is done. */
const WORK: (keyof Counters)[] = ['terms', 'essentialBits', 'operands', 'busy', 'singleStreamLaneCycles'];
/** Work that does not hang on how terms are grouped. */
const PRODUCTS: (keyof Counters)[] = ['terms', 'essentialBits', 'operands'];
/** One pass over the streams: as many as there are outputs, however often they are used. */
const STREAMS: (keyof Counters)[] = ['kneadedRows', 'kneadedWeights'];
/** Along block boundaries, time and everything measured in it adds; fill and drain are once per layer. */
const TIME: (keyof Counters)[] = ['cycles', 'boundCycles', 'stall', 'idle'];

/** Whether the phase runs on lanes, in tiles and units; else on row PEs, in groups. */
const onLanes = (kind: MachineKind, { phase }: FuzzCase): boolean =>
  !['row', 'denseRow'].includes(kind.units(phase));

/**
 * Settings under which a block begins as a layer does: the windows keep up (two slots, a load per cycle), and no
 * throttle buffer is still empty from the block before (one word). Machines without these parameters pass through.
 */
export function unhurried(c: FuzzCase): FuzzCase {
  const settings = { ...c.settings };
  if ('windowSlots' in settings) settings.windowSlots = String(Math.max(2, Number(settings.windowSlots)));
  if ('windowLoadCycles' in settings) settings.windowLoadCycles = '1';
  if (settings.throttleWords === '1') settings.throttleWords = '2';
  return { ...c, settings };
}

/**
 * Where row PEs are many, parts change who waits for whom. One alone takes the rows of gradWeight, which no PPU holds
 * up, one after the other, so that time adds too; every other case of that phase is made such a one.
 */
function onOneRowPe(kind: MachineKind, c: FuzzCase, salt: number): FuzzCase {
  if (onLanes(kind, c) || c.phase !== 'gradWeight' || salt % 2 === 0) return c;
  return { ...c, settings: { ...c.settings, groups: '1', pesPerGroup: '1' } };
}

const isOneRowPe = (kind: MachineKind, c: FuzzCase): boolean =>
  !onLanes(kind, c) &&
  c.phase === 'gradWeight' &&
  c.settings.groups === '1' &&
  c.settings.pesPerGroup === '1';

/** Runs the parts of a layer, compares each with its part of the whole, and returns the sum of their counters. */
function runParts(
  machine: Machine,
  work: LayerWork,
  selections: Selection[],
): { whole: Counters; parts: Counters[]; sum: Counters; violations: string[] } {
  const whole = machine.step(work);
  const results = selections.map((selection) => machine.step(select(work, selection)));
  return {
    whole: whole.counters,
    parts: results.map((r) => r.counters),
    sum: added(results.map((r) => r.counters)),
    violations: results.flatMap(({ output }, i) =>
      outputDifferences(`part ${i}`, output, outputPart(work.shape, work.phase, whole.output, selections[i])),
    ),
  };
}

/**
 * The first outputs of each convolution group, and the rest (filters, in gradInput channels): values and work add; time
 * adds at block ends.
 */
export const splitsByOutputs = law((kind, drawn, salt) => {
  const c = onOneRowPe(kind, unhurried(drawn), salt);
  const { machine, work } = build(kind, c);
  const { shape, phase } = work;
  const along = phase === 'gradInput' ? 'channels' : 'filters';
  const perGroup = shape[along] / shape.groups;
  if (perGroup === 1) return [];
  const block = blockOutputs(c, work);
  // At a block's end where there is one, else anywhere.
  const atBlock = perGroup > block && salt % 3 > 0;
  const cut = atBlock
    ? block * (1 + (salt % Math.floor((perGroup - 1) / block)))
    : 1 + (salt % (perGroup - 1));
  const all = everything(shape);
  const selections = cutGroups(shape[along], shape.groups, cut).map((part) => ({ ...all, [along]: part }));
  const { whole, sum, violations } = runParts(machine, work, selections);
  const names = [
    ...WORK,
    ...(onLanes(kind, c) ? STREAMS : ['rowOperations' as const]),
    ...((onLanes(kind, c) && cut % block === 0) || isOneRowPe(kind, c) ? TIME : []),
  ];
  return [...violations, ...differences('sum of parts by outputs', sum, whole, names)];
}, 100);

/** Filters (channels) of a group after which a block ends; no end is known where a filter takes part of a block. */
function blockOutputs({ settings }: FuzzCase, { shape, phase }: LayerWork): number {
  const tiles = Number(settings.tiles);
  const units = Number(settings.units) * Number(settings.int8Streams ?? 1);
  if (phase !== 'gradWeight') return tiles * units;
  const perFilter = (shape.channels / shape.groups) * shape.kernelHeight * shape.kernelWidth;
  const chunks = Math.ceil(perFilter / units);
  return tiles % chunks === 0 ? tiles / chunks : Infinity;
}

/** Time without its bound, which takes the slowest lane over all examples. */
const WALKED = TIME.filter((name) => name !== 'boundCycles');

/**
 * The first example, and the rest. Off-line, streams are kneaded in both parts. With all tiles at the same positions
 * (tileBy=filters), meeting at the end of an example never makes a layer faster; it costs nothing where units do
 * not run ahead into the next one. In gradWeight the parts add up to each weight, and terms are grouped anew.
 */
export const splitsByExamples = law((kind, drawn, salt) => {
  const tame = onOneRowPe(kind, unhurried(drawn), salt);
  const settings: Record<string, string> = { ...tame.settings };
  if ('tileBy' in settings) settings.tileBy = 'filters';
  const c = { ...tame, settings, shape: { ...tame.shape, batch: 2 } };
  const { machine, work } = build(kind, c);
  const all = everything(work.shape);
  const selections = all.examples.map((example) => ({ ...all, examples: [example] }));
  const linearRows = !onLanes(kind, c) && c.shape.op === 'linear';
  if (c.phase === 'gradWeight' || linearRows)
    return splitsSums(machine, work, selections, !linearRows && isOneRowPe(kind, c) ? TIME : []);
  const { whole, parts, sum, violations } = runParts(machine, work, selections);
  violations.push(...differences('sum of parts by examples', sum, whole, WORK));
  if (!onLanes(kind, c)) return violations;
  if ('windowSlots' in settings) {
    if (kind.units(c.phase) === 'sac')
      violations.push(...parts.flatMap((part) => differences('one example', part, whole, STREAMS)));
  } else violations.push(...differences('sum of parts by examples', sum, whole, WALKED));
  if (whole.cycles > sum.cycles)
    violations.push(`${whole.cycles} cycles for both examples, ${sum.cycles} one after the other`);
  if (whole.boundCycles > sum.boundCycles)
    violations.push(`bound of ${whole.boundCycles} for both examples, ${sum.boundCycles} in parts`);
  return violations;
});

/** Half of the terms, and the other half, along what an output sums over: values, terms and products add. */
export const splitsByTerms = law((kind, c, salt) => {
  const { machine, work } = build(kind, c);
  const { shape, phase } = work;
  const along = phase === 'gradInput' ? 'filters' : 'channels';
  const perGroup = shape[along] / shape.groups;
  if (phase === 'gradWeight' || perGroup === 1) return [];
  const all = everything(shape);
  const cut = 1 + (salt % (perGroup - 1));
  const selections = cutGroups(shape[along], shape.groups, cut).map((part) => ({ ...all, [along]: part }));
  return splitsSums(machine, work, selections);
});

/** Parts whose outputs add up, place by place (or, for linear layers on row PEs, lie beside each other). */
function splitsSums(
  machine: Machine,
  work: LayerWork,
  selections: Selection[],
  more: (keyof Counters)[] = [],
): string[] {
  const whole = machine.step(work);
  const results = selections.map((selection) => machine.step(select(work, selection)));
  const apart = results[0].output.length < whole.output.length;
  const values = apart
    ? results.flatMap(({ output }, i) =>
        outputDifferences(
          `part ${i}`,
          output,
          outputPart(work.shape, work.phase, whole.output, selections[i]),
        ),
      )
    : outputDifferences('sum of parts', summed(results.map((r) => r.output)), whole.output);
  const sum = added(results.map((r) => r.counters));
  return [...values, ...differences('sum of parts', sum, whole.counters, [...PRODUCTS, ...more])];
}

function added(parts: Counters[]): Counters {
  return parts.reduce((sum, part) => addCounters(sum, part), zeroCounters());
}

/**
 * The order of components is irrelevant. Units of a tile and whole tiles of a block swap outputs: outputs are
 * permuted, no counter changes. Lanes swap terms: nothing changes at all. In gradWeight, and on row PEs, the order
 * decides who waits for whom; values and work stay.
 */
export const orderIsIrrelevant = law((kind, drawn, salt) => {
  const settings = 'lowering' in drawn.settings ? { lowering: 'channelBlock' } : {};
  const c = onOneRowPe(kind, unhurried({ ...drawn, settings: { ...drawn.settings, ...settings } }), salt);
  const { machine, work } = build(kind, c);
  const { shape, phase } = work;
  const random = new Random(salt);
  const lanesRun = onLanes(kind, c);
  const [outer, inner] =
    phase === 'gradInput' ? (['channels', 'filters'] as const) : (['filters', 'channels'] as const);
  const array = machine.arrayOf(phase).lanes;
  const units = array ? array.units : shape[outer];
  const tiles = array ? array.tiles : 1;
  const lanes = array ? array.lanes : shape[inner];
  const selection = {
    ...everything(shape),
    [outer]: swapUnits(shape[outer], shape.groups, units, tiles, random),
    [inner]: swapLanes(shape[inner], shape.groups, lanes, random),
  };
  const other = select(work, selection);
  const plain = machine.step(work);
  const swapped = machine.step(other);
  const values = outputDifferences(
    'permuted outputs and terms',
    swapped.output,
    outputPart(shape, phase, plain.output, selection),
  );
  if (!lanesRun || phase === 'gradWeight')
    return [
      ...values,
      ...differences('permuted', swapped.counters, plain.counters, [
        ...WORK,
        ...(isOneRowPe(kind, c) ? TIME : []),
      ]),
    ];
  return [
    ...values,
    ...counterDifferences(plain.counters, swapped.counters),
    ...counterDifferences(machine.count(work), machine.count(other)),
  ];
});

/** All laws that any machine must obey, by name. */
export const LAWS: Record<string, Law> = {
  'output = dense reference, exactly': outputIsReference,
  'counters of count = counters of step': countIsStep,
  'conservation, at both levels': conserves,
  'same input, same result': isDeterministic,
  'parts by outputs add up to the whole': splitsByOutputs,
  'parts by examples add up to the whole': splitsByExamples,
  'parts by terms add up to the whole': splitsByTerms,
  'the order of units, tiles and lanes is irrelevant': orderIsIrrelevant,
};

/** The first law that a machine breaks; none for a sound one. */
export function machineLaws(kind: MachineKind): void {
  for (const check of Object.values(LAWS)) check(kind);
}
