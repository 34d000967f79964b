/**
 * Row PEs, clock by clock: every operand passes the feeder of a PE, every sum a row buffer, every finished row the
 * PPU of its group. Cycles, stalls, operands and values all come from the clocked array.
 *
 * In replay the PPU's threshold is 0 and its ReLU has no say in the output: what follows a layer is recorded, so sums
 * are taken as the PPU reads them. What it makes of them is checked against the sums, layer by layer.
 */
import { VerificationError } from '../errors.js';
import { phaseOutputShape } from '../lower/phase.js';
import { fromRows, rowShape } from '../lower/rowOperations.js';
import type { Probe } from '../sim/probe.js';
import { RowArray } from '../sim/rowArray.js';
import type { RowGroup } from '../sim/rowGroup.js';
import { watchRows } from '../sim/rowProbe.js';
import { elementCount } from '../tensor.js';
import { zeroCounters, type Counters, type LayerWork, type StepResult } from './machine.js';
import type { RowArrayConfig } from './sparsetrain.js';
import { rowOperands } from './sparsetrainOperands.js';

export function stepRows(config: RowArrayConfig, work: LayerWork, probe: Probe | null = null): StepResult {
  const { shape, phase } = work;
  const layer = {
    shape: rowShape(shape),
    phase,
    ...rowOperands(work, config.dense),
    weights: work.weights.codes,
    output: new Float64Array(elementCount(phaseOutputShape(phase, shape))),
  };
  const array = new RowArray(
    { ...config, keepZeros: config.dense, float32: config.arithmetic === 'float32' },
    layer,
  );
  if (probe) {
    const watched = probe.places('group', config.groups);
    array.groups.forEach((group, g) => {
      if (watched(g)) watchRows(probe, [`group${g}`], group);
    });
  }
  array.run();
  if (phase !== 'gradWeight') checkPpus(array, layer.output, work, config.dense);
  return { counters: countersOf(array, config), output: fromRows(shape, phase, layer.output) };
}

function countersOf(array: RowArray, { groups, pesPerGroup, taps }: RowArrayConfig): Counters {
  const counters = zeroCounters();
  const { stall, idle } = counters;
  const used = array.widestPiece;
  const { cycles } = array;
  counters.cycles = cycles;
  counters.pipelineCycles = array.drainCycles;
  counters.starts = planeStarts(array);
  let peCycles = 0;
  array.groups.forEach((group, g) => {
    const without = array.blocked[g] + array.idle[g];
    group.pes.forEach((pe, p) => {
      counters.operands += pe.counters.operands;
      counters.terms += pe.counters.products;
      counters.busy += group.lanes[p];
      peCycles += group.busy[p];
      idle.absentLane += (taps - used) * (group.busy[p] + group.waiting[p] + without);
      idle.absentLane += used * group.busy[p] - group.lanes[p];
      if (group.rows === 0) idle.empty += used * without;
      else if (group.busy[p] === 0) idle.absentUnit += used * (group.waiting[p] + without);
      else {
        stall.ppu += used * array.blocked[g];
        stall.imbalance += used * (group.waiting[p] + array.idle[g]);
      }
    });
    counters.rowOperations += group.operationCount;
    counters.boundCycles = Math.max(counters.boundCycles, group.rowBound);
  });
  counters.singleStreamLaneCycles = counters.busy;
  counters.boundCycles = Math.max(counters.boundCycles, Math.ceil(peCycles / (groups * pesPerGroup)));
  return counters;
}

/** Cycle in which the first row of each plane, or of any after it, started. */
function planeStarts({ rows, rowsPerPlane, work, rowStart, cycles }: RowArray): number[] {
  const starts: number[] = [];
  let next = cycles;
  for (let plane = rows / rowsPerPlane - 1, i = work.length - 1; plane >= 0; plane--) {
    for (; i >= 0 && work[i] >= plane * rowsPerPlane; i--) next = Math.min(next, rowStart[i]);
    starts[plane] = next;
  }
  return starts;
}

/** Stored elements and sums of magnitudes of all PPUs, against the sums that the PEs left. */
function checkPpus(array: RowArray, output: Float64Array, work: LayerWork, dense: boolean): void {
  const width = output.length / array.rows;
  let stored = 0;
  let magnitudes = 0;
  for (const row of array.work)
    for (let i = row * width; i < (row + 1) * width; i++) {
      const value = work.phase === 'forward' ? Math.max(0, output[i]) : output[i];
      if (value !== 0 || dense) stored++;
      magnitudes += Math.abs(value);
    }
  const total = (of: (group: RowGroup) => number): number =>
    array.groups.reduce((sum, group) => sum + of(group), 0);
  const foundStored = total(({ ppu }) => ppu.storedCount);
  const found = total(({ ppu }) => ppu.magnitudeSum);
  // Beyond 2^53 the order of rows shows in the last bits.
  const tolerance = magnitudes < 2 ** 53 ? 0 : magnitudes * 2 ** -40;
  if (foundStored !== stored || Math.abs(found - magnitudes) > tolerance)
    throw new VerificationError(
      'ppu',
      `layer ${work.name}, ${work.phase}: the PPUs stored ${foundStored} elements of magnitude ${found} in all, ` +
        `expected ${stored} and ${magnitudes}`,
    );
}
