/** Steps `sim/ppu.ts` alone through a stimulus, one line per cycle, sampled before the clock edge. */
import { Ppu } from '../../../sim/ppu.js';
import { hex64, mask } from '../../stimulus.js';
import { lfsrOf, portsOf, type PpuStimulus } from './form.js';

/** What stands for the PEs: rows start in order, sums of started rows go to the adders in order, rows end in order. */
class Feeder {
  started = 0;
  ended = 0;
  private row = 0;
  private add = 0;
  private readonly buffer: number[] = [];

  constructor(
    private readonly s: PpuStimulus,
    private readonly ppu: Ppu,
  ) {}

  /** Returns whether a row starts. */
  start(offers: boolean): boolean {
    if (!offers || this.started === this.s.rows.length || !this.ppu.ready) return false;
    this.buffer.push(this.ppu.claim(this.started++));
    return true;
  }

  /** Returns which adders add. */
  fill(offers: readonly number[]): boolean[] {
    const { s, ppu } = this;
    return offers.map((offer) => {
      this.skip();
      if (offer === 0 || this.row === this.started) return false;
      const [column, value] = s.rows[this.row].adds[this.add++];
      ppu.sums[this.buffer[this.row] * s.width + column] += value;
      return true;
    });
  }

  /** Returns whether a row ends: it has got all of its sums. */
  end(offers: boolean): boolean {
    this.skip();
    if (!offers || this.ended === this.row) return false;
    this.ended++;
    this.ppu.finish();
    return true;
  }

  private skip(): void {
    while (this.row < this.started && this.add === this.s.rows[this.row].adds.length) {
      this.row++;
      this.add = 0;
    }
  }
}

export function tracePpu(s: PpuStimulus, registers: boolean): string[] {
  const { width, relu, keepZeros, bypass, rows, adders, ready } = s;
  const live = Uint8Array.from(rows.flatMap((row) => row.mask ?? new Array<number>(width).fill(1)));
  const ppu = new Ppu({ width, relu, keepZeros, mask: rows.some((row) => row.mask) ? live : null });
  ppu.prune(s.threshold, lfsrOf(s));
  const feeder = new Feeder(s, ppu);
  const passed = new Float64Array(rows.length * width);
  const open = new Array<number>(portsOf(s)).fill(1);
  const lines: string[] = [];
  while (feeder.ended < rows.length || ppu.active || ppu.outValid) {
    const offers = ready[lines.length] ?? open;
    const takes = offers[adders + 2] === 1;
    const { active, ready: free, outValid, outStored, storedCount, magnitudeSum } = ppu;
    const fired = outValid && takes;
    const leaves = fired
      ? [(ppu.outPlace - ppu.outColumn) / width, ppu.outColumn, ppu.outValue, ppu.outSum]
      : [];
    const before = registers ? ['|', ...registersOf(ppu).map(hex64)] : [];
    const starts = feeder.start(offers[0] === 1);
    ppu.cycle(takes);
    const adds = feeder.fill(offers.slice(1, adders + 1));
    const ends = feeder.end(offers[adders + 1] === 1);
    if (ends && bypass) {
      ppu.bypass(passed);
      const row = feeder.ended - 1;
      leaves.push(row, ...passed.subarray(row * width, (row + 1) * width));
    }
    const flags = [
      mask([active, free]),
      mask([starts, ...adds, ends]),
      mask([outValid, fired, outValid && outStored, ends && bypass]),
    ];
    lines.push(
      [lines.length, ...flags, ...[storedCount, magnitudeSum, ...leaves].map(hex64), ...before].join(' '),
    );
  }
  return lines;
}

/** States of the buffers, which is claimed, finished and drained, the column drained, the LFSR, and all sums. */
function registersOf({ registers }: Ppu): number[] {
  const ints = (name: string): number[] => [...registers.ints(name)];
  const doubles = (name: string): number[] => [...registers.doubles(name)];
  return [...ints('state'), ...ints('control'), ...doubles('lfsr'), ...doubles('sums')];
}
