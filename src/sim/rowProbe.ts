/**
 * What a probe sees of a group of row PEs (SPEC section 6): the registers of its PEs and of its PPU. An operation that
 * begins in a cycle, and a row buffer that is claimed in it, show in the registers from the next cycle on.
 */
import { beforeEach, registersOf, type Probe } from './probe.js';
import type { RowGroup } from './rowGroup.js';

/** Lets a probe see a group from its coming cycle on. Cycles are those of the array. */
export function watchRows(probe: Probe, path: readonly string[], group: RowGroup): void {
  const parts = group.pes.map((pe, p) => probe.component([...path, `pe${p}`], registersOf(pe.registers)));
  parts.push(probe.component([...path, 'ppu'], registersOf(group.ppu.registers)));
  const look = (cycle: number): void => parts.forEach((sample) => sample(cycle));
  // A row claims its buffer before its first cycle.
  beforeEach(group, ['run', 'cycle'], () => look(group.now));
  const drain = group.drain.bind(group);
  group.drain = () => {
    drain();
    // The group is not clocked any more: what left it in its last cycle is on its port, then the port is empty.
    look(group.now);
    group.ppu.cycle();
    look(group.now + 1);
  };
}
