/**
 * Tetris, clock by clock: kneads the streams of each block off-line into a word memory, from which the tiles' SAC PEs
 * take their words again for every output.
 */
import { lowerPhase } from '../lower/phases.js';
import { GroupWalk } from '../sim/groupWalk.js';
import type { Probe } from '../sim/probe.js';
import { SacPe } from '../sim/sacPe.js';
import { watchSac } from '../sim/sacProbe.js';
import { sacLayer, SacTile, WindowPort } from '../sim/sacTile.js';
import type { PhaseOperands } from './activations.js';
import { BlockKneader } from './blockKneader.js';
import type { LayerWork, StepResult } from './machine.js';
import type { SacConfig } from './sacConfig.js';
import { peConfig, stepSac } from './sacStep.js';
import { fastestPe, peSet } from './tetrisPes.js';

export function stepTetris(
  config: SacConfig,
  work: LayerWork,
  operands: PhaseOperands,
  probe: Probe | null = null,
): StepResult {
  const lowering = lowerPhase(work.phase, work.shape, config);
  const layer = sacLayer(lowering, operands.window);
  const { kneadingStride, lanes } = config;
  const pe = peConfig(config, lowering, operands.windowBits);
  const kneader = new BlockKneader(config, lowering, operands.stream);
  const bounds = kneader.bounds();
  const pes = peSet(fastestPe(pe, operands.windowBits, bounds), pe, config.tiles, bounds);
  const watched = probe?.places('tile', config.tiles);
  const tiles = Array.from({ length: config.tiles }, (_, t) => {
    const walk = new GroupWalk(lowering, t, lanes, 1, kneadingStride);
    const port = new WindowPort(layer, walk, kneadingStride);
    const { words } = kneader;
    // The fast PEs do not have all registers in each cycle, so what is looked at is the general one.
    const seen = watched?.(t) ?? false;
    const sac = seen ? new SacPe(pe, words, port) : pes.make(words, port, t);
    if (probe && seen) watchSac(probe, [`tile${t}`], sac);
    return new SacTile(sac, layer, t, walk, 1);
  });
  const result = stepSac(config, layer, {
    tiles,
    fillCycles: 1,
    prepare: (block) => {
      const streams = kneader.knead(block);
      pes.store(kneader.words);
      return streams;
    },
    longestStream: () => kneader.longestStream,
  });
  kneader.report(result.counters);
  return result;
}
