/**
 * DaDianNao-like dense MAC array (MICRO 2014; SPEC section 4): the denominator. Each cycle a tile multiplies L
 * activations by N x L weights.
 */
import { brickWeights, bricksOf, type Bricks } from '../lower/bricks.js';
import { itemsOf, workBlocks, type Block, type TileBy, type TileWork } from '../lower/blocks.js';
import {
  lowerForward,
  outputIndex,
  PaddedInput,
  positionCount,
  unwrittenOutput,
  type Lowering,
} from '../lower/forward.js';
import { MacPe } from '../sim/macPe.js';
import { weightsPerFilter } from '../tensor.js';
import { requireActivations } from './activations.js';
import {
  ARRAY_PARAMETERS,
  LOWERING_PARAMETER,
  zeroCounters,
  type Counters,
  type LayerWork,
  type Machine,
  type MachineConfig,
  type MachineKind,
  type StepResult,
} from './machine.js';

interface DenseConfig {
  tiles: number;
  units: number;
  lanes: number;
  tileBy: TileBy;
  lowering: Lowering;
}

export const dadiannao: MachineKind = {
  name: 'dadiannao',
  summary: 'dense MAC array, every term costs a lane one cycle; the denominator of all speedups',
  source: 'DaDianNao, MICRO 2014 (array of 16 tiles x 16 filters x 16 lanes)',
  parameters: [...ARRAY_PARAMETERS, LOWERING_PARAMETER],
  phases: ['forward'],
  needsActivations: false,
  units: () => 'mac',
  configure: (config) => new DaDianNao(config),
};

class DaDianNao implements Machine {
  readonly name = 'dadiannao';
  readonly lanesPerDenseLane = 1;
  private readonly array: DenseConfig;

  constructor(readonly config: MachineConfig) {
    this.array = config as unknown as DenseConfig;
  }

  laneSlots(): number {
    return this.array.tiles * this.array.units * this.array.lanes;
  }

  /** Closed form: a block takes steps per output x outputs of its busiest tile. */
  count({ shape }: LayerWork): Counters {
    const { array } = this;
    const positions = positionCount(shape);
    const channels = shape.channels / shape.groups;
    const terms = weightsPerFilter(shape);
    const steps =
      array.lowering === 'flattened'
        ? Math.ceil(terms / array.lanes)
        : shape.kernelHeight * shape.kernelWidth * Math.ceil(channels / array.lanes);
    const activeLanes = Math.min(array.lanes, array.lowering === 'flattened' ? terms : channels);
    const counters = zeroCounters();
    for (const { tiles } of workBlocks(shape, array)) {
      const cycles = steps * Math.max(...tiles.map((tile) => itemsOf(tile, positions)));
      counters.cycles += cycles;
      counters.boundCycles += cycles;
      for (const tile of tiles) {
        const outputs = itemsOf(tile, positions);
        const waiting = cycles - steps * outputs;
        counters.terms += tile.filters * terms * outputs;
        counters.idle.absentUnit += (array.units - tile.filters) * array.lanes * cycles;
        counters.idle.absentLane +=
          tile.filters * ((array.lanes * steps - terms) * outputs + (array.lanes - activeLanes) * waiting);
        if (outputs === 0) counters.idle.empty += tile.filters * activeLanes * cycles;
        else counters.stall.imbalance += tile.filters * activeLanes * waiting;
      }
    }
    counters.busy = counters.singleStreamLaneCycles = counters.terms;
    counters.pipelineCycles = MacPe.latency;
    return counters;
  }

  step(work: LayerWork): StepResult {
    const { array } = this;
    const { shape } = work;
    const activations = requireActivations(this.name, work);
    const bricks = bricksOf(lowerForward(shape, array.lanes, array.lowering));
    const input = new PaddedInput(shape, activations.codes);
    const output = unwrittenOutput(shape);
    const perFilter = weightsPerFilter(shape);
    const counters = zeroCounters();
    for (const block of workBlocks(shape, array)) {
      const runs: { tile: TileWork; cycles: number }[] = [];
      let weights: Int32Array = new Int32Array(0);
      let chunk = -1;
      for (const tile of block.tiles) {
        if (tile.filters > 0 && tile.firstFilter !== chunk) {
          chunk = tile.firstFilter;
          weights = brickWeights(bricks, work.weights.codes, perFilter, chunk, tile.filters);
        }
        runs.push({ tile, cycles: runTile(bricks, weights, input, work, block, tile, output, counters) });
      }
      const cycles = runs.reduce((longest, run) => Math.max(longest, run.cycles), 0);
      counters.cycles += cycles;
      counters.boundCycles += cycles;
      for (const run of runs) {
        const { tile } = run;
        const waiting = cycles - run.cycles;
        counters.idle.absentUnit += (array.units - tile.filters) * array.lanes * cycles;
        counters.idle.absentLane += tile.filters * (array.lanes - bricks.activeLanes) * waiting;
        if (run.cycles === 0) counters.idle.empty += tile.filters * bricks.activeLanes * waiting;
        else counters.stall.imbalance += tile.filters * bricks.activeLanes * waiting;
      }
    }
    counters.busy = counters.singleStreamLaneCycles = counters.terms;
    counters.pipelineCycles = MacPe.latency;
    return { counters, output };
  }
}

/** Clocks one tile through its share of a block. Returns the cycles in which it accepted bricks. */
function runTile(
  bricks: Bricks,
  weights: Int32Array,
  input: PaddedInput,
  work: LayerWork,
  block: Block,
  tile: TileWork,
  output: Float64Array,
  counters: Counters,
): number {
  const { steps, lanes, inputOffset, items } = bricks;
  const positions = positionCount(work.shape);
  const outputs = itemsOf(tile, positions);
  if (outputs === 0) return 0;
  const pe = new MacPe(tile.filters, lanes);
  const window = new Int32Array(lanes);
  let position = tile.first;
  let finished = tile.first;
  let accepted = 0;
  const collect = (): void => {
    if (!pe.outValid) return;
    for (let n = 0; n < tile.filters; n++)
      output[outputIndex(work.shape, tile.firstFilter + n, finished)] = pe.outValue(n);
    finished += tile.step;
  };
  for (let o = 0; o < outputs; o++, position += tile.step) {
    const base = input.base(block.group, position);
    for (let s = 0; s < steps; s++) {
      const present = items[s];
      for (let l = 0; l < present; l++) window[l] = input.data[base + inputOffset[s * lanes + l]];
      for (let l = present; l < lanes; l++) window[l] = 0;
      pe.cycle(weights, s * tile.filters * lanes, window, s === steps - 1);
      collect();
      accepted++;
      counters.terms += present * tile.filters;
      counters.idle.absentLane += (lanes - present) * tile.filters;
    }
  }
  for (let drain = 1; drain < MacPe.latency; drain++) {
    pe.cycle(null, 0, window, false);
    collect();
  }
  return accepted;
}
