/**
 * What every machine must obey, as functions over a machine kind: each draws hardware, layers and data, and throws
 * on the first violation. test/arch/laws.test.ts applies them to the registry, and to machines that are broken
 * on purpose, to show that each law can fail.
 */
import fc from 'fast-check';
import { essentialBitUses } from '../../src/arch/bitUses.js';
import { conservationViolations } from '../../src/arch/conservation.js';
import type { Counters, LayerWork, Machine, MachineKind } from '../../src/arch/machine.js';
import { caseArbitrary, counterDifferences, workOf, type FuzzCase } from '../../src/fuzz.js';
import { expectedOutput } from '../../src/expected.js';
import { configured } from './layers.js';
import { permuted, splitByExamples, splitByFilters, joinExamples, joinFilters } from './parts.js';
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

/** Counters of work: each unit of it belongs to one filter and one position, wherever it is done. */
const WORK: (keyof Counters)[] = ['terms', 'essentialBits', 'busy', 'singleStreamLaneCycles'];
/** One pass over the weights: as many as there are filters, however often they are used. */
const WEIGHTS: (keyof Counters)[] = ['kneadedRows', 'kneadedWeights'];
/** Along block boundaries, time and everything measured in it adds; fill and drain are once per layer. */
const TIME: (keyof Counters)[] = ['cycles', 'boundCycles', 'stall', 'idle'];

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

/** The first filters of each convolution group, and the rest: values and work add; time adds at block ends. */
export const splitsByFilters = law((kind, drawn, salt) => {
  const c = unhurried(drawn);
  const { machine, work } = build(kind, c);
  const perGroup = work.shape.filters / work.shape.groups;
  if (perGroup === 1) return [];
  const block = blockFilters(c);
  // At a block's end where there is one, else anywhere.
  const atBlock = perGroup > block && salt % 3 > 0;
  const cut = atBlock
    ? block * (1 + (salt % Math.floor((perGroup - 1) / block)))
    : 1 + (salt % (perGroup - 1));
  const parts = splitByFilters(work, cut);
  const whole = machine.step(work);
  const results = parts.map((part) => machine.step(part));
  const names = [...WORK, ...WEIGHTS, ...(cut % block === 0 ? TIME : [])];
  const sum = added(results.map((r) => r.counters));
  return [
    ...outputDifferences(
      'parts by filters',
      joinFilters(
        work.shape,
        cut,
        results.map((r) => r.output),
      ),
      whole.output,
    ),
    ...differences('sum of parts by filters', sum, whole.counters, names),
  ];
}, 100);

/** Filters of a group that a block takes. */
const blockFilters = ({ settings }: FuzzCase): number =>
  Number(settings.tiles) * Number(settings.units) * Number(settings.int8Streams ?? 1);

/** Time without its bound, which takes the slowest lane over all examples. */
const WALKED = TIME.filter((name) => name !== 'boundCycles');

/**
 * The first example, and the rest. Weights are passed over in both parts. With all tiles at the same positions
 * (tileBy=filters), meeting at the end of an example never makes a layer faster; it costs nothing where units do
 * not run ahead into the next one.
 */
export const splitsByExamples = law((kind, drawn) => {
  const tame = unhurried(drawn);
  const settings: Record<string, string> = { ...tame.settings, tileBy: 'filters' };
  const c = { ...tame, settings, shape: { ...tame.shape, batch: 2 } };
  const { machine, work } = build(kind, c);
  const whole = machine.step(work);
  const results = splitByExamples(work).map((part) => machine.step(part));
  const sum = added(results.map((r) => r.counters));
  const drifts = 'windowSlots' in settings;
  const violations = [
    ...outputDifferences('parts by examples', joinExamples(results.map((r) => r.output)), whole.output),
    ...differences('sum of parts by examples', sum, whole.counters, [...WORK, ...(drifts ? [] : WALKED)]),
    ...results.flatMap((r) => differences('one example', r.counters, whole.counters, WEIGHTS)),
  ];
  if (whole.counters.cycles > sum.cycles)
    violations.push(`${whole.counters.cycles} cycles for both examples, ${sum.cycles} one after the other`);
  if (whole.counters.boundCycles > sum.boundCycles)
    violations.push(`bound of ${whole.counters.boundCycles} for both examples, ${sum.boundCycles} in parts`);
  return violations;
});

function added(parts: Counters[]): Counters {
  const sum = structuredClone(parts[0]);
  const add = (to: Record<string, unknown>, from: Record<string, unknown>): void => {
    for (const [name, value] of Object.entries(from))
      if (typeof value === 'number') to[name] = (to[name] as number) + value;
      else add(to[name] as Record<string, unknown>, value as Record<string, unknown>);
  };
  for (const part of parts.slice(1))
    add(sum as unknown as Record<string, unknown>, part as unknown as Record<string, unknown>);
  return sum;
}

/**
 * The order of components is irrelevant. Units of a tile and whole tiles of a block swap filters: outputs are
 * permuted, no counter changes. Lanes swap channels: nothing changes at all.
 */
export const orderIsIrrelevant = law((kind, drawn, salt) => {
  const c = unhurried({ ...drawn, settings: { ...drawn.settings, lowering: 'channelBlock' } });
  const { machine, work } = build(kind, c);
  const units = Number(c.settings.units) * Number(c.settings.int8Streams ?? 1);
  const other = permuted(
    work,
    { units, tiles: Number(c.settings.tiles), lanes: Number(c.settings.lanes) },
    salt,
  );
  const plain = machine.step(work);
  const swapped = machine.step(other.work);
  return [
    ...outputDifferences('permuted filters and channels', other.unpermute(swapped.output), plain.output),
    ...counterDifferences(plain.counters, swapped.counters),
    ...counterDifferences(machine.count(work), machine.count(other.work)),
  ];
});

/** All laws that any machine must obey, by name. */
export const LAWS: Record<string, Law> = {
  'output = dense reference, exactly': outputIsReference,
  'counters of count = counters of step': countIsStep,
  'conservation, at both levels': conserves,
  'same input, same result': isDeterministic,
  'parts by filters add up to the whole': splitsByFilters,
  'parts by examples add up to the whole': splitsByExamples,
  'the order of units, tiles and lanes is irrelevant': orderIsIrrelevant,
};

/** The first law that a machine breaks; none for a sound one. */
export function machineLaws(kind: MachineKind): void {
  for (const check of Object.values(LAWS)) check(kind);
}
