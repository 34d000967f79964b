/** Dense lanes, clock by clock: each tile's MAC PE takes one brick per cycle; cycles and values come from the PEs. */
import { itemsOf, type TileWork } from '../lower/blocks.js';
import { bricksOf, brickStreams, type Bricks } from '../lower/bricks.js';
import { activeLanesOf, kindAt, type LaneArray, type LaneLowering } from '../lower/lowering.js';
import { lowerPhase, type LaneOperands } from '../lower/phases.js';
import { MacPe } from '../sim/macPe.js';
import { zeroCounters, type Counters, type LayerWork, type StepResult } from './machine.js';

/** What all tiles of the array share during one layer. */
interface DenseLayer {
  lowering: LaneLowering;
  /** Bricks of each kind of output. */
  bricks: Bricks[];
  window: Int32Array;
  lanes: number;
  output: Float64Array;
  counters: Counters;
}

export function stepDense(array: LaneArray, { shape, phase }: LayerWork, operands: LaneOperands): StepResult {
  const lowering = lowerPhase(phase, shape, array);
  const bricks = lowering.kinds.map(bricksOf);
  const activeLanes = activeLanesOf(lowering);
  const counters = zeroCounters();
  const output = lowering.blankOutput();
  const layer: DenseLayer = {
    lowering,
    bricks,
    window: operands.window,
    lanes: array.lanes,
    output,
    counters,
  };
  for (const { tiles } of lowering.blocks) {
    let streams: Int32Array[] = [];
    let chunk = -1;
    const cyclesOf = tiles.map((tile) => {
      if (itemsOf(tile, lowering.positions) === 0) return 0;
      if (tile.firstUnit !== chunk) {
        chunk = tile.firstUnit;
        streams = bricks.map((kind) =>
          brickStreams(kind, operands.stream, tile.units, (n) => lowering.unitStream(tile.firstUnit + n)),
        );
      }
      return runTile(layer, tile, streams);
    });
    const cycles = cyclesOf.reduce((longest, own) => Math.max(longest, own), 0);
    counters.cycles += cycles;
    counters.boundCycles += cycles;
    tiles.forEach((tile, t) => {
      const waiting = cycles - cyclesOf[t];
      counters.idle.absentUnit += (array.units - tile.units) * array.lanes * cycles;
      counters.idle.absentLane += tile.units * (array.lanes - activeLanes) * waiting;
      if (cyclesOf[t] === 0) counters.idle.empty += tile.units * activeLanes * waiting;
      else counters.stall.imbalance += tile.units * activeLanes * waiting;
    });
  }
  counters.busy = counters.singleStreamLaneCycles = counters.terms;
  counters.pipelineCycles = MacPe.latency;
  return { counters, output };
}

/** Clocks one tile through its share of a block. Returns the cycles in which it accepted bricks. */
function runTile(layer: DenseLayer, tile: TileWork, streams: Int32Array[]): number {
  const { lanes, output, counters } = layer;
  const { positions, positionWindow, positionOutput, unitOutput, unitWindow } = layer.lowering;
  const outputs = Array.from({ length: tile.units }, (_, n) => unitOutput(tile.firstUnit + n));
  const tileWindow = unitWindow(tile.firstUnit);
  const pe = new MacPe(tile.units, lanes);
  const window = new Int32Array(lanes);
  let finished = tile.first;
  let accepted = 0;
  const collect = (): void => {
    if (!pe.outValid) return;
    const place = positionOutput(finished);
    for (let n = 0; n < tile.units; n++) output[outputs[n] + place] = pe.outValue(n);
    finished += tile.step;
  };
  for (let position = tile.first; position < positions; position += tile.step) {
    const kind = kindAt(layer.lowering, position);
    const { steps, items, windowOffset } = layer.bricks[kind];
    const base = tileWindow + positionWindow(position);
    for (let s = 0; s < steps; s++) {
      const present = items[s];
      for (let l = 0; l < present; l++) window[l] = layer.window[base + windowOffset[s * lanes + l]];
      for (let l = present; l < lanes; l++) window[l] = 0;
      pe.cycle(streams[kind], s * tile.units * lanes, window, s === steps - 1);
      collect();
      accepted++;
      counters.terms += present * tile.units;
      counters.idle.absentLane += (lanes - present) * tile.units;
    }
  }
  for (let drain = 1; drain < MacPe.latency; drain++) {
    pe.cycle(null, 0, window, false);
    collect();
  }
  return accepted;
}
