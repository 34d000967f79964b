/**
 * The timing of one SAC tile: the exact max-plus recurrence of SPEC section 3 over groups, outputs and blocks,
 *
 *   load[l,g]    = max(load[l,g-1] + windowLoadCycles, F[l,g-D] + 1)
 *   start[n,l,g] = max(finish[n,l,g-1] + 1, load[l,g] + 1, E[n,o-1] + 1 at the first group of an output,
 *                      F[l,g-1] + 1 if barrier)
 *   finish = start + length - 1;  F[l,g] = max over units of finish;  E[n,o] = max over lanes of the flush
 *
 * At a block's end every E is set to the end of the slowest tile. A throttle buffer of one word passes a word
 * every second cycle, which stretches finish and adds a cycle between groups. Where outputs that follow each other
 * have equal streams, whole periods are skipped once the state relative to time recurs.
 */
import type { SacConfig } from './sacConfig.js';

/** Times are cycles since reset; all state survives from block to block. */
export class TileTiming {
  flushWait = 0;
  windowWait = 0;
  weightsWait = 0;
  /** E: end of the latest output of each unit. */
  readonly end: Float64Array;
  /** finish of the latest group of each (lane, unit). */
  private readonly finish: Float64Array;
  private readonly load: Float64Array;
  /** F of the last D groups of each lane, a ring. */
  private readonly passed: Float64Array;
  private readonly ring: Int32Array;
  private saved = new Float64Array(0);
  private state = new Float64Array(0);

  /** @param activeLanes lanes that have items in some output of the layer */
  constructor(
    private readonly config: SacConfig,
    private readonly activeLanes: number,
  ) {
    const { lanes, units, windowSlots } = config;
    this.end = new Float64Array(units);
    this.finish = new Float64Array(lanes * units).fill(-1);
    this.load = new Float64Array(lanes).fill(-config.windowLoadCycles);
    this.passed = new Float64Array(lanes * windowSlots).fill(-1);
    this.ring = new Int32Array(lanes);
  }

  /** Takes up a block at the end of the one before. */
  begin(units: number, blockStart: number): void {
    this.end.fill(blockStart, 0, units);
  }

  /** The last E of `units` units. */
  latest(units: number): number {
    let last = this.end[0];
    for (let n = 1; n < units; n++) last = Math.max(last, this.end[n]);
    return last;
  }

  /**
   * Times `outputs` equal outputs of `units` units.
   * @param lengths rows of each group, [group of any lane][unit]
   * @param groups groups of each lane, 0 for a lane that these outputs leave absent
   */
  run(lengths: Uint16Array, groups: Int32Array, units: number, outputs: number): void {
    let next = 1; // outputs after which the state is saved: powers of two find any period
    let savedAt = 0;
    for (let o = 1; o <= outputs; o++) {
      this.output(lengths, groups, units);
      if (next < 0 || o === outputs) continue;
      this.relativeState(groups, units);
      if (savedAt > 0 && sameState(this.state, this.saved, this.state.length - 4)) {
        o += this.skip(groups, units, o - savedAt, outputs - o);
        next = -1;
      } else if (o === next) {
        next *= 2;
        savedAt = o;
        this.saved = this.state.slice();
      }
    }
  }

  /** One output of all units. */
  private output(lengths: Uint16Array, groups: Int32Array, units: number): void {
    const { config, end, finish, load, passed, ring } = this;
    const { windowSlots: D, windowLoadCycles } = config;
    const barrier = config.sync === 'barrier';
    const spacing = config.throttleWords === 1 ? 2 : 1;
    let windowWait = 0;
    let weightsWait = 0;
    let at = 0;
    for (let l = 0; l < groups.length; l++) {
      const lane = l * config.units;
      for (let g = 0; g < groups[l]; g++) {
        const slot = l * D + ring[l];
        const before = l * D + (ring[l] === 0 ? D - 1 : ring[l] - 1);
        const loaded = Math.max(load[l] + windowLoadCycles, passed[slot] + 1);
        const visible = barrier ? Math.max(loaded, passed[before]) + 1 : loaded + 1;
        let latest = -1;
        for (let n = 0; n < units; n++) {
          const next = (g === 0 ? end[n] : finish[lane + n]) + 1;
          let start = next > visible ? next : visible;
          windowWait += start - next;
          const length = lengths[at++];
          if (spacing === 2) {
            // A one-word throttle buffer is empty in the cycle after each word.
            const filled = Math.max(start, finish[lane + n] + 2);
            weightsWait += filled - start + Math.max(0, length - 1);
            start = filled;
          }
          const finished = length === 0 ? start - 1 : start + spacing * (length - 1);
          finish[lane + n] = finished;
          if (finished > latest) latest = finished;
        }
        load[l] = loaded;
        passed[slot] = latest;
        ring[l] = ring[l] + 1 === D ? 0 : ring[l] + 1;
      }
    }
    let flushWait = 0;
    for (let n = 0; n < units; n++) {
      let last = -1;
      let sum = 0;
      let lanes = 0;
      for (let l = 0; l < groups.length; l++)
        if (groups[l] > 0) {
          const finished = finish[l * config.units + n];
          if (finished > last) last = finished;
          sum += finished;
          lanes++;
        }
      // A lane without items in this output counts as flushed from its beginning.
      flushWait += lanes * last - sum + (this.activeLanes - lanes) * (last - end[n]);
      end[n] = last;
    }
    this.windowWait += windowWait;
    this.weightsWait += weightsWait;
    this.flushWait += flushWait;
  }

  /** Writes everything that the future depends on, relative to the first unit's end, then time and counters. */
  private relativeState(groups: Int32Array, units: number): void {
    const { config, end, finish, load, passed, ring } = this;
    const D = config.windowSlots;
    const size = units + groups.length * (1 + D + (config.throttleWords === 1 ? units : 0)) + 4;
    if (this.state.length !== size) this.state = new Float64Array(size);
    const { state } = this;
    const base = end[0];
    let at = 0;
    for (let n = 0; n < units; n++) state[at++] = end[n] - base;
    for (let l = 0; l < groups.length; l++) {
      if (groups[l] === 0) continue;
      state[at++] = load[l] - base;
      for (let age = 0; age < D; age++) state[at++] = passed[l * D + ((ring[l] + age) % D)] - base;
      if (config.throttleWords === 1)
        for (let n = 0; n < units; n++) state[at++] = finish[l * config.units + n] - base;
    }
    state[size - 4] = base;
    state[size - 3] = this.windowWait;
    state[size - 2] = this.weightsWait;
    state[size - 1] = this.flushWait;
  }

  /** The state recurred after `period` outputs: skips whole periods among the `left` ones. Returns outputs skipped. */
  private skip(groups: Int32Array, units: number, period: number, left: number): number {
    const { state, saved, config } = this;
    const times = Math.floor(left / period);
    const size = state.length;
    const shift = (state[size - 4] - saved[size - 4]) * times;
    for (let n = 0; n < units; n++) this.end[n] += shift;
    for (let l = 0; l < groups.length; l++) {
      if (groups[l] === 0) continue;
      this.load[l] += shift;
      for (let d = 0; d < config.windowSlots; d++) this.passed[l * config.windowSlots + d] += shift;
      for (let n = 0; n < units; n++) this.finish[l * config.units + n] += shift;
    }
    this.windowWait += (state[size - 3] - saved[size - 3]) * times;
    this.weightsWait += (state[size - 2] - saved[size - 2]) * times;
    this.flushWait += (state[size - 1] - saved[size - 1]) * times;
    return times * period;
  }
}

function sameState(a: Float64Array, b: Float64Array, size: number): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < size; i++) if (a[i] !== b[i]) return false;
  return true;
}
