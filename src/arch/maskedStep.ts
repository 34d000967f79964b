/**
 * Masked kneading, clock by clock: every unit and lane has its on-line kneader, which loads raw groups with their masks
 * in the order of work and feeds the PE; see `sim/onlineKneader.ts`.
 */
import { lowerPhase } from '../lower/phases.js';
import { GroupWalk } from '../sim/groupWalk.js';
import { KneadingPe } from '../sim/kneadingPe.js';
import type { Probe } from '../sim/probe.js';
import { watchSac } from '../sim/sacProbe.js';
import { sacLayer, SacTile, WindowPort } from '../sim/sacTile.js';
import type { PhaseOperands } from './activations.js';
import type { LayerWork, StepResult } from './machine.js';
import { groupBits } from './maskedKneading.js';
import type { SacConfig } from './sacConfig.js';
import { peConfig, stepSac } from './sacStep.js';

export function stepMasked(
  config: SacConfig,
  work: LayerWork,
  operands: PhaseOperands,
  probe: Probe | null = null,
): StepResult {
  const lowering = lowerPhase(work.phase, work.shape, config);
  const layer = sacLayer(lowering, operands.window);
  const { kneadingStride, lanes, units } = config;
  const pe = peConfig(config, lowering, operands.windowBits);
  // A throttle buffer shows a word a cycle after the kneader offers it; without one the window takes as long.
  const fillCycles = config.throttleWords === 0 ? 1 : 2;
  const pes: KneadingPe[] = [];
  const watched = probe?.places('tile', config.tiles);
  const tiles = Array.from({ length: config.tiles }, (_, t) => {
    const windows = new GroupWalk(lowering, t, lanes, 1, kneadingStride);
    const groups = new GroupWalk(lowering, t, lanes, units, kneadingStride);
    const port = new WindowPort(layer, windows, kneadingStride);
    const kneading = new KneadingPe(pe, lowering, operands, port, groups);
    pes.push(kneading);
    if (probe && watched?.(t)) watchSac(probe, [`tile${t}`], kneading, [kneading.kneaders.registers]);
    return new SacTile(kneading, layer, t, windows, fillCycles);
  });
  let before = pes.map((p) => p.accepted.slice());
  const nothing: null[] = tiles.map(() => null);
  const result = stepSac(config, layer, {
    tiles,
    fillCycles,
    prepare: () => nothing,
    longestStream: () => {
      const longestOf = pes.map((p, t) =>
        p.accepted.reduce((most, words, i) => Math.max(most, words - before[t][i]), 0),
      );
      before = pes.map((p) => p.accepted.slice());
      return longestOf.reduce((a, b) => Math.max(a, b), 0);
    },
  });
  const { counters } = result;
  for (const { rows, items, groups } of pes) {
    counters.kneadedRows += rows;
    counters.kneadedWeights += items;
    counters.kneaderBits += groups * groupBits(config);
  }
  return result;
}
