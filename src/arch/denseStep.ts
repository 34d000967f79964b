/** Dense lanes, clock by clock: each tile's MAC PE takes one brick per cycle; cycles and values come from the PEs. */
import { itemsOf, type TileWork } from '../lower/blocks.js';
import { bricksOf, brickStreams, type Bricks } from '../lower/bricks.js';
import { activeLanesOf, kindAt, type LaneArray, type LaneLowering } from '../lower/lowering.js';
import { lowerPhase, type LaneOperands } from '../lower/phases.js';
import { MacPe } from '../sim/macPe.js';
import { MacTile, watchMac } from '../sim/macTile.js';
import type { Probe } from '../sim/probe.js';
import { zeroCounters, type Counters, type LayerWork, type StepResult } from './machine.js';

/** What all tiles of the array share during one layer. */
interface DenseLayer {
  lowering: LaneLowering;
  /** Bricks of each kind of output. */
  bricks: Bricks[];
  window: Int32Array;
  lanes: number;
  counters: Counters;
}

export function stepDense(
  array: LaneArray,
  { shape, phase }: LayerWork,
  operands: LaneOperands,
  probe: Probe | null = null,
): StepResult {
  const lowering = lowerPhase(phase, shape, array);
  const bricks = lowering.kinds.map(bricksOf);
  const activeLanes = activeLanesOf(lowering);
  const counters = zeroCounters();
  const output = lowering.blankOutput();
  const { window } = operands;
  const layer: DenseLayer = { lowering, bricks, window, lanes: array.lanes, counters };
  // Tiles that never get work are not built, unless somebody looks at them.
  const built: MacTile[] = [];
  const tileAt = (t: number): MacTile =>
    (built[t] ??= new MacTile(array.units, array.lanes, output, counters.cycles));
  if (probe) watchTiles(probe, array.tiles, tileAt);
  for (const { tiles } of lowering.blocks) {
    let streams: Int32Array[] = [];
    let chunk = -1;
    const cyclesOf = tiles.map((tile, t) => {
      if (itemsOf(tile, lowering.positions) === 0) return 0;
      if (tile.firstUnit !== chunk) {
        chunk = tile.firstUnit;
        streams = bricks.map((kind) =>
          brickStreams(kind, operands.stream, tile.units, (n) => lowering.unitStream(tile.firstUnit + n)),
        );
      }
      return runTile(layer, tileAt(t), tile, streams);
    });
    const cycles = cyclesOf.reduce((longest, own) => Math.max(longest, own), 0);
    counters.starts.push(counters.cycles);
    counters.cycles += cycles;
    counters.boundCycles += cycles;
    tiles.forEach((tile, t) => {
      const waiting = cycles - cyclesOf[t];
      built[t]?.wait(waiting);
      counters.idle.absentUnit += (array.units - tile.units) * array.lanes * cycles;
      counters.idle.absentLane += tile.units * (array.lanes - activeLanes) * waiting;
      if (cyclesOf[t] === 0) counters.idle.empty += tile.units * activeLanes * waiting;
      else counters.stall.imbalance += tile.units * activeLanes * waiting;
    });
  }
  for (const tile of built) tile?.wait(MacPe.latency + 1);
  counters.busy = counters.singleStreamLaneCycles = counters.terms;
  counters.pipelineCycles = MacPe.latency;
  return { counters, output };
}

function watchTiles(probe: Probe, tiles: number, tileAt: (t: number) => MacTile): void {
  const watched = probe.places('tile', tiles);
  for (let t = 0; t < tiles; t++) if (watched(t)) watchMac(probe, [`tile${t}`], tileAt(t));
}

/** Clocks one tile through its share of a block. Returns the cycles in which it accepted bricks. */
function runTile(layer: DenseLayer, tile: MacTile, work: TileWork, streams: Int32Array[]): number {
  const { lanes, counters } = layer;
  const { positions, positionWindow, positionOutput, unitOutput, unitWindow } = layer.lowering;
  const { window } = tile;
  const { units } = work;
  tile.startBlock(Int32Array.from({ length: units }, (_, n) => unitOutput(work.firstUnit + n)));
  const tileWindow = unitWindow(work.firstUnit);
  let accepted = 0;
  for (let position = work.first; position < positions; position += work.step) {
    const kind = kindAt(layer.lowering, position);
    const { steps, items, windowOffset } = layer.bricks[kind];
    const base = tileWindow + positionWindow(position);
    if (steps > 0) tile.beginOutput(positionOutput(position));
    for (let s = 0; s < steps; s++) {
      const present = items[s];
      for (let l = 0; l < present; l++) window[l] = layer.window[base + windowOffset[s * lanes + l]];
      for (let l = present; l < lanes; l++) window[l] = 0;
      tile.cycle(streams[kind], s * units * lanes, s === steps - 1);
      accepted++;
      counters.terms += present * units;
      counters.idle.absentLane += (lanes - present) * units;
    }
  }
  return accepted;
}
