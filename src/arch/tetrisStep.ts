/**
 * Tetris, clock by clock: kneads the streams of each block off-line into a word memory, from which the tiles' SAC PEs
 * take their words again for every output.
 */
import { lowerPhase } from '../lower/phases.js';
import { GroupWalk } from '../sim/groupWalk.js';
import { SacPe } from '../sim/sacPe.js';
import { sacLayer, SacTile, WindowPort } from '../sim/sacTile.js';
import { runsSteadily, SteadyMemory, SteadySacPe } from '../sim/steadySacPe.js';
import type { PhaseOperands } from './activations.js';
import { BlockKneader } from './blockKneader.js';
import type { LayerWork, StepResult } from './machine.js';
import type { SacConfig } from './sacConfig.js';
import { peConfig, stepSac } from './sacStep.js';

export function stepTetris(config: SacConfig, work: LayerWork, operands: PhaseOperands): StepResult {
  const lowering = lowerPhase(work.phase, work.shape, config);
  const layer = sacLayer(lowering, operands.window);
  const { kneadingStride, lanes } = config;
  const pe = peConfig(config, lowering, operands.windowBits);
  const kneader = new BlockKneader(config, lowering, operands.stream);
  const memory = runsSteadily(pe) ? new SteadyMemory(pe, config.tiles, kneader.mostWords()) : null;
  const tiles = Array.from({ length: config.tiles }, (_, t) => {
    const walk = new GroupWalk(lowering, t, lanes, 1, kneadingStride);
    const port = new WindowPort(layer, walk, kneadingStride);
    const { words } = kneader;
    const sac = memory ? new SteadySacPe(pe, words, port, memory, t) : new SacPe(pe, words, port);
    return new SacTile(sac, layer, t, walk, 1);
  });
  const result = stepSac(config, layer, {
    tiles,
    fillCycles: 1,
    prepare: (block) => {
      const streams = kneader.knead(block);
      memory?.store(kneader.words);
      return streams;
    },
    longestStream: () => kneader.longestStream,
  });
  kneader.report(result.counters);
  return result;
}
