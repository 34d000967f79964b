/**
 * What a reader of the papers would not expect, said plainly. The sentences are here, all numbers come from the rows; a
 * sentence whose rows were not computed is left out.
 */
import { inSpan, low, type Row, type SectionRows } from './claim.js';
import { TITLES, trained } from './networks.js';
import { oursText, spanText, theirsText } from './render.js';

class Missing extends Error {}

/** Numbers of rows, by id. */
class Numbers {
  private readonly rows: ReadonlyMap<string, Row>;

  constructor(rows: readonly Row[]) {
    this.rows = new Map(rows.map((row) => [row.id, row]));
  }

  row(id: string): Row {
    const row = this.rows.get(id);
    if (!row) throw new Missing(id);
    return row;
  }

  /** Those whose ids begin so. */
  all(section: string): Row[] {
    return [...this.rows.values()].filter(({ id }) => id.startsWith(`${section}.`));
  }

  /** Both as the table has them. */
  ours(id: string): string {
    return oursText(this.row(id));
  }

  theirs(id: string): string {
    return theirsText(this.row(id));
  }
}

const list = (items: readonly string[]): string =>
  items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${items[items.length - 1]}`;

const POLICIES = ['barrier1', 'barrier2', 'skew2', 'skew4'];

/** How many of the policies reach the figure of the paper. */
function reach(n: Numbers, network: string): string {
  const rows = POLICIES.map((policy) => n.row(`tetris.${network}.int16.${policy}.lanes`));
  const count = rows.filter(({ ours, theirs }) => ours >= low(theirs)).length;
  return count === 0
    ? 'none of the four reaches'
    : count === 4
      ? 'all four reach'
      : `${count} of the four reach`;
}

const policies = (n: Numbers, network: string): string =>
  list(POLICIES.map((policy) => n.ours(`tetris.${network}.int16.${policy}.lanes`)));

/** Printed figures beside what ours spans over conventions that are not stated. */
function spanned(n: Numbers): string {
  const rows = n.all('bounds').filter(({ span }) => span);
  if (rows.length === 0) throw new Missing('bounds');
  const outside = rows.filter((row) => !inSpan(row, row.span!));
  const one = (row: Row): string =>
    `${row.claim} (theirs ${theirsText(row)}, ours ${oursText(row)}, span ${spanText(row)})`;
  return (
    `**${rows.length - outside.length} of ${rows.length} single-stream bounds of our own trial lie in what ours spans** ` +
    'over the conventions that SPEC does not state, so none is judged. ' +
    (outside.length === 0
      ? ''
      : `Not in it: ${list(outside.map(one))}; no convention that we tried explains ${outside.length === 1 ? 'this one' : 'these'}. `) +
    `For masked, LeNet-5, int16, a recount by plain loops differs from ours by ${n.ours('bounds.recount.lenet5.int16.masked')}.`
  );
}

const SYSTEMS = ['infinite', 'dadiannao-like', 'edge-like'];

/** Speedups of systems at both precisions, by memory. */
const systems = (n: Numbers, network: string): string[] =>
  SYSTEMS.map((memory) =>
    ['int16', 'int8'].map((p) => n.ours(`system.tetris.${network}.${p}.${memory}`)).join(' and '),
  );

function memoryAround(n: Numbers): string {
  const [vgg, resnet] = ['waifu2x', 'resnet8'].map((network) => systems(n, network));
  const limited = n.all('system.tetris').filter(({ id }) => !id.endsWith('.infinite'));
  const slower = limited.filter(({ ours }) => ours < 1).length;
  return (
    `**With memory around it, kneading is slower than dense in ${slower} of ${limited.length} rows.** At equal lanes the ` +
    `PEs alone run VGG-7 ${vgg[0]} times as fast as dense ones (int16 and int8), and ResNet-8 ${resnet[0]} times. With ` +
    `dadiannao-like memory around both it is ${vgg[1]}, and ${resnet[1]}; with edge-like memory ${vgg[2]}, and ` +
    `${resnet[2]}. A stored weight takes ${n.ours('system.weights.all.int16')} bits at int16, where a raw one takes ` +
    `${n.theirs('system.weights.raw.int16')}, through the same port.`
  );
}

/** Smallest and largest of rows. */
function range(rows: readonly Row[]): string {
  if (rows.length === 0) throw new Missing('rows');
  const sorted = rows.toSorted((a, b) => a.ours - b.ours);
  return `${oursText(sorted[0])} to ${oursText(sorted[sorted.length - 1])}`;
}

function energies(n: Numbers): string {
  const at = (section: string, end: string): Row[] => n.all(section).filter(({ id }) => id.endsWith(end));
  const tetris = n.all('energy.tetris');
  const less = tetris.filter(({ ours }) => ours > 1).length;
  return (
    `**Tetris does ${range(tetris)} times the work of the dense array per joule,** DRAM and buffers included, and more ` +
    `than the dense array in ${less} of ${tetris.length} rows; up to ${n.theirs('energy.tetris.waifu2x.int16.lanes.45nm')} ` +
    'is published of its power efficiency, at another node and of networks that we do not have. SparseTrain does ' +
    `${range(at('energy.sparsetrain', '.0.9.45nm'))} times the work of its dense twin per joule at p = 0.9 and 45 nm, and ` +
    `${range(at('energy.sparsetrain', '.0.9.180nm'))} at 180 nm; ${n.theirs('energy.sparsetrain.resnet8.0.9.45nm')} is ` +
    `published. Unpruned it is ${range(at('energy.sparsetrain', '.0.45nm'))} and ` +
    `${range(at('energy.sparsetrain', '.0.180nm'))}.`
  );
}

const SENTENCES: ((n: Numbers) => string)[] = [
  (n) =>
    '**Synchronisation decides the speedup.** If nobody waited, the weights of VGG-7 would run ' +
    `${n.ours('tetris.waifu2x.int16.bound')} times as fast at int16 as on a dense array of as many lanes. With units that ` +
    'wait for each other at every window (one and two window slots), and with units that may run ahead (two and four), ' +
    `it is ${policies(n, 'waifu2x')}: ${reach(n, 'waifu2x')} the ${n.theirs('tetris.waifu2x.int16.bound')} that is ` +
    `reported of the paper. On AlexNet shapes with bits set independently, ${n.ours('tetris.bits.int16.bound')} becomes ` +
    `${policies(n, 'bits')}: ${reach(n, 'bits')} it. Without its policy, a speedup says little.`,
  (n) =>
    '**At equal area the speedup is a slowdown.** The reported chips differ in area by a factor of ' +
    `${n.theirs('units.array45.int16')}. In logic alone, our Tetris array takes ${n.ours('units.array45.int16')} times ` +
    `the dense one at 45 nm (int8: ${n.ours('units.array45.int8')}), and a whole SAC PE ` +
    `${n.ours('units.array180.int16')} times a MAC PE at 180 nm (int8: ${n.ours('units.array180.int8')}). With the logic ` +
    `of the dense array, VGG-7 runs at ${n.ours('tetris.waifu2x.int16.skew2.area')} of its speed at int16 and ` +
    `${n.ours('tetris.waifu2x.int8.skew2.area')} at int8. A chip that is mostly SRAM hides that, an array does not.`,
  (n) =>
    '**Zero bits do not tell how well weights knead.** Ours have ' +
    `${n.ours('zero-bits.average.int16')} % zero bits on average, not ${n.theirs('zero-bits.average.int16')} %. Yet the ` +
    `reported rows per weight, ${n.theirs('kneading.stride.waifu2x.ks10')} at KS 10 and ` +
    `${n.theirs('kneading.stride.waifu2x.ks32')} at KS 32, are near ours (VGG-7: ` +
    `${n.ours('kneading.stride.waifu2x.ks10')} and ${n.ours('kneading.stride.waifu2x.ks32')}), and far from those of bits ` +
    `that are set independently at the published density (${n.ours('kneading.stride.independent.ks10')} and ` +
    `${n.ours('kneading.stride.independent.ks32')}). The low bits of real weights are ones half of the time, and the ` +
    'fullest column decides.',
  (n) =>
    '**The synchronisation table of our own trial is not of 31 % independent bits.** Their bound is ' +
    `${n.ours('sync.stated.int16.none')} at int16 and ${n.ours('sync.stated.int8.none')} at int8, in closed form; the ` +
    `trial had ${n.theirs('sync.stated.int16.none')} and ${n.theirs('sync.stated.int8.none')}. At the density that has ` +
    `these bounds, barrier with one slot gives ${n.ours('sync.matched.int16.barrier1')} where the trial had ` +
    `${n.theirs('sync.matched.int16.barrier1')}, and skew with two ${n.ours('sync.matched.int16.skew2')} where it had ` +
    `${n.theirs('sync.matched.int16.skew2')}.`,
  (n) => {
    const [all, tcn, selfie] = ['all', 'tcn', 'selfie'].map((name) =>
      n.ours(`kneading.traffic.${name}.int16`),
    );
    return (
      `**Kneaded weights are four times the traffic of raw ones.** A weight takes ${all} bits at int16 and ` +
      `${n.ours('kneading.traffic.all.int8')} at int8. Few channels per filter leave groups of few weights: ${tcn} bits ` +
      `for the TCN and ${selfie} for the segmentation network at int16, where the trial gave ` +
      `${n.theirs('kneading.traffic.all.int16')}.`
    );
  },
  (n) =>
    '**Recorded gradients are sparse before pruning.** Over its dense twin, SparseTrain runs the recorded steps ' +
    `${list(trained.map((name) => `${n.ours(`sparsetrain.${name}.0`)} (${TITLES[name]})`))} times as fast at p = 0, and ` +
    `${list(trained.map((name) => n.ours(`sparsetrain.${name}.0.9`)))} times at p = 0.9; about ` +
    `${n.theirs('sparsetrain.resnet8.0.9')} is published. Over a dense MAC array of as many multipliers it is ` +
    `${list(trained.map((name) => n.ours(`sparsetrain.${name}.mac`)))}: the baseline matters as much as p.`,
  (n) => {
    const perWeight = n.row('units.word.int16').ours / n.row('kneading.bound.all').ours;
    return (
      `**A kneaded word costs ${n.ours('units.word.int16')} times the energy of a multiplication** (int16, logic of one ` +
      `lane at 180 nm; int8: ${n.ours('units.word.int8')}). At ${n.ours('kneading.bound.all')} weights per word, a weight ` +
      `costs ${perWeight.toFixed(1)} times a multiplication in the PE.`
    );
  },
  (n) =>
    `**Pragmatic is not the slower one here.** It reaches ${n.ours('tetris.pragmatic.vgg16.int16')} on VGG-16 shapes and ` +
    `${n.ours('tetris.pragmatic.resnet8.int16')} on ResNet-8 at int16, where ${n.theirs('tetris.pragmatic.vgg16.int16')} is ` +
    'reported: activations behind a ReLU are half zero, and it skips these. Tetris over Pragmatic at equal lanes is ' +
    `${n.ours('tetris.over-pragmatic.resnet8.int16.skew2')} on ResNet-8 (skew, two slots).`,
  memoryAround,
  energies,
  spanned,
];

/** Rows that failed, one sentence each. */
const failures = (rows: readonly Row[], n: Numbers): string[] =>
  rows
    .filter(({ verdict }) => verdict === 'FAIL')
    .map(
      ({ id, claim, source }) =>
        `**A row fails: ${claim}** (${source}, \`${id}\`). Theirs is ${n.theirs(id)}, ours ${n.ours(id)}.`,
    );

export function surprises(sections: readonly SectionRows[]): string[] {
  const rows = sections.flatMap((section) => section.rows);
  const numbers = new Numbers(rows);
  const sentences = SENTENCES.flatMap((sentence) => {
    try {
      return [sentence(numbers)];
    } catch (error) {
      if (error instanceof Missing) return [];
      throw error;
    }
  });
  return [...failures(rows, numbers), ...sentences];
}
